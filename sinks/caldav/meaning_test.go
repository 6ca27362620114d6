package caldav

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sinks"
)

func meaning(tb testing.TB, data string) string {
	tb.Helper()
	o, err := readObject([]byte(data))
	if err != nil {
		tb.Fatalf("%v in\n%s", err, data)
	}
	return o.Meaning
}

func replaced(tb testing.TB, data, old, changed string) string {
	tb.Helper()
	out := strings.ReplaceAll(data, old, changed)
	if out == data {
		tb.Fatalf("no %q in\n%s", old, data)
	}
	return out
}

var definitions = regexp.MustCompile(`(?s)BEGIN:VTIMEZONE.*END:VTIMEZONE\r\n`)

// TestMeaningSurvivesRewriting by servers and their libraries.
func TestMeaningSurvivesRewriting(t *testing.T) {
	event := string(item("x", 1, 0).Content.Data)
	single := "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Europe/Berlin:20240708T090000\r\nDTEND;TZID=Europe/Berlin:20240708T100000\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	day := "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20240229\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	todo := string(taskItem("t", 1).Content.Data)
	for name, pair := range map[string][2]string{
		"no definition of the zone":   {event, definitions.ReplaceAllString(event, "")},
		"another name of the zone":    {event, replaced(t, event, "Europe/Berlin", "/freeassociation.sourceforge.net/Europe/Berlin")},
		"properties for programs":     {event, replaced(t, event, "SEQUENCE:0\r\n", "SEQUENCE:7\r\nX-MOZ-GENERATION:3\r\nCREATED:20240101T000000Z\r\n")},
		"the rule's parts":            {event, replaced(t, event, "FREQ=WEEKLY;UNTIL=20261231T225959Z;INTERVAL=1;BYDAY=MO", "BYDAY=MO;WKST=MO;FREQ=WEEKLY;UNTIL=20261231T225959Z")},
		"a day that is meant anyway":  {event, replaced(t, event, ";INTERVAL=1;BYDAY=MO", "")},
		"exceptions one by one":       {event, replaced(t, event, "EXDATE;TZID=Europe/Berlin:20240325T090000,20240401T090000", "EXDATE:20240401T070000Z\r\nEXDATE:20240325T080000Z")},
		"a length instead of an end":  {event, replaced(t, event, "DTEND;TZID=Europe/Berlin:20240318T100000", "DURATION:PT60M")},
		"the occurrence in UTC":       {event, replaced(t, event, "RECURRENCE-ID;TZID=Europe/Berlin:20240408T090000", "RECURRENCE-ID:20240408T070000Z")},
		"values that are meant":       {event, replaced(t, event, "TRANSP:OPAQUE\r\n", "STATUS:CONFIRMED\r\nCLASS:PUBLIC\r\n")},
		"parameters":                  {event, replaced(t, event, "PARTSTAT=ACCEPTED", "CN=Somebody;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION")},
		"no alarm":                    {event, regexp.MustCompile(`(?s)BEGIN:VALARM.*END:VALARM\r\n`).ReplaceAllString(event, "")},
		"an instant":                  {single, replaced(t, single, "DTSTART;TZID=Europe/Berlin:20240708T090000", "DTSTART:20240708T070000Z")},
		"days by their length":        {day, replaced(t, day, "RRULE:FREQ=YEARLY", "DTEND;VALUE=DATE:20240301\r\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;INTERVAL=1")},
		"a task's percents and order": {todo, replaced(t, replaced(t, todo, "X-APPLE-SORT-ORDER:7\r\n", ""), "PERCENT-COMPLETE:100\r\n", "")},
		"line feeds":                  {event, replaced(t, event, "\r\n", "\n")},
	} {
		if meaning(t, pair[0]) != meaning(t, pair[1]) {
			t.Errorf("%s: the meaning is another one", name)
		}
	}
}

