package imap_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/imap"
	"codeberg.org/repatriate/repatriate/sinks/sinktest"
)

// listed returns what List yields, by location.
func (a *account) listed() map[string]sinks.Object {
	a.tb.Helper()
	out := map[string]sinks.Object{}
	for o, err := range a.List(a.tb.Context(), "") {
		if err != nil {
			a.tb.Fatal(err)
		}
		if _, twice := out[o.Location]; twice {
			a.tb.Errorf("%s is listed twice", o.Location)
		}
		out[o.Location] = o
	}
	return out
}

// proof is what the ledger knows of the item after a Put.
func proof(tb testing.TB, it sinks.Item[sinks.Message], w sinks.Written) sinks.Proof {
	p := sinks.Proof{Receipt: w.Receipt, Bytes: it.Content.Body.Size, Digest: "sha256:" + sinktest.BodyDigest(tb, it.Content.Body)}
	if w.Digest != "" {
		p.Digest = w.Digest
	}
	return p
}

// verdict lists, reads and compares what lies where the item was put.
func (a *account) verdict(p sinks.Proof) (listed, read sinks.Verdict) {
	a.tb.Helper()
	o, ok := a.listed()[p.Receipt.Location]
	if !ok {
		a.tb.Fatalf("%s is not listed", p.Receipt.Location)
	}
	whole, err := a.Read(a.tb.Context(), o)
	if err != nil {
		a.tb.Fatal(err)
	}
	return a.Compare(o, p), a.Compare(whole, p)
}

func wantVerdicts(tb testing.TB, a *account, p sinks.Proof, listed, read sinks.Verdict) {
	tb.Helper()
	if l, r := a.verdict(p); l != listed || r != read {
		tb.Errorf("listed the message is %s, read it is %s; want %s, %s", l, r, listed, read)
	}
}

// What changes on its way is proved by what was sent, also when the answer was lost and the message is found.
func TestChangedBytesAreProved(t *testing.T) {
	everywhere(t, func(t *testing.T, a *account) {
		for name, text := range map[string]string{
			"line ends":    "Message-ID: <a@example.org>\nSubject: a\n\none\ntwo\n",
			"NUL":          "Message-ID: <b@example.org>\r\nSubject: b\r\n\r\none\x00two\r\n",
			"raw header":   "Message-ID: <c@example.org>\r\nSubject: gr\xfc\xdfe\r\n\r\nbody\r\n",
			"raw and bare": "Message-ID: <d@example.org>\nSubject: gr\xc3\xbc\xc3\x9fe\n\nbody\n",
			"no change":    "Message-ID: <e@example.org>\r\nSubject: e\r\n\r\nbody\r\n",
		} {
			it := item(name, "", nil)
			it.Content.Body = sinktest.Bytes(name, []byte(text))
			w := a.put(it, sinks.Receipt{})
			wantVerdicts(t, a, proof(t, it, w), sinks.Alike, sinks.Same)
			it.Again = true
			found, err := a.Find(t.Context(), it)
			if err != nil || len(found) != 1 {
				t.Fatalf("%s: %d found, %v", name, len(found), err)
			}
			again := a.put(it, found[0])
			if again.Digest != w.Digest {
				t.Errorf("%s: found again, the digest is %q; it was %q", name, again.Digest, w.Digest)
			}
		}
	})
}

// A message that is found in the place of one whose answer was lost is the sink's own only if it came after the sink.
func TestFoundOrForeign(t *testing.T) {
	everywhere(t, func(t *testing.T, a *account) {
		foreign := func(a *account, it sinks.Item[sinks.Message]) bool {
			it.Again = true
			found, err := a.Find(t.Context(), it)
			if err != nil || len(found) != 1 {
				t.Fatalf("%d found, %v", len(found), err)
			}
			w := a.put(it, found[0])
			it.Content.Flags = []string{`\Seen`, `\Flagged`}
			later := a.put(it, w.Receipt)
			is := a.Expect(sinks.Proof{Receipt: w.Receipt}).Foreign
			if is != a.Expect(sinks.Proof{Receipt: later.Receipt}).Foreign {
				t.Error("a later pass forgets whose the message is")
			}
			return is
		}
		lost, before := numbered(1), numbered(2)
		w := a.put(lost, sinks.Receipt{})
		if a.Expect(sinks.Proof{Receipt: w.Receipt}).Foreign {
			t.Error("a message that was written is said to have been there")
		}
		if foreign(a, lost) {
			t.Error("a message that came after the sink is said to have been there")
		}
		a.put(before, sinks.Receipt{})
		next := target{address: a.address}.openAs(t, a.user, a.password, nil)
		next.put(numbered(3), sinks.Receipt{})
		if !foreign(next, before) {
			t.Error("a message that was there before the sink is taken for its own")
		}
	})
}

