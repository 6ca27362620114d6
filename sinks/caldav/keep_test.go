package caldav

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
)

// invited is an object of which a server tells people, with all that copies must not have.
const invited = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:REQUEST\r\nX-REPATRIATE-DIGEST:abc\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20240101T000000Z\r\n" +
	"DTSTART:20240318T090000Z\r\nSUMMARY:theirs\r\nORGANIZER;SCHEDULE-AGENT=SERVER:mailto:u1@example.org\r\n" +
	"ATTENDEE;PARTSTAT=ACCEPTED;SCHEDULE-FORCE-SEND=REQUEST:mailto:u2@example.org\r\nX-OWN;A=\"b;c\":kept\r\nBEGIN:VALARM\r\nUID:alarm\r\nACTION:EMAIL\r\n" +
	"TRIGGER:-PT5M\r\nDESCRIPTION:x\r\nSUMMARY:y\r\nATTENDEE:mailto:u3@example.org\r\nEND:VALARM\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:u\r\n" +
	"DTSTAMP:20240101T000000Z\r\nRECURRENCE-ID:20240325T090000Z\r\nDTSTART:20240325T100000Z\r\nATTENDEE:mailto:u2@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

func TestCopiesTellNobody(t *testing.T) {
	copied, err := copyObject([]byte(invited), "v,1")
	if err != nil {
		t.Fatal(err)
	}
	text := string(copied)
	for part, want := range map[string]int{
		"UID:v\\,1\r\n": 2, "UID:alarm\r\n": 1, "METHOD": 0, "X-REPATRIATE-DIGEST": 0, "SCHEDULE-AGENT=CLIENT": 3, "SERVER": 0, "FORCE-SEND": 0,
		"ACTION:DISPLAY": 1, "EMAIL": 0, "u3@": 0, `X-OWN;A="b;c":kept`: 1, "PARTSTAT=ACCEPTED": 1, "SUMMARY:theirs": 1,
	} {
		if n := strings.Count(text, part); n != want {
			t.Errorf("%q stands %d times in the copy, want %d:\n%s", part, n, want, text)
		}
	}
	if out, ours := released(stamp(copied, "digest")); out != nil || ours {
		t.Error("a copy is released")
	}
	for data, want := range map[string]bool{invited: true, text: false} {
		if o, err := readObject([]byte(data)); err != nil || o.Scheduled != want {
			t.Errorf("scheduled: %v (%v), want %v of\n%s", o.Scheduled, err, want, data)
		}
	}
}

// listener hears what a server tells a guest.
type listener struct {
	client *client
	home   home
}

