package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	graph "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/internal/graphrecur"
	"codeberg.org/repatriate/repatriate/internal/graphrecur/graphrecurtest"
)

// realFolders are where the imported messages lie, in turn.
var realFolders = []string{"inbox", "sentitems", "Projekte/2024/Ünïcode & more", "archive", "[Odd]/%_*", "drafts", "Clutter"}

// TestMicrosoftRealData moves real mail, names and calendars, and compares: mail with what $value gave, files by digest, and each
// series by the instants of ten years.
func TestMicrosoftRealData(t *testing.T) {
	s := realServers(t)
	data := graphUsers(t, realUsers...)
	importGraphMail(t, data)
	importGraphNames(t, data)
	events := importGraphEvents(t, data)
	importGraphCalendars(t, data)
	w, _ := newTenant(t, data, graph.Options{Strict: graphSchema(t)}, s.urls(), realPeople(t)...)
	first := w.run(0)
	t.Logf("%+v %+v", first.report.Totals, *first.report.Pass)
	for _, p := range w.people {
		t.Run(strings.Split(p.source, "@")[0], func(t *testing.T) {
			checkGraphMail(t, data, p.source, readMail(t, s.mail.IMAP, p.target))
			checkGraphFiles(t, data, p.source, readFiles(t, s.files.FilesURL(p.target), p.target))
		})
	}
	t.Run("series", func(t *testing.T) {
		carla := w.people[2].target
		checkSeries(t, events, readCalendars(t, s.calendar.CalendarsURL(carla), carla))
	})
	t.Run("real calendars", func(t *testing.T) {
		anna := w.people[0].target
		checkGraphCalendars(t, data, readCalendars(t, s.calendar.CalendarsURL(anna), anna))
	})
	settled(t, w.run(0), first)
	silent(t, w.verify(), first)
}

func importGraphMail(t *testing.T, data *graph.Data) {
	t.Helper()
	for i, path := range append(sharedData(t, "mail/*"), sharedData(t, "mail-synthetic/*")...) {
		user, raw := realUsers[i%len(realUsers)], readFile(t, path)
		folder := value(data.Folder(user, realFolders[i/3%len(realFolders)]))(t)
		_, err := data.AddMessage(user, folder, graph.Message{Raw: cloudsim.Bytes(raw), Unread: i%2 == 0, Categories: []string{"Blau", "Rot, grün"}[:i%3]})
		must(t, err)
		_, err = data.AddFile(data.DriveID(user), graph.File{Name: fmt.Sprintf("%03d %s", i, filepath.Base(path)), Content: cloudsim.Bytes(raw)})
		must(t, err)
	}
}

// importGraphNames makes a file of each name that OneDrive takes.
func importGraphNames(t *testing.T, data *graph.Data) {
	t.Helper()
	ben := data.DriveID(realUsers[1])
	folder := value(data.AddFile(ben, graph.File{Name: "names"}))(t)
	taken := 0
	for i, n := range oddNames(t) {
		if _, err := data.AddFile(ben, graph.File{Name: n.Name, Parent: folder, Content: cloudsim.Bytes([]byte(nameContent(i)))}); err == nil {
			taken++
		}
	}
	if taken < 100 {
		t.Errorf("OneDrive takes %d of the names", taken)
	}
}

func checkGraphMail(t *testing.T, data *graph.Data, user string, boxes map[string][]storedMessage) {
	t.Helper()
	var want, got []string
	for _, m := range data.Messages(user) {
		want = append(want, digest(repaired(readContent(t, m.Raw))))
	}
	for _, messages := range boxes {
		for _, m := range messages {
			got = append(got, digest(m.body))
		}
	}
	compareLists(t, "message", got, want)
	t.Logf("%d messages in %d mailboxes", len(got), len(boxes))
}

func checkGraphFiles(t *testing.T, data *graph.Data, user string, files map[string]string) {
	t.Helper()
	var want, got []string
	for _, f := range data.Files(data.DriveID(user)) {
		if f.Content == nil {
			want = append(want, "folder")
		} else {
			want = append(want, digest(readContent(t, f.Content)))
		}
	}
	for _, sum := range files {
		got = append(got, sum)
	}
	compareLists(t, "file", got, want)
	t.Logf("%d files and folders", len(got))
}

// graphEvent is what a calendar is compared by.
type graphEvent struct {
	Subject    string
	AllDay     bool `json:"isAllDay"`
	Start, End struct{ DateTime, TimeZone string }
	Recurrence *graphrecur.Recurrence
	zone       *time.Location
	changed    string // the day of the exception
	cancelled  string
}

