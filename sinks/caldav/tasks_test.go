package caldav

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	goical "github.com/emersion/go-ical"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/sinktest"
)

// TestTasks puts tasks through the suite on all servers.
func TestTasks(t *testing.T) {
	embedded := startEmbedded(t)
	t.Run("embedded", func(t *testing.T) {
		sinktest.Run(t, taskHarness(func(testing.TB) Options { return options(embedded.UserURL("u1"), "u1") }))
	})
	radicale := realserver.Radicale(t, realserver.RadicaleOptions{})
	t.Run("Radicale", func(t *testing.T) {
		h := taskHarness(func(testing.TB) Options { return options(radicale.CalendarsURL("u1"), "u1") })
		h.Many = 60 // it takes some 25 in a second
		sinktest.Run(t, h)
	})
	cyrus := realserver.Cyrus(t, realserver.CyrusOptions{Accounts: realserver.Accounts{Count: 40}})
	n := 0
	t.Run("Cyrus", func(t *testing.T) {
		sinktest.Run(t, taskHarness(func(testing.TB) Options {
			n++ // a UID is unique among all calendars of a user
			return options(cyrus.CalendarsURL(cyrus.User(n).User), cyrus.User(n).User)
		}))
	})
}

// TestListsOnRealServers are calendars of their own for tasks alone, with the names that they were given, and are found again.
func TestListsOnRealServers(t *testing.T) {
	radicale := realserver.Radicale(t, realserver.RadicaleOptions{})
	cyrus := realserver.Cyrus(t, realserver.CyrusOptions{Scheduling: true})
	for _, server := range []*realserver.Server{radicale, cyrus} {
		t.Run(server.Name, func(t *testing.T) {
			o := options(server.CalendarsURL("u1"), "u1")
			o.Collection = sinks.Collection{ID: "list", Name: "Größere & <kleine>", Components: []string{"VTODO"}}
			var paths []string
			for range 2 {
				s, err := OpenTasks(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				paths = append(paths, s.Calendar())
				name, components := listOn(t, s)
				if name != o.Collection.Name || !slices.Equal(components, o.Collection.Components) {
					t.Errorf("the list is called %q and takes %q", name, components)
				}
				_ = s.Close()
			}
			if paths[0] != paths[1] || strings.Contains(paths[0], "Default") {
				t.Errorf("the list is at %q", paths)
			}
		})
	}
}

// listOn is what the server says of a list of tasks.
func listOn(t *testing.T, s *Tasks) (name string, components []string) {
	t.Helper()
	const ask = `<propfind xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><displayname/><C:supported-calendar-component-set/></prop></propfind>`
	answer, err := s.client.Do(t.Context(), "PROPFIND", s.Calendar(), http.Header{"Depth": {"0"}, "Content-Type": {"application/xml"}}, []byte(ask))
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Name       string `xml:"response>propstat>prop>displayname"`
		Components []struct {
			Name string `xml:"name,attr"`
		} `xml:"response>propstat>prop>supported-calendar-component-set>comp"`
	}
	if err := xml.Unmarshal(answer.Body, &read); err != nil {
		t.Fatalf("%v\n%s", err, answer.Body)
	}
	for _, c := range read.Components {
		components = append(components, c.Name)
	}
	return read.Name, components
}

