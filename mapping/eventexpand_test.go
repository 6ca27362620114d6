package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	goical "github.com/emersion/go-ical"
	"github.com/teambition/rrule-go"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/recur"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// The proof by expansion: what the provider describes and what the produced object describes are the same instants. The
// source's side is expanded with Go's zone database, the object's with nothing but what stands in it, its VTIMEZONE
// included, as another library reads it.

// instance is one time that an event takes.
type instance struct{ start, end, summary string }

// maxInstances bounds an expansion, and expandYears its span.
const (
	maxInstances = 1200
	expandYears  = 3
)

// expandSource expands what the provider says.
func expandSource(t testing.TB, e sources.Event, rules EventRules) []instance {
	t.Helper()
	m := eventMapper{rules: rules, spans: map[string]*zoneSpan{}}
	zone := func(name string) *time.Location {
		if name == "" || name == sources.Floating {
			return time.UTC
		}
		loc, ok := m.lookUp(name)
		if !ok {
			loc, _ = m.lookUp(rules.Zone)
		}
		return loc
	}
	at := func(et sources.EventTime) time.Time {
		if et.Date != "" {
			d, _ := time.Parse(time.DateOnly, et.Date)
			return d
		}
		return et.Time.In(zone(et.Zone))
	}
	length := func(o sources.Occurrence) time.Duration {
		d := at(o.End).Sub(at(o.Start))
		if o.End.IsZero() || d < 0 || d == 0 && o.Start.Date != "" {
			if o.Start.Date != "" {
				return 24 * time.Hour
			}
			return 0
		}
		return d
	}
	var all []instance
	overridden := map[int64]bool{}
	for _, x := range e.Exceptions {
		overridden[at(cmp.Or(x.OriginalStart, x.Start)).Unix()] = true
		all = append(all, instanceOf(at(x.Start), length(x), x.Summary))
	}
	if e.Master == nil {
		return sorted(all)
	}
	for _, c := range e.Cancelled {
		overridden[at(c).Unix()] = true
	}
	start := at(e.Master.Start)
	for _, s := range expandLines(t, start, e.Master.Start.Date != "", e.Master.Recurrence, zone) {
		if !overridden[s.Unix()] {
			all = append(all, instanceOf(s, length(*e.Master), e.Master.Summary))
		}
	}
	return sorted(all)
}

// expandLines expands recurrence lines in the zone of start.
func expandLines(t testing.TB, start time.Time, date bool, lines []string, zone func(string) *time.Location) []time.Time {
	set := map[int64]time.Time{start.Unix(): start}
	excluded := map[int64]bool{}
	limit := start.UTC().AddDate(expandYears, 0, 0)
	for _, line := range lines {
		p, _ := icalendar.ParseLine(line)
		switch p.Name {
		case "RRULE", "EXRULE":
			for _, s := range expandRule(t, p.Value, start, date, limit) {
				if p.Name == "RRULE" {
					set[s.Unix()] = s
				} else {
					excluded[s.Unix()] = true
				}
			}
		case "RDATE", "EXDATE":
			loc := start.Location()
			if z := p.Param("TZID"); z != "" {
				loc = zone(z)
			}
			for _, v := range p.List() {
				v, _, _ = strings.Cut(v, "/")
				moment, err := icalendar.ParseMoment(v)
				if err != nil {
					continue
				}
				s := moment.In(loc)
				if moment.Date && !date {
					s = icalendar.Instant(moment.Wall.Add(sinceMidnight(start)), start.Location())
				}
				if p.Name == "RDATE" {
					set[s.Unix()] = s
				} else {
					excluded[s.Unix()] = true
				}
			}
		}
	}
	var list []time.Time
	for k, s := range set {
		if !excluded[k] && s.Before(limit) {
			list = append(list, s)
		}
	}
	return list
}

func sinceMidnight(t time.Time) time.Duration {
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second
}

// expandRule expands one rule. Its end is read in every form that providers write.
func expandRule(t testing.TB, value string, start time.Time, date bool, limit time.Time) []time.Time {
	r, err := icalendar.ParseRule(value)
	if err != nil {
		return nil
	}
	if until := r.Get("UNTIL"); until != "" {
		moment, _ := icalendar.ParseMoment(until)
		end := moment.In(start.Location())
		if moment.Date && !date {
			end = icalendar.Instant(moment.Wall.Add(24*time.Hour-time.Second), start.Location())
		}
		if end.Before(limit) {
			limit = end.Add(time.Second)
		}
		r = r.With("COUNT", "")
	}
	option, err := rrule.StrToROption(r.With("UNTIL", "").String())
	if err != nil {
		t.Skipf("the other library does not read %s: %v", r, err)
	}
	_, offset := start.Zone()
	option.Dtstart = start.UTC().Add(time.Duration(offset) * time.Second)
	rule, err := rrule.NewRRule(*option)
	if err != nil {
		t.Skipf("the other library does not expand %s: %v", r, err)
	}
	var list []time.Time
	next := rule.Iterator()
	for w, ok := next(); ok && len(list) < maxInstances; w, ok = next() {
		s := icalendar.Instant(w, start.Location())
		if !s.Before(limit) {
			break
		}
		list = append(list, s)
	}
	return list
}

