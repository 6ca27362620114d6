package e2e

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	graph "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// graphAccount is an account of Microsoft's of which one of everything will be changed.
type graphAccount struct {
	data                   *graph.Data
	drive, big, other      string
	edited, deleted        string // files
	moved, gone            string // mails
	series, ended, renamed string // events
}

// newGraphAccount makes an account with that many files in the folder that will be moved. Of size depends how much there is that
// will not be touched.
func newGraphAccount(t *testing.T, inFolder, size int) *graphAccount {
	t.Helper()
	a := &graphAccount{data: graphUsers(t, dora)}
	a.drive = a.data.DriveID(dora)
	a.addFiles(t, inFolder, size)
	a.addMail(t, size)
	a.addEvents(t, size)
	return a
}

func (a *graphAccount) addFiles(t *testing.T, inFolder, size int) {
	t.Helper()
	add := func(f graph.File) string {
		t.Helper()
		return value(a.data.AddFile(a.drive, f))(t)
	}
	a.big, a.other = add(graph.File{Name: "Big"}), add(graph.File{Name: "Other"})
	for i := range inFolder {
		add(graph.File{Name: fmt.Sprintf("file %04d.txt", i), Parent: a.big, Content: text("big", i)})
	}
	for i := range size * 2000 {
		add(graph.File{Name: fmt.Sprintf("more %04d.txt", i), Parent: a.other, Content: text("other", i)})
	}
	a.edited = add(graph.File{Name: "edited.txt", Content: text("edited", 1)})
	a.deleted = add(graph.File{Name: "deleted.txt", Content: text("deleted", 1)})
}

func (a *graphAccount) addMail(t *testing.T, size int) {
	t.Helper()
	add := func(folder, what string, i int) string {
		t.Helper()
		id := value(a.data.Folder(dora, folder))(t)
		return value(a.data.AddMessage(dora, id, graph.Message{Raw: cloudsim.Bytes(mailText(what, i)), Unread: true}))(t)
	}
	a.moved, a.gone = add("inbox", "moved", 0), add("inbox", "gone", 0)
	for i := range 20 + size*1000 {
		add([]string{"inbox", "sentitems", "Projects"}[i%3], "bulk", i)
	}
}

func (a *graphAccount) addEvents(t *testing.T, size int) {
	t.Helper()
	add := func(title, more string) string {
		t.Helper()
		return value(a.data.AddEvent(dora, "", fmt.Appendf(nil, `{"subject": %q%s,
			"start": {"dateTime": "2024-03-18T09:00:00", "timeZone": "W. Europe Standard Time"},
			"end": {"dateTime": "2024-03-18T10:00:00", "timeZone": "W. Europe Standard Time"}}`, title, more)))(t)
	}
	const weekly = `, "recurrence": {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday"},
		"range": {"type": "numbered", "startDate": "2024-03-18", "numberOfOccurrences": 10}}`
	a.series, a.ended, a.renamed = add("weekly", weekly), add("ended", weekly), add("before", "")
	must(t, a.data.ChangeOccurrence(dora, a.series, "2024-03-25", []byte(`{"subject": "first"}`)))
	for i := range 10 + size*60 {
		add(fmt.Sprintf("event %d", i), "")
	}
}

// change changes one of everything, and returns what the targets are to hold afterwards.
func (a *graphAccount) change(t *testing.T, s *servers, w *world) state {
	t.Helper()
	want := readState(t, s, w.people[0].target)
	must(t, a.data.Move(a.drive, a.big, a.other))
	must(t, a.data.Edit(a.drive, a.edited, text("edited", 2)))
	must(t, a.data.Delete(a.drive, a.deleted))
	must(t, a.data.MoveMessage(dora, a.moved, value(a.data.Folder(dora, "Projects"))(t)))
	must(t, a.data.ChangeMessage(dora, a.moved, func(m *graph.Message) { m.Unread = false }))
	must(t, a.data.DeleteMessage(dora, a.gone))
	must(t, a.data.ChangeOccurrence(dora, a.series, "2024-03-25", []byte(`{"subject": "second"}`)))
	must(t, a.data.CancelOccurrence(dora, a.series, "2024-04-08"))
	must(t, a.data.DeleteEvent(dora, a.ended))
	must(t, a.data.ChangeEvent(dora, a.renamed, []byte(`{"subject": "after"}`)))

	files := map[string]string{}
	for path, is := range want.files {
		if rest, in := strings.CutPrefix(path+"/", "Big/"); in {
			path = strings.TrimSuffix("Other/Big/"+rest, "/")
		}
		files[path] = is
	}
	files["edited.txt"] = digest([]byte("edited 2\n"))
	delete(files, "deleted.txt")
	want.files = files
	line := func(what, flags string) string {
		return fmt.Sprintf("%s %s 2024-03-18T08:00:00Z", digest(mailText(what, 0)), flags)
	}
	want.mail["INBOX"] = slices.DeleteFunc(want.mail["INBOX"], func(l string) bool { return l == line("moved", "") || l == line("gone", "") })
	want.mail["Projects"] = append(want.mail["Projects"], line("moved", `\Seen`))
	want.calendars = nil
	return want
}

