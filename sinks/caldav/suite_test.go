package caldav

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	goical "github.com/emersion/go-ical"
	"github.com/emersion/go-webdav"
	dav "github.com/emersion/go-webdav/caldav"

	"codeberg.org/repatriate/repatriate/internal/embedded"
	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav/davtest"
	"codeberg.org/repatriate/repatriate/sinks/sinktest"
)

func TestEmbedded(t *testing.T) {
	server := startEmbedded(t)
	t.Run("suite", func(t *testing.T) {
		sinktest.Run(t, harness(func(testing.TB) Options { return options(server.UserURL("u1"), "u1") }))
	})
	if sent, exposed := server.Sent(), server.Exposed(); len(sent)+len(exposed) > 0 {
		t.Errorf("a server would have mailed: %q; on other servers: %q", sent, exposed)
	}
}

func startEmbedded(tb testing.TB) *embedded.Calendar {
	tb.Helper()
	server, err := embedded.StartCalendar(tb.TempDir(), []embedded.User{{Name: "u1", Password: "secret"}, {Name: "u2", Password: "secret"}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = server.Close() })
	return server
}

func TestRadicale(t *testing.T) {
	server := realserver.Radicale(t, realserver.RadicaleOptions{})
	t.Run("suite", func(t *testing.T) {
		h := harness(func(testing.TB) Options { return options(server.CalendarsURL("u1"), "u1") })
		h.Many = 60 // it takes some 25 in a second
		sinktest.Run(t, h)
	})
}

func TestCyrus(t *testing.T) {
	server := realserver.Cyrus(t, realserver.CyrusOptions{Scheduling: true, Accounts: realserver.Accounts{Count: 40}})
	n := 0
	t.Run("suite", func(t *testing.T) {
		sinktest.Run(t, harness(func(testing.TB) Options {
			n++ // a UID is unique among all calendars of a user
			return options(server.CalendarsURL(server.User(n).User), server.User(n).User)
		}))
	})
}

// options returns the options of a calendar that no other test uses.
func options(home, user string) Options {
	return Options{URL: home, User: user, Password: "secret", Collection: sinks.Collection{
		ID: rand.Text(), Name: "Työ & <Work>", Color: "#7986cb", TimeZone: "Europe/Berlin", Description: "a]]>b", Components: []string{"VEVENT"},
	}}
}

func harness(open func(testing.TB) Options) sinktest.Harness[sinks.Event] {
	return sinktest.Harness[sinks.Event]{
		Open: func(tb testing.TB) sinktest.Account[sinks.Event] {
			o := open(tb)
			s, err := Open(tb.Context(), o)
			if err != nil {
				tb.Fatal(err)
			}
			w := witness{o: o, calendar: s.Calendar()}
			return sinktest.Account[sinks.Event]{Sink: s, Held: w.held, Edit: w.edit, Copy: w.copy}
		},
		Item:    func(i int) sinks.Item[sinks.Event] { return item(fmt.Sprintf("event%d", i), i, 0) },
		Digest:  func(tb testing.TB, it sinks.Item[sinks.Event]) string { return digestOf(tb, it.Content.Data) },
		Changed: changed,
		Odd: []sinks.Item[sinks.Event]{
			item("uid@google.com", 101, 0), item("../../x", 102, 0), item("a b/ü%2F\x00", 103, 0), item(strings.Repeat("x", 3000), 104, 0),
			item("UPPER", 105, 0), item("upper", 106, 0), item("", 107, 0), item(".hidden", 108, 0),
		},
	}
}

