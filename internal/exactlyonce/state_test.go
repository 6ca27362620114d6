package exactlyonce

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// state is what lies on a target: for each thing, what it is and how often it is there. Exact states tell also by which
// version the server knows it, so that a thing which was written again is another one.
type state map[string]int

func (s state) add(format string, args ...any) { s[fmt.Sprintf(format, args...)]++ }

// differences lists what one state has and the other has not; empty if they are the same.
func differences(got, want state) string {
	var lines []string
	for _, thing := range slices.Sorted(maps.Keys(want)) {
		if got[thing] < want[thing] {
			lines = append(lines, fmt.Sprintf("missing (%d, not %d): %s", got[thing], want[thing], thing))
		}
	}
	for _, thing := range slices.Sorted(maps.Keys(got)) {
		if got[thing] > want[thing] {
			lines = append(lines, fmt.Sprintf("too much (%d, not %d): %s", got[thing], want[thing], thing))
		}
	}
	return strings.Join(lines, "\n")
}

// written2020 is when files were written that nobody edited since.
var written2020 = time.Date(2020, 3, 1, 12, 0, 0, 0, time.UTC)

// undated are the lines that tell when something was changed at the simulated provider, and the digest of them all: no two
// accounts are made in the same second.
var undated = regexp.MustCompile(`(?m)^(DTSTAMP|CREATED|LAST-MODIFIED|REV|COMPLETED|X-REPATRIATE-DIGEST)[:;].*\r?\n`)

func digest(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

// state reads what the target holds, past the sinks.
func (w *world) state(t *testing.T, exact bool) state {
	t.Helper()
	s := state{}
	switch w.kind {
	case "files":
		w.readFiles(t, s, exact)
	case "mail":
		w.readMail(t, s, exact)
	default:
		w.readObjects(t, s, exact)
	}
	return s
}

func (w *world) readFiles(t *testing.T, s state, exact bool) {
	t.Helper()
	for _, f := range value(w.files.List(user))(t) {
		if f.Folder {
			s.add("folder %s", f.Path)
			continue
		}
		name := filepath.Join(w.files.Dir(user), filepath.FromSlash(f.Path))
		s.add("file %s, %s, as old as at the source: %v", f.Path, digest(value(os.ReadFile(name))(t)), f.Modified.Equal(written2020))
		if exact { // a PUT makes another inode
			s.add("file %s, %v", f.Path, inode(value(os.Stat(name))(t)))
		}
	}
}

func (w *world) readMail(t *testing.T, s state, exact bool) {
	t.Helper()
	for _, box := range value(w.mail.Mailboxes(user))(t) {
		s.add("mailbox %s, %s, %v", box.Name, box.Use, box.Subscribed)
		for _, m := range box.Messages {
			s.add("message in %s, %s, %s, %v", box.Name, digest(m.Body), m.InternalDate.UTC().Format(time.RFC3339), m.Flags)
			if exact {
				s.add("message in %s, UID %d", box.Name, m.UID)
			}
		}
	}
}

func (w *world) readObjects(t *testing.T, s state, exact bool) {
	t.Helper()
	read := w.calendar.Calendars
	if w.kind == "contacts" {
		read = w.calendar.AddressBooks
	}
	for _, c := range value(read(user))(t) {
		s.add("collection %s, %q, %s, %s, %q, %v", c.Name, c.DisplayName, c.Color, digest([]byte(c.TimeZone)), c.Description, c.Components)
		for _, o := range c.Objects {
			s.add("object in %s, %s\n%s", c.Name, o.Name, undated.ReplaceAll(o.Body, nil))
			if exact {
				s.add("object in %s, %s, %s", c.Name, o.Name, o.ETag)
			}
		}
	}
}

// numbering tells siblings of one name apart. Which of them has which number depends on which came first.
var numbering = regexp.MustCompile(` \(\d+\)`)

// contents returns what lies in a state, without what it lies in.
func (s state) contents() state {
	out := state{}
	for thing, n := range s {
		if !strings.HasPrefix(thing, "mailbox ") && !strings.HasPrefix(thing, "collection ") {
			out[numbering.ReplaceAllString(thing, "")] += n
		}
	}
	return out
}