// A user who reads a message, moves it or throws it away does no damage, and is told apart from damage.
func TestWhatTheUserDoes(t *testing.T) {
	everywhere(t, func(t *testing.T, a *account) {
		it := numbered(1)
		it.Content.Copies = []sinks.Mailbox{{Path: []string{"Copy"}}}
		it.Content.Flags = nil
		w := a.put(it, sinks.Receipt{})
		p := proof(t, it, w)
		wantVerdicts(t, a, p, sinks.Alike, sinks.Same)
		if m := a.messages(); slices.ContainsFunc(m, func(m message) bool { return len(m.flags) > 0 }) {
			t.Errorf("reading for proof changed the flags: %v", m)
		}
		want := a.Expect(p)
		objects := a.listed()
		if len(want.Also) != 1 || objects[want.Also[0]].Twin != want.Twin || objects[w.Receipt.Location].Twin != want.Twin {
			t.Errorf("the copies are not known by %+v", want)
		}
		if o := objects[w.Receipt.Location]; o.Title != "item 1" || o.Size != it.Content.Body.Size || o.Digest != "" || o.Folder {
			t.Errorf("listed is %+v", o)
		}
		a.store("INBOX", goimap.StoreFlagsAdd, goimap.FlagSeen)
		wantVerdicts(t, a, p, sinks.Touched, sinks.Touched)
		a.store("INBOX", goimap.StoreFlagsDel, goimap.FlagSeen)
		a.store("INBOX", goimap.StoreFlagsAdd, goimap.FlagDeleted)
		wantVerdicts(t, a, p, sinks.Alike, sinks.Same)
		before := objects[w.Receipt.Location]
		a.expunge("INBOX")
		if _, err := a.Read(t.Context(), before); !errors.Is(err, sinks.ErrNothing) {
			t.Errorf("reading what is gone: %v", err)
		}
		if left := a.listed(); len(left) != 1 {
			t.Errorf("%d messages are left", len(left))
		}
	})
}

// \Recent belongs to the client that the user opens first.
func TestListingLeavesRecent(t *testing.T) {
	a := dovecot(t, realserver.DovecotOptions{}).open(t, nil)
	a.put(numbered(1), sinks.Receipt{})
	a.listed()
	c := a.client()
	data, err := c.Select("INBOX", nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.Fetch(goimap.SeqSetNum(1), &goimap.FetchOptions{Flags: true}).Collect()
	if err != nil || data.NumMessages != 1 || !slices.Contains(list[0].Flags, `\Recent`) {
		t.Errorf("the message is shown as %v, %v", list, err)
	}
}

// More messages than one page has, some of which vanish while they are listed, and others come.
func TestListWhileOthersExpunge(t *testing.T) {
	everywhere(t, func(t *testing.T, a *account) {
		const n = 700
		c := a.client()
		for i := range n {
			text := fmt.Appendf(nil, "Message-ID: <m%d@example.org>\r\nSubject: %d\r\n\r\nx\r\n", i, i)
			cmd := c.Append("INBOX", int64(len(text)), nil)
			if _, err := cmd.Write(text); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
		}
		seen := map[string]bool{}
		for o, err := range a.List(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			if len(seen) == 10 { // the first page is there, and the second one was not asked for
				expungeRange(t, a, 5, 350)
				a.put(numbered(1), sinks.Receipt{})
			}
			if seen[o.Title] {
				t.Errorf("%s is listed twice", o.Title)
			}
			seen[o.Title] = true
		}
		for i := 350; i < n; i++ {
			if !seen[fmt.Sprint(i)] {
				t.Fatalf("message %d is not listed; %d are", i, len(seen))
			}
		}
	})
}

func expungeRange(t *testing.T, a *account, from, to uint32) {
	t.Helper()
	c := a.client()
	defer func() { _ = c.Close() }()
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if err := c.Store(goimap.SeqSet{{Start: from, Stop: to}}, &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Silent: true, Flags: []goimap.Flag{goimap.FlagDeleted}}, nil).Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Expunge().Close(); err != nil {
		t.Fatal(err)
	}
}