// item makes event i in its version n, with all that servers like to rewrite.
func item(id string, i, n int) sinks.Item[sinks.Event] {
	uid := fmt.Sprintf("%x-%d@example.org", id, i)
	berlin := icalendar.New("VTIMEZONE")
	if loc, err := time.LoadLocation("Europe/Berlin"); err == nil {
		berlin = icalendar.Timezone(loc, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Time{})
	}
	c, e, x := icalendar.New("VCALENDAR"), icalendar.New("VEVENT"), icalendar.New("VEVENT")
	zone := icalendar.P("TZID", "Europe/Berlin")
	client := icalendar.P("SCHEDULE-AGENT", "CLIENT")
	c.Add(icalendar.Raw("VERSION", "2.0"), icalendar.Text("PRODID", "-//repatriate//test//EN"))
	e.Add(icalendar.Text("UID", uid), icalendar.Raw("DTSTAMP", "20240101T000000Z"), icalendar.Raw("LAST-MODIFIED", "20240101T000000Z"),
		icalendar.Raw("SEQUENCE", fmt.Sprint(n)), icalendar.Raw("DTSTART", "20240318T090000", zone), icalendar.Raw("DTEND", "20240318T100000", zone),
		icalendar.Raw("RRULE", "FREQ=WEEKLY;UNTIL=20261231T225959Z;INTERVAL=1;BYDAY=MO"), icalendar.Raw("EXDATE", "20240325T090000,20240401T090000", zone),
		icalendar.Text("SUMMARY", fmt.Sprintf("Event %d, version %d; ü\nx", i, n)), icalendar.Text("DESCRIPTION", strings.Repeat("déjà vu, ", 50)),
		icalendar.Raw("ORGANIZER", "mailto:u1@example.org", icalendar.P("CN", "Ü \"q\""), client),
		icalendar.Raw("ATTENDEE", "mailto:u2@example.org", icalendar.P("PARTSTAT", "ACCEPTED"), client),
		icalendar.TextList("CATEGORIES", []string{"b", "a"}), icalendar.Raw("TRANSP", "OPAQUE"))
	alarm := icalendar.New("VALARM")
	alarm.Add(icalendar.Raw("ACTION", "DISPLAY"), icalendar.Text("DESCRIPTION", "x"), icalendar.Raw("TRIGGER", "-PT90M"))
	e.Components = append(e.Components, alarm)
	x.Add(icalendar.Text("UID", uid), icalendar.Raw("DTSTAMP", "20240101T000000Z"), icalendar.Raw("RECURRENCE-ID", "20240408T090000", zone),
		icalendar.Raw("DTSTART", "20240409T090000", zone), icalendar.Raw("DTEND", "20240409T093000", zone), icalendar.Text("SUMMARY", "moved"),
		icalendar.Raw("ORGANIZER", "mailto:u1@example.org", client), icalendar.Raw("ATTENDEE", "mailto:u2@example.org", client))
	c.Components = append(c.Components, berlin, e, x)
	return sinks.Item[sinks.Event]{ID: id, Content: sinks.Event{UID: uid, Data: c.Bytes()}}
}

func changed(it sinks.Item[sinks.Event]) sinks.Item[sinks.Event] {
	data := bytes.Replace(it.Content.Data, []byte("SUMMARY:Event "), []byte("SUMMARY:Event +"), 1)
	data = bytes.Replace(data, []byte("SEQUENCE:"), []byte("SEQUENCE:1"), 1)
	it.Content.Data = data
	return it
}

// digestOf names an object by what another library reads of it.
func digestOf(tb testing.TB, data []byte) string {
	tb.Helper()
	c, err := goical.NewDecoder(bytes.NewReader(data)).Decode()
	if err != nil {
		tb.Fatalf("%v in\n%s", err, data)
	}
	return digestEvents(tb, c)
}

func digestEvents(tb testing.TB, c *goical.Calendar) string {
	var all []string
	for _, e := range c.Events() {
		start, err := e.DateTimeStart(time.UTC)
		if err != nil {
			tb.Fatal(err)
		}
		summary, _ := e.Props.Text("SUMMARY")
		uid, _ := e.Props.Text("UID")
		all = append(all, fmt.Sprint(uid, " ", summary, " ", start.UTC().Format(time.RFC3339)))
	}
	slices.Sort(all)
	return strings.Join(all, "|")
}

// witness looks at the target past the sink, with other clients.
type witness struct {
	o        Options
	calendar string
}

func (w witness) held(tb testing.TB) []string {
	tb.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	client, err := dav.NewClient(webdav.HTTPClientWithBasicAuth(&http.Client{Transport: transport}, w.o.User, w.o.Password), w.o.URL)
	if err != nil {
		tb.Fatal(err)
	}
	found, err := client.QueryCalendar(context.Background(), w.calendar, &dav.CalendarQuery{
		CompRequest: dav.CalendarCompRequest{Name: "VCALENDAR", AllProps: true, AllComps: true},
		CompFilter:  dav.CompFilter{Name: "VCALENDAR", Comps: []dav.CompFilter{{Name: "VEVENT"}}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	list := []string{}
	for _, o := range found {
		list = append(list, digestEvents(tb, o.Data))
	}
	return list
}

// edit changes a title, as the user would.
func (w witness) edit(tb testing.TB, at sinks.Receipt) {
	tb.Helper()
	w.client().Edit(tb, at.Location, "SUMMARY:", "SUMMARY:My own ")
}

// copy makes a copy of an event, as the user would.
func (w witness) copy(tb testing.TB, at sinks.Receipt) {
	tb.Helper()
	w.client().Copy(tb, at.Location)
}

// plain sends one request without any of the sink's code.
func (w witness) plain(tb testing.TB, method, path string, body []byte) ([]byte, int) {
	tb.Helper()
	return w.client().Send(tb, method, path, body)
}

// client keeps its own requests silent, so that what the server heard came from the sink.
func (w witness) client() davtest.Client {
	return davtest.Client{Home: w.o.URL, User: w.o.User, Password: w.o.Password,
		Header: http.Header{"Content-Type": {"text/calendar"}, "X-Nc-Scheduling": {"false"}, "Schedule-Reply": {"F"}}}
}