func instanceOf(start time.Time, length time.Duration, summary string) instance {
	return instance{start.UTC().Format(time.RFC3339), start.Add(length).UTC().Format(time.RFC3339), strings.TrimSpace(summary)}
}

func sorted(list []instance) []instance {
	slices.SortFunc(list, func(a, b instance) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end), cmp.Compare(a.summary, b.summary))
	})
	return list
}

// target is an object as a reader without a zone database knows it.
type target struct {
	zones map[string][]observance
	end   time.Time
}

type observance struct {
	wall     time.Time // the first wall clock, by the offset before
	from, to time.Duration
}

// expandTarget expands a produced object.
func expandTarget(t testing.TB, data []byte) []instance {
	t.Helper()
	c := readEverywhere(t, data)
	x := target{zones: map[string][]observance{}}
	for _, e := range c.Events() {
		if s := wallOf(t, e.Props.Get("DTSTART")); s.Wall.AddDate(expandYears+2, 0, 0).After(x.end) {
			x.end = s.Wall.AddDate(expandYears+2, 0, 0)
		}
	}
	for _, z := range c.Children {
		if z.Name == "VTIMEZONE" {
			x.zones[z.Props.Get("TZID").Value] = observances(t, z, x.end)
		}
	}
	var all []instance
	overridden := map[int64]bool{}
	var master *goical.Event
	for _, e := range c.Events() {
		id := e.Props.Get("RECURRENCE-ID")
		if id == nil {
			master = &e
			continue
		}
		overridden[x.instant(t, id, wallOf(t, id)).Unix()] = true
		start := x.instant(t, e.Props.Get("DTSTART"), wallOf(t, e.Props.Get("DTSTART")))
		all = append(all, instanceOf(start, x.length(t, e.Props), summary(e)))
	}
	if master == nil {
		t.Fatalf("no master in\n%s", data)
	}
	for _, s := range x.series(t, *master) {
		if !overridden[s.Unix()] {
			all = append(all, instanceOf(s, x.length(t, master.Props), summary(*master)))
		}
	}
	return sorted(all)
}

func summary(e goical.Event) string { s, _ := e.Props.Text("SUMMARY"); return s }

func wallOf(t testing.TB, p *goical.Prop) icalendar.Moment {
	t.Helper()
	m, err := icalendar.ParseMoment(p.Value)
	if err != nil {
		t.Fatal(err)
	}
	if m.Date != (p.Params.Get("VALUE") == "DATE") {
		t.Fatalf("%s:%s has the wrong VALUE", p.Name, p.Value)
	}
	return m
}

// series expands the master in wall clocks and turns those into instants.
func (x target) series(t testing.TB, e goical.Event) []time.Time {
	p := e.Props.Get("DTSTART")
	start := wallOf(t, p)
	walls := map[time.Time]bool{start.Wall: true}
	limit := x.instant(t, p, start).AddDate(expandYears, 0, 0)
	excluded := map[int64]bool{}
	for _, r := range e.Props.Values("RRULE") {
		for _, w := range x.rule(t, p, start, r.Value, limit) {
			walls[w] = true
		}
	}
	for _, r := range e.Props.Values("EXRULE") {
		for _, w := range x.rule(t, p, start, r.Value, limit) {
			excluded[x.wall(t, p, start, w).Unix()] = true
		}
	}
	for _, d := range e.Props.Values("EXDATE") {
		for _, v := range strings.Split(d.Value, ",") {
			d.Value = v
			excluded[x.instant(t, &d, wallOf(t, &d)).Unix()] = true
		}
	}
	for _, d := range e.Props.Values("RDATE") {
		for _, v := range strings.Split(d.Value, ",") {
			d.Value = v
			if d.Params.Get("TZID") != p.Params.Get("TZID") {
				t.Fatalf("RDATE in another zone than DTSTART")
			}
			walls[wallOf(t, &d).Wall] = true
		}
	}
	var list []time.Time
	seen := map[int64]bool{}
	for w := range walls {
		s := x.wall(t, p, start, w)
		if !excluded[s.Unix()] && !seen[s.Unix()] && s.Before(limit) {
			seen[s.Unix()] = true
			list = append(list, s)
		}
	}
	return list
}

