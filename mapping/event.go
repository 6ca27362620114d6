package mapping

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// EventRules say how events become iCalendar objects. The zero EventRules are ready for use.
type EventRules struct {
	// Zone is the IANA name of the calendar's time zone. Times without a zone, or in one that nobody knows, are written
	// in it; empty means UTC.
	Zone string
	// ZoneName returns the IANA name for a name that only the provider knows; nil where there are none such.
	ZoneName func(name string) (iana string, ok bool)
}

// productID names the program that made an object (RFC 5545 §3.7.3). It has no version, so that the same event is the
// same object in every release.
const productID = "-//repatriate//repatriate//EN"

// Event turns an event with all its recurrences into one calendar object resource (RFC 4791 §4.1).
//
// Occurrences whose series the account cannot see have no master to belong to, and many servers refuse overrides alone.
// One such occurrence becomes a plain event of the same UID; of several, the first becomes the master of a series that
// consists of their dates (RDATE), and each is an override of it.
//
// Organizer and guests are written so that no server mails them (RFC 6638 §7.1, SCHEDULE-AGENT=CLIENT).
func (r EventRules) Event(e sources.Event) (sinks.Event, []Loss, error) {
	m := eventMapper{rules: r, uid: oneLine(e.UID), spans: map[string]*zoneSpan{}}
	if err := m.series(e); err != nil {
		return sinks.Event{}, nil, err
	}
	calendar := icalendar.New("VCALENDAR")
	calendar.Add(icalendar.Raw("VERSION", "2.0"), icalendar.Text("PRODID", productID), icalendar.Raw("CALSCALE", "GREGORIAN"))
	calendar.Components = append(m.zones(), m.components...)
	return sinks.Event{UID: m.uid, Data: calendar.Bytes(), Times: m.takesPlace(e)}, m.losses, nil
}

// eventMapper holds what is known while one event is mapped.
type eventMapper struct {
	rules      EventRules
	uid        string
	form       timeForm  // of the master's start
	masterWall time.Time // the wall clock of the master's start, as if in UTC
	components []*icalendar.Component
	spans      map[string]*zoneSpan
	losses     []Loss
}

// maxLossDetail bounds the text of one loss.
const maxLossDetail = 300

// lose notes a loss; those of one reason are one loss.
func (m *eventMapper) lose(reason, detail string) { m.losses = addLoss(m.losses, reason, detail) }

func addLoss(losses []Loss, reason, detail string) []Loss {
	detail = oneLine(detail)
	i := slices.IndexFunc(losses, func(l Loss) bool { return l.Reason == reason })
	switch {
	case i < 0:
		return append(losses, Loss{Reason: reason, Detail: detail})
	case detail != "" && !strings.Contains(losses[i].Detail, detail) && len(losses[i].Detail)+len(detail) < maxLossDetail:
		losses[i].Detail = strings.TrimPrefix(losses[i].Detail+"; "+detail, "; ")
	}
	return losses
}

// lineBreaks makes spaces of what parts words.
var lineBreaks = strings.NewReplacer("\r\n", " ", "\n", " ", "\t", " ")

// joined is oneLine for text of several lines: its words stay apart.
func joined(s string) string { return oneLine(lineBreaks.Replace(s)) }

// oneLine returns s without control characters and the space around it.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "")))
}

// invalid is the fault of an event that no iCalendar object can express.
func invalid(format string, args ...any) error {
	return fault.New(fault.FailItem, fault.MappingInvalid, "map event: "+format, args...)
}

// series maps the master and its exceptions.
func (m *eventMapper) series(e sources.Event) error {
	if e.Master == nil {
		if len(e.Exceptions) == 0 {
			return invalid("it has neither a master nor an occurrence")
		}
		e = m.orphans(e)
	}
	if m.uid == "" {
		m.uid = madeUID(e)
		m.lose(EventUIDMade, "the provider gave no UID")
	}
	s := recurrence{dates: map[string]bool{}, excluded: map[string]bool{}}
	if err := m.begin(*e.Master, len(e.Exceptions)+len(e.Cancelled) > 0, &s); err != nil {
		return err
	}
	for _, t := range e.Cancelled {
		s.excluded[m.inForm(t)] = true
	}
	overrides, err := m.overrides(e, &s)
	if err != nil {
		return err
	}
	if len(s.rules)+len(s.dates) == 0 {
		clear(s.excluded) // readers disagree on what one event without its only occurrence is
	}
	master := m.component(*e.Master, *e.Master)
	if err := m.finish(master, *e.Master, s); err != nil {
		return err
	}
	m.components = append([]*icalendar.Component{master}, overrides...)
	return nil
}

