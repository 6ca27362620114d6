package e2e

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/examples"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/internal/simulation"
)

// TestDemoOrganisationIsMovedInSilence moves the organisation with one of everything into the embedded servers, which
// watch for writes that would have mailed somebody.
func TestDemoOrganisationIsMovedInSilence(t *testing.T) {
	data := value(sim.LoadFS(examples.Organisation()))(t)
	schema := value(sim.ModuleSchema(t.Context()))(t)
	dir := t.TempDir()
	s := value(simulation.Start(dir, simulation.Options{Source: simulation.Google(data, sim.Options{Strict: schema}, "")}))(t)
	t.Cleanup(func() { _ = s.Close() })
	w := &world{tb: t, dir: dir, data: data, provider: s.Provider}
	if r := w.run(3); r.report.Totals.Failed != 1 || r.report.Totals.Pending != 0 {
		t.Errorf("one file has reached Google's limit of downloads: %+v", r.report.Totals)
	}
	popular := value(data.FileID("anna.keller@example.org", "popular.zip"))(t)
	must(t, data.SetFile(popular, func(f *sim.File) { f.OverQuota = false }))
	retried := w.start("retry", w.job(), "--json").wait()
	w.demand(retried, 0)
	settled(t, w.run(0), retried)
	guests := 0
	for _, user := range s.Users() {
		for _, c := range value(s.Targets.Calendar.Calendars(user))(t) {
			for _, o := range c.Objects {
				guests += strings.Count(string(o.Body), "\nATTENDEE")
			}
		}
	}
	if guests == 0 {
		t.Error("no event has a guest who could hear of it")
	}
	if sent, exposed := s.Targets.Calendar.Sent(), s.Targets.Calendar.Exposed(); len(sent)+len(exposed) > 0 {
		t.Errorf("mailed: %q; protected by one means alone: %q", sent, exposed)
	}
}

// TestCyrusHearsNothing moves, changes and deletes events with guests on a server that invites them by itself.
func TestCyrusHearsNothing(t *testing.T) {
	cyrus := realserver.Cyrus(t, realserver.CyrusOptions{Scheduling: true})
	e := ears{t: t, server: cyrus}
	anna, ben, guest := e.address("u1"), e.address("u2"), e.address("u3")
	data := tenantData(t, "anna@example.org", "ben@example.org")
	invite := func(owner, uid, title string) string {
		t.Helper()
		return value(data.AddEvent(owner, "", json.RawMessage(fmt.Sprintf(`{"summary": %q, "iCalUID": %q,
			"start": {"dateTime": "2030-03-18T09:00:00+01:00", "timeZone": "Europe/Berlin"},
			"end": {"dateTime": "2030-03-18T10:00:00+01:00", "timeZone": "Europe/Berlin"},
			"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=5"], "organizer": {"email": %q}, "attendees": [
			{"email": %q, "responseStatus": "accepted"}, {"email": %q, "responseStatus": "needsAction"},
			{"email": "outside@example.net"}]}`, title, uid, anna, ben, guest))))(t)
	}
	changed := invite("anna@example.org", "one@example.org", "Changed")
	cancelled := invite("anna@example.org", "two@example.org", "Cancelled")
	invite("ben@example.org", "one@example.org", "Changed")
	w := newWorld(t, data, sim.Options{}, urls{calendar: cyrus.CalendarsURL("{user}")},
		person{source: "anna@example.org", target: "u1"}, person{source: "ben@example.org", target: "u2"})
	w.extra = append(w.extra, "deletions: propagate")
	w.writeJob()
	before := e.heard("u1", "u2", "u3")
	w.run(0)
	must(t, data.UpdateEvent("anna@example.org", "", changed, json.RawMessage(`{"summary": "Changed again"}`)))
	must(t, data.CancelOccurrence("anna@example.org", "", changed, "2030-03-25T09:00:00+01:00"))
	must(t, data.CancelEvent("anna@example.org", "", cancelled))
	if r := w.run(0); r.report.Pass.Written != 1 || r.report.Pass.Removed != 1 {
		t.Errorf("%+v", *r.report.Pass)
	}
	if after := e.heard("u1", "u2", "u3"); !slices.Equal(after, before) {
		t.Errorf("heard: %q, before: %q", after, before)
	}
	e.invite("u1", anna, guest)
	if after := e.heard("u3"); len(after) == len(e.of(before, "u3")) {
		t.Error("an invitation that asks for it is not heard either: this test proves nothing")
	}
}

// ears listens for what Cyrus delivers to its users.
type ears struct {
	t      *testing.T
	server *realserver.Server
}

var mailto = regexp.MustCompile(`mailto:([^<\s]+)`)

// address is the user's calendar address (RFC 6638 §2.4.1), without its scheme.
func (e ears) address(user string) string {
	e.t.Helper()
	const query = `<propfind xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><C:calendar-user-address-set/></prop></propfind>`
	found := mailto.FindSubmatch(dav(e.t, user, "PROPFIND", e.server.HTTP+"/dav/principals/user/"+user+"/", "0", query))
	if found == nil {
		e.t.Fatalf("Cyrus tells no address of %s", user)
	}
	return string(found[1])
}

// heard returns what lies in the users' scheduling inboxes, and in all calendars of u3, who is not part of the job.
func (e ears) heard(users ...string) []string {
	e.t.Helper()
	var out []string
	for _, user := range users {
		for _, collection := range e.list(user, e.server.CalendarsURL(user)) {
			if user == "u3" || strings.Contains(collection, "/Inbox/") {
				out = append(out, e.list(user, e.server.HTTP+collection)...)
			}
		}
	}
	return out
}

// of returns those of the hrefs that belong to the user.
func (e ears) of(hrefs []string, user string) []string {
	return slices.DeleteFunc(slices.Clone(hrefs), func(h string) bool { return !strings.Contains(h, "/"+user+"/") })
}

// list returns the paths in a collection, without its own.
func (e ears) list(user, collection string) []string {
	e.t.Helper()
	var listed multistatus
	must(e.t, xml.Unmarshal(dav(e.t, user, "PROPFIND", collection, "1", calendarsQuery), &listed))
	own := value(url.Parse(collection))(e.t).Path
	var out []string
	for _, r := range listed.Responses {
		if path := value(url.Parse(r.Href))(e.t).Path; path != own {
			out = append(out, path)
		}
	}
	return out
}

// invite writes an event as a calendar program does whose user invites somebody.
func (e ears) invite(user, organizer, guest string) {
	e.t.Helper()
	body := strings.Join([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//example//test//EN", "BEGIN:VEVENT", "UID:loud@example.org",
		"DTSTAMP:20300101T000000Z", "DTSTART:20300401T090000Z", "DTEND:20300401T100000Z", "SUMMARY:Loud", "ORGANIZER:mailto:" + organizer,
		"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:" + guest, "END:VEVENT", "END:VCALENDAR", ""}, "\r\n")
	req := value(http.NewRequest(http.MethodPut, e.server.CalendarsURL(user)+"Default/loud.ics", strings.NewReader(body)))(e.t)
	req.SetBasicAuth(user, password)
	req.Header.Set("Content-Type", "text/calendar; charset=utf-8")
	resp := value(http.DefaultClient.Do(req))(e.t)
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		e.t.Fatalf("PUT: HTTP %d", resp.StatusCode)
	}
}
