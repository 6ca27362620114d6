package mapping

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// TestRealCalendars imports every calendar of the shared data and proves that mapping keeps its times, as python expands them as well.
func TestRealCalendars(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "shared", "data", "ical", "*.ics"))
	if len(files) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("the shared data is missing")
		}
		t.Skip("the shared data is missing")
	}
	var proven []sinks.Event
	told := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		calendars, err := icalendar.ParseAll(data)
		if err != nil {
			continue
		}
		for i, e := range importEvents(calendars) {
			t.Run(fmt.Sprintf("%s/%d", filepath.Base(file), i), func(t *testing.T) {
				out := prove(t, e, EventRules{Zone: "Europe/Berlin", ZoneName: windowsZone})
				if proven = append(proven, out); out.Times != "" {
					told++
				}
			})
		}
	}
	t.Logf("%d files, %d events, %d with times that verify compares", len(files), len(proven), told)
	if len(proven) < 300 || told < len(proven)*8/10 {
		t.Errorf("only %d events were compared, and verify would compare %d", len(proven), told)
	}
	compareWithPython(t, "the mapping", proven, texts(proven), expandAll(t, texts(proven)))
}

// windowsZone knows the few names of Windows that the shared data uses.
func windowsZone(name string) (string, bool) {
	iana, ok := map[string]string{
		"W. Europe Standard Time": "Europe/Berlin", "Romance Standard Time": "Europe/Paris", "Eastern Standard Time": "America/New_York",
		"E. South America Standard Time": "America/Sao_Paulo", "GMT Standard Time": "Europe/London", "tzone://Microsoft/Utc": "Etc/UTC",
	}[name]
	return iana, ok
}

// importEvents reads events as a provider would give them.
func importEvents(calendars []*icalendar.Component) []sources.Event {
	byUID := map[string]*sources.Event{}
	var order []string
	for _, c := range calendars {
		for _, v := range c.Children("VEVENT") {
			o, ok := importOccurrence(v)
			uid, _ := v.Get("UID")
			if !ok || uid.Text() == "" {
				continue
			}
			e := byUID[uid.Text()]
			if e == nil {
				e = &sources.Event{UID: uid.Text()}
				byUID[uid.Text()] = e
				order = append(order, uid.Text())
			}
			switch id, isException := v.Get("RECURRENCE-ID"); {
			case isException:
				if o.OriginalStart, ok = importTime(id, id.Value); ok && !slices.ContainsFunc(e.Exceptions, func(x sources.Occurrence) bool { return x.OriginalStart == o.OriginalStart }) {
					e.Exceptions = append(e.Exceptions, o)
				}
			case e.Master == nil:
				e.Master = &o
			}
		}
	}
	var list []sources.Event
	for _, uid := range order {
		if e := byUID[uid]; e.Master != nil || len(e.Exceptions) > 0 {
			list = append(list, *e)
		}
	}
	return list
}

func importOccurrence(v *icalendar.Component) (sources.Occurrence, bool) {
	p, _ := v.Get("DTSTART")
	start, ok := importTime(p, p.Value)
	if !ok {
		return sources.Occurrence{}, false
	}
	s, _ := v.Get("SUMMARY")
	d, _ := v.Get("DESCRIPTION")
	o := sources.Occurrence{Start: start, Summary: oneLine(s.Text()), Description: d.Text(), Status: strings.ToLower(v.Value("STATUS"))}
	if o.Status == "cancelled" {
		o.Status = ""
	}
	if end, has := v.Get("DTEND"); has {
		o.End, _ = importTime(end, end.Value)
	} else if length, err := icalendar.ParseDuration(v.Value("DURATION")); err == nil && start.Date == "" {
		o.End = start
		o.End.Time = start.Time.Add(length)
	}
	for _, name := range []string{"RRULE", "RDATE", "EXDATE", "EXRULE"} {
		for _, p := range v.All(name) {
			line := bytes.ReplaceAll(p.Append(nil), []byte("\r\n "), nil)
			o.Recurrence = append(o.Recurrence, string(bytes.TrimSpace(line)))
		}
	}
	return o, true
}

func importTime(p icalendar.Property, value string) (sources.EventTime, bool) {
	m, err := icalendar.ParseMoment(value)
	if err != nil || !writable(m.Wall) {
		return sources.EventTime{}, false
	}
	zone := p.Param("TZID")
	loc, known := (&eventMapper{rules: EventRules{ZoneName: windowsZone}}).lookUp(zone)
	switch {
	case m.Date:
		return sources.EventTime{Date: m.Wall.Format(time.DateOnly)}, true
	case m.UTC:
		return sources.EventTime{Time: m.Wall, Zone: "UTC"}, true
	case zone == "" || !known:
		return sources.EventTime{Time: m.Wall, Zone: sources.Floating}, true
	}
	return sources.EventTime{Time: m.In(loc).UTC(), Zone: zone}, true
}
