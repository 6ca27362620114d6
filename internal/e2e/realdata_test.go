package e2e

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
)

// The users among whom the real data is spread.
var realUsers = []string{"anna@example.org", "ben@example.org", "carla@example.org"}

// someLabels are what the imported messages have, in turn.
var someLabels = [][]string{
	{"INBOX"}, {"INBOX", "UNREAD"}, {"INBOX", "STARRED", "IMPORTANT"}, {"SENT"}, {"Projects/2024/Ünïcode & more"}, {},
	{"INBOX", "Clients", "Projects"}, {"Clients"}, {"DRAFT"}, {"CATEGORY_PROMOTIONS", "INBOX"}, {"[Odd]/%_*"}, {"Sent"},
}

// sample says how much of the real data is taken: one file in every, and that many events of one calendar. Radicale takes
// some 25 events in a second, whoever writes them.
type sample struct {
	every, events int
}

// whole is all of it; in a reduced run, all but what is beyond the first hundred events of a calendar.
func whole() sample {
	if full {
		return sample{every: 1, events: math.MaxInt}
	}
	return sample{every: 1, events: 100}
}

// reduced is a part for tests that move it many times.
func reduced() sample {
	if full {
		return sample{every: 2, events: 40}
	}
	return sample{every: 6, events: 10}
}

// realOrganisation holds the collections of real data.
func realOrganisation(tb testing.TB, s sample) *sim.Data {
	tb.Helper()
	data := tenantData(tb, realUsers...)
	importMail(tb, data, s.every)
	importCalendars(tb, data, s)
	importNames(tb, data)
	return data
}

// importMail adds each message to a mailbox, and as a file to the drive of the same user.
func importMail(tb testing.TB, data *sim.Data, every int) {
	tb.Helper()
	for i, path := range append(sharedData(tb, "mail/*"), sharedData(tb, "mail-synthetic/*")...) {
		if i%every != 0 {
			continue
		}
		user, raw := realUsers[i/every%len(realUsers)], readFile(tb, path)
		_, err := data.ImportMail(user, raw, someLabels[i/every%len(someLabels)]...)
		must(tb, err)
		importFile(tb, data, user, path, raw)
	}
}

func importFile(tb testing.TB, data *sim.Data, user, path string, raw []byte) {
	tb.Helper()
	name := "data/" + filepath.Base(filepath.Dir(path)) + "/" + filepath.Base(path)
	_, err := data.ImportFile(user, name, cloudsim.Bytes(raw), time.Unix(1_600_000_000, 0))
	must(tb, err)
}

// importCalendars makes a calendar of each iCalendar file. What Google could not hold itself is left out.
func importCalendars(tb testing.TB, data *sim.Data, s sample) {
	tb.Helper()
	for i, path := range sharedData(tb, "ical/*.ics") {
		if i%s.every != 0 {
			continue
		}
		user, raw := realUsers[i/s.every%len(realUsers)], readFile(tb, path)
		id, err := data.AddCalendar(user, sim.Calendar{Summary: filepath.Base(path), TimeZone: "Europe/Berlin"})
		must(tb, err)
		_, _, err = data.ImportICS(user, id, firstEvents(raw, s.events))
		must(tb, err)
		importFile(tb, data, user, path, raw)
	}
}

// firstEvents cuts a calendar behind its first n events.
func firstEvents(raw []byte, n int) []byte {
	at := 0
	for ; n > 0; n-- {
		i := bytes.Index(raw[at:], []byte("END:VEVENT"))
		if i < 0 {
			return raw
		}
		at += i + len("END:VEVENT")
	}
	return append(bytes.Clone(raw[:at]), "\r\nEND:VCALENDAR\r\n"...)
}

// oddName is a line of the collection of names.
type oddName struct {
	Name     string `json:"name"`
	Escaped  string `json:"name_json_escape"`
	Category string `json:"category"`
}

func oddNames(tb testing.TB) []oddName {
	tb.Helper()
	var out []oddName
	lines := bufio.NewScanner(bytes.NewReader(readFile(tb, sharedData(tb, "filenames/names.jsonl")[0])))
	for lines.Scan() {
		var n oddName
		must(tb, json.Unmarshal(lines.Bytes(), &n))
		if n.Escaped != "" { // half a surrogate pair; what is left of it is what any client of the API sees
			must(tb, json.Unmarshal([]byte(n.Escaped), &n.Name))
		}
		out = append(out, n)
	}
	must(tb, lines.Err())
	return out
}

// importNames puts a file of each name into one folder and an empty folder of each name into another, so that they are
// all siblings. Each file tells its own content.
func importNames(tb testing.TB, data *sim.Data) {
	tb.Helper()
	ben := realUsers[1]
	files := value(data.AddFile(ben, sim.File{Name: "names"}))(tb)
	folders := value(data.AddFile(ben, sim.File{Name: "names"}))(tb)
	for i, n := range oddNames(tb) {
		body := cloudsim.Bytes([]byte(nameContent(i)))
		for _, f := range []sim.File{{Name: n.Name, Parent: files, Content: body}, {Name: n.Name, Parent: folders}} {
			_, err := data.AddFile(ben, f)
			must(tb, err)
		}
		if strings.HasPrefix(n.Category, "same-name-sibling-folder") {
			_, err := data.AddFile(ben, sim.File{Name: n.Name, Parent: files})
			must(tb, err)
		}
	}
}

func nameContent(i int) string { return fmt.Sprintf("the file of name %d\n", i) }

// value returns v, or ends the test.
func value[V any](v V, err error) func(testing.TB) V {
	return func(tb testing.TB) V {
		tb.Helper()
		must(tb, err)
		return v
	}
}

// realPeople gives each of the users a target account of their own.
func realPeople(tb testing.TB) []person {
	tb.Helper()
	var people []person
	for _, u := range realUsers {
		people = append(people, person{source: u, target: fresh(tb)})
	}
	return people
}

// event is what is counted of an event of the Calendar API.
type event struct {
	ID         string   `json:"id"`
	Recurring  string   `json:"recurringEventId"`
	Status     string   `json:"status"`
	Recurrence []string `json:"recurrence"`
}

// eventCount is what a calendar server should hold.
type eventCount struct {
	// objects are events with all their recurrences, parts the components that they are made of.
	objects, parts int
	// refused are events that Radicale does not take.
	refused int
}

// countEvents returns what should become of a user's calendars.
func countEvents(tb testing.TB, data *sim.Data, user string) eventCount {
	tb.Helper()
	var n eventCount
	for _, calendar := range data.Calendars(user) {
		series := make(map[string][]event)
		for _, raw := range data.Events(user, calendar) {
			var e event
			must(tb, json.Unmarshal(raw, &e))
			if e.Status != "cancelled" {
				id := cmp.Or(e.Recurring, e.ID)
				series[id] = append(series[id], e)
			}
		}
		for id, parts := range series {
			n.add(id, parts)
		}
	}
	return n
}

func (n *eventCount) add(id string, parts []event) {
	master := slices.IndexFunc(parts, func(e event) bool { return e.ID == id })
	if master >= 0 && strings.Contains(strings.Join(parts[master].Recurrence, "\n"), "RSCALE=") { // RFC 7529
		n.refused++
		return
	}
	n.objects++
	n.parts += len(parts)
	if master < 0 && len(parts) > 1 {
		n.parts++ // occurrences of a series that is not there need a master
	}
}
