package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	goical "github.com/emersion/go-ical"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/report"
)

const dora = "dora@example.org"

// TestDelta changes one of everything and demands that the next pass makes just these changes, with as many requests for
// a small account as for a large one.
func TestDelta(t *testing.T) {
	s := realServers(t)
	for _, propagate := range []bool{false, true} {
		t.Run(fmt.Sprintf("propagate=%v", propagate), func(t *testing.T) {
			small, large := deltaPass(t, s, 0, propagate), deltaPass(t, s, 1, propagate)
			t.Logf("requests for a small account: %d and %d; for a large one: %d and %d",
				small.SourceRequests, small.TargetRequests, large.SourceRequests, large.TargetRequests)
			// Written: a renamed folder, a document, a file, a moved message, a read one, a new one, an event at another time,
			// one in another calendar and one with a cancelled day. Removed: a file, two messages and two events.
			removed := map[bool]int64{true: 5}[propagate]
			for _, p := range []report.Pass{small, large} {
				if p.Written != 9 || p.Removed != removed {
					t.Errorf("%d written and %d removed, want 9 and %d", p.Written, p.Removed, removed)
				}
			}
			const slack = 4 // a second connection, a token
			if d := large.SourceRequests - small.SourceRequests; d > slack || small.SourceRequests > 30 {
				t.Errorf("%d requests to the source for a small account, %d more for a large one", small.SourceRequests, d)
			}
			if d := large.TargetRequests - small.TargetRequests; d > slack || small.TargetRequests > 50 {
				t.Errorf("%d requests to the target for a small account, %d more for a large one", small.TargetRequests, d)
			}
		})
	}
}

// deltaPass moves an account, changes it, moves it again, compares, and returns what the second pass did.
func deltaPass(t *testing.T, s *servers, size int, propagate bool) report.Pass {
	t.Helper()
	a := newDeltaAccount(t, 1000, size)
	w := newWorld(t, a.data, sim.Options{}, s.urls(), person{source: dora, target: fresh(t)})
	if propagate {
		w.propagate()
	}
	w.run(0)
	want := a.change(t, s, w, propagate)
	if n := len(want.state.files); n < 1000+size*2000+4 {
		t.Fatalf("%d files and folders", n)
	}
	r := w.run(0)
	want.compare(t, s, w)
	settled(t, w.run(0), r)
	return *r.report.Pass
}

// propagate has what is deleted at the source removed from the target.
func (w *world) propagate() {
	w.extra = append(w.extra, "deletions: propagate")
	w.writeJob()
}

// deltaAccount is an account of which one of everything will be changed.
type deltaAccount struct {
	data                                       *sim.Data
	big, document, edited, trashed             string // files and folders
	relabelled, read, deletedMail, trashedMail string
	cancelled, later, elsewhere, occurrence    string // events
	second                                     string // calendar
}

// newDeltaAccount makes an account with that many files in the folder that will be renamed. Of size depends how much there
// is that will not be touched.
func newDeltaAccount(t *testing.T, inFolder, size int) *deltaAccount {
	t.Helper()
	a := &deltaAccount{data: tenantData(t, dora)}
	a.addFiles(t, inFolder, size)
	a.addMail(t, size)
	a.addEvents(t, size)
	return a
}

func (a *deltaAccount) addFiles(t *testing.T, inFolder, size int) {
	t.Helper()
	add := func(f sim.File) string {
		t.Helper()
		return value(a.data.AddFile(dora, f))(t)
	}
	a.big = add(sim.File{Name: "Big"})
	for i := range inFolder {
		add(sim.File{Name: fmt.Sprintf("file %04d.txt", i), Parent: a.big, Content: text("big", i)})
	}
	other := add(sim.File{Name: "Other"})
	for i := range size * 2000 {
		add(sim.File{Name: fmt.Sprintf("more %04d.txt", i), Parent: other, Content: text("other", i)})
	}
	a.document = add(sim.File{Name: "Report", MimeType: sim.MimeDocument, Exports: map[string]cloudsim.Content{docx: text("report", 1)}})
	a.edited = add(sim.File{Name: "edited.txt", Content: text("edited", 1)})
	a.trashed = add(sim.File{Name: "trashed.txt", Content: text("trashed", 1)})
}

const docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

func text(what string, i int) cloudsim.Content {
	return cloudsim.Bytes(fmt.Appendf(nil, "%s %d\n", what, i))
}

func mailText(what string, i int) []byte {
	return fmt.Appendf(nil, "From: dora@example.org\r\nTo: ben@example.org\r\nSubject: %s %d\r\nMessage-ID: <%s-%d@example.org>\r\n"+
		"Date: Mon, 18 Mar 2024 09:%02d:00 +0100\r\n\r\nThe text of %s %d.\r\n", what, i, what, i, i%60, what, i)
}

func (a *deltaAccount) addMail(t *testing.T, size int) {
	t.Helper()
	add := func(what string, labels ...string) string {
		t.Helper()
		return value(a.data.ImportMail(dora, mailText(what, 0), labels...))(t)
	}
	a.relabelled, a.read = add("relabelled", "INBOX", "UNREAD"), add("read", "INBOX", "UNREAD")
	a.deletedMail, a.trashedMail = add("deleted", "INBOX"), add("trashed", "Projects")
	for i := range 20 + size*1000 {
		_, err := a.data.ImportMail(dora, mailText("bulk", i), []string{"INBOX", "SENT", "Projects"}[i%3])
		must(t, err)
	}
}

func (a *deltaAccount) addEvents(t *testing.T, size int) {
	t.Helper()
	a.second = value(a.data.AddCalendar(dora, sim.Calendar{Summary: "Second", TimeZone: "Europe/Berlin"}))(t)
	add := func(calendar, name string, extra string) string {
		t.Helper()
		return value(a.data.AddEvent(dora, calendar, json.RawMessage(fmt.Sprintf(`{"summary": %q%s,
			"start": {"dateTime": "2024-03-18T09:00:00+01:00", "timeZone": "Europe/Berlin"},
			"end": {"dateTime": "2024-03-18T10:00:00+01:00", "timeZone": "Europe/Berlin"}}`, name, extra))))(t)
	}
	a.cancelled, a.later, a.elsewhere = add("", "cancelled", ""), add("", "later", ""), add("", "elsewhere", "")
	a.occurrence = add("", "weekly", `, "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=10"]`)
	for i := range 10 + size*60 {
		add([]string{"", a.second}[i%2], fmt.Sprintf("event %d", i), "")
	}
}

// deltaState is what the target is to hold in the end: the events by their titles.
type deltaState struct {
	state
	events map[string]string
}

// change changes the account, of which a copy lies on the target, and returns what the target is to hold then.
func (a *deltaAccount) change(t *testing.T, s *servers, w *world, propagate bool) deltaState {
	t.Helper()
	user := w.people[0].target
	before := readState(t, s, user)
	var want deltaState
	want.files, want.mail = a.changeFiles(t, before.files, propagate), maps.Clone(before.mail)
	a.changeMail(t, want.mail, propagate)
	want.events = wantedEvents(deltaEvents(t, readCalendars(t, s.calendar.CalendarsURL(user), user)), propagate)
	a.changeEvents(t)
	return want
}

func (want deltaState) compare(t *testing.T, s *servers, w *world) {
	t.Helper()
	user := w.people[0].target
	got := readState(t, s, user)
	compareMaps(t, "event", deltaEvents(t, readCalendars(t, s.calendar.CalendarsURL(user), user)), want.events)
	got.calendars = nil
	compare(t, got, want.state)
}

func (a *deltaAccount) changeFiles(t *testing.T, before map[string]string, propagate bool) map[string]string {
	t.Helper()
	must(t, a.data.Rename(a.big, "Renamed"))
	must(t, a.data.EditDocument(a.document, map[string]cloudsim.Content{docx: text("report", 2)}))
	must(t, a.data.Edit(a.edited, text("edited", 2)))
	must(t, a.data.Trash(a.trashed))
	want := make(map[string]string)
	for path, sum := range before {
		if rest, in := strings.CutPrefix(path+"/", "Big/"); in {
			path = strings.Trim("Renamed/"+rest, "/")
		}
		want[path] = sum
	}
	want["Report.docx"], want["edited.txt"] = digest([]byte("report 2\n")), digest([]byte("edited 2\n"))
	if propagate {
		delete(want, "trashed.txt")
	}
	return want
}

