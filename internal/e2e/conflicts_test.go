package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
)

// conflictOutcome is what lies on the targets after both sides changed everything, and what the report counts.
type conflictOutcome struct {
	files                  map[string]string // text by path
	events, contacts, mail []string          // titles; names with notes; flags
	reasons                map[string]int64
}

var conflictOutcomes = map[string]conflictOutcome{
	"keep-target": {
		files:    map[string]string{"report.txt": "user", "taken.txt": "user", "docs": "user", "gone.txt": ""},
		events:   []string{"user meeting"},
		contacts: []string{"user Ada"},
		mail:     []string{`\Flagged,\Seen`},
		reasons:  map[string]int64{"target.conflict": 6, "target.no_parent": 1},
	},
	"rename": {
		files: map[string]string{"report.txt": "user", "report (source).txt": "report 2\n", "taken.txt": "user", "taken (source).txt": "taken 1\n",
			"docs": "user", "docs (source)/in.txt": "in 1\n", "gone.txt": "gone 2\n"},
		events:   []string{"changed meeting", "user meeting"},
		contacts: []string{"Ada edited", "user Ada"},
		mail:     []string{`\Flagged,\Seen`},
		reasons:  map[string]int64{"file.conflict_renamed": 3, "event.conflict_renamed": 1, "contact.conflict_renamed": 1},
	},
	"source-wins": {
		files: map[string]string{"report.txt": "report 2\n", "report (target).txt": "user", "taken.txt": "taken 1\n", "taken (target).txt": "user",
			"docs (target)": "user", "docs/in.txt": "in 1\n", "gone.txt": "gone 2\n"},
		events:   []string{"changed meeting", "user meeting"},
		contacts: []string{"Ada edited", "user Ada"},
		mail:     []string{`\Seen`},
		reasons:  map[string]int64{"file.conflict_aside": 3, "event.conflict_aside": 1, "contact.conflict_aside": 1, "mail.conflict_reset": 1},
	},
}

// TestConflicts lets a user change one of everything on real servers while it changes at the source, and has things in the place of what is new.
// Whatever the policy, nothing of the user's is lost, and another pass changes nothing.
func TestConflicts(t *testing.T) {
	s := realServers(t)
	for policy, want := range conflictOutcomes {
		t.Run(policy, func(t *testing.T) {
			a := newConflictAccount(t, s, policy)
			exit := 0
			if policy == "keep-target" {
				exit = 3 // what is in the place of new files keeps them away
			}
			a.w.run(0)
			a.userEdits(t)
			a.sourceEdits(t)
			first := a.w.run(exit)
			want.check(t, a, first)
			again := a.w.run(exit)
			if n := again.report.Pass.Written; n != 0 {
				t.Errorf("another pass wrote %d items", n)
			}
			want.check(t, a, again)
		})
	}
}

type conflictAccount struct {
	s                                *servers
	w                                *world
	user                             string
	report, gone, event, ada, letter string
}

func newConflictAccount(t *testing.T, s *servers, policy string) *conflictAccount {
	t.Helper()
	data := tenantData(t, dora)
	a := &conflictAccount{s: s, user: fresh(t)}
	a.report = value(data.AddFile(dora, sim.File{Name: "report.txt", Content: text("report", 1)}))(t)
	a.gone = value(data.AddFile(dora, sim.File{Name: "gone.txt", Content: text("gone", 1)}))(t)
	a.event = value(data.AddEvent(dora, "", json.RawMessage(`{"summary": "meeting",
		"start": {"dateTime": "2030-03-18T09:00:00+01:00", "timeZone": "Europe/Berlin"},
		"end": {"dateTime": "2030-03-18T10:00:00+01:00", "timeZone": "Europe/Berlin"},
		"attendees": [{"email": "ben@example.org"}], "organizer": {"email": "dora@example.org"}}`)))(t)
	a.ada = value(data.AddContact(dora, json.RawMessage(`{"names": [{"displayName": "Ada", "givenName": "Ada"}], "nicknames": [{"value": "Ada"}]}`)))(t)
	a.letter = value(data.ImportMail(dora, mailText("letter", 0), "INBOX", "UNREAD"))(t)
	targets := s.urls()
	targets.contacts = s.calendar.AddressBooksURL("{user}")
	a.w = newWorld(t, data, sim.Options{}, targets, person{source: dora, target: a.user})
	a.w.extra = append(a.w.extra, "conflicts: "+policy)
	a.w.writeJob()
	return a
}

// send sends what the user's own program sends.
func (a *conflictAccount) send(t *testing.T, method, at, mediaType, body string) {
	t.Helper()
	req := value(http.NewRequest(method, at, strings.NewReader(body)))(t)
	req.SetBasicAuth(a.user, password)
	req.Header.Set("Content-Type", mediaType)
	res := value(http.DefaultClient.Do(req))(t)
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s", method, req.URL.Path, res.Status)
	}
}