// importGraphEvents gives the third user the published events, and a series of each pattern, range and zone with an exception and a
// cancelled day.
func importGraphEvents(t *testing.T, data *graph.Data) (events []graphEvent) {
	t.Helper()
	carla := realUsers[2]
	add := func(raw []byte) string {
		return value(data.AddEvent(carla, "", raw))(t)
	}
	for _, path := range sharedData(t, "graph-json/*.json") {
		var e graphEvent
		if raw := readFile(t, path); json.Unmarshal(raw, &e) == nil && e.Start.DateTime != "" && strings.Contains(string(raw), "iCalUId") {
			e.zone = zoneOf(t, e.Start.TimeZone)
			add(published(t, raw))
			events = append(events, e)
		}
	}
	if len(events) < 20 {
		t.Errorf("only %d published events", len(events))
	}
	for i, e := range grid(t) {
		e.Subject = fmt.Sprintf("grid %d", i)
		raw, err := json.Marshal(map[string]any{"subject": e.Subject, "isAllDay": e.AllDay, "start": e.Start, "end": e.End, "recurrence": e.Recurrence})
		must(t, err)
		id := add(lowerTimes(raw))
		days := graphrecurtest.Days(*e.Recurrence, day(t, e.Start.DateTime[:10]))
		if len(days) > 3 {
			e.changed, e.cancelled = days[1], days[2]
			must(t, data.ChangeOccurrence(carla, id, e.changed, []byte(`{"subject": "changed `+e.Subject+`"}`)))
			must(t, data.CancelOccurrence(carla, id, e.cancelled))
		}
		events = append(events, e)
	}
	return events
}

// lowerTimes gives the members of times the names that Graph gives them.
func lowerTimes(raw []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte(`"DateTime"`), []byte(`"dateTime"`)), []byte(`"TimeZone"`), []byte(`"timeZone"`))
}

// published takes from an event what Exchange gives by itself.
func published(t *testing.T, raw []byte) []byte {
	t.Helper()
	var o map[string]any
	must(t, json.Unmarshal(raw, &o))
	for name := range o {
		if strings.HasPrefix(name, "@") {
			delete(o, name)
		}
	}
	out, err := json.Marshal(o)
	must(t, err)
	return out
}

func day(t *testing.T, s string) time.Time {
	t.Helper()
	return value(time.Parse(time.DateOnly, s))(t)
}

// zoneOf knows the zones of the data by itself. What only the mailbox knows is the mailbox's.
func zoneOf(t *testing.T, windows string) *time.Location {
	t.Helper()
	name, ok := map[string]string{"UTC": "UTC", "W. Europe Standard Time": "Europe/Berlin", "Pacific Standard Time": "America/Los_Angeles",
		"India Standard Time": "Asia/Kolkata", "New Zealand Standard Time": "Pacific/Auckland", "Customized Time Zone": "Europe/Berlin"}[windows]
	if !ok {
		t.Fatalf("zone %q", windows)
	}
	return value(time.LoadLocation(name))(t)
}

// grid has each pattern with each range in several zones, as times and as days.
func grid(t *testing.T) (events []graphEvent) {
	t.Helper()
	weekend := []string{"saturday", "sunday"}
	patterns := []graphrecur.Pattern{
		{Type: "daily", Interval: 3}, {Type: "weekly", Interval: 2, DaysOfWeek: []string{"monday", "thursday"}, FirstDayOfWeek: "monday"},
		{Type: "absoluteMonthly", Interval: 1, DayOfMonth: 31}, {Type: "relativeMonthly", Interval: 1, DaysOfWeek: weekend, Index: "last"},
		{Type: "absoluteYearly", Interval: 1, DayOfMonth: 29, Month: 2}, {Type: "relativeYearly", Interval: 1, DaysOfWeek: []string{"friday"}, Index: "second", Month: 10},
	}
	ranges := []graphrecur.Range{{Type: "noEnd"}, {Type: "numbered", NumberOfOccurrences: 12}, {Type: "endDate", EndDate: "2029-10-28"}}
	zones := []string{"W. Europe Standard Time", "Pacific Standard Time", "India Standard Time", "New Zealand Standard Time"}
	for i, p := range patterns {
		p.FirstDayOfWeek = "monday"
		if p.Index == "" {
			p.Index = "first"
		}
		for j, r := range ranges {
			r.StartDate = "2024-01-15"
			if r.EndDate == "" {
				r.EndDate = "0001-01-01"
			}
			for k, zone := range zones {
				e := graphEvent{AllDay: k == 3 && j > 0, Recurrence: &graphrecur.Recurrence{Pattern: p, Range: r}, zone: zoneOf(t, zone)}
				e.Start.TimeZone, e.End.TimeZone = zone, zone
				e.Start.DateTime, e.End.DateTime = fmt.Sprintf("2024-01-15T%02d:30:00", (i*5+1)%24), fmt.Sprintf("2024-01-15T%02d:45:00", (i*5+1)%24)
				if e.AllDay {
					e.Start.DateTime, e.End.DateTime = "2024-01-15T00:00:00", "2024-01-16T00:00:00"
				}
				events = append(events, e)
			}
		}
	}
	return events
}

