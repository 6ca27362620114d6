package e2e

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/readback"
)

// keeper is where calendars and address books lie: a server's disk, or what another client can do.
type keeper interface {
	// all returns where each object lies.
	all(tb testing.TB) []string
	get(tb testing.TB, at string) string
	put(tb testing.TB, at, body string)
	remove(tb testing.TB, at string)
	// removeAll takes away the collection in which an object lies.
	removeAll(tb testing.TB, at string)
}

// diskKeeper is the directory of a user of Radicale.
type diskKeeper string

func (k diskKeeper) all(tb testing.TB) (list []string) {
	for _, p := range filesBeneath(tb, string(k)) {
		if !strings.Contains(p, "/.") {
			list = append(list, p)
		}
	}
	return list
}
func (k diskKeeper) get(tb testing.TB, at string) string { return string(readFile(tb, at)) }
func (k diskKeeper) put(tb testing.TB, at, body string) {
	must(tb, os.WriteFile(at, []byte(body), 0o600))
}
func (k diskKeeper) remove(tb testing.TB, at string)    { must(tb, os.Remove(at)) }
func (k diskKeeper) removeAll(tb testing.TB, at string) { must(tb, os.RemoveAll(filepath.Dir(at))) }

// objects are the objects of an account by their titles.
type objects struct {
	keeper
	at     map[string]string
	copies int
}

var titleLine = regexp.MustCompile(`(?m)^(?:SUMMARY|FN)[^:\r\n]*:(.*?)\r?$`)

func (o *objects) learn(tb testing.TB) {
	tb.Helper()
	o.at = map[string]string{}
	for _, at := range o.all(tb) {
		if m := titleLine.FindStringSubmatch(o.get(tb, at)); m != nil {
			o.at[m[1]] = at
		}
	}
}

// place returns where the object of a title lies.
func (o *objects) place(tb testing.TB, title string) string {
	tb.Helper()
	at, ok := o.at[title]
	if !ok {
		tb.Fatalf("no %q on the server, which has %d others", title, len(o.at))
	}
	return at
}

// edit returns a damage that rewrites an object.
func (o *objects) edit(kind, of string, change func(string) string) damage {
	return damage{kind, of, readback.Changed, func(tb testing.TB, title string) []string {
		at := o.place(tb, title)
		before := o.get(tb, at)
		after := change(before)
		if after == before {
			tb.Fatalf("%s: nothing is changed in\n%s", kind, before)
		}
		o.put(tb, at, after)
		return nil
	}}
}

// replaced returns an edit by a regular expression.
func replaced(pattern, by string) func(string) string {
	re := regexp.MustCompile(pattern)
	return func(s string) string { return re.ReplaceAllString(s, by) }
}

// line matches a property with its folded lines.
func line(name string) string { return `(?m)^` + name + `[;:].*\r?\n(?:[ \t].*\r?\n)*` }

func (o *objects) deleted(kind, of string) damage {
	return damage{kind, of, readback.Missing, func(tb testing.TB, title string) []string {
		o.remove(tb, o.place(tb, title))
		return nil
	}}
}

// copied returns a damage that puts an object beside itself, under another name and UID, as an import of one's own export does.
func (o *objects) copied(kind, of string) damage {
	return damage{kind, of, readback.Extra, func(tb testing.TB, title string) []string {
		at := o.place(tb, title)
		o.copies++
		uid := fmt.Sprintf("UID:copy-%d@example.org\r\n", o.copies)
		o.put(tb, strings.TrimSuffix(at, filepath.Base(at))+fmt.Sprintf("copy-%d%s", o.copies, filepath.Ext(at)), replaced(line("UID"), uid)(o.get(tb, at)))
		return nil
	}}
}

// withoutOverride removes the components that stand for one occurrence.
func withoutOverride(s string) string {
	return regexp.MustCompile(`(?s)BEGIN:VEVENT\r?\n.*?END:VEVENT\r?\n`).ReplaceAllStringFunc(s, func(part string) string {
		if strings.Contains(part, "RECURRENCE-ID") {
			return ""
		}
		return part
	})
}

// anotherPicture is a GIF of one pixel.
var anotherPicture = base64.StdEncoding.EncodeToString([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\x00\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))

func otherPhoto(s string) string {
	photo := "PHOTO;ENCODING=b;TYPE=GIF:" + anotherPicture + "\r\n"
	if strings.Contains(s, "VERSION:4") {
		photo = "PHOTO:data:image/gif;base64," + anotherPicture + "\r\n"
	}
	return replaced(line("PHOTO"), photo)(s)
}

// objectDamages are what is done to events, contacts and tasks.
func objectDamages(o *objects) []damage {
	return []damage{
		o.edit("an event is an hour later", anEvent, replaced(`((?:DTSTART|DTEND)[^:\r\n]*:20300107)T1([01])`, "${1}T2$2")),
		o.edit("an event has another title", anEvent, replaced(`(?m)^SUMMARY:`, "SUMMARY:No ")),
		o.edit("an event is elsewhere", anEvent, replaced(`(?m)^LOCATION:`, "LOCATION:No ")),
		o.edit("an event repeats", anEvent, replaced(`(?m)^SUMMARY:`, "RRULE:FREQ=DAILY;COUNT=2\r\nSUMMARY:")),
		o.deleted("an event is deleted", anEvent),
		o.copied("an event is copied", anEvent),
		o.edit("a day that was left out is back", aSeries, replaced(line("EXDATE"), "")),
		o.edit("a moved day is back in its place", aSeries, withoutOverride),
		o.edit("a series' winter time is another one", aSeries, replaced(`TZOFFSETTO:\+0100`, "TZOFFSETTO:+0000")),
		o.edit("a series is shorter", aSeries, replaced(`COUNT=10`, "COUNT=9")),
		o.copied("a series is copied", aSeries),
		{"a calendar is deleted", aCalendar, readback.Missing, func(tb testing.TB, title string) []string {
			o.removeAll(tb, o.place(tb, "first of "+title))
			return []string{"first of " + title, "second of " + title}
		}},
		o.edit("a contact has another number", aContact, replaced(`(\nTEL[^\r\n]*)\d`, "${1}x")),
		o.edit("a contact has another address", aContact, replaced(`@example\.org`, "@example.net")),
		o.edit("a contact has another picture", aContact, otherPhoto),
		o.deleted("a contact is deleted", aContact),
		o.copied("a contact is copied", aContact),
		o.edit("a task is due on another day", aTask, replaced(`(?m)^(DUE[^:\r\n]*:)20300203`, "${1}20300204")),
		o.edit("a task has another title", aTask, replaced(`(?m)^SUMMARY:`, "SUMMARY:No ")),
		o.edit("a task has another text", aTask, replaced(`(?m)^DESCRIPTION:`, "DESCRIPTION:No ")),
		o.deleted("a task is deleted", aTask),
		o.copied("a task is copied", aTask),
	}
}