func (a *deltaAccount) changeMail(t *testing.T, want map[string][]string, propagate bool) {
	t.Helper()
	must(t, a.data.Relabel(dora, a.relabelled, []string{"Projects"}, []string{"INBOX"}))
	must(t, a.data.Relabel(dora, a.read, nil, []string{"UNREAD"}))
	must(t, a.data.Relabel(dora, a.trashedMail, []string{"TRASH"}, []string{"Projects"}))
	must(t, a.data.DeleteMessage(dora, a.deletedMail))
	_, err := a.data.ImportMail(dora, mailText("new", 0), "INBOX", "UNREAD")
	must(t, err)
	line := func(what, flags string) string {
		at := time.Date(2024, 3, 18, 8, 0, 0, 0, time.UTC).Format(time.RFC3339)
		return fmt.Sprintf("%s %s %s", digest(mailText(what, 0)), flags, at)
	}
	replace := func(box, old, with string) {
		list := slices.Clone(want[box])
		if i := slices.Index(list, old); i >= 0 {
			list = slices.Delete(list, i, i+1)
		} else if old != "" {
			t.Errorf("%s did not hold %q", box, old)
		}
		if with != "" {
			list = append(list, with)
		}
		want[box] = list
	}
	replace("INBOX", line("relabelled", ""), "")
	replace("Projects", "", line("relabelled", ""))
	replace("INBOX", line("read", ""), line("read", `\Seen`))
	replace("INBOX", "", line("new", ""))
	if propagate {
		replace("INBOX", line("deleted", `\Seen`), "")
		replace("Projects", line("trashed", `\Seen`), "")
	}
}

func (a *deltaAccount) changeEvents(t *testing.T) {
	t.Helper()
	must(t, a.data.CancelEvent(dora, "", a.cancelled))
	must(t, a.data.UpdateEvent(dora, "", a.later, json.RawMessage(`{"start": {"dateTime": "2024-03-19T15:00:00+01:00", "timeZone": "Europe/Berlin"},
		"end": {"dateTime": "2024-03-19T16:30:00+01:00", "timeZone": "Europe/Berlin"}}`)))
	must(t, a.data.MoveEvent(dora, "", a.elsewhere, a.second))
	must(t, a.data.CancelOccurrence(dora, "", a.occurrence, "2024-03-25T09:00:00+01:00"))
}

// deltaEvents returns, by calendar and title, the digest of each object that is not to change, and start and cancelled
// days of those that are.
func deltaEvents(t *testing.T, calendars map[string]map[string][]byte) map[string]string {
	t.Helper()
	out := make(map[string]string)
	for calendar, objects := range calendars {
		for _, body := range objects {
			c, err := goical.NewDecoder(bytes.NewReader(body)).Decode()
			must(t, err)
			if n := len(c.Events()); n != 1 {
				t.Fatalf("%d events in one object", n)
			}
			e := c.Events()[0]
			title, is := e.Props.Get("SUMMARY").Value, digest(body)
			if !strings.HasPrefix(title, "event ") {
				is = e.Props.Get("DTSTART").Value
				if p := e.Props.Get("EXDATE"); p != nil {
					is += " but " + p.Value
				}
			}
			out[calendar+": "+title] = is
		}
	}
	return out
}

// wantedEvents returns what deltaEvents should give after changeEvents.
func wantedEvents(before map[string]string, propagate bool) map[string]string {
	want := maps.Clone(before)
	want[dora+": later"] = "20240319T150000"
	want[dora+": weekly"] = "20240318T090000 but 20240325T090000"
	want["Second: elsewhere"] = "20240318T090000"
	if propagate {
		delete(want, dora+": cancelled")
		delete(want, dora+": elsewhere")
	}
	return want
}