// A user's own mailboxes are listed as well, and a loop may be left.
func TestListSeesWhatTheUserMade(t *testing.T) {
	everywhere(t, func(t *testing.T, a *account) {
		w := a.put(numbered(1), sinks.Receipt{})
		c := a.client()
		name := "Mine"
		if slices.ContainsFunc(a.mailboxes(), func(n string) bool { return strings.HasPrefix(n, "INBOX.") }) {
			name = "INBOX.Mine"
		}
		if err := c.Create(name, nil).Wait(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Select("INBOX", nil).Wait(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Move(goimap.SeqSetNum(1), name).Wait(); err != nil {
			t.Fatal(err)
		}
		want := a.Expect(sinks.Proof{Receipt: w.Receipt}).Twin
		for location, o := range a.listed() {
			if !strings.HasPrefix(location, name+";") || o.Twin != want {
				t.Errorf("the moved message is %+v, want twin %q", o, want)
			}
		}
		a.put(numbered(2), sinks.Receipt{})
		for _, err := range a.List(t.Context(), "") {
			if err != nil {
				t.Error(err)
			}
			break
		}
	})
}

// A large message is read in pieces.
func TestReadLarge(t *testing.T) {
	a := dovecot(t, realserver.DovecotOptions{}).open(t, nil)
	it := item("large", "", nil)
	it.Content.Body = sinktest.Pattern("large", []byte("Subject: large\r\n\r\n"), 40<<20)
	w := a.put(it, sinks.Receipt{})
	wantVerdicts(t, a, proof(t, it, w), sinks.Alike, sinks.Same)
}

// A byte that changed on the disk is found by reading, and by nothing else.
func TestFlippedByte(t *testing.T) {
	server := realserver.Dovecot(t, realserver.DovecotOptions{})
	a := serverTarget(server).open(t, nil)
	it := numbered(1)
	w := a.put(it, sinks.Receipt{})
	p := proof(t, it, w)
	wantVerdicts(t, a, p, sinks.Alike, sinks.Same)
	var flipped int
	err := filepath.Walk(filepath.Join(server.Dir, "mail", a.user, "Maildir"), func(path string, info os.FileInfo, err error) error {
		if dir := filepath.Base(filepath.Dir(path)); err != nil || dir != "cur" && dir != "new" {
			return err
		}
		data, err := os.ReadFile(path)
		if i := bytes.LastIndex(data, []byte("item 1")); err == nil && i >= 0 {
			data[i] ^= 1
			flipped++
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			if _, err := f.WriteAt(data[i:i+1], int64(i)); err != nil {
				return err
			}
			return f.Close()
		}
		return err
	})
	if err != nil || flipped != 1 {
		t.Fatalf("%d files were changed, %v", flipped, err)
	}
	wantVerdicts(t, a, p, sinks.Alike, sinks.Differs)
}

// Mailboxes that were made go when nothing lies in them any more, and no others.
func TestClear(t *testing.T) {
	everywhere(t, func(t *testing.T, a *account) {
		before := a.mailboxes()
		var made []string
		var written []sinks.Written
		for i, path := range [][]string{{"INBOX"}, {"deep", "deeper", "deepest"}, {"deep", "other"}, {"Größe"}, {"used"}, {"parent"}} {
			it := numbered(i)
			it.Content.Mailbox = sinks.Mailbox{Path: path}
			written = append(written, a.put(it, sinks.Receipt{}))
			made = append(made, a.Expect(sinks.Proof{Receipt: written[i].Receipt}).Made...)
		}
		sent := numbered(9)
		sent.Content.Mailbox = sinks.Mailbox{Path: []string{"Sent"}, Use: `\Sent`}
		written = append(written, a.put(sent, sinks.Receipt{}))
		made = append(made, a.Expect(sinks.Proof{Receipt: written[6].Receipt}).Made...)
		if removed, err := a.Clear(t.Context(), made); err != nil || len(removed) != 0 {
			t.Errorf("with messages in them %q were removed, %v", removed, err)
		}
		mine := strings.TrimSuffix(boxOf(written[5]), "parent") + "parent" + string(a.delimiter()) + "mine"
		if err := a.client().Create(mine, nil).Wait(); err != nil {
			t.Fatal(err)
		}
		for i, w := range written {
			if i != 4 { // a message stays in "used"
				if err := a.Remove(t.Context(), w.Receipt); err != nil {
					t.Fatal(err)
				}
			}
		}
		removed, err := a.Clear(t.Context(), append(made, "INBOX", "never there"))
		if err != nil {
			t.Fatal(err)
		}
		want := append(slices.Clone(before), boxOf(written[4]), boxOf(written[5]), mine)
		if left := a.mailboxes(); !sameSet(left, want) {
			t.Errorf("left are %q, want %q; removed were %q", left, want, removed)
		}
		if again, err := a.Clear(t.Context(), made); err != nil || len(again) != 0 {
			t.Errorf("the second time %q were removed, %v", again, err)
		}
		for i := range 2 { // the mailboxes can be made anew
			it := numbered(20 + i)
			it.Content.Mailbox = sinks.Mailbox{Path: []string{"deep", "other"}}
			w := a.put(it, sinks.Receipt{})
			if n := len(a.Expect(sinks.Proof{Receipt: w.Receipt}).Made); (n > 0) != (i == 0) {
				t.Errorf("message %d is said to have had %d mailboxes made", i, n)
			}
		}
	})
}

func boxOf(w sinks.Written) string {
	box, _, _ := strings.Cut(w.Receipt.Location, ";")
	return box
}

func (a *account) delimiter() rune {
	a.tb.Helper()
	list, err := a.client().List("", "", nil).Collect()
	if err != nil || len(list) == 0 {
		a.tb.Fatalf("LIST: %v", err)
	}
	return list[0].Delim
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// What a hostile server says of its messages ends with an error, in bounded time and memory.
func TestHostileListing(t *testing.T) {
	for name, c := range map[string]struct{ at, say string }{
		"endless count":       {" EXISTS", "* 4000000000 EXISTS\r\n"},
		"endless line":        {"BODY[HEADER.FIELDS", strings.Repeat("x", 20<<20)},
		"huge literal":        {"BODY[HEADER.FIELDS", "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (Subject)]<0> {99999999999}\r\n" + strings.Repeat("x", 20<<20)},
		"UIDs that descend":   {"BODY[HEADER.FIELDS", "* 1 FETCH (UID 0)\r\n"},
		"nothing that counts": {"BODY[HEADER.FIELDS", ""},
		"body without end":    {"BODY[] ", "* 1 FETCH (UID 1 BODY[] {99999999999}\r\n" + strings.Repeat("x", 20<<20)},
		"no body":             {"BODY[] ", "* 1 FETCH (UID 1 FLAGS ())\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			tg := embeddedTarget(t)
			user, password := tg.login()
			w := tg.openAs(t, user, password, nil).put(numbered(1), sinks.Receipt{})
			a := mangled(t, tg, func(line []byte) ([]byte, bool) {
				if bytes.Contains(line, []byte(c.at)) {
					return []byte(c.say), true
				}
				return line, true
			}).openAs(t, user, password, func(o *imap.Options) { o.Timeout = 2 * time.Second })
			var last error
			for _, err := range a.List(t.Context(), "") {
				last = err
			}
			if c.at == "BODY[] " {
				_, last = a.Read(t.Context(), sinks.Object{Location: w.Receipt.Location, Size: 100})
			}
			if f := fault.Of(last); last == nil || f.Action != fault.Retry {
				t.Errorf("it ended with %v", last)
			}
		})
	}
}