func (x target) wall(t testing.TB, p *goical.Prop, start icalendar.Moment, w time.Time) time.Time {
	return x.instant(t, p, icalendar.Moment{Wall: w, UTC: start.UTC, Date: start.Date})
}

// rule expands a rule in wall clocks. UNTIL has to be in the one form that RFC 5545 allows.
func (x target) rule(t testing.TB, p *goical.Prop, start icalendar.Moment, value string, limit time.Time) []time.Time {
	r, err := icalendar.ParseRule(value)
	if err != nil {
		t.Fatal(err)
	}
	if until := r.Get("UNTIL"); until != "" {
		m, _ := icalendar.ParseMoment(until)
		zoned := start.UTC || p.Params.Get("TZID") != ""
		if m.Date != start.Date || m.UTC != zoned || r.Get("COUNT") != "" {
			t.Fatalf("%s with DTSTART %+v", value, start)
		}
		if m.Wall.Before(limit) {
			limit = m.Wall.Add(time.Second)
		}
	}
	option, err := rrule.StrToROption(r.With("UNTIL", "").String())
	if err != nil {
		t.Fatal(err)
	}
	option.Dtstart = start.Wall
	rule, err := rrule.NewRRule(*option)
	if err != nil {
		t.Fatal(err)
	}
	var list []time.Time
	next := rule.Iterator()
	for w, ok := next(); ok && len(list) < maxInstances && x.wall(t, p, start, w).Before(limit); w, ok = next() {
		list = append(list, w)
	}
	return list
}

func (x target) length(t testing.TB, props goical.Props) time.Duration {
	start := props.Get("DTSTART")
	end := props.Get("DTEND")
	if d := props.Get("DURATION"); d != nil {
		length, err := icalendar.ParseDuration(d.Value)
		if err != nil || end != nil {
			t.Fatalf("%v, %v", err, end)
		}
		return length
	}
	switch {
	case end != nil:
		return x.instant(t, end, wallOf(t, end)).Sub(x.instant(t, start, wallOf(t, start)))
	case wallOf(t, start).Date:
		return 24 * time.Hour
	}
	return 0
}

// instant turns a wall clock into an instant by the object's own VTIMEZONE.
func (x target) instant(t testing.TB, p *goical.Prop, m icalendar.Moment) time.Time {
	t.Helper()
	id := p.Params.Get("TZID")
	if m.UTC || id == "" {
		return m.Wall
	}
	list, ok := x.zones[id]
	if !ok || len(list) == 0 {
		t.Fatalf("no VTIMEZONE for %q", id)
	}
	current := list[0]
	if m.Wall.Before(current.wall) {
		t.Fatalf("%v is before what the VTIMEZONE of %s tells", m.Wall, id)
	}
	for _, o := range list {
		if m.Wall.Before(o.wall) {
			break // of two equal wall clocks this is the first
		}
		if o.to > o.from && m.Wall.Before(o.wall.Add(o.to-o.from)) {
			return m.Wall.Add(-o.from) // in a gap: by the offset before it
		}
		current = o
	}
	return m.Wall.Add(-current.to)
}

// observances expands a VTIMEZONE.
func observances(t testing.TB, z *goical.Component, end time.Time) []observance {
	var list []observance
	for _, c := range z.Children {
		start := wallOf(t, c.Props.Get("DTSTART"))
		o := observance{wall: start.Wall, from: offsetOf(t, c.Props.Get("TZOFFSETFROM").Value), to: offsetOf(t, c.Props.Get("TZOFFSETTO").Value)}
		list = append(list, o)
		if p := c.Props.Get("RRULE"); p != nil {
			r, err := rrule.StrToRRule("DTSTART:" + start.Wall.Format("20060102T150405Z") + "\nRRULE:" + p.Value)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range r.Between(start.Wall, end, false) {
				list = append(list, observance{w, o.from, o.to})
			}
		}
		for _, d := range c.Props.Values("RDATE") {
			for _, v := range strings.Split(d.Value, ",") {
				d.Value = v
				list = append(list, observance{wallOf(t, &d).Wall, o.from, o.to})
			}
		}
	}
	slices.SortFunc(list, func(a, b observance) int { return a.wall.Compare(b.wall) })
	return list
}

