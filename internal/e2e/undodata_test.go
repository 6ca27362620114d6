package e2e

import (
	"net/http"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
)

// contents are all that lies in a target account.
type contents struct {
	// objects has each file and object by its address; a folder or collection ends with a slash.
	objects map[string]string
	// mail has a line for each message, by mailbox, of empty ones too.
	mail map[string][]string
}

// undone is a target account of which a job is undone.
type undone struct {
	t       *testing.T
	l       landing
	user    string
	moments *moments
	was     contents
	// exactly is what was there before, to the byte and to the server's own versions of it.
	exactly map[string]string
	// twice counts what lay on the target before and is moved there once more, since no protocol tells whose it is.
	twice int64
	// same are objects that a job would write, as another program has written them, by the names that it gave them.
	same map[string]string
	// edit does what a user does after the move.
	edit func()
	// edited are the addresses of items that the user edited, added those of what is the user's own, and flagged messages.
	edited, added, flagged []string
}

func newUndone(t *testing.T, l landing) *undone {
	u := &undone{t: t, l: l, user: l.fresh(t), moments: new(moments)}
	u.edit = u.edits
	return u
}

// watched returns the targets with what passes to and from them counted.
func (u *undone) watched() urls {
	targets := u.l.urls
	for _, at := range []*string{&targets.mail, &targets.files, &targets.calendar, &targets.contacts, &targets.tasks} {
		*at, _ = proxied(u.t, *at, u.moments.watch)
	}
	return targets
}

func (u *undone) home(of string) string { return strings.ReplaceAll(of, "{user}", u.user) }

// look reads everything.
func (u *undone) look() contents {
	u.t.Helper()
	c := contents{objects: map[string]string{}, mail: mailState(readMail(u.t, u.l.mail, u.user))}
	for _, home := range []string{u.l.urls.files, u.l.urls.calendar, u.l.urls.contacts} {
		u.walk(u.home(home), c.objects)
	}
	client := dialMail(u.t, u.l.mail, u.user)
	defer func() { _ = client.Close() }()
	for _, box := range value(client.List("", "*", nil).Collect())(u.t) {
		if _, ok := c.mail[box.Mailbox]; !ok {
			c.mail[box.Mailbox] = nil
		}
	}
	return c
}

func (u *undone) walk(at string, into map[string]string) {
	u.t.Helper()
	for _, href := range hrefs(u.t, at, u.user) {
		if _, known := into[href]; known {
			continue
		}
		if !strings.HasSuffix(href, "/") {
			into[href] = digest([]byte(fetch(u.t, http.MethodGet, href, u.user, "")))
			continue
		}
		into[href] = "folder"
		u.walk(href, into)
	}
}

// undoData is what is moved: some of it lies on the target already, or among other things there.
func undoData(t *testing.T) *sim.Data {
	data := tenantData(t, dora)
	file := func(at, body string) {
		value(data.ImportFile(dora, at, cloudsim.Bytes([]byte(body)), time.Unix(1_600_000_000, 0)))(t)
	}
	for _, n := range []string{"1", "2", "3", "4", "5", "6"} {
		file("Shared/shared "+n+".txt", "shared "+n)
		file("Own/own "+n+".txt", "own "+n)
		file("Deep/er/deep "+n+".txt", "deep "+n)
		file("top "+n+".txt", "top "+n)
	}
	file("Same/identical.txt", "the same bytes")
	m := &maker{tb: t, data: data, random: newRandom()}
	for range 8 {
		m.made++
		title := titleOf(aMessage, m.made)
		m.message(title)
		m.contact(titleOf(aContact, m.made))
		m.task(titleOf(aTask, m.made))
	}
	value(data.ImportMail(dora, []byte(knownMail), "INBOX"))(t)
	value(data.ImportMail(dora, []byte(strings.ReplaceAll(knownMail, "known", "nested")), "Projects/2024/Deep"))(t)
	m.put(dora, m.event("known event", "")+m.event("event 3", "")+m.event("event 4", "")+m.series("event 5"))
	value(data.AddCalendar(dora, sim.Calendar{Summary: "Nothing in it", TimeZone: "Europe/Berlin"}))(t)
	m.put(value(data.AddCalendar(dora, sim.Calendar{Summary: "Second", TimeZone: "Europe/Berlin"}))(t), m.event("event 6", "")+m.event("event 7", ""))
	return data
}

const knownMail = "From: Dora <dora@example.org>\r\nSubject: known\r\nMessage-ID: <known@example.org>\r\nDate: Mon, 05 Jan 2026 10:00:00 +0100\r\n\r\nknown\r\n"

// object is one of the account's own: of a calendar, an address book or a list.
func object(kind, lines string) string {
	if kind == "VCARD" {
		return "BEGIN:VCARD\r\nVERSION:3.0\r\n" + lines + "END:VCARD\r\n"
	}
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//own//own//EN\r\nBEGIN:" + kind + "\r\nDTSTAMP:20260101T000000Z\r\n" + lines + "END:" + kind + "\r\nEND:VCALENDAR\r\n"
}

