package google

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Spec says how large a generated organisation is. Mail, Files and Events are for each user.
type Spec struct {
	Domain string // empty: example.org
	Users  int
	Mail   int
	Files  int
	Events int
	Seed   int64
	// Sizes in bytes are spread evenly between their limits. The defaults are 2 to 50 KB for mail and 4 to 200 KB
	// for files. A mail is never smaller than its header.
	MailMin, MailMax int64
	FileMin, FileMax int64
}

// filesPerFolder is how many files a generated folder holds.
const filesPerFolder = 40

// Generate makes up an organisation. The same Spec gives the same one, with the same ids. The first user,
// user0001@DOMAIN, is an administrator.
func Generate(s Spec) *Data {
	if s.Domain == "" {
		s.Domain = "example.org"
	}
	if s.MailMax == 0 {
		s.MailMin, s.MailMax = 2<<10, 50<<10
	}
	if s.FileMax == 0 {
		s.FileMin, s.FileMax = 4<<10, 200<<10
	}
	g := &generator{Spec: s, data: NewData(s.Domain), rng: rand.New(rand.NewPCG(uint64(s.Seed), 1)),
		start: time.Date(2020, 1, 6, 9, 0, 0, 0, time.UTC)}
	g.data.Now = func() time.Time { return g.start }
	for i := range s.Users {
		g.user(i + 1)
	}
	g.data.Now = time.Now
	g.data.settle()
	return g.data
}

type generator struct {
	Spec
	data  *Data
	rng   *rand.Rand
	start time.Time
}

// user adds one account. Errors cannot happen: the addresses are all different.
func (g *generator) user(n int) {
	email := fmt.Sprintf("user%04d@%s", n, g.Domain)
	_ = g.data.AddUser(User{Email: email, GivenName: "User", FamilyName: fmt.Sprintf("%04d", n), Admin: n == 1})
	g.files(email)
	g.mail(email)
	g.events(email)
}

func (g *generator) size(low, high int64) int64 {
	return low + g.rng.Int64N(max(1, high-low+1))
}

// files makes folders of two levels: every tenth one is at the top.
func (g *generator) files(email string) {
	var top, folder string
	for i := range g.Files {
		modified := g.start.Add(time.Duration(i) * 7 * time.Minute)
		if i%filesPerFolder == 0 {
			n := i / filesPerFolder
			if n%10 == 0 {
				top, _ = g.data.AddFile(email, File{Name: fmt.Sprintf("Year %d", 2020+n/10), Modified: modified})
			}
			folder, _ = g.data.AddFile(email, File{Name: fmt.Sprintf("Folder %03d", n+1), Parent: top, Modified: modified})
		}
		name, mime := fmt.Sprintf("Report %05d.pdf", i+1), "application/pdf"
		if i%3 == 1 {
			name, mime = fmt.Sprintf("Photo %05d.jpg", i+1), "image/jpeg"
		}
		body := Generated(g.rng.Uint64(), g.size(g.FileMin, g.FileMax))
		_, _ = g.data.AddFile(email, File{Name: name, MimeType: mime, Parent: folder, Content: body, Modified: modified})
	}
}

// mail spreads messages over the mailboxes that matter.
func (g *generator) mail(email string) {
	labels := [][]string{{"INBOX"}, {"INBOX", "UNREAD"}, {"SENT"}, {"Projects/Alpha"}, {"INBOX", "Projects/Beta", "STARRED"}, {}, {"Receipts", "IMPORTANT"}}
	for i := range g.Mail {
		date := g.start.Add(time.Duration(i) * 11 * time.Minute)
		raw := GeneratedMail(g.rng.Uint64(), g.size(g.MailMin, g.MailMax), email, date)
		_, _ = g.data.AddMessage(email, Message{Raw: raw, Date: date, Labels: labels[g.rng.IntN(len(labels))]})
	}
}

// events makes every fifth event a weekly series with an occurrence moved and one cancelled.
func (g *generator) events(email string) {
	for i := range g.Events {
		start := g.start.Add(time.Duration(i) * 26 * time.Hour)
		event := map[string]any{
			"id": fmt.Sprintf("gen%08d", i), "summary": fmt.Sprintf("Meeting %d", i+1), "description": strings.Repeat("Agenda point. ", 1+i%7),
			"start": zoned(start), "end": zoned(start.Add(time.Hour)),
			"created": stamp(g.start), "updated": stamp(g.start.Add(time.Duration(i) * time.Minute)),
		}
		series := i%5 == 4
		if series {
			event["recurrence"] = []string{"RRULE:FREQ=WEEKLY;COUNT=10"}
		}
		body, _ := json.Marshal(event)
		id, _ := g.data.AddEvent(email, "", body)
		if series {
			moved, _ := json.Marshal(map[string]any{"start": zoned(start.AddDate(0, 0, 8)), "end": zoned(start.AddDate(0, 0, 8).Add(time.Hour))})
			_ = g.data.ChangeOccurrence(email, "", id, start.AddDate(0, 0, 7).Format(time.RFC3339), moved)
			_ = g.data.CancelOccurrence(email, "", id, start.AddDate(0, 0, 14).Format(time.RFC3339))
		}
	}
}

func zoned(t time.Time) map[string]string {
	return map[string]string{"dateTime": t.Format(time.RFC3339), "timeZone": "UTC"}
}

// settle forgets how the organisation came about: change streams begin now, as they would for data that is older than
// their memory.
func (d *Data) settle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, u := range d.users {
		u.drive.log, u.drive.latest = nil, nil
		u.mail.history = nil
		u.mail.oldest = u.mail.historyID
	}
	for _, s := range d.drives {
		s.corpus.log, s.corpus.latest = nil, nil
	}
}
