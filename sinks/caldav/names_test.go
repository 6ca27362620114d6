package caldav

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/meter"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
)

// namesOf are the categories of an event in the test.
var namesOf = []string{"Family, close", `back\slash`, "Work"}

// named makes an event with categories.
func named(id, summary string, names []string) sinks.Item[sinks.Event] {
	c, e := icalendar.New("VCALENDAR"), icalendar.New("VEVENT")
	c.Add(icalendar.Raw("VERSION", "2.0"), icalendar.Text("PRODID", "-//repatriate//test//EN"))
	e.Add(icalendar.Text("UID", id+"@example.org"), icalendar.Raw("DTSTAMP", "20240101T000000Z"), icalendar.Raw("DTSTART", "20240318T090000Z"),
		icalendar.Raw("DTEND", "20240318T100000Z"), icalendar.Text("SUMMARY", summary), icalendar.TextList("CATEGORIES", names))
	c.Components = append(c.Components, e)
	return sinks.Item[sinks.Event]{ID: id, Content: sinks.Event{UID: id + "@example.org", Data: c.Bytes()}}
}

// nameServers are servers that keep the names of categories, and one that parts them at commas, escaped or not.
func nameServers(t *testing.T) []struct {
	name  string
	o     Options
	parts bool
} {
	embedded := startEmbedded(t)
	radicale := realserver.Radicale(t, realserver.RadicaleOptions{})
	cyrus := realserver.Cyrus(t, realserver.CyrusOptions{Scheduling: true, Accounts: realserver.Accounts{Count: 1}})
	return []struct {
		name  string
		o     Options
		parts bool
	}{
		{"embedded", options(embedded.UserURL("u1"), "u1"), false},
		{"Radicale", options(radicale.CalendarsURL("u1"), "u1"), false},
		{"Cyrus", options(cyrus.CalendarsURL(cyrus.User(1).User), cyrus.User(1).User), true},
	}
}

// TestNamesOfCategoriesStayWhole on every server, with a loss where the server would part them; a write whose answer got lost is mended.
func TestNamesOfCategoriesStayWhole(t *testing.T) {
	for _, server := range nameServers(t) {
		t.Run(server.name, func(t *testing.T) {
			s, err := Open(t.Context(), server.o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			first := named("first", "One", namesOf)
			at := wantNames(t, s, first, sinks.Receipt{}, server.parts)
			if again, err := s.Put(t.Context(), first, at); err != nil || !again.Unchanged || (len(again.Losses) == 1) != server.parts {
				t.Errorf("the same once more: %+v, %v", again, err)
			}
			wantNames(t, s, named("first", "Changed", namesOf), at, server.parts)
			wantNames(t, s, named("second", "Two", namesOf), sinks.Receipt{}, server.parts)

			lost := named("third", "Three", namesOf)
			writeWithoutAnswer(t, s, lost)
			lost.Again = true
			fresh, err := Open(t.Context(), server.o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = fresh.Close() }()
			wantNames(t, fresh, lost, sinks.Receipt{}, server.parts)
		})
	}
}

// writeWithoutAnswer leaves on the server what a process wrote that ended before it heard of it.
func writeWithoutAnswer(t *testing.T, s *Sink, item sinks.Item[sinks.Event]) {
	t.Helper()
	o, err := readObject(item.Content.Data)
	if err != nil {
		t.Fatal(err)
	}
	path := s.store.Path + s.store.Format.ObjectName(item.ID)
	h := http.Header{"Content-Type": {"text/calendar"}}
	if a, err := s.client.Do(t.Context(), http.MethodPut, path, h, stamp(item.Content.Data, o.Full)); err != nil || !a.OK() {
		t.Fatal(a, err)
	}
}

// wantNames puts an event and demands three categories on the target, and the loss where the comma is another letter.
func wantNames(t *testing.T, s *Sink, item sinks.Item[sinks.Event], prev sinks.Receipt, parts bool) sinks.Receipt {
	t.Helper()
	w, err := s.Put(t.Context(), item, prev)
	if err != nil {
		t.Fatal(err)
	}
	want, losses := slices.Clone(namesOf), []string(nil)
	if parts {
		want[0], losses = "Family‚ close", []string{LossJoined}
	}
	var named []string
	for _, l := range w.Losses {
		named = append(named, l.Reason)
	}
	if !slices.Equal(named, losses) {
		t.Errorf("losses %v, want %v", w.Losses, losses)
	}
	answer, err := s.client.Do(context.Background(), http.MethodGet, w.Receipt.Location, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := categoriesOn(t, answer.Body); !slices.Equal(got, sorted(want)) {
		t.Errorf("the target has %q, want %q", got, want)
	}
	for o, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if v := s.Compare(o, sinks.Proof{Receipt: w.Receipt, Digest: w.Digest}); o.Location == w.Receipt.Location && v != sinks.Same {
			t.Errorf("compared with what was written it is %v", v)
		}
	}
	return w.Receipt
}

// categoriesOn are the names by the letter of the RFC, in order.
func categoriesOn(t *testing.T, data []byte) (names []string) {
	t.Helper()
	c, err := icalendar.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Components[len(c.Components)-1].All("CATEGORIES") {
		for _, escaped := range p.List() {
			names = append(names, strings.TrimSpace(icalendar.UnescapeText(escaped)))
		}
	}
	return sorted(names)
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

// TestNamesOfTasksStayWhole as those of events do.
func TestNamesOfTasksStayWhole(t *testing.T) {
	for _, server := range nameServers(t) {
		t.Run(server.name, func(t *testing.T) {
			o := server.o
			o.Collection.Components = []string{"VTODO"}
			s, err := OpenTasks(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			want, losses := namesOf, 0
			if server.parts {
				want, losses = []string{"Family‚ close", `back\slash`, "Work"}, 1
			}
			for i := range 2 {
				it := taskItem(fmt.Sprint("named", i), i)
				it.Content.Data = bytes.Replace(it.Content.Data, []byte("CATEGORIES:b,a\r\n"), icalendar.TextList("CATEGORIES", namesOf).Append(nil), 1)
				w, err := s.Put(t.Context(), it, sinks.Receipt{})
				if err != nil || len(w.Losses) != losses || losses > 0 && w.Losses[0].Reason != LossTaskJoined {
					t.Errorf("losses %v, %v", w.Losses, err)
				}
				answer, err := s.client.Do(t.Context(), http.MethodGet, w.Receipt.Location, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				if got := categoriesOn(t, answer.Body); !slices.Equal(got, sorted(want)) {
					t.Errorf("the target has %q, want %q", got, want)
				}
			}
		})
	}
}

// TestAnOddCategoryCostsOneRequest: whether a server keeps such names is looked at once.
func TestAnOddCategoryCostsOneRequest(t *testing.T) {
	for _, server := range nameServers(t) {
		t.Run(server.name, func(t *testing.T) {
			counted, o := &meter.Meter{}, server.o
			o.Meter = counted
			s, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			var each []int64
			for i := range 3 {
				before := counted.Requests()
				if _, err := s.Put(t.Context(), named(fmt.Sprint("n", i), "x", namesOf), sinks.Receipt{}); err != nil {
					t.Fatal(err)
				}
				each = append(each, counted.Requests()-before)
			}
			want := []int64{2, 1, 1}
			if server.parts {
				want[0] = 3
			}
			if !slices.Equal(each, want) {
				t.Errorf("%v requests, want %v", each, want)
			}
		})
	}
}