// TestMeaningTellsChanges that somebody would miss an appointment by.
func TestMeaningTellsChanges(t *testing.T) {
	event := string(item("x", 1, 0).Content.Data)
	forever := replaced(t, event, "UNTIL=20261231T225959Z;", "")
	todo := string(taskItem("t", 1).Content.Data)
	for name, pair := range map[string][2]string{
		"the start":              {event, replaced(t, event, "DTSTART;TZID=Europe/Berlin:20240318T090000", "DTSTART;TZID=Europe/Berlin:20240318T091500")},
		"the end":                {event, replaced(t, event, "DTEND;TZID=Europe/Berlin:20240318T100000", "DTEND;TZID=Europe/Berlin:20240318T101500")},
		"the zone":               {event, replaced(t, event, "Europe/Berlin", "Europe/London")},
		"UTC for local time":     {event, replaced(t, event, "DTSTART;TZID=Europe/Berlin:20240318T090000", "DTSTART:20240318T080000Z")},
		"no zone":                {event, replaced(t, event, "DTSTART;TZID=Europe/Berlin:", "DTSTART:")},
		"an exception less":      {event, replaced(t, event, "20240325T090000,", "")},
		"an exception more":      {event, replaced(t, event, ":20240325T090000,", ":20240325T090000,20240506T090000,")},
		"a far exception":        {replaced(t, forever, ":20240325T090000,", ":20240325T090000,20400102T090000,"), forever},
		"no override":            {event, withoutOverride(event)},
		"an override's title":    {event, replaced(t, event, "SUMMARY:moved", "SUMMARY:moved on")},
		"the last occurrence":    {event, replaced(t, event, "UNTIL=20261231", "UNTIL=20261224")},
		"no end":                 {event, forever},
		"every second week":      {event, replaced(t, event, "INTERVAL=1", "INTERVAL=2")},
		"a rule beyond the view": {replaced(t, event, "UNTIL=20261231", "UNTIL=20601231"), replaced(t, event, "UNTIL=20261231", "UNTIL=20601224")},
		"the title":              {event, replaced(t, event, "SUMMARY:Event 1", "SUMMARY:Event 2")},
		"the description":        {event, replaced(t, event, "DESCRIPTION:", "DESCRIPTION:Not ")},
		"a guest":                {event, replaced(t, event, "ATTENDEE;PARTSTAT=ACCEPTED;SCHEDULE-AGENT=CLIENT:mailto:u2", "ATTENDEE;PARTSTAT=ACCEPTED;SCHEDULE-AGENT=CLIENT:mailto:u3")},
		"cancelled":              {event, replaced(t, event, "TRANSP:OPAQUE", "STATUS:CANCELLED")},
		"a task's day":           {todo, replaced(t, todo, "DUE;VALUE=DATE:20240318", "DUE;VALUE=DATE:20240319")},
		"a task's state":         {todo, replaced(t, todo, "STATUS:COMPLETED", "STATUS:IN-PROCESS")},
		"a task's priority":      {todo, replaced(t, todo, "PRIORITY:1", "PRIORITY:2")},
		"a task's rule":          {todo, replaced(t, todo, "BYDAY=MO", "BYDAY=TU")},
	} {
		if meaning(t, pair[0]) == meaning(t, pair[1]) {
			t.Errorf("%s: the meaning is the same", name)
		}
	}
}

// withoutOverride takes the exception out of what item makes.
func withoutOverride(event string) string {
	i := strings.LastIndex(event, "BEGIN:VEVENT")
	return event[:i] + "END:VCALENDAR\r\n"
}

// damage is what a migration must not do to an event.
type damage struct {
	name string
	do   func(c *icalendar.Component) bool // false: it cannot be done to this one
}

