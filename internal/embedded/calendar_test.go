package embedded

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-webdav"
	"github.com/emersion/go-webdav/caldav"
)

const home = "/calendars/alice@example.org/"

// crlf makes an object of readable lines.
func crlf(lines string) string {
	return strings.ReplaceAll(strings.TrimSpace(lines), "\n", "\r\n") + "\r\n"
}

// vcalendar wraps components into a calendar.
func vcalendar(components string) string {
	return crlf("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example.org//test//EN\n" + strings.TrimSpace(components) + "\nEND:VCALENDAR")
}

func event(uid, more string) string {
	return vcalendar("BEGIN:VEVENT\nUID:" + uid + "\nDTSTAMP:20260101T000000Z\nDTSTART:20260102T100000Z\nSUMMARY:Ünï\n" + more + "END:VEVENT")
}

func task(uid, more string) string {
	return vcalendar("BEGIN:VTODO\nUID:" + uid + "\nDTSTAMP:20260101T000000Z\nSUMMARY:Ünï\n" + more + "END:VTODO")
}

func startCalendar(t *testing.T, dir string) *Calendar {
	t.Helper()
	s, err := StartCalendar(dir, people)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

var ics = map[string]string{"Content-Type": "text/calendar; charset=utf-8"}

func with(header map[string]string, more ...string) map[string]string {
	all := map[string]string{}
	for name, value := range header {
		all[name] = value
	}
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}

const makeWork = `<C:mkcalendar xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:" xmlns:A="http://apple.com/ns/ical/"><D:set><D:prop>
<D:displayname>Work &amp; more</D:displayname><A:calendar-color>#11AA22</A:calendar-color>
<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>
<C:calendar-timezone>BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19961027T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
END:VCALENDAR
</C:calendar-timezone></D:prop></D:set></C:mkcalendar>`

func TestCalendarCollections(t *testing.T) {
	dir := t.TempDir()
	s := startCalendar(t, dir)
	badColor := strings.ReplaceAll(makeWork, "#11AA22", "green")
	calls := []call{
		{method: "MKCALENDAR", path: home + "work/", body: badColor, want: 207, wantBody: "403"},
		{method: "PROPFIND", path: home + "work/", header: map[string]string{"Depth": "0"}, want: 404},
		{method: "MKCALENDAR", path: home + "work/", body: makeWork, want: 201},
		{method: "MKCALENDAR", path: home + "work/", body: makeWork, want: 405},
		{method: "MKCALENDAR", path: home + "work/sub/", want: 403, wantBody: "calendar-collection-location-ok"},
		{method: "MKCALENDAR", path: "/calendars/bob/x/", want: 403},
		{method: "MKCALENDAR", path: "/elsewhere/bob/x/", want: 404},
		{method: "MKCOL", path: home + "plain/", want: 201, body: `<D:mkcol xmlns:D="DAV:"><D:set><D:prop><D:resourcetype><D:collection/><C:calendar xmlns:C="urn:ietf:params:xml:ns:caldav"/></D:resourcetype></D:prop></D:set></D:mkcol>`},
		{method: "PROPFIND", path: home, header: map[string]string{"Depth": "1"}, want: 207, wantBody: "Work &amp; more"},
		{method: "PROPFIND", path: home, want: 403, wantBody: "propfind-finite-depth"},
		{method: "PROPFIND", path: home, header: map[string]string{"Depth": "0"}, body: "<", want: 400},
		{method: "PROPPATCH", path: home + "work/", want: 207, wantBody: "200", body: `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><D:displayname>Renamed</D:displayname></D:prop></D:set></D:propertyupdate>`},
		{method: "PROPPATCH", path: home + "work/", want: 207, wantBody: "403", body: `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><D:sync-token>1</D:sync-token></D:prop></D:set></D:propertyupdate>`},
		{method: "DELETE", path: home + "plain/", want: 204},
	}
	for _, c := range calls {
		c.do(t, s.root)
	}
	_ = s.Close()
	all, err := startCalendar(t, dir).Calendars("alice@example.org")
	if err != nil || len(all) != 1 {
		t.Fatalf("Calendars = %+v, %v", all, err)
	}
	got := all[0]
	if got.Name != "work" || got.DisplayName != "Renamed" || got.Color != "#11AA22" || !slices.Equal(got.Components, []string{"VEVENT"}) || !strings.Contains(got.TimeZone, "Europe/Berlin") {
		t.Errorf("Calendar = %+v", got)
	}
}

func TestCalendarObjects(t *testing.T) {
	s := startCalendar(t, t.TempDir())
	call{method: "MKCALENDAR", path: home + "work/", body: makeWork, want: 201}.do(t, s.root)
	call{method: "MKCALENDAR", path: home + "other/", want: 201}.do(t, s.root)
	one := home + "work/one%40example.org.ics"
	etag := call{method: "PUT", path: one, header: with(ics, "If-None-Match", "*"), body: event("1", ""), want: 201}.do(t, s.root).Header.Get("ETag")
	calls := []call{
		{method: "PUT", path: one, header: with(ics, "If-None-Match", "*"), body: event("1", ""), want: 412},
		{method: "PUT", path: one, header: with(ics, "If-Match", `"x"`), body: event("1", ""), want: 412},
		{method: "PUT", path: one, header: with(ics, "If-Match", etag), body: event("1", "LOCATION:here\n"), want: 204},
		{method: "PUT", path: one, header: ics, body: event("2", ""), want: 409, wantBody: "no-uid-conflict"},
		{method: "PUT", path: home + "work/two.ics", header: ics, body: event("1", ""), want: 409, wantBody: "/work/one@example.org.ics"},
		{method: "PUT", path: home + "none/two.ics", header: ics, body: event("1", ""), want: 409},
		{method: "PUT", path: home + "work/two.ics", body: event("2", ""), want: 403, wantBody: "supported-calendar-data"},
		{method: "PUT", path: home + "work/todo.ics", header: ics, body: strings.ReplaceAll(event("2", ""), "VEVENT", "VTODO"), want: 403, wantBody: "supported-calendar-component"},
		{method: "PUT", path: home + "work/big.ics", header: ics, body: event("2", "DESCRIPTION:"+strings.Repeat("x", maxObject)+"\n"), want: 403, wantBody: "max-resource-size"},
		{method: "GET", path: one, want: 200, wantBody: "LOCATION:here\r\n"},
		{method: "GET", path: home + "work/", want: 404},
		{method: "MOVE", path: one, header: map[string]string{"Destination": s.root + home + "none/x.ics"}, want: 409},
		{method: "MOVE", path: one, header: map[string]string{"Destination": "/calendars/bob/x/x.ics"}, want: 403},
		{method: "MOVE", path: one, header: map[string]string{"Destination": s.root + home + "work/renamed.ics"}, want: 201},
		{method: "MOVE", path: home + "work/renamed.ics", header: map[string]string{"Destination": s.root + home + "other/x.ics"}, want: 201},
		{method: "DELETE", path: home + "other/x.ics", header: map[string]string{"If-Match": `"x"`}, want: 412},
		{method: "PATCH", path: home + "other/x.ics", want: 405},
	}
	for _, c := range calls {
		c.do(t, s.root)
	}
	all, err := s.Calendars("alice@example.org")
	if err != nil || len(all) != 2 || len(all[1].Objects) != 0 || len(all[0].Objects) != 1 || all[0].Objects[0].UID != "1" || all[0].Objects[0].Name != "x.ics" {
		t.Errorf("Calendars = %+v, %v", all, err)
	}
	call{method: "DELETE", path: home + "other/x.ics", want: 204}.do(t, s.root)
	call{method: "DELETE", path: home + "other/x.ics", want: 404}.do(t, s.root)
}

func TestCalendarTasks(t *testing.T) {
	s := startCalendar(t, t.TempDir())
	makeTasks := strings.ReplaceAll(makeWork, "VEVENT", "VTODO")
	tasks := home + "tasks/"
	calls := []call{
		{method: "MKCALENDAR", path: home + "work/", body: makeWork, want: 201},
		{method: "MKCALENDAR", path: home + "x/", body: strings.ReplaceAll(makeWork, `"VEVENT"`, `"VALARM"`), want: 207, wantBody: "403"},
		{method: "MKCALENDAR", path: tasks, body: makeTasks, want: 201},
		{method: "PROPFIND", path: tasks, header: map[string]string{"Depth": "0"}, want: 207, wantBody: `name="VTODO"`},
		{method: "PUT", path: tasks + "1.ics", header: ics, body: task("1", "DUE:20260103T100000Z\n"), want: 201},
		{method: "PUT", path: tasks + "2.ics", header: ics, body: task("1", ""), want: 409, wantBody: "no-uid-conflict"},
		{method: "PUT", path: tasks + "2.ics", header: ics, body: event("2", ""), want: 403, wantBody: "supported-calendar-component"},
		{method: "PUT", path: tasks + "2.ics", header: ics, body: task("2", "DTEND:20260103T100000Z\n"), want: 403, wantBody: "valid-calendar-data"},
		{method: "PUT", path: home + "work/1.ics", header: ics, body: task("1", ""), want: 403, wantBody: "supported-calendar-component"},
		{method: "MOVE", path: tasks + "1.ics", header: map[string]string{"Destination": s.root + home + "work/1.ics"}, want: 403, wantBody: "supported-calendar-component"},
		{method: "GET", path: tasks + "1.ics", want: 200, wantBody: "DUE:20260103T100000Z\r\n"},
	}
	for _, c := range calls {
		c.do(t, s.root)
	}
	all, err := s.Calendars("alice@example.org")
	if err != nil || len(all) != 2 || !slices.Equal(all[0].Components, []string{"VTODO"}) || len(all[0].Objects) != 1 {
		t.Errorf("Calendars = %+v, %v", all, err)
	}
}

func TestCalendarReports(t *testing.T) {
	s := startCalendar(t, t.TempDir())
	call{method: "MKCALENDAR", path: home + "work/", want: 201}.do(t, s.root)
	for _, uid := range []string{"one", "two"} {
		call{method: "PUT", path: home + "work/" + uid + ".ics", header: ics, body: event(uid, ""), want: 201}.do(t, s.root)
	}
	query := func(filter string) string {
		return `<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/><C:calendar-data/></D:prop><C:filter>` +
			`<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">` + filter + `</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`
	}
	const multiget = `<C:calendar-multiget xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/></D:prop>` +
		`<D:href>/calendars/alice%40example.org/work/two.ics</D:href><D:href>/calendars/alice@example.org/work/three.ics</D:href></C:calendar-multiget>`
	calls := []struct {
		body    string
		want    int
		has     []string
		lacking string
	}{
		{query(`<C:prop-filter name="UID"><C:text-match>two</C:text-match></C:prop-filter>`), 207, []string{"two.ics", "SUMMARY:Ünï&#13;\n"}, "one.ics"},
		{query(`<C:prop-filter name="LOCATION"/>`), 207, nil, ".ics"},
		{query(`<C:time-range start="20260101T000000Z"/>`), 403, []string{"supported-filter"}, ""},
		{multiget, 207, []string{"two.ics", "three.ics", "404"}, "one.ics"},
		{`<D:nonsense xmlns:D="DAV:"/>`, 403, []string{"supported-report"}, ""},
		{`<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:prop><D:getetag/></D:prop></D:sync-collection>`, 207, []string{"one.ics", "two.ics", "sync-token"}, ""},
		{`<D:sync-collection xmlns:D="DAV:"><D:sync-token>urn:sync:old:1</D:sync-token><D:prop/></D:sync-collection>`, 403, []string{"valid-sync-token"}, ""},
	}
	for _, test := range calls {
		body := report(t, s, home+"work/", test.body, test.want)
		for _, part := range test.has {
			if !strings.Contains(body, part) {
				t.Errorf("%s\nhas no %q:\n%s", test.body, part, body)
			}
		}
		if test.lacking != "" && strings.Contains(body, test.lacking) {
			t.Errorf("%s\nhas %q:\n%s", test.body, test.lacking, body)
		}
	}
}

func report(t *testing.T, s *Calendar, path, body string, want int) string {
	t.Helper()
	var text strings.Builder
	request, err := http.NewRequest("REPORT", s.root+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("alice@example.org", "a")
	request.Close = true
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if err := response.Write(&text); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != want {
		t.Errorf("%s: %s, want %d", body, response.Status, want)
	}
	return text.String()
}

func TestCalendarSync(t *testing.T) {
	s := startCalendar(t, t.TempDir())
	call{method: "MKCALENDAR", path: home + "work/", want: 201}.do(t, s.root)
	call{method: "PUT", path: home + "work/one.ics", header: ics, body: event("one", ""), want: 201}.do(t, s.root)
	token := s.syncToken(s.collections[home+"work/"])
	call{method: "PUT", path: home + "work/two.ics", header: ics, body: event("two", ""), want: 201}.do(t, s.root)
	call{method: "DELETE", path: home + "work/one.ics", want: 204}.do(t, s.root)
	body := report(t, s, home+"work/", `<D:sync-collection xmlns:D="DAV:"><D:sync-token>`+token+`</D:sync-token><D:prop><D:getetag/></D:prop></D:sync-collection>`, 207)
	if !strings.Contains(body, "two.ics") || !strings.Contains(body, "one.ics") || strings.Count(body, "404") != 1 {
		t.Errorf("changes since %s:\n%s", token, body)
	}
}

// An independent client finds its way.
func TestCalendarDiscovery(t *testing.T) {
	s := startCalendar(t, t.TempDir())
	call{method: "MKCALENDAR", path: home + "work/", body: makeWork, want: 201}.do(t, s.root)
	call{method: "PUT", path: home + "work/one.ics", header: ics, body: event("one", ""), want: 201}.do(t, s.root)
	transport := &http.Transport{DisableKeepAlives: true}
	client, err := caldav.NewClient(webdav.HTTPClientWithBasicAuth(&http.Client{Transport: transport}, "alice@example.org", "a"), s.URL)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	found, err := client.FindCalendarHomeSet(ctx, "/principals/alice@example.org/")
	if err != nil || found != home {
		t.Errorf("home %q, %v", found, err)
	}
	calendars, err := client.FindCalendars(ctx, found)
	if err != nil || len(calendars) != 1 || calendars[0].Name != "Work & more" || calendars[0].Path != home+"work/" {
		t.Errorf("calendars %+v, %v", calendars, err)
	}
	objects, err := client.QueryCalendar(ctx, home+"work/", &caldav.CalendarQuery{
		CompRequest: caldav.CalendarCompRequest{Name: "VCALENDAR"},
		CompFilter:  caldav.CompFilter{Name: "VCALENDAR", Comps: []caldav.CompFilter{{Name: "VEVENT"}}},
	})
	if err != nil || len(objects) != 1 || objects[0].Path != home+"work/one.ics" {
		t.Errorf("objects %+v, %v", objects, err)
	}
}

func TestCalendarSpy(t *testing.T) {
	const guest = "ORGANIZER:mailto:alice@example.org\nATTENDEE:mailto:bob@example.org\n"
	const quiet = "ORGANIZER;SCHEDULE-AGENT=CLIENT:mailto:alice@example.org\nATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:bob@example.org\n"
	silent := []string{"X-NC-Scheduling", "false", "Schedule-Reply", "F"}
	tests := []struct {
		name, more    string
		header        map[string]string
		sent, exposed int
	}{
		{"nobody", "", ics, 0, 0},
		{"all means", quiet, with(ics, silent...), 0, 0},
		{"no header", quiet, ics, 0, 1},
		{"no agent", guest, with(ics, silent...), 0, 1},
		{"no means", guest, ics, 1, 1},
		{"one header", guest, with(ics, "Schedule-Reply", "F"), 0, 1},
		{"one guest", quiet + "ATTENDEE:mailto:eve@example.org\n", ics, 1, 1},
		{"header says true", guest, with(ics, "X-NC-Scheduling", "true"), 1, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := startCalendar(t, t.TempDir())
			call{method: "MKCALENDAR", path: home + "work/", want: 201}.do(t, s.root)
			call{method: "PUT", path: home + "work/1.ics", header: test.header, body: event("1", test.more), want: 201}.do(t, s.root)
			if got := s.Sent(); len(got) != test.sent {
				t.Errorf("Sent = %v, want %d", got, test.sent)
			}
			if got := s.Exposed(); len(got) != test.exposed {
				t.Errorf("Exposed = %v, want %d", got, test.exposed)
			}
			call{method: "DELETE", path: home + "work/1.ics", header: test.header, want: 204}.do(t, s.root)
			if got := s.Sent(); len(got) != 2*test.sent {
				t.Errorf("Sent = %v after DELETE, want %d", got, 2*test.sent)
			}
		})
	}
}
