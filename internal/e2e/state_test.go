package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"testing"
)

// state is what lies on the targets for one account. No content is kept, so that none can be printed.
type state struct {
	// mail holds, by mailbox, a line for each message: digest, flags and date.
	mail map[string][]string
	// files holds the digest of each file, and "folder", by path.
	files map[string]string
	// calendars holds, by the calendar's name, the digest of each object by its file name.
	calendars map[string]map[string]string
}

// readState reads all that the account holds on the shared servers.
func readState(tb testing.TB, s *servers, user string) state {
	tb.Helper()
	return state{
		mail:      mailState(readMail(tb, s.mail.IMAP, user)),
		files:     readFiles(tb, s.files.FilesURL(user), user),
		calendars: calendarState(readCalendars(tb, s.calendar.CalendarsURL(user), user)),
	}
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// salt finds what is another one in the objects of each process.
var salt = regexp.MustCompile(`(X-REPATRIATE-DIGEST:[0-9a-f]+)\.[A-Z0-9]+`)

// unsalted is an object as any process writes it.
func unsalted(object []byte) []byte { return salt.ReplaceAll(object, []byte("$1")) }

// compare reports how got differs from want.
func compare(tb testing.TB, got, want state) {
	tb.Helper()
	compareMaps(tb, "file", got.files, want.files)
	boxes := func(s state) []string { return slices.Sorted(maps.Keys(s.mail)) }
	if !slices.Equal(boxes(got), boxes(want)) {
		tb.Errorf("mailboxes %q, want %q", boxes(got), boxes(want))
	}
	for box, lines := range want.mail {
		compareLists(tb, "message in "+box, got.mail[box], lines)
	}
	names := func(s state) []string { return slices.Sorted(maps.Keys(s.calendars)) }
	if !slices.Equal(names(got), names(want)) {
		tb.Errorf("calendars %q, want %q", names(got), names(want))
	}
	for name, objects := range want.calendars {
		compareMaps(tb, "object in "+name, got.calendars[name], objects)
	}
}

func compareMaps(tb testing.TB, what string, got, want map[string]string) {
	tb.Helper()
	for k, v := range want {
		if g, ok := got[k]; !ok {
			tb.Errorf("%s %q is missing", what, k)
		} else if g != v {
			tb.Errorf("%s %q is %.16s, want %.16s", what, k, g, v)
		}
	}
	for k := range got {
		if _, ok := want[k]; !ok {
			tb.Errorf("%s %q should not be there", what, k)
		}
	}
}

// compareLists compares two multisets.
func compareLists(tb testing.TB, what string, got, want []string) {
	tb.Helper()
	count := make(map[string]int)
	for _, l := range want {
		count[l]++
	}
	for _, l := range got {
		count[l]--
	}
	for _, l := range slices.Sorted(maps.Keys(count)) {
		switch n := count[l]; {
		case n > 0:
			tb.Errorf("%s %q: %d of it missing", what, l, n)
		case n < 0:
			tb.Errorf("%s %q: %d of it too many", what, l, -n)
		}
	}
}