// before gives the account what it holds before the job.
func (u *undone) before() {
	t := u.t
	root := u.home(u.l.urls.files)
	for _, folder := range []string{"Shared/", "Same/", "Mine/"} {
		u.make("MKCOL", root+folder, "")
	}
	u.put(root+"Shared/mine.txt", "mine")
	u.put(root+"Mine/mine.txt", "mine, too")
	u.put(root+"Same/identical.txt", "the same bytes")

	calendar, book := u.home(u.l.urls.calendar)+"Default/", u.home(u.l.urls.contacts)+"Default/"
	if calendar == book { // Radicale has one home for both, and nothing in it
		calendar, book = u.home(u.l.urls.calendar)+"personal/", u.home(u.l.urls.contacts)+"contacts/"
		u.make("MKCALENDAR", calendar, "")
		u.make("MKCOL", book, `<mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop><resourcetype><collection/><C:addressbook/></resourcetype></prop></set></mkcol>`)
	}
	u.put(calendar+"mine.ics", object("VEVENT", "UID:mine@example.org\r\nDTSTART:20300101T100000Z\r\nDTEND:20300101T110000Z\r\nSUMMARY:mine\r\n"))
	u.put(calendar+"known.ics", object("VEVENT", "UID:known-event@example.org\r\nDTSTART;TZID=Europe/Berlin:20300107T100000\r\nDTEND;TZID=Europe/Berlin:20300107T110000\r\nSUMMARY:known event\r\n"))
	u.put(book+"mine.vcf", object("VCARD", "UID:mine-card\r\nFN:Mine\r\nN:Mine;;;;\r\n"))
	u.name(calendar, "The user's own", "#AB1234FF")
	u.name(book, "Friends of the user", "#34AB12FF")
	for at, body := range u.same {
		u.put(map[string]string{".ics": calendar, ".vcf": book}[path.Ext(at)]+at, body)
	}

	client := dialMail(t, u.l.mail, u.user)
	for _, box := range []string{"Work", "Empty"} {
		must(t, client.Create(box, nil).Wait())
	}
	for _, to := range []string{"INBOX", "Work"} {
		for i, raw := range []string{knownMail, strings.ReplaceAll(knownMail, "known", "mine")} {
			flags := [][]imap.Flag{{imap.FlagSeen}, {imap.FlagAnswered, imap.FlagFlagged, "$own"}}[i]
			append := client.Append(to, int64(len(raw)), &imap.AppendOptions{Flags: flags, Time: time.Date(2011, 5, 7+i, 8, 9, 10, 0, time.UTC)})
			value(append.Write([]byte(raw)))(t)
			must(t, append.Close())
			value(append.Wait())(t)
		}
		u.twice++
	}
	u.was = u.look()
	u.exactly = u.lookExactly()
}

func (u *undone) make(method, at, body string) {
	u.t.Helper()
	req := value(http.NewRequest(method, at, strings.NewReader(body)))(u.t)
	req.SetBasicAuth(u.user, password)
	if body != "" {
		req.Header.Set("Content-Type", "application/xml; charset=utf-8")
	}
	u.send(req)
}

// edits is what a user does between the job and its undoing.
func (u *undone) edits() {
	t := u.t
	root := u.home(u.l.urls.files)
	u.put(root+"Shared/shared%202.txt", "edited by its user")
	u.put(root+"Own/new.txt", "the user's own")
	u.edited = append(u.edited, root+"Shared/shared%202.txt")
	u.added = append(u.added, root+"Own/new.txt")
	all := map[string]string{}
	u.walk(u.home(u.l.urls.calendar), all)
	u.walk(u.home(u.l.urls.contacts), all)
	for at := range all {
		if strings.HasSuffix(at, "/") {
			continue
		}
		body := fetch(t, http.MethodGet, at, u.user, "")
		for _, title := range []string{"SUMMARY:event 3", "SUMMARY:task 00003", "FN:contact 00003"} {
			if strings.Contains(body, title) {
				u.put(at, strings.ReplaceAll(body, title, title+" edited"))
				u.edited = append(u.edited, at)
			}
		}
	}
	u.star("message 00003")
	if len(u.edited) != 4 {
		t.Errorf("edited: %q", u.edited)
	}
}

// star sets \Flagged on the message with a subject.
func (u *undone) star(subject string) {
	client := dialMail(u.t, u.l.mail, u.user)
	defer func() { _ = client.Close() }()
	for _, box := range []string{"INBOX", "Work"} {
		value(client.Select(box, nil).Wait())(u.t)
		found := value(client.Search(&imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "Subject", Value: subject}}}, nil).Wait())(u.t)
		if len(found.AllSeqNums()) == 0 {
			continue
		}
		must(u.t, client.Store(imap.SeqSetNum(found.AllSeqNums()...), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagFlagged}}, nil).Close())
		u.flagged = append(u.flagged, subject)
	}
	if len(u.flagged) != 1 {
		u.t.Errorf("flagged: %q", u.flagged)
	}
}