var damages = []damage{
	{"shifted by an hour", func(c *icalendar.Component) bool {
		for _, p := range c.Components[1].Properties {
			if p.Name == "DTSTART" || p.Name == "DTEND" {
				shift(c.Components[1], p)
			}
		}
		return true
	}},
	{"an exception is missing", func(c *icalendar.Component) bool { return drop(c.Components[1], "EXDATE") }},
	{"an override is missing", func(c *icalendar.Component) bool {
		n := len(c.Components)
		c.Components = c.Components[:min(n, 2)]
		return n > 2
	}},
	{"another title", func(c *icalendar.Component) bool {
		drop(c.Components[1], "SUMMARY")
		c.Components[1].Add(icalendar.Text("SUMMARY", "Another"))
		return true
	}},
	{"no rule", func(c *icalendar.Component) bool { return drop(c.Components[1], "RRULE") }},
}

func drop(c *icalendar.Component, name string) bool {
	for i, p := range c.Properties {
		if p.Name == name {
			c.Properties = append(c.Properties[:i:i], c.Properties[i+1:]...)
			return true
		}
	}
	return false
}

func shift(c *icalendar.Component, p icalendar.Property) {
	m, _ := icalendar.ParseMoment(p.Value)
	drop(c, p.Name)
	p.Value = icalendar.FormatLocal(m.Wall.Add(time.Hour))
	c.Add(p)
}

// seeded makes an event at random.
func seeded(r *rand.Rand, i int) sinks.Item[sinks.Event] {
	id := fmt.Sprintf("seeded%d", i)
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"}
	rules := []string{"FREQ=DAILY", "FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2;COUNT=30", "FREQ=MONTHLY;COUNT=20", "FREQ=YEARLY"}
	zone := icalendar.P("TZID", zones[r.IntN(len(zones))])
	start := time.Date(2000+r.IntN(30), time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(23), 15*r.IntN(4), 0, 0, time.UTC)
	at := func(name string, t time.Time) icalendar.Property {
		return icalendar.Raw(name, icalendar.FormatLocal(t), zone)
	}
	rule := rules[r.IntN(len(rules))]
	next := map[byte]time.Time{'D': start.AddDate(0, 0, 1), 'W': start.AddDate(0, 0, 28), 'M': start.AddDate(0, 1, 0), 'Y': start.AddDate(4, 0, 0)}[rule[5]]
	later := map[byte]time.Time{'D': start.AddDate(0, 0, 3), 'W': start.AddDate(0, 0, 56), 'M': start.AddDate(0, 5, 0), 'Y': start.AddDate(8, 0, 0)}[rule[5]]
	c, z, e, x := icalendar.New("VCALENDAR"), icalendar.New("VTIMEZONE"), icalendar.New("VEVENT"), icalendar.New("VEVENT")
	if loc, err := time.LoadLocation(zone.Values[0]); err == nil {
		z = icalendar.Timezone(loc, start, time.Time{})
	}
	c.Add(icalendar.Raw("VERSION", "2.0"), icalendar.Text("PRODID", "-//repatriate//test//EN"))
	e.Add(icalendar.Text("UID", id), icalendar.Raw("DTSTAMP", "20240101T000000Z"), at("DTSTART", start), at("DTEND", start.Add(45*time.Minute)),
		icalendar.Raw("RRULE", rule), at("EXDATE", next), icalendar.Text("SUMMARY", fmt.Sprint("Event ", i)))
	x.Add(icalendar.Text("UID", id), icalendar.Raw("DTSTAMP", "20240101T000000Z"), at("RECURRENCE-ID", later), at("DTSTART", later.Add(2*time.Hour)),
		at("DTEND", later.Add(3*time.Hour)), icalendar.Text("SUMMARY", fmt.Sprint("Event ", i)))
	c.Components = append(c.Components, z, e, x)
	return sinks.Item[sinks.Event]{ID: id, Content: sinks.Event{UID: id, Data: c.Bytes()}}
}

