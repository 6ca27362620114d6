package e2e

import (
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"codeberg.org/repatriate/repatriate/internal/readback"
	"codeberg.org/repatriate/repatriate/internal/realserver"
)

// clientDamages are done to a Cyrus by other clients, and to the files in which it keeps messages.
type clientDamages struct {
	server  *realserver.Server
	user    string
	u       *undone // for its requests
	objects objects
	spool   map[string]string // where each message lies on the disk, by its subject
}

func newClientDamages(t *testing.T, s *realserver.Server, user string) *clientDamages {
	d := &clientDamages{server: s, user: user, u: &undone{t: t, user: user}}
	d.objects.keeper = clientKeeper{d}
	return d
}

func (d *clientDamages) learn(tb testing.TB) {
	tb.Helper()
	d.objects.learn(tb)
	d.spool = map[string]string{}
	for _, p := range filesBeneath(tb, d.server.Dir+"/spool") {
		if raw := readFile(tb, p); strings.HasSuffix(p, ".") && strings.Contains(string(raw), "X-Marker: ") {
			d.spool[subject(raw)] = p
		}
	}
}

// clientKeeper is what another client sees of calendars and address books.
type clientKeeper struct{ d *clientDamages }

func (k clientKeeper) all(tb testing.TB) (list []string) {
	tb.Helper()
	found := map[string]string{}
	k.d.u.walk(k.d.server.CalendarsURL(k.d.user), found)
	k.d.u.walk(k.d.server.AddressBooksURL(k.d.user), found)
	for at := range found {
		if !strings.HasSuffix(at, "/") {
			list = append(list, at)
		}
	}
	return list
}

func (k clientKeeper) get(_ testing.TB, at string) string {
	return fetch(k.d.u.t, http.MethodGet, at, k.d.user, "")
}
func (k clientKeeper) put(_ testing.TB, at, body string) { k.d.u.put(at, body) }
func (k clientKeeper) remove(_ testing.TB, at string)    { k.d.u.make(http.MethodDelete, at, "") }

// removeAll: Cyrus 3.6 removes a collection and says that it is not there.
func (k clientKeeper) removeAll(tb testing.TB, at string) {
	fetch(k.d.u.t, http.MethodDelete, strings.TrimSuffix(at, path.Base(at)), k.d.user, "")
}

// with selects the mailbox that holds a message, and hands over the number that the message has there.
func (d *clientDamages) with(tb testing.TB, title string, do func(c *imapclient.Client, box string, message imap.NumSet)) {
	tb.Helper()
	c := dialMail(tb, d.server.IMAP, d.user)
	defer func() { _ = c.Close() }()
	for _, box := range []string{"INBOX", "Work"} {
		value(c.Select(box, nil).Wait())(tb)
		found := value(c.UIDSearch(&imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "Subject", Value: title}}}, nil).Wait())(tb)
		if all := found.AllUIDs(); len(all) == 1 {
			do(c, box, imap.UIDSetNum(all...))
			return
		}
	}
	tb.Fatalf("no message %q", title)
}

func (d *clientDamages) messages() []damage {
	by := func(do func(tb testing.TB, c *imapclient.Client, box string, message imap.NumSet)) func(testing.TB, string) []string {
		return func(tb testing.TB, title string) []string {
			d.with(tb, title, func(c *imapclient.Client, box string, message imap.NumSet) { do(tb, c, box, message) })
			return nil
		}
	}
	onDisk := func(change func([]byte) []byte) func(testing.TB, string) []string {
		return func(tb testing.TB, title string) []string {
			rewrite(tb, d.spool[title], false, change)
			return nil
		}
	}
	flag := func(tb testing.TB, c *imapclient.Client, message imap.NumSet, f imap.Flag) {
		must(tb, c.Store(message, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{f}}, nil).Close())
	}
	other := map[string]string{"INBOX": "Work", "Work": "INBOX"}
	return []damage{
		{"a bit of a message flips", aMessage, readback.Differs, onDisk(flip)},
		{"a bit of a message's header flips", aMessage, readback.Differs, onDisk(flipAfter("X-Marker: "))},
		{"a message is deleted", aMessage, readback.Missing, by(func(tb testing.TB, c *imapclient.Client, _ string, message imap.NumSet) {
			flag(tb, c, message, imap.FlagDeleted)
			must(tb, c.Expunge().Close())
		})},
		{"a message is moved", aMessage, readback.Changed, by(func(tb testing.TB, c *imapclient.Client, box string, message imap.NumSet) {
			value(c.Move(message, other[box]).Wait())(tb)
		})},
		{"a message is copied", aMessage, readback.Extra, by(func(tb testing.TB, c *imapclient.Client, box string, message imap.NumSet) {
			value(c.Copy(message, box).Wait())(tb)
		})},
		{"a message is copied elsewhere", aMessage, readback.Extra, by(func(tb testing.TB, c *imapclient.Client, box string, message imap.NumSet) {
			value(c.Copy(message, other[box]).Wait())(tb)
		})},
		{"a message is starred", aMessage, readback.Changed, by(func(tb testing.TB, c *imapclient.Client, _ string, message imap.NumSet) {
			flag(tb, c, message, imap.FlagFlagged)
		})},
	}
}

// files are damages that a WebDAV client does.
func (d *clientDamages) files() []damage {
	at := func(tb testing.TB, title string) string {
		tb.Helper()
		found := map[string]string{}
		d.u.walk(d.server.FilesURL(d.user), found)
		for p := range found {
			if strings.HasSuffix(strings.TrimSuffix(p, "/"), "/"+strings.ReplaceAll(title, " ", "%20")) {
				return p
			}
		}
		tb.Fatalf("no file %q", title)
		return ""
	}
	return []damage{
		{"a file is deleted", aFile, readback.Missing, func(tb testing.TB, title string) []string {
			d.objects.remove(tb, at(tb, title))
			return nil
		}},
		{"a file is changed", aFile, readback.Changed, func(tb testing.TB, title string) []string {
			p := at(tb, title)
			d.objects.put(tb, p, string(flip([]byte(d.objects.get(tb, p)))))
			return nil
		}},
		{"a file is copied", aFile, readback.Extra, func(tb testing.TB, title string) []string {
			d.objects.put(tb, d.server.FilesURL(d.user)+"copy%20of%20"+strings.ReplaceAll(title, " ", "%20"), d.objects.get(tb, at(tb, title)))
			return []string{"copy of " + title}
		}},
		{"a folder is deleted", aFolder, readback.Missing, func(tb testing.TB, title string) []string {
			fetch(d.u.t, http.MethodDelete, at(tb, title), d.user, "")
			return []string{title, "first of " + title, "second of " + title}
		}},
	}
}