func offsetOf(t testing.TB, s string) time.Duration {
	var h, m, sec int
	if _, err := fmt.Sscanf(s[1:]+"00", "%02d%02d%02d", &h, &m, &sec); err != nil {
		t.Fatal(err)
	}
	d := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(sec)*time.Second
	if s[0] == '-' {
		return -d
	}
	return d
}

// prove maps an event and compares both expansions.
func prove(t *testing.T, e sources.Event, rules EventRules) sinks.Event {
	t.Helper()
	out, losses, err := rules.Event(e)
	if err != nil {
		t.Fatal(err)
	}
	want, got := expandSource(t, e, rules), expandTarget(t, out.Data)
	for _, l := range losses {
		if l.Reason == "event.zone_unknown" || l.Reason == "event.end_repaired" || l.Reason == "event.period" {
			t.Skipf("the times are not the source's: %v", l)
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("the object has %d instances, the source %d\n%s\nlosses %v\n%s", len(got), len(want), firstDifference(got, want), losses, out.Data)
	}
	if len(got) == 0 && len(e.Exceptions) > 0 {
		t.Fatal("nothing was compared")
	}
	proveTimes(t, out)
	return out
}

// proveTimes demands that what verify compares agrees with the object.
func proveTimes(t *testing.T, out sinks.Event) {
	t.Helper()
	if got := recur.Object(out.Data); out.Times != "" && got != out.Times {
		t.Fatalf("the object takes place at other times (%q) than the event was described to (%q)\n%s", got, out.Times, out.Data)
	}
}

func firstDifference(got, want []instance) string {
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return fmt.Sprint("missing ", want[i])
		case i >= len(want):
			return fmt.Sprint("too much ", got[i])
		case got[i] != want[i]:
			return fmt.Sprint(got[i], " instead of ", want[i])
		}
	}
	return ""
}

// TestEventExpansion proves series that cross changes of the clocks, in zones that are hard.
func TestEventExpansion(t *testing.T) {
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo", "Africa/Casablanca", "Asia/Kolkata",
		"Asia/Jerusalem", "America/Sao_Paulo", "Europe/Dublin", "Pacific/Apia", "Asia/Tehran", "Etc/UTC", "America/Caracas"}
	rules := []string{
		"RRULE:FREQ=DAILY", "RRULE:FREQ=DAILY;INTERVAL=3;COUNT=500", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE,SU;WKST=SU", "RRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=%sZ",
		"RRULE:FREQ=MONTHLY;BYDAY=-1FR", "RRULE:FREQ=MONTHLY;BYMONTHDAY=31", "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "RRULE:FREQ=YEARLY",
		"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "RRULE:FREQ=MONTHLY;UNTIL=%s",
	}
	for _, zone := range zones {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, year := range []int{1972, 2005, 2024, 2036} {
			for i, rule := range rules {
				if strings.Contains(rule, "%s") {
					rule = fmt.Sprintf(rule, fmt.Sprintf("%d1101T083000", year+2))
				}
				for _, hour := range []int{2, 23} {
					start := time.Date(year, time.Month(1+(i*5+hour)%12), 1+i*2, hour, 30, 0, 0, loc)
					if icalendar.Ambiguous(start) {
						continue
					}
					e := seriesEvent(t, start, zone, rule)
					t.Run(fmt.Sprintf("%s/%d/%d/%d", zone, year, i, hour), func(t *testing.T) { prove(t, e, EventRules{}) })
				}
			}
		}
	}
}

// seriesEvent makes a series of one rule as changed does.
func seriesEvent(t testing.TB, start time.Time, zone, rule string) sources.Event {
	return (&generatedSeries{start: start, zone: zone}).changed(t, []string{rule})
}

// changed makes a series whose third occurrence is moved and whose fifth and sixth are cancelled.
func (s *generatedSeries) changed(t testing.TB, lines []string) sources.Event {
	end := s.start.Add(45 * time.Minute)
	if s.allDay {
		end = s.start.AddDate(0, 0, 2)
	}
	master := sources.Occurrence{ID: "m", Start: s.at(s.start), End: s.at(end), Summary: "s", Recurrence: lines}
	e := sources.Event{UID: "u@example.org", Master: &master}
	list := expandLines(t, s.start, s.allDay, lines, func(string) *time.Location { return s.start.Location() })
	slices.SortFunc(list, func(a, b time.Time) int { return a.Compare(b) })
	if len(list) > 6 {
		moved := s.later(list[2], 26)
		e.Exceptions = []sources.Occurrence{{OriginalStart: s.at(list[2]), Start: s.at(moved), End: s.at(s.later(moved, 1)), Summary: "moved"}}
		e.Cancelled = []sources.EventTime{s.at(list[4]), s.at(list[5])}
	}
	return e
}