// expanded says when an event takes place, by Graph's description, in ten years from its start: start, length and subject.
func (e graphEvent) expanded(t *testing.T) (list []string) {
	t.Helper()
	read := func(s string) time.Time { return value(time.ParseInLocation("2006-01-02T15:04:05", s[:19], e.zone))(t) }
	start, end := read(e.Start.DateTime), read(e.End.DateTime)
	days := []string{e.Start.DateTime[:10]}
	if e.Recurrence != nil {
		days = graphrecurtest.Days(*e.Recurrence, day(t, e.Recurrence.Range.StartDate))
	}
	for _, on := range days {
		d := day(t, on)
		at := time.Date(d.Year(), d.Month(), d.Day(), start.Hour(), start.Minute(), 0, 0, e.zone)
		subject := e.Subject
		switch on {
		case e.cancelled:
			continue
		case e.changed:
			subject = "changed " + subject
		}
		list = append(list, e.line(at, end.Sub(start), subject))
	}
	return list
}

func (e graphEvent) line(at time.Time, length time.Duration, subject string) string {
	if e.AllDay {
		return fmt.Sprintf("%s +%v %s", at.Format(time.DateOnly), length, subject)
	}
	return fmt.Sprintf("%s +%v %s", at.UTC().Format(time.RFC3339), length, subject)
}

// checkSeries compares the expansion of what lies in the calendars with that of the events.
func checkSeries(t *testing.T, events []graphEvent, calendars map[string]map[string][]byte) {
	t.Helper()
	var want, got []string
	for _, e := range events {
		want = append(want, e.expanded(t)...)
	}
	for _, objects := range calendars {
		for _, body := range objects {
			got = append(got, expandObject(t, body)...)
		}
	}
	late := func(line string) bool { return line >= "2034" } // both expansions have come that far
	got, want = slices.DeleteFunc(got, late), slices.DeleteFunc(want, late)
	compareLists(t, "occurrence", got, want)
	t.Logf("%d events, %d occurrences", len(events), len(got))
}

// importGraphCalendars gives the first user a calendar of each iCalendar file, as far as Exchange can hold it: what is read by the simulated
// Google goes on in Graph's words. Times in years beyond Outlook's stay out.
func importGraphCalendars(t *testing.T, data *graph.Data) {
	t.Helper()
	anna := realUsers[0]
	other := tenantData(t, anna)
	imported, refused := 0, 0
	for _, path := range sharedData(t, "ical/*.ics") {
		id := value(other.AddCalendar(anna, sim.Calendar{Summary: filepath.Base(path), TimeZone: "Europe/Berlin"}))(t)
		_, _, err := other.ImportICS(anna, id, firstEvents(readFile(t, path), 40))
		must(t, err)
		calendar := value(data.AddCalendar(anna, graph.Calendar{Name: filepath.Base(path)}))(t)
		series := map[string]string{}
		for _, occurrences := range []bool{false, true} {
			for _, raw := range other.Events(anna, id) {
				var e event
				must(t, json.Unmarshal(raw, &e))
				if (e.Recurring != "") != occurrences {
					continue
				}
				if err := data.ImportEvent(anna, calendar, "Europe/Berlin", raw, series); err != nil {
					refused++
				} else {
					imported++
				}
			}
		}
	}
	t.Logf("%d real events, %d that Outlook could not hold", imported, refused)
	if imported < 100 || refused > imported/10 {
		t.Errorf("%d of the real events are there, %d are not", imported, refused)
	}
}

func checkGraphCalendars(t *testing.T, data *graph.Data, calendars map[string]map[string][]byte) {
	t.Helper()
	want, wantParts, objects, parts := 0, 0, 0, 0
	for _, id := range data.Calendars(realUsers[0]) {
		for _, e := range data.Events(realUsers[0], id) {
			want, wantParts = want+1, wantParts+1+len(e.Exceptions)
		}
	}
	for _, c := range calendars {
		objects += len(c)
		for name, body := range c {
			parts += parseByOthers(t, name, body)
		}
	}
	if objects != want || parts != wantParts {
		t.Errorf("%d objects of %d events, want %d of %d", objects, parts, want, wantParts)
	}
	t.Logf("%d objects of %d events", objects, parts)
	parseByPython(t, calendars, parts)
}
