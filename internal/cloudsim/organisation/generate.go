package organisation

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// Spec says how large a generated organisation is. Mail, Files, Events, Contacts and Tasks are for each user;
// without contacts and tasks, the others of the same seed are what they are with them.
type Spec struct {
	Domain string // empty: example.org
	Users  int
	Mail   int
	Files  int
	Events int
	// Contacts have all kinds of fields, groups and photos; for every tenth one there is an other contact besides.
	Contacts int
	// Tasks are spread over two lists.
	Tasks int
	Seed  int64
	// Sizes in bytes are spread evenly between their limits. The defaults are 2 to 50 KB for mail and 4 to 200 KB
	// for files. A mail is never smaller than its header.
	MailMin, MailMax int64
	FileMin, FileMax int64
}

// filesPerFolder is how many files a generated folder holds.
const filesPerFolder = 40

// Generate makes up an organisation. The same Spec gives the same one. The first user, user0001@DOMAIN, is an administrator.
func Generate(s Spec) *Organisation {
	if s.Domain == "" {
		s.Domain = "example.org"
	}
	if s.MailMax == 0 {
		s.MailMin, s.MailMax = 2<<10, 50<<10
	}
	if s.FileMax == 0 {
		s.FileMin, s.FileMax = 4<<10, 200<<10
	}
	g := &generator{Spec: s, rng: rand.New(rand.NewPCG(uint64(s.Seed), 1)), start: time.Date(2020, 1, 6, 9, 0, 0, 0, time.UTC)}
	o := &Organisation{Domain: s.Domain, Made: &s}
	for i := range s.Users {
		o.Users = append(o.Users, g.user(i+1))
	}
	return o
}

type generator struct {
	Spec
	rng   *rand.Rand
	start time.Time
}

func (g *generator) user(n int) *User {
	u := &User{Email: fmt.Sprintf("user%04d@%s", n, g.Domain), Given: "User", Family: fmt.Sprintf("%04d", n), Admin: n == 1}
	u.Files = g.files()
	u.Messages = g.mail(u.Email)
	u.Calendars = []Calendar{{ID: "primary", Summary: u.Email, Reminders: []Reminder{{"popup", 10}}, Events: g.events()}}
	g.contacts(u, n)
	g.tasks(u, n)
	return u
}

func (g *generator) size(low, high int64) int64 {
	return low + g.rng.Int64N(max(1, high-low+1))
}

// files makes folders of two levels: every tenth one is at the top.
func (g *generator) files() []File {
	var top []File
	for i := range g.Files {
		modified := g.start.Add(time.Duration(i) * 7 * time.Minute)
		n := i / filesPerFolder
		if i%(10*filesPerFolder) == 0 {
			top = append(top, File{Name: fmt.Sprintf("Year %d", 2020+n/10), Modified: Time{modified}, Folder: &[]File{}})
		}
		year := top[len(top)-1].Folder
		if i%filesPerFolder == 0 {
			*year = append(*year, File{Name: fmt.Sprintf("Folder %03d", n+1), Modified: Time{modified}, Folder: &[]File{}})
		}
		folder := (*year)[len(*year)-1].Folder
		f := File{Name: fmt.Sprintf("Report %05d.pdf", i+1), Mime: "application/pdf", Modified: Time{modified}}
		if i%3 == 1 {
			f.Name, f.Mime = fmt.Sprintf("Photo %05d.jpg", i+1), "image/jpeg"
		}
		f.Content = cloudsim.Generated(g.rng.Uint64(), g.size(g.FileMin, g.FileMax))
		*folder = append(*folder, f)
	}
	return top
}

// mail spreads messages over the mailboxes that matter.
func (g *generator) mail(email string) []Message {
	labels := [][]string{{"INBOX"}, {"INBOX", "UNREAD"}, {"SENT"}, {"Projects/Alpha"}, {"INBOX", "Projects/Beta", "STARRED"}, {}, {"Receipts", "IMPORTANT"}}
	messages := make([]Message, g.Mail)
	for i := range messages {
		date := g.start.Add(time.Duration(i) * 11 * time.Minute)
		raw := cloudsim.GeneratedMail(g.rng.Uint64(), g.size(g.MailMin, g.MailMax), email, date)
		messages[i] = Message{Raw: raw, Date: Time{date}, Labels: labels[g.rng.IntN(len(labels))]}
	}
	return messages
}

// events makes every fifth event a weekly series with an occurrence moved and one cancelled.
func (g *generator) events() []map[string]any {
	var events []map[string]any
	for i := range g.Events {
		start := g.start.Add(time.Duration(i) * 26 * time.Hour)
		id := fmt.Sprintf("gen%08d", i)
		event := map[string]any{
			"id": id, "iCalUID": id + "@google.com", "summary": fmt.Sprintf("Meeting %d", i+1),
			"description": strings.Repeat("Agenda point. ", 1+i%7), "start": zoned(start), "end": zoned(start.Add(time.Hour)),
			"created": stamp(g.start), "updated": stamp(g.start.Add(time.Duration(i) * time.Minute)),
		}
		events = append(events, event)
		if i%5 != 4 {
			continue
		}
		event["recurrence"] = []string{"RRULE:FREQ=WEEKLY;COUNT=10"}
		moved, cancelled := start.AddDate(0, 0, 7), start.AddDate(0, 0, 14)
		exception := occurrence(id, moved)
		exception["iCalUID"], exception["summary"], exception["description"] = event["iCalUID"], event["summary"], event["description"]
		exception["start"], exception["end"] = zoned(moved.AddDate(0, 0, 1)), zoned(moved.AddDate(0, 0, 1).Add(time.Hour))
		exception["created"], exception["updated"] = event["created"], event["updated"]
		gone := occurrence(id, cancelled)
		gone["status"] = "cancelled"
		events = append(events, exception, gone)
	}
	return events
}

// occurrence is the day of a series that begins at the given time.
func occurrence(series string, original time.Time) map[string]any {
	return map[string]any{"id": series + "_" + original.UTC().Format("20060102T150405Z"), "recurringEventId": series, "originalStartTime": zoned(original)}
}

func zoned(t time.Time) map[string]any {
	return map[string]any{"dateTime": t.Format(time.RFC3339), "timeZone": "UTC"}
}

// stamp writes a time as the JSON APIs do: RFC 3339, UTC, milliseconds.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