// begin learns the form of the master's start and reads its recurrence.
func (m *eventMapper) begin(o sources.Occurrence, series bool, s *recurrence) (err error) {
	recurring := series || len(o.Recurrence) > 0
	if m.form, err = m.formOf(o.Start, recurring); err != nil {
		return err
	}
	m.setForm(m.form, o.Start)
	m.readRecurrence(o.Recurrence, s)
	return nil
}

// setForm says in what form the master starts.
func (m *eventMapper) setForm(f timeForm, start sources.EventTime) {
	m.form = f
	if moment, err := icalendar.ParseMoment(f.write(eventInstant(start))); err == nil {
		m.masterWall = moment.Wall
	}
}

// overrides maps the exceptions, each with the place of the series that it takes.
func (m *eventMapper) overrides(e sources.Event, s *recurrence) ([]*icalendar.Component, error) {
	exceptions := map[string]sources.Occurrence{}
	for _, o := range e.Exceptions {
		original := o.OriginalStart
		if original.IsZero() || m.inForm(original) == "" {
			original = o.Start
			s.dates[m.inForm(original)] = true
			m.lose(EventExceptionPlaced, "an occurrence without a place in its series stands where it starts")
		}
		at := m.inForm(original)
		if o.Status == "cancelled" {
			s.excluded[at] = true
			continue
		}
		if other, twice := exceptions[at]; twice {
			m.lose(EventExceptionDoubled, "two occurrences in one place of the series; the one changed last stays")
			if other.Updated.After(o.Updated) {
				continue
			}
		}
		exceptions[at] = o
	}
	var overrides []*icalendar.Component
	for _, at := range sortedKeys(exceptions) {
		delete(s.excluded, at)
		o := exceptions[at]
		c := m.component(o, *e.Master)
		c.Add(m.form.property("RECURRENCE-ID", at))
		m.use(m.form, m.form.read(at), m.form.read(at))
		if err := m.finish(c, o, recurrence{}); err != nil {
			return nil, err
		}
		overrides = append(overrides, c)
	}
	return overrides, nil
}

// orphans gives occurrences without a master one; see Event.
func (m *eventMapper) orphans(e sources.Event) sources.Event {
	m.lose(EventOrphanException, "the series of "+strconv.Itoa(len(e.Exceptions))+" occurrences is not visible to the account")
	list := slices.Clone(e.Exceptions)
	slices.SortStableFunc(list, func(a, b sources.Occurrence) int {
		return cmp.Or(compareEventTimes(a.Start, b.Start), cmp.Compare(a.ID, b.ID))
	})
	master := list[0]
	master.OriginalStart, master.Recurrence = sources.EventTime{}, nil
	e.Cancelled = nil
	if len(list) == 1 {
		e.Exceptions, e.Master = nil, &master
		return e
	}
	for i := range list {
		if list[i].OriginalStart.IsZero() {
			list[i].OriginalStart = list[i].Start
		}
	}
	first := list[0]
	if length := first.End.Time.Sub(first.Start.Time); first.OriginalStart.Date == "" && first.Start.Date == "" && length >= 0 {
		master.Start = first.OriginalStart
		master.End = sources.EventTime{Time: first.OriginalStart.Time.Add(length), Zone: first.OriginalStart.Zone}
	}
	form, err := m.formOf(master.Start, true)
	if err != nil {
		return e // series reports it
	}
	m.setForm(form, master.Start)
	for _, o := range list {
		if at := m.inForm(o.OriginalStart); at != m.inForm(master.Start) {
			master.Recurrence = append(master.Recurrence, form.line("RDATE", at))
		}
	}
	if !slices.ContainsFunc(list, func(o sources.Occurrence) bool { return m.inForm(o.OriginalStart) == m.inForm(master.Start) }) {
		list[0].OriginalStart = master.Start
	}
	e.Master, e.Exceptions = &master, list
	return e
}

func compareEventTimes(a, b sources.EventTime) int { return eventInstant(a).Compare(eventInstant(b)) }

func eventInstant(t sources.EventTime) time.Time {
	if d, err := time.Parse(time.DateOnly, t.Date); err == nil {
		return d
	}
	return t.Time
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// madeUID derives a UID from the ids at the provider, so that every pass makes the same.
func madeUID(e sources.Event) string {
	return derivedUID(cmp.Or(e.Master.ID, e.Master.Summary+eventInstant(e.Master.Start).Format(time.RFC3339)))
}

// derivedUID is the same UID for the same text, in every pass and on every target.
func derivedUID(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "repatriate-" + hex.EncodeToString(sum[:16])
}
