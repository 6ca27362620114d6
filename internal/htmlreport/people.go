package htmlreport

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"codeberg.org/repatriate/repatriate/internal/filename"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/sheet"
	"codeberg.org/repatriate/repatriate/internal/spool"
)

// Bounds of a page for a person.
const (
	rowsEach     = 5000 // items of one reason
	maxMailboxes = 1000
	openRows     = 15 // items of one reason that are shown without a click
)

// People is a Writer of a page for each account, in words for the person whose it is.
type People struct {
	job    *Job
	dir    string
	lang   *language
	create func(path string, write func(io.Writer) error) error

	account   *Account // of the page that is being written
	groups    *groups
	mailboxes map[string]int64
	taken     map[string]bool // names of files, in small letters
	list      *spool.Spool
	index     *csv.Writer
}

// indexName is the file that says whose each page is.
const indexName = "index.csv"

// NewPeople returns a Writer of pages in a folder, which is made if it is not there. create makes each file. With replace,
// the folder may hold files. Release frees what the Writer holds.
func NewPeople(dir string, j *Job, lang string, replace bool, create func(path string, write func(io.Writer) error) error) (*People, error) {
	l, err := loadLanguage(lang, j.Provider)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	there, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	if len(there) > 0 && !replace {
		return nil, fmt.Errorf("the folder %s is not empty, and is left as it is: name another one, or give --force: %w", dir, fs.ErrExist)
	}
	p := &People{
		job: j, dir: dir, lang: l, create: create, groups: newGroups(func(string) int64 { return rowsEach }),
		mailboxes: make(map[string]int64), taken: map[string]bool{indexName: true}, list: spool.New(0, ""),
	}
	p.index = csv.NewWriter(p.list)
	return p, p.index.Write([]string{"account", "target", "grade", "file"})
}

// Release frees temporary files; it may be called at any time, and twice.
func (p *People) Release() {
	p.groups.release()
	p.list.Release()
}

// Begin implements Writer.
func (p *People) Begin(a Account) error {
	if err := p.page(); err != nil {
		return err
	}
	p.account = &a
	return nil
}

// Holds implements Holder.
func (p *People) Holds(mailbox string) {
	if _, known := p.mailboxes[mailbox]; known || len(p.mailboxes) < maxMailboxes {
		p.mailboxes[mailbox]++
	}
}

// detailed are the losses of which a person needs to read what was said: names of labels, fields and attachments, and what became of times.
var detailed = map[string]bool{
	"mail.label_as_keyword": true, "mail.mailbox_renamed": true, "event.attachment_left": true, "task.attachment": true, "contact.in_note": true,
	"contact.label": true, "contact.address_invalid": true, "contact.date_invalid": true,
	"file.conflict_renamed": true, "file.conflict_aside": true,
	"mail.keyword_lost": true, "event.zone_unknown": true, "event.end_repaired": true, "event.attendee_address": true,
}

// personRow is an item as a person's page shows it.
type personRow struct{ Title, Link, Now, Where, Detail string }

// Item implements Writer.
func (p *People) Item(i Item) error {
	r := personRow{Title: clean(cmp.Or(i.Title, p.lang.say("untitled"))), Link: i.Link}
	switch {
	case i.Kind == "mail" && i.Place != "":
		r.Where = p.mailbox(i.Place)
	case i.Place != "":
		r.Where = shortened(i.Place)
		if i.Reason == "file.renamed" {
			r.Now = p.lang.say("now") + " "
		}
	case i.Kind != "files" && i.Collection != i.Account:
		r.Where = p.collection(i.Kind, i.Collection)
	}
	if detailed[i.Reason] && i.Detail != i.Title {
		r.Detail = p.lang.shownDetail(i)
	}
	return p.groups.add(i, func(w io.Writer) error { return templates().ExecuteTemplate(w, "person.row", r) })
}

// shortened returns a path of which the end matters most.
func shortened(path string) string {
	runes := []rune(path)
	if len(runes) > longDetail {
		path = "…" + string(runes[len(runes)-longDetail+1:])
	}
	return report.Clean(path, longDetail)
}

// End implements Writer.
func (p *People) End() error {
	if err := p.page(); err != nil {
		return err
	}
	p.index.Flush()
	if err := p.index.Error(); err != nil {
		return err
	}
	return p.create(filepath.Join(p.dir, indexName), func(w io.Writer) error {
		r, err := p.list.Open()
		if err != nil {
			return err
		}
		_, err = io.Copy(w, r)
		return errors.Join(err, r.Close())
	})
}

// page writes the page of the account that ends.
func (p *People) page() error {
	if p.account == nil {
		return nil
	}
	a := *p.account
	name := p.fileName(a.Source)
	err := p.create(filepath.Join(p.dir, name), func(w io.Writer) error {
		b := bufio.NewWriter(w)
		return errors.Join(p.writePage(b, a), b.Flush())
	})
	p.account = nil
	p.groups.release()
	clear(p.mailboxes)
	if err != nil {
		return err
	}
	return p.index.Write(sheet.Cells(a.Source, a.Target, a.Grade.String(), name))
}

// longFile bounds the name of a page's file, without its end.
const longFile = 100

// fileName returns a name for the page of an account that no other page has, on any file system.
func (p *People) fileName(account string) string {
	safe := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("@._-+", r)) {
			return r
		}
		return '_'
	}, account)
	safe = filename.Cut(strings.TrimLeft(safe, ".-"), longFile)
	name := cmp.Or(safe, "account") + ".html"
	for n := 2; p.taken[strings.ToLower(name)]; n++ {
		name = fmt.Sprintf("%s-%d.html", cmp.Or(safe, "account"), n)
	}
	p.taken[strings.ToLower(name)] = true
	return name
}