func taskHarness(open func(testing.TB) Options) sinktest.Harness[sinks.Task] {
	return sinktest.Harness[sinks.Task]{
		Open: func(tb testing.TB) sinktest.Account[sinks.Task] {
			o := open(tb)
			o.Collection.Components = []string{"VTODO"}
			s, err := OpenTasks(tb.Context(), o)
			if err != nil {
				tb.Fatal(err)
			}
			w := witness{o: o, calendar: s.Calendar()}
			return sinktest.Account[sinks.Task]{Sink: s, Held: s.held, Edit: w.edit, Copy: w.copy}
		},
		Item:   func(i int) sinks.Item[sinks.Task] { return taskItem(fmt.Sprintf("task%d", i), i) },
		Digest: func(tb testing.TB, it sinks.Item[sinks.Task]) string { return digestOfTask(tb, it.Content.Data) },
		Changed: func(it sinks.Item[sinks.Task]) sinks.Item[sinks.Task] {
			it.Content.Data = bytes.Replace(it.Content.Data, []byte("SUMMARY:Task "), []byte("SUMMARY:Task +"), 1)
			return it
		},
		Odd: []sinks.Item[sinks.Task]{taskItem("../../x", 102), taskItem("a b/ü%2F\x00", 103), taskItem(strings.Repeat("x", 3000), 104), taskItem("", 107)},
	}
}

func (t *Tasks) held(tb testing.TB) []string {
	tb.Helper()
	list := []string{}
	for o, err := range t.store.Objects(context.Background()) {
		if err != nil {
			tb.Fatal(err)
		}
		list = append(list, digestOfTask(tb, o.Data))
	}
	return list
}

func taskItem(id string, i int) sinks.Item[sinks.Task] {
	uid := fmt.Sprintf("%x-%d@example.org", id, i)
	c, todo, alarm := icalendar.New("VCALENDAR"), icalendar.New("VTODO"), icalendar.New("VALARM")
	c.Add(icalendar.Raw("VERSION", "2.0"), icalendar.Text("PRODID", "-//repatriate//test//EN"))
	date := icalendar.P("VALUE", "DATE")
	todo.Add(icalendar.Text("UID", uid), icalendar.Raw("DTSTAMP", "20240101T000000Z"), icalendar.Text("SUMMARY", fmt.Sprintf("Task %d; ü\nx", i)),
		icalendar.Text("DESCRIPTION", "- [ ] one\n- [x] two\n"+strings.Repeat("déjà vu, ", 50)+"end"), icalendar.Raw("DTSTART", "20240318", date),
		icalendar.Raw("DUE", "20240318", date), icalendar.Raw("RRULE", "FREQ=WEEKLY;BYDAY=MO"), icalendar.Raw("STATUS", "COMPLETED"),
		icalendar.Raw("COMPLETED", "20240317T120000Z"), icalendar.Raw("PERCENT-COMPLETE", "100"), icalendar.Raw("PRIORITY", "1"),
		icalendar.Text("RELATED-TO", "parent"), icalendar.TextList("CATEGORIES", []string{"b", "a"}), icalendar.Raw("X-APPLE-SORT-ORDER", "7"))
	alarm.Add(icalendar.Raw("ACTION", "DISPLAY"), icalendar.Text("DESCRIPTION", "x"), icalendar.Raw("TRIGGER", "20240318T080000Z", icalendar.P("VALUE", "DATE-TIME")))
	todo.Components = append(todo.Components, alarm)
	c.Components = append(c.Components, todo)
	return sinks.Item[sinks.Task]{ID: id, Content: sinks.Task{UID: uid, Data: c.Bytes()}}
}

// digestOfTask names a task by what another library reads of it.
func digestOfTask(tb testing.TB, data []byte) string {
	tb.Helper()
	c, err := goical.NewDecoder(bytes.NewReader(data)).Decode()
	if err != nil {
		tb.Fatalf("%v in\n%s", err, data)
	}
	for _, todo := range c.Children {
		if todo.Name != "VTODO" {
			continue
		}
		var values []string
		for _, name := range []string{"UID", "SUMMARY", "DESCRIPTION", "RELATED-TO", "STATUS", "DUE", "RRULE"} {
			if p := todo.Props.Get(name); p != nil {
				parts := strings.Split(p.Value, ";") // Cyrus writes the parts of a rule in another order
				slices.Sort(parts)
				values = append(values, strings.Join(parts, ";"))
			}
		}
		return strings.Join(values, "|")
	}
	tb.Fatalf("no task in\n%s", data)
	return ""
}
