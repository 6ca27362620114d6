package caldav

import (
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
)

// TestRelease takes the suppression from what nobody changed, keeps everything else, and leaves the sink able to go on.
func TestRelease(t *testing.T) {
	embedded := startEmbedded(t)
	radicale := realserver.Radicale(t, realserver.RadicaleOptions{})
	for name, o := range map[string]Options{
		"embedded": options(embedded.UserURL("u1"), "u1"),
		"Radicale": options(radicale.CalendarsURL("u1"), "u1"),
	} {
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		own, edited := item("own", 1, 0), item("edited", 2, 0)
		var receipts []sinks.Receipt
		for _, it := range []sinks.Item[sinks.Event]{own, edited} {
			w, err := s.Put(t.Context(), it, sinks.Receipt{})
			if err != nil {
				t.Fatal(err)
			}
			receipts = append(receipts, w.Receipt)
		}
		w := witness{o: o, calendar: s.Calendar()}
		w.edit(t, receipts[1])
		for _, step := range []struct {
			dry  bool
			want Released
		}{{true, Released{1, 1}}, {false, Released{1, 1}}, {false, Released{0, 1}}} {
			if got, err := Release(t.Context(), o, step.dry); err != nil || got != step.want {
				t.Errorf("%s, dry run %v: %+v, %v", name, step.dry, got, err)
			}
		}
		body, _ := w.plain(t, "GET", receipts[0].Location, nil)
		if text := string(body); strings.Contains(text, agent) || digestOf(t, body) != digestOf(t, own.Content.Data) || !strings.Contains(text, "PARTSTAT=ACCEPTED") {
			t.Errorf("%s: released to\n%s", name, text)
		}
		if body, _ := w.plain(t, "GET", receipts[1].Location, nil); !strings.Contains(string(body), agent) {
			t.Errorf("%s: what the user edited was released:\n%s", name, body)
		}
		if again, err := s.Put(t.Context(), own, receipts[0]); err != nil || !again.Unchanged {
			t.Errorf("%s: the next pass: %+v, %v", name, again, err)
		}
		next, err := s.Put(t.Context(), changed(own), receipts[0])
		if err != nil {
			t.Errorf("%s: a change at the source after the release: %v", name, err)
		}
		if body, _ := w.plain(t, "GET", next.Receipt.Location, nil); !strings.Contains(string(body), agent) {
			t.Errorf("%s: the changed event is not suppressed:\n%s", name, body)
		}
		_ = s.Close()
	}
	if sent, exposed := embedded.Sent(), embedded.Exposed(); len(sent) > 0 {
		t.Errorf("a server would have mailed: %q; on other servers: %q", sent, exposed)
	}
}

// TestReleaseOfPeopleWithoutAddress leaves to clients whom no server could invite.
func TestReleaseOfPeopleWithoutAddress(t *testing.T) {
	object := func(people string) []byte {
		return []byte(strings.ReplaceAll("BEGIN:VCALENDAR\nX-REPATRIATE-DIGEST:1\nBEGIN:VEVENT\nUID:u\n"+people+"END:VEVENT\nEND:VCALENDAR\n", "\n", "\r\n"))
	}
	const nobody, somebody = "ATTENDEE;CN=Old;SCHEDULE-AGENT=CLIENT:invalid:nomail\n", "ATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:a@example.org\n"
	if out, ours := released(object(nobody)); out != nil || !ours {
		t.Errorf("released to\n%s", out)
	}
	out, ours := released(object(nobody + somebody))
	if !ours || string(out) != string(object(nobody+"ATTENDEE:mailto:a@example.org\n")) {
		t.Errorf("released to\n%s", out)
	}
}

// TestReleaseIsHeardOnCyrus which schedules whatever a request asks for, so that nothing may be released there.
func TestReleaseIsHeardOnCyrus(t *testing.T) {
	server := realserver.Cyrus(t, realserver.CyrusOptions{Scheduling: true})
	organizer, guest := user(server, 1), user(server, 2)
	if on, err := Schedules(t.Context(), organizer); err != nil || !on {
		t.Fatalf("schedules: %v, %v", on, err)
	}
	if err := ReleaseCanary(t.Context(), organizer, guest); err == nil || fault.Of(err).Reason != fault.TargetHeard {
		t.Errorf("%v", err)
	}
	c, err := guest.client()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	h, err := c.list(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, calendar := range h.calendars {
		if left, err := c.Hrefs(t.Context(), calendar.path); err != nil || len(left) > 0 {
			t.Errorf("left at the guest in %s: %q, %v", calendar.path, left, err)
		}
	}
}
