package deltamodel

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	goical "github.com/emersion/go-ical"
	"github.com/teambition/rrule-go"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/caldav"
	"codeberg.org/repatriate/repatriate/sources"
)

// The window in which occurrences are compared.
var (
	windowFrom = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	windowTo   = time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
)

// happening is one occurrence as a person sees it.
type happening struct {
	at            time.Time // a day's midnight in UTC for whole days
	allDay        bool
	length        time.Duration
	title, where  string
	guests        []string // address and answer
	alarms        []string // minutes before
	free, private bool
}

func (h happening) line() string {
	at := h.at.UTC().Format("2006-01-02 15:04")
	if h.allDay {
		at = h.at.Format(time.DateOnly)
	}
	slices.Sort(h.guests)
	slices.Sort(h.alarms)
	return fmt.Sprintf("%s +%v %q %q %v %v free=%v private=%v", at, h.length, h.title, h.where, h.guests, h.alarms, h.free, h.private)
}

// timeline describes the occurrences within the window. What is no series is described wherever it is.
func timeline(list []happening) string {
	out := []string{fmt.Sprintf("%d in all", len(list))}
	for _, h := range list {
		out = append(out, h.line())
	}
	slices.Sort(out)
	return lines(out)
}

// expand returns when a rule falls, in the window.
func expand(rule string, start time.Time) ([]time.Time, error) {
	o, err := rrule.StrToROption(rule)
	if err != nil {
		return nil, err
	}
	o.Dtstart = start
	r, err := rrule.NewRRule(*o)
	if err != nil {
		return nil, err
	}
	return r.Between(windowFrom, windowTo, true), nil
}

func inWindow(t time.Time) bool { return !t.Before(windowFrom) && !t.After(windowTo) }

// remembered keeps what was computed from the same text before.
var remembered = struct {
	sync.Mutex
	facts map[string]string
}{facts: map[string]string{}}

func once(text string, compute func() (string, error)) (string, error) {
	remembered.Lock()
	defer remembered.Unlock()
	if facts, known := remembered.facts[text]; known {
		return facts, nil
	}
	facts, err := compute()
	if err != nil {
		return "", err
	}
	if len(remembered.facts) > 20000 {
		clear(remembered.facts)
	}
	remembered.facts[text] = facts
	return facts, nil
}

// readEvent says what a calendar object on the target shows.
func readEvent(body []byte) (string, error) {
	return once(string(body), func() (string, error) {
		c, err := goical.NewDecoder(bytes.NewReader(body)).Decode()
		if err != nil {
			return "", err
		}
		list, err := happeningsOf(c.Events())
		return timeline(list), err
	})
}

func happeningsOf(events []goical.Event) (list []happening, err error) {
	changed := map[string]bool{}
	var master *goical.Event
	for _, e := range events {
		p := e.Props.Get("RECURRENCE-ID")
		if p == nil {
			master = &e
			continue
		}
		at, err := p.DateTime(time.UTC)
		if err != nil {
			return nil, err
		}
		changed[at.UTC().String()] = true
		h, err := happeningOf(e)
		if err != nil {
			return nil, err
		}
		if list = append(list, h); !inWindow(h.at) {
			list = list[:len(list)-1]
		}
	}
	if master == nil {
		return nil, fmt.Errorf("no master")
	}
	h, err := happeningOf(*master)
	if err != nil {
		return nil, err
	}
	starts, err := startsOf(*master, h.at)
	for _, at := range starts {
		if h.at = at; !changed[at.UTC().String()] {
			list = append(list, h)
		}
	}
	return list, err
}

// startsOf expands a master without the days that are taken out.
func startsOf(e goical.Event, start time.Time) ([]time.Time, error) {
	p := e.Props.Get("RRULE")
	if p == nil {
		return []time.Time{start}, nil
	}
	all, err := expand(p.Value, start)
	if err != nil {
		return nil, err
	}
	for _, x := range e.Props.Values("EXDATE") {
		for part := range strings.SplitSeq(x.Value, ",") {
			one := x
			one.Value = part
			out, err := one.DateTime(time.UTC)
			if err != nil {
				return nil, err
			}
			all = slices.DeleteFunc(all, out.Equal)
		}
	}
	return all, nil
}

func happeningOf(e goical.Event) (h happening, err error) {
	if h.at, err = e.DateTimeStart(time.UTC); err != nil {
		return h, err
	}
	end, err := e.DateTimeEnd(time.UTC)
	if err != nil {
		return h, err
	}
	h.length, h.allDay = end.Sub(h.at), e.Props.Get("DTSTART").ValueType() == goical.ValueDate
	text := func(name string) string {
		s, _ := e.Props.Text(name)
		return s
	}
	h.title, h.where = text("SUMMARY"), text("LOCATION")
	h.free, h.private = text("TRANSP") == "TRANSPARENT", text("CLASS") == "PRIVATE"
	for _, p := range e.Props.Values("ATTENDEE") {
		h.guests = append(h.guests, strings.TrimPrefix(p.Value, "mailto:")+" "+strings.ToLower(p.Params.Get("PARTSTAT")))
	}
	for _, a := range e.Children {
		d, err := a.Props.Get("TRIGGER").Duration()
		if err != nil {
			return h, err
		}
		h.alarms = append(h.alarms, fmt.Sprint(-int(d.Minutes())))
	}
	return h, nil
}

// moveEvents makes one pass over a calendar.
func moveEvents(ctx context.Context, s *shelf, c opened[sources.Event], l checkpoint.Ledger) error {
	sink, err := caldav.Open(ctx, s.caldavOptions(sinks.Collection{ID: c.ID, Name: c.Name, Description: c.Description, Color: c.Color, TimeZone: c.TimeZone,
		Primary: c.Primary, Components: []string{"VEVENT"}}))
	if err != nil {
		return err
	}
	defer func() { _ = sink.Close() }()
	rules := mapping.EventRules{Zone: c.TimeZone}
	return engine.New(c.source, rules.Event, sink, s.b.options()).Run(ctx, l)
}

func (s *shelf) caldavOptions(c sinks.Collection) caldav.Options {
	return caldav.Options{URL: s.target.UserURL(owner), User: owner, Password: password, RoundTripper: s.b.toTarget(), Collection: c}
}