// TestDamagesAreFound in what lies on a server: each event is damaged in one way, or in none.
func TestDamagesAreFound(t *testing.T) {
	server := startEmbedded(t)
	o := options(server.UserURL("u1"), "u1")
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	r := rand.New(rand.NewPCG(1, 2))
	proofs, done := map[string]sinks.Proof{}, map[string]string{}
	for i := range 120 {
		it := seeded(r, i)
		w, err := s.Put(t.Context(), it, sinks.Receipt{})
		if err != nil {
			t.Fatal(err)
		}
		at := w.Receipt.Location
		proofs[at] = sinks.Proof{Receipt: w.Receipt, Digest: w.Digest}
		body, _ := witness{o: o}.plain(t, "GET", at, nil)
		c, err := icalendar.Parse(body)
		if err != nil {
			t.Fatal(err)
		}
		if i%(len(damages)+1) < len(damages) {
			d := damages[i%(len(damages)+1)]
			if done[at] = d.name; !d.do(c) {
				t.Fatalf("%s: not done", d.name)
			}
		} else {
			c.Add(icalendar.Raw("X-WR-CALNAME", "of another program"))
			c.Components[1].Add(icalendar.Raw("SEQUENCE", "3"))
		}
		if _, status := (witness{o: o}).plain(t, "PUT", at, c.Bytes()); status/100 != 2 {
			t.Fatalf("%s: status %d", done[at], status)
		}
	}
	for object, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		p, name := proofs[object.Location], done[object.Location]
		want := map[bool]sinks.Verdict{true: sinks.Same, false: sinks.Touched}[name == ""]
		if v := s.Compare(object, p); v != want {
			t.Errorf("%q: %v", name, v)
		}
		object.Version = p.Receipt.Version // as if nobody had done it
		if v := s.Compare(object, p); name != "" && v != sinks.Differs {
			t.Errorf("%q in silence: %v", name, v)
		}
		delete(proofs, object.Location)
	}
	if len(proofs) > 0 {
		t.Errorf("%d events are not listed", len(proofs))
	}
}

// TestMeaningIsBounded whatever a server sends.
func TestMeaningIsBounded(t *testing.T) {
	const head = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20240101T000000Z\r\n"
	var many bytes.Buffer
	for range 3000 {
		many.WriteString("RRULE:FREQ=DAILY\r\n")
	}
	for _, rule := range []string{
		"RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
		"RRULE:FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=31", "RRULE:FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;BYSETPOS=366", "RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=SU",
		"RRULE:FREQ=YEARLY;BYHOUR=0,1,2,3,4,5;BYMINUTE=0,1,2,3,4,5;BYSECOND=0,1,2,3,4,5", many.String(), "RRULE:FREQ=DAILY;UNTIL=00000000", "RRULE:;;",
		"RRULE:FREQ=YEARLY;RSCALE=CHINESE;BYMONTH=5L", "DTSTART:x\r\nRRULE:FREQ=WEEKLY;BYDAY=MO",
	} {
		if meaning(t, head+rule) == "" {
			t.Errorf("%.60s: no meaning", rule)
		}
	}
	if m := meaning(t, "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=../../etc/passwd:x\r\nRRULE:FREQ=WEEKLY;BYDAY=MO"); m == "" {
		t.Error("an event without times has no meaning")
	}
	for _, times := range []string{"DTSTART:20221010T000000Z\r\nRRULE:FREQ=MONTHLY;BYMONTH=10;BYDAY=20SA", "DTSTART:00000101T000000Z\r\nRRULE:FREQ=MONTHLY;BYDAY=MO"} {
		if m := meaning(t, "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n"+times+"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"); m == "" {
			t.Errorf("%q has no meaning", times)
		}
	}
}

func FuzzMeaning(f *testing.F) {
	f.Add(item("x", 1, 0).Content.Data)
	f.Add(taskItem("x", 1).Content.Data)
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := readObject(data)
		if b, again := readObject(data); a != b || (err == nil) != (again == nil) {
			t.Errorf("%+v is not %+v", a, b)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	data := item("x", 1, 0).Content.Data
	for b.Loop() {
		if _, err := readObject(data); err != nil {
			b.Fatal(err)
		}
	}
}