func listen(t *testing.T, o Options) (l listener, address string) {
	t.Helper()
	c, err := o.client()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	h, err := c.list(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	address, err = c.address(t.Context(), &h)
	if err != nil {
		t.Fatal(err)
	}
	return listener{c, h}, address
}

// heard returns what lies in the inbox and in all calendars.
func (l listener) heard(t *testing.T) string {
	t.Helper()
	places := []string{l.home.inbox}
	for _, c := range l.home.calendars {
		places = append(places, c.path)
	}
	var all []string
	for _, p := range places {
		found, err := l.client.Hrefs(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// An event of the user's own that invites guests has the UID: it is never written over, since the guests would hear of it.
func TestNoGuestHearsOfAConflict(t *testing.T) {
	cyrus := realserver.Cyrus(t, realserver.CyrusOptions{Scheduling: true})
	_, organizer := listen(t, user(cyrus, 1))
	guest, invitee := listen(t, user(cyrus, 2))
	s, err := Open(t.Context(), user(cyrus, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	it := item("meeting", 1, 0)
	it.Content.Data = bytes.ReplaceAll(it.Content.Data, []byte("mailto:u1@example.org"), []byte(organizer))
	it.Content.Data = bytes.ReplaceAll(it.Content.Data, []byte("mailto:u2@example.org"), []byte(invitee))
	theirs := bytes.ReplaceAll(it.Content.Data, []byte(";SCHEDULE-AGENT=CLIENT"), nil)
	theirs = bytes.ReplaceAll(theirs, []byte("SUMMARY:"), []byte("SUMMARY:own "))
	theirs = bytes.ReplaceAll(theirs, []byte("20240"), []byte("20400")) // no server tells of what is past
	w := witness{o: user(cyrus, 1), calendar: s.Calendar()}
	place := s.Calendar() + "meeting.ics"
	silent := guest.heard(t)
	if _, status := w.plain(t, http.MethodPut, place, theirs); status/100 != 2 {
		t.Fatalf("the user's event was refused with %d", status)
	}
	heard := guest.heard(t)
	if heard == silent {
		t.Fatal("the guest does not even hear of the user's own invitation: this test proves nothing")
	}
	before, _ := w.plain(t, http.MethodGet, place, nil)
	_, err = s.Put(t.Context(), it, sinks.Receipt{})
	if f := fault.Of(err); err == nil || f.Action != fault.FailItem {
		t.Fatalf("Put where the user's event lies: %v", err)
	}
	next, loss, err := s.Aside(t.Context(), it, sinks.Receipt{})
	if err != nil || loss != nil {
		t.Fatalf("Aside: %+v, %v", loss, err)
	}
	written, err := s.Put(t.Context(), it, next)
	if err != nil {
		t.Fatal(err)
	}
	if written.Receipt.Location == place || len(written.Losses) == 0 || written.Losses[len(written.Losses)-1].Reason != LossRenamed {
		t.Errorf("the item lies at %s with %v", written.Receipt.Location, written.Losses)
	}
	if after, _ := w.plain(t, http.MethodGet, place, nil); !bytes.Equal(before, after) {
		t.Errorf("the user's event is\n%s\nand was\n%s", after, before)
	}
	if after := guest.heard(t); after != heard {
		t.Errorf("the guest has %s\nand had %s", after, heard)
	}
}

// An object of the same UID that lies elsewhere in the calendar gives way where it lies.
func TestTwinIsSetAside(t *testing.T) {
	embedded := startEmbedded(t)
	radicale := realserver.Radicale(t, realserver.RadicaleOptions{})
	for name, o := range map[string]Options{"embedded": options(embedded.UserURL("u1"), "u1"), "Radicale": options(radicale.CalendarsURL("u1"), "u1")} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			it := item("meeting", 1, 0)
			theirs := bytes.ReplaceAll(it.Content.Data, []byte("SUMMARY:"), []byte("SUMMARY:own "))
			w := witness{o: o, calendar: s.Calendar()}
			place := s.Calendar() + "elsewhere.ics"
			if _, status := w.plain(t, http.MethodPut, place, theirs); status/100 != 2 {
				t.Fatalf("the user's event was refused with %d", status)
			}
			if _, err = s.Put(t.Context(), it, sinks.Receipt{}); err == nil || fault.Of(err).Reason != fault.TargetUIDConflict {
				t.Fatalf("Put: %v", err)
			}
			next, loss, err := s.Aside(t.Context(), it, sinks.Receipt{})
			if err != nil || loss == nil {
				t.Fatalf("Aside: %+v, %v", loss, err)
			}
			written, err := s.Put(t.Context(), it, next)
			if err != nil || written.Receipt.Location != place {
				t.Fatalf("%+v, %v", written, err)
			}
			list := w.held(t)
			copied, _ := copyObject(theirs, it.Content.UID+"-target")
			if all := strings.Join(list, "\n"); len(list) != 2 || !strings.Contains(all, digestOf(t, it.Content.Data)) || !strings.Contains(all, digestOf(t, copied)) {
				t.Errorf("the calendar holds %q", list)
			}
		})
	}
}

// What is no iCalendar object is not copied, and so not written over.
func TestWhatCannotBeCopiedStays(t *testing.T) {
	if _, err := copyObject([]byte("no calendar"), "x"); err == nil {
		t.Error("a copy of nothing")
	}
	if c, err := icalendar.Parse([]byte(invited)); err != nil || c.Value("METHOD") == "" {
		t.Errorf("%v", err)
	}
}
