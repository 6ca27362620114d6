package e2e

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	goical "github.com/emersion/go-ical"
	"github.com/teambition/rrule-go"
)

// expandObject says when the events of a calendar object take place, in ten years from the start of each: start, length and summary. Days are
// told from times.
func expandObject(t *testing.T, body []byte) (list []string) {
	t.Helper()
	c, err := goical.NewDecoder(bytes.NewReader(body)).Decode()
	must(t, err)
	var master *goical.Event
	changed := map[string]bool{}
	for _, e := range c.Events() {
		if p := e.Props.Get("RECURRENCE-ID"); p != nil {
			at := value(p.DateTime(time.UTC))(t)
			changed[at.UTC().String()] = true
			list = append(list, occurrenceLine(t, e, value(e.DateTimeStart(time.UTC))(t)))
			continue
		}
		master = &e
	}
	if master == nil {
		t.Fatalf("no master in %s", body)
	}
	for _, at := range startsOf(t, master) {
		if !changed[at.UTC().String()] {
			list = append(list, occurrenceLine(t, *master, at))
		}
	}
	return list
}

// startsOf expands a master's rule without the days that are taken out.
func startsOf(t *testing.T, e *goical.Event) []time.Time {
	t.Helper()
	start := value(e.DateTimeStart(time.UTC))(t)
	p := e.Props.Get("RRULE")
	if p == nil {
		return []time.Time{start}
	}
	o := value(rrule.StrToROption(p.Value))(t)
	o.Dtstart = start
	r := value(rrule.NewRRule(*o))(t)
	out := map[string]bool{}
	for _, x := range e.Props.Values("EXDATE") {
		for part := range strings.SplitSeq(x.Value, ",") {
			one := x
			one.Value = part
			out[value(one.DateTime(time.UTC))(t).UTC().String()] = true
		}
	}
	var starts []time.Time
	for _, at := range r.Between(start, start.AddDate(10, 1, 0), true) {
		if !out[at.UTC().String()] {
			starts = append(starts, at)
		}
	}
	return starts
}

func occurrenceLine(t *testing.T, e goical.Event, at time.Time) string {
	t.Helper()
	first := value(e.DateTimeStart(time.UTC))(t)
	length := value(e.DateTimeEnd(time.UTC))(t).Sub(first)
	summary := ""
	if p := e.Props.Get("SUMMARY"); p != nil {
		summary = p.Value
	}
	if e.Props.Get("DTSTART").ValueType() == goical.ValueDate {
		return fmt.Sprintf("%s +%v %s", at.Format(time.DateOnly), length, summary)
	}
	return fmt.Sprintf("%s +%v %s", at.UTC().Format(time.RFC3339), length, summary)
}
