package e2e

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/readback"
)

// diskDamages are done to what Apache, Dovecot and Radicale keep on the disk.
type diskDamages struct {
	drive, maildir string
	// mail is where each message lies, by its subject.
	mail    map[string]string
	objects objects
	copies  int
}

func newDiskDamages(s *servers, user string) *diskDamages {
	return &diskDamages{
		drive: filepath.Join(s.files.Dir, "data", user), maildir: filepath.Join(s.mail.Dir, "mail", user, "Maildir"),
		objects: objects{keeper: diskKeeper(filepath.Join(s.calendar.Dir, "data", "collection-root", user))},
	}
}

// learn notes where everything lies.
func (d *diskDamages) learn(tb testing.TB) {
	tb.Helper()
	d.mail = map[string]string{}
	for _, p := range filesBeneath(tb, d.maildir) {
		if strings.Contains(p, "/cur/") || strings.Contains(p, "/new/") {
			d.mail[subject(readFile(tb, p))] = p
		}
	}
	d.objects.learn(tb)
}

func filesBeneath(tb testing.TB, dir string) (list []string) {
	tb.Helper()
	must(tb, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			list = append(list, path)
		}
		return err
	}))
	return list
}

var subjectLine = regexp.MustCompile(`(?m)^Subject: (.*?)\r?$`)

func subject(raw []byte) string {
	if m := subjectLine.FindSubmatch(raw); m != nil {
		return string(m[1])
	}
	return ""
}

// file returns the path of a file or folder with that name.
func (d *diskDamages) file(tb testing.TB, name string) string {
	tb.Helper()
	for _, pattern := range []string{"damage/" + name, "damage/*/" + name} {
		if found := value(filepath.Glob(filepath.Join(d.drive, pattern)))(tb); len(found) == 1 {
			return found[0]
		}
	}
	tb.Fatalf("no %s on the disk", name)
	return ""
}

// rewrite changes what a file holds. Its time stays unless later is set.
func rewrite(tb testing.TB, path string, later bool, change func([]byte) []byte) {
	tb.Helper()
	info := value(os.Stat(path))(tb)
	must(tb, os.WriteFile(path, change(readFile(tb, path)), info.Mode()))
	at := info.ModTime()
	if later {
		at = at.Add(time.Hour)
	}
	must(tb, os.Chtimes(path, at, at))
}

// flip changes one bit at the end of a text.
func flip(b []byte) []byte {
	b[len(bytes.TrimRight(b, "\r\n"))-1] ^= 1
	return b
}

// flipAfter changes one bit behind a mark.
func flipAfter(mark string) func([]byte) []byte {
	return func(b []byte) []byte {
		b[bytes.Index(b, []byte(mark))+len(mark)] ^= 1
		return b
	}
}

// duplicate copies a file with its time and owner.
func duplicate(tb testing.TB, from, to string) {
	tb.Helper()
	info := value(os.Stat(from))(tb)
	must(tb, os.WriteFile(to, readFile(tb, from), 0o644))
	must(tb, os.Chtimes(to, info.ModTime(), info.ModTime()))
	sameOwner(tb, info, to)
}

func (d *diskDamages) files() []damage {
	on := func(do func(tb testing.TB, path string)) func(testing.TB, string) []string {
		return func(tb testing.TB, title string) []string {
			do(tb, d.file(tb, title))
			return nil
		}
	}
	both := func(title string) []string { return []string{title, "first of " + title, "second of " + title} }
	return []damage{
		{"a file is deleted", aFile, readback.Missing, on(func(tb testing.TB, path string) { must(tb, os.Remove(path)) })},
		{"a bit of a file flips", aFile, readback.Differs, on(func(tb testing.TB, path string) { rewrite(tb, path, false, flip) })},
		{"a file is changed", aFile, readback.Changed, on(func(tb testing.TB, path string) { rewrite(tb, path, true, flip) })},
		{"a file is cut short", aFile, readback.Changed, on(func(tb testing.TB, path string) {
			rewrite(tb, path, false, func(b []byte) []byte { return b[:len(b)-1] })
		})},
		{"a file becomes empty", aFile, readback.Changed, on(func(tb testing.TB, path string) {
			rewrite(tb, path, true, func([]byte) []byte { return nil })
		})},
		{"a file cannot be read", aFile, readback.Differs, on(func(tb testing.TB, path string) { must(tb, os.Chmod(path, 0)) })},
		{"a file is moved", aFile, readback.Changed, on(func(tb testing.TB, path string) {
			must(tb, os.Rename(path, filepath.Join(d.drive, filepath.Base(path))))
		})},
		{"a file is renamed", aFile, readback.Changed, on(func(tb testing.TB, path string) { must(tb, os.Rename(path, path+" (old)")) })},
		{"a file is copied", aFile, readback.Extra, func(tb testing.TB, title string) []string {
			duplicate(tb, d.file(tb, title), filepath.Join(d.drive, "copy of "+title))
			return []string{"copy of " + title}
		}},
		{"a folder is deleted", aFolder, readback.Missing, func(tb testing.TB, title string) []string {
			must(tb, os.RemoveAll(d.file(tb, title)))
			return both(title)
		}},
		{"a folder is moved", aFolder, readback.Changed, func(tb testing.TB, title string) []string {
			must(tb, os.Rename(d.file(tb, title), filepath.Join(d.drive, title)))
			return both(title)
		}},
	}
}

func (d *diskDamages) messages() []damage {
	on := func(do func(tb testing.TB, path string)) func(testing.TB, string) []string {
		return func(tb testing.TB, title string) []string {
			if d.mail[title] == "" {
				tb.Fatalf("no message %q on the disk", title)
			}
			do(tb, d.mail[title])
			return nil
		}
	}
	// other returns a name in another mailbox.
	other := func(path string) string {
		box := filepath.Join(d.maildir, "Work", "cur")
		if filepath.Dir(path) == box {
			box = filepath.Join(d.maildir, "cur")
		}
		return filepath.Join(box, filepath.Base(path))
	}
	copied := func(path string) string {
		d.copies++
		_, rest, _ := strings.Cut(filepath.Base(path), ".")
		return filepath.Join(filepath.Dir(path), "1800000000.C"+strings.Repeat("0", d.copies%3)+string(rune('a'+d.copies%26))+rest)
	}
	return []damage{
		{"a bit of a message flips", aMessage, readback.Differs, on(func(tb testing.TB, path string) { rewrite(tb, path, false, flip) })},
		{"a bit of a message's header flips", aMessage, readback.Differs, on(func(tb testing.TB, path string) { rewrite(tb, path, false, flipAfter("X-Marker: ")) })},
		{"a message is cut short", aMessage, readback.Differs, on(func(tb testing.TB, path string) {
			rewrite(tb, path, false, func(b []byte) []byte { return b[:len(b)-9] })
		})},
		{"a message is deleted", aMessage, readback.Missing, on(func(tb testing.TB, path string) { must(tb, os.Remove(path)) })},
		{"a message is moved", aMessage, readback.Changed, on(func(tb testing.TB, path string) { must(tb, os.Rename(path, other(path))) })},
		{"a message is copied", aMessage, readback.Extra, on(func(tb testing.TB, path string) { duplicate(tb, path, copied(path)) })},
		{"a message is copied elsewhere", aMessage, readback.Extra, on(func(tb testing.TB, path string) { duplicate(tb, path, other(path)) })},
		{"a message is starred", aMessage, readback.Changed, on(func(tb testing.TB, path string) {
			base, flags, _ := strings.Cut(path, ":2,")
			must(tb, os.Rename(path, base+":2,F"+flags))
		})},
	}
}
