package e2e

import (
	"bytes"
	"io"
	"path"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
)

// TestRealData moves all real data and compares what lies on the servers with what was loaded into the provider.
func TestRealData(t *testing.T) {
	s := realServers(t)
	data := realOrganisation(t, whole())
	refused := 0
	for _, u := range realUsers {
		refused += countEvents(t, data, u).refused
	}
	schema := value(sim.ModuleSchema(t.Context()))(t)
	w := newWorld(t, data, sim.Options{Strict: schema}, s.urls(), realPeople(t)...)
	first := w.run(3)
	t.Logf("%+v %+v", first.report.Totals, *first.report.Pass)
	if n := first.report.Totals.Failed; n != int64(refused) || n == 0 {
		t.Errorf("%d items failed, want the %d events with a rule that Radicale does not know", n, refused)
	}
	states := make(map[string]state)
	for _, p := range w.people {
		t.Run(strings.Split(p.source, "@")[0], func(t *testing.T) {
			states[p.source] = readState(t, s, p.target)
			checkMail(t, data, p.source, readMail(t, s.mail.IMAP, p.target))
			checkFiles(t, data, p.source, states[p.source].files)
			checkCalendars(t, data, p.source, readCalendars(t, s.calendar.CalendarsURL(p.target), p.target))
		})
	}
	t.Run("names", func(t *testing.T) { checkNames(t, states[realUsers[1]].files) })
	t.Run("second pass", func(t *testing.T) {
		again := w.run(3)
		settled(t, again, first)
		for _, p := range w.people {
			compare(t, readState(t, s, p.target), states[p.source])
		}
	})
}

// checkMail demands each message of the source once, exactly, or as IMAP can hold it at all.
func checkMail(t *testing.T, data *sim.Data, user string, boxes map[string][]storedMessage) {
	t.Helper()
	var want, got []string
	exact := 0
	for _, m := range data.Messages(user) {
		raw := readContent(t, m.Raw)
		want = append(want, digest(repaired(raw)))
		if bytes.Equal(raw, repaired(raw)) {
			exact++
		}
	}
	for _, messages := range boxes {
		for _, m := range messages {
			got = append(got, digest(m.body))
		}
	}
	compareLists(t, "message", got, want)
	t.Logf("%d messages, %d of them to the byte", len(got), exact)
}

// checkFiles demands each stored file once, and no other.
func checkFiles(t *testing.T, data *sim.Data, user string, files map[string]string) {
	t.Helper()
	var want, got []string
	for _, f := range value(data.Files(user))(t) {
		switch {
		case f.MimeType == sim.MimeFolder:
			want = append(want, "folder")
		default:
			want = append(want, digest(readContent(t, f.Content)))
		}
	}
	for _, sum := range files {
		got = append(got, sum)
	}
	compareLists(t, "file", got, want)
	t.Logf("%d files and folders", len(got))
}

// checkNames demands that every name is kept that every system takes, and that all are different in every letter.
func checkNames(t *testing.T, files map[string]string) {
	t.Helper()
	at := make(map[string]string)
	folded := make(map[string]string)
	for p, sum := range files {
		at[sum] = p
		if twin, taken := folded[strings.ToLower(p)]; taken {
			t.Errorf("%q and %q are one name to many systems", twin, p)
		}
		folded[strings.ToLower(p)] = p
	}
	siblings := make(map[string]int)
	for _, n := range oddNames(t) {
		siblings[fold(n.Name)]++
	}
	kept := 0
	for i, n := range oddNames(t) {
		p, ok := at[digest([]byte(nameContent(i)))]
		if !ok {
			t.Errorf("the file of name %d is missing", i)
			continue
		}
		switch name := path.Base(p); {
		case name == n.Name:
			kept++
		case portable.MatchString(n.Name) && !device.MatchString(n.Name) && siblings[fold(n.Name)] == 1:
			t.Errorf("%q became %q", n.Name, name)
		}
	}
	t.Logf("%d of %d names are kept", kept, len(oddNames(t)))
}

// portable are names that every system takes, but for those of Windows' devices.
var (
	portable = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,99}$`)
	device   = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com\d|lpt\d)$`)
)

// fold returns what twins have in common.
func fold(name string) string { return strings.ToLower(norm.NFKC.String(name)) }

func readContent(t *testing.T, c cloudsim.Content) []byte {
	t.Helper()
	r, err := c.Open(0)
	must(t, err)
	defer r.Close()
	b, err := io.ReadAll(r)
	must(t, err)
	if int64(len(b)) != c.Size() {
		t.Fatalf("%d bytes of %d", len(b), c.Size())
	}
	return b
}

// checkCalendars demands each event of the source once, in objects that independent parsers read.
func checkCalendars(t *testing.T, data *sim.Data, user string, calendars map[string]map[string][]byte) {
	t.Helper()
	want := countEvents(t, data, user)
	objects, parts := 0, 0
	for _, c := range calendars {
		objects += len(c)
		for name, body := range c {
			parts += parseByOthers(t, name, body)
		}
	}
	if objects != want.objects || parts != want.parts {
		t.Errorf("%d objects of %d events, want %d of %d", objects, parts, want.objects, want.parts)
	}
	t.Logf("%d objects of %d events", objects, parts)
	parseByPython(t, calendars, parts)
}