// compareWith demands what change said. Of the events it demands the words that were changed.
func (a *graphAccount) compareWith(t *testing.T, s *servers, w *world, want state) {
	t.Helper()
	user := w.people[0].target
	got := readState(t, s, user)
	got.calendars = nil
	compare(t, got, want)
	var words []string
	for _, objects := range readCalendars(t, s.calendar.CalendarsURL(user), user) {
		for _, body := range objects {
			for _, word := range []string{"SUMMARY:second", "SUMMARY:first", "SUMMARY:ended", "SUMMARY:before", "SUMMARY:after", "EXDATE;TZID=Europe/Berlin:20240408T090000"} {
				if strings.Contains(string(body), word) {
					words = append(words, word)
				}
			}
		}
	}
	slices.Sort(words)
	if wanted := []string{"EXDATE;TZID=Europe/Berlin:20240408T090000", "SUMMARY:after", "SUMMARY:second"}; !slices.Equal(words, wanted) {
		t.Errorf("the events say %q, want %q", words, wanted)
	}
}

// TestMicrosoftDelta demands that a later pass makes just the changes, with as many requests for a small account as for a large one.
func TestMicrosoftDelta(t *testing.T) {
	s := realServers(t)
	pass := func(size int) report.Pass {
		a := newGraphAccount(t, 1000, size)
		w, _ := newTenant(t, a.data, graph.Options{}, s.urls(), person{source: dora, target: fresh(t)})
		w.propagate()
		w.run(0)
		want := a.change(t, s, w)
		if n := len(want.files); n < 1000+size*2000+3 {
			t.Fatalf("%d files and folders", n)
		}
		r := w.run(0)
		a.compareWith(t, s, w, want)
		settled(t, w.run(0), r)
		return *r.report.Pass
	}
	small, large := pass(0), pass(1)
	t.Logf("requests for a small account: %d and %d; for a large one: %d and %d",
		small.SourceRequests, small.TargetRequests, large.SourceRequests, large.TargetRequests)
	// Written: a folder that was moved, a file, a message that was moved and read, a series and an event. Removed: a file, a message
	// and a series.
	for _, p := range []report.Pass{small, large} {
		if p.Written != 5 || p.Removed != 3 {
			t.Errorf("%d written and %d removed, want 5 and 3", p.Written, p.Removed)
		}
	}
	const slack = 4 // a second connection, a token
	if d := large.SourceRequests - small.SourceRequests; d > slack || small.SourceRequests > 30 {
		t.Errorf("%d requests to the source for a small account, %d more for a large one", small.SourceRequests, d)
	}
	if d := large.TargetRequests - small.TargetRequests; d > slack || small.TargetRequests > 50 {
		t.Errorf("%d requests to the target for a small account, %d more for a large one", small.TargetRequests, d)
	}
}

// TestMicrosoftKill kills the program again and again at random moments, in first and in later passes.
func TestMicrosoftKill(t *testing.T) {
	const kills, seed = 20, 3
	s := realServers(t)
	random := rand.New(rand.NewPCG(seed, seed))
	first, later := 0, 0
	for lives := 0; first < kills || later < kills; lives++ {
		m := new(moments)
		a := newGraphAccount(t, 30, 0)
		w := watchedTenant(t, s, a.data, m, person{source: dora, target: fresh(t)})
		w.propagate()
		n, last := killUntilDone(t, w, m, atMost(4, random, 250))
		first += n
		w.demand(last, 0)
		settled(t, w.run(0), last)
		files := readState(t, s, w.people[0].target).files
		if len(files) != 34 {
			t.Errorf("%d files and folders, want 34", len(files))
		}
		want := a.change(t, s, w)
		n, last = killUntilDone(t, w, m, atMost(4, random, 80))
		later += n
		w.demand(last, 0)
		a.compareWith(t, s, w, want)
		settled(t, w.run(0), last)
		t.Logf("life %d: killed %d and %d times so far", lives+1, first, later)
	}
}

// atMost chooses a random moment for each of the first n runs, and lets those after them come to their end.
func atMost(n int, random *rand.Rand, within int) func() int {
	return func() int {
		if n--; n < 0 {
			return math.MaxInt
		}
		return 1 + random.IntN(within)
	}
}