func (a *conflictAccount) userEdits(t *testing.T) {
	t.Helper()
	files := a.s.files.FilesURL(a.user)
	for _, name := range []string{"report.txt", "taken.txt", "docs"} {
		a.send(t, http.MethodPut, files+name, "text/plain", "user")
	}
	a.send(t, http.MethodDelete, files+"gone.txt", "text/plain", "")
	a.editObject(t, "text/calendar", "SUMMARY:meeting", "SUMMARY:user meeting")
	a.editObject(t, "text/vcard", "NICKNAME:Ada", "NICKNAME:user Ada")
	c := dialMail(t, a.s.mail.IMAP, a.user)
	defer func() { _ = c.Close() }()
	value(c.Select("INBOX", nil).Wait())(t)
	must(t, c.Store(imap.SeqSet{{Start: 1}}, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagFlagged}}, nil).Close())
}

// objects returns the objects of all calendars and address books, by address.
func (a *conflictAccount) objects(t *testing.T) map[string]string {
	t.Helper()
	out := make(map[string]string)
	for _, collection := range hrefs(t, a.s.calendar.CalendarsURL(a.user), a.user) {
		for _, at := range hrefs(t, collection, a.user) {
			out[at] = fetch(t, http.MethodGet, at, a.user, "")
		}
	}
	return out
}

func (a *conflictAccount) editObject(t *testing.T, mediaType, old, edited string) {
	t.Helper()
	for at, body := range a.objects(t) {
		if strings.Contains(body, old) {
			a.send(t, http.MethodPut, at, mediaType, strings.Replace(body, old, edited, 1))
			return
		}
	}
	t.Fatalf("no object has %q", old)
}

func (a *conflictAccount) sourceEdits(t *testing.T) {
	t.Helper()
	data := a.w.data
	must(t, data.Edit(a.report, text("report", 2)))
	must(t, data.Edit(a.gone, text("gone", 2)))
	value(data.AddFile(dora, sim.File{Name: "taken.txt", Content: text("taken", 1)}))(t)
	folder := value(data.AddFile(dora, sim.File{Name: "docs"}))(t)
	value(data.AddFile(dora, sim.File{Name: "in.txt", Parent: folder, Content: text("in", 1)}))(t)
	must(t, data.UpdateEvent(dora, "", a.event, json.RawMessage(`{"summary": "changed meeting"}`)))
	must(t, data.UpdateContact(dora, a.ada, json.RawMessage(`{"nicknames": [{"value": "Ada edited"}]}`)))
	must(t, data.Relabel(dora, a.letter, nil, []string{"UNREAD"}))
}

func (want conflictOutcome) check(t *testing.T, a *conflictAccount, r result) {
	t.Helper()
	files := map[string]string{}
	for path, text := range want.files {
		if folder, _, in := strings.Cut(path, "/"); in {
			files[folder] = "folder"
		}
		if text != "" {
			files[path] = digest([]byte(text))
		}
	}
	compareMaps(t, "file", readFiles(t, a.s.files.FilesURL(a.user), a.user), files)
	var events, contacts []string
	for at, body := range a.objects(t) {
		for _, line := range strings.Split(body, "\r\n") {
			if title, ok := strings.CutPrefix(line, "SUMMARY:"); ok {
				events = append(events, title)
			} else if name, ok := strings.CutPrefix(line, "NICKNAME:"); ok {
				contacts = append(contacts, name)
			}
		}
		if n := strings.Count(body, "ORGANIZER") + strings.Count(body, "ATTENDEE"); strings.Count(body, "SCHEDULE-AGENT=CLIENT") != n {
			t.Errorf("a server may tell people of %s:\n%s", value(url.PathUnescape(at))(t), body)
		}
	}
	compareLists(t, "event", events, want.events)
	compareLists(t, "contact", contacts, want.contacts)
	var mail []string
	for box, messages := range readMail(t, a.s.mail.IMAP, a.user) {
		for _, m := range messages {
			mail = append(mail, strings.Join(m.flags, ","))
			if box != "INBOX" {
				t.Errorf("a message lies in %s", box)
			}
		}
	}
	compareLists(t, "message", mail, want.mail)
	reasons := map[string]int64{}
	for _, task := range r.report.Tasks {
		for reason, n := range task.Reasons {
			reasons[reason] += n
		}
	}
	maps.DeleteFunc(reasons, func(r string, _ int64) bool {
		return !strings.Contains(r, "conflict") && !strings.HasPrefix(r, "target.")
	})
	if got, want := fmt.Sprint(sortedCounts(reasons)), fmt.Sprint(sortedCounts(want.reasons)); got != want {
		t.Errorf("reasons %s, want %s", got, want)
	}
}

func sortedCounts(m map[string]int64) (out []string) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, fmt.Sprintf("%s=%d", k, m[k]))
	}
	return out
}
