package google

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sources"
)

func mailOf(n int) []byte {
	return fmt.Appendf(nil, "Message-ID: <%d@example.org>\r\nSubject: =?utf-8?q?Caf=C3=A9_%d?=\r\nDate: Mon, 04 May 2026 03:02:%02d +0000\r\n\r\nbody %d\r\n", n, n, n%60, n)
}

// mailbox fills alice's mailbox with n messages in the inbox and returns their ids.
func mailbox(t testing.TB, d *sim.Data, n int) []string {
	t.Helper()
	var all []string
	for i := range n {
		all = append(all, added(t)(d.ImportMail(alice, mailOf(i), "INBOX")))
	}
	return all
}

func read(t testing.TB, b sources.Body) []byte {
	t.Helper()
	r, err := b.Open(t.Context())
	must(t, err)
	defer r.Close()
	got, err := io.ReadAll(r)
	must(t, err)
	return got
}

func TestMailListsEachMessageAsAStub(t *testing.T) {
	d := tenantData(t)
	want := mailbox(t, d, 23)
	added(t)(d.ImportMail(alice, mailOf(100), "SPAM"))
	added(t)(d.ImportMail(alice, mailOf(101), "TRASH"))
	added(t)(d.ImportMail(alice, mailOf(102), "CHAT"))
	c, server := simulated(t, d, sim.Options{PageSize: 5})
	items, _ := pass(t, Mail(c, alice, MailOptions{}), "")
	got := ids(items)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, it := range items {
		if !it.Stub || it.Version != "" || it.Deleted {
			t.Errorf("not a stub without a version: %+v", it)
		}
	}
	if diff := cmp.Diff(map[string]int{"token": 1, "gmail.getProfile": 1, "gmail.labels.list": 2, "gmail.messages.list": 5, "gmail.history.list": 1}, server.Counts()); diff != "" {
		t.Error(diff)
	}
	all, _ := pass(t, Mail(c, alice, MailOptions{SpamTrash: true}), "")
	if len(all) != 25 {
		t.Errorf("with spam and trash: %d messages, want 25", len(all))
	}
}

func TestMailFetchTakesOneRequest(t *testing.T) {
	d := tenantData(t)
	raw := []byte("message-id:\r\n <Odd.ID@example.org>\r\nSUBJECT: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n aus Berlin\r\n\r\nSubject: no\r\n\x00\xff\n.\r\n")
	id, err := d.AddMessage(alice, sim.Message{Raw: cloudsim.Bytes(raw), Labels: []string{"INBOX", "STARRED", "IMPORTANT", "UNREAD", "Projects/Roof", "CATEGORY_FORUMS"},
		Date: time.UnixMilli(1_700_000_000_123)})
	must(t, err)
	c, server := simulated(t, d, sim.Options{})
	s := Mail(c, alice, MailOptions{})
	_, err = s.Changes(t.Context(), "")
	must(t, err)
	server.ResetCounts()
	it, err := s.Fetch(t.Context(), id)
	must(t, err)
	if diff := cmp.Diff(map[string]int{"gmail.messages.get": 1}, server.Counts()); diff != "" {
		t.Error(diff)
	}
	if it.ID != id || it.Title != "Grüße aus Berlin" || it.Version == "" || it.Stub || it.Deleted {
		t.Errorf("got %+v", it)
	}
	m := it.Content
	if got := read(t, m.Body); !bytes.Equal(got, raw) || m.Body.Size != int64(len(raw)) || m.Body.Version != id {
		t.Errorf("body %q, size %d, version %q", got, m.Body.Size, m.Body.Version)
	}
	if again := read(t, m.Body); !bytes.Equal(again, raw) {
		t.Error("the body cannot be read twice")
	}
	m.Body = sources.Body{}
	want := sources.Message{MessageID: "Odd.ID@example.org", Received: time.UnixMilli(1_700_000_000_123).UTC(), Starred: true, Important: true, Labels: []sources.Label{
		{ID: "CATEGORY_FORUMS", Path: []string{"Forums"}, Role: sources.RoleCategory},
		{ID: "INBOX", Path: []string{"Inbox"}, Role: sources.RoleInbox},
		{ID: "Label_1", Path: []string{"Projects", "Roof"}},
	}}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
	it.Release()
	if _, err := it.Content.Body.Open(t.Context()); err == nil {
		t.Error("a released body can be opened")
	}
}

func TestMailFetchReadsALabelThatIsNew(t *testing.T) {
	d := tenantData(t)
	id := mailbox(t, d, 1)[0]
	c, _ := simulated(t, d, sim.Options{})
	s := Mail(c, alice, MailOptions{})
	_, err := s.Fetch(t.Context(), id)
	must(t, err)
	must(t, d.Relabel(alice, id, []string{"New/Label"}, []string{"INBOX"}))
	it, err := s.Fetch(t.Context(), id)
	must(t, err)
	if diff := cmp.Diff([]sources.Label{{ID: "Label_1", Path: []string{"New", "Label"}}}, it.Content.Labels); diff != "" {
		t.Error(diff)
	}
}

func TestMailLabelsThatAreNotListed(t *testing.T) {
	d := tenantData(t)
	id := mailbox(t, d, 1)[0]
	c, server := simulated(t, d, sim.Options{})
	s := Mail(c, alice, MailOptions{}).(*mailSource)
	for range 3 {
		it, err := s.item(t.Context(), rawMessage{ID: id, LabelIDs: []string{"INBOX", "YELLOW_STAR", "Label_77"}}, mailHeader{})
		must(t, err)
		if diff := cmp.Diff([]sources.Label{{ID: "INBOX", Path: []string{"Inbox"}, Role: sources.RoleInbox}}, it.Content.Labels); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"YELLOW_STAR"}, it.Content.Categories); diff != "" {
			t.Error(diff)
		}
	}
	if n := server.Counts()["gmail.labels.list"]; n != 1 {
		t.Errorf("the labels were read %d times", n)
	}
}

func TestMailFetchOfWhatDoesNotBelong(t *testing.T) {
	d := tenantData(t)
	spam := added(t)(d.ImportMail(alice, mailOf(1), "SPAM"))
	chat := added(t)(d.ImportMail(alice, mailOf(2), "CHAT"))
	gone := added(t)(d.ImportMail(alice, mailOf(3), "INBOX"))
	must(t, d.DeleteMessage(alice, gone))
	c, _ := simulated(t, d, sim.Options{})
	for name, id := range map[string]string{"spam": spam, "chat": chat, "deleted": gone, "never there": "ffffffff", "no id": "../x?y"} {
		if _, err := Mail(c, alice, MailOptions{}).Fetch(t.Context(), id); !errors.Is(err, sources.ErrGone) {
			t.Errorf("%s: got %v, want gone", name, err)
		}
	}
	if _, err := Mail(c, alice, MailOptions{SpamTrash: true}).Fetch(t.Context(), spam); err != nil {
		t.Errorf("spam that is wanted: %v", err)
	}
}

func TestMailLaterPassesYieldTheChangesOnly(t *testing.T) {
	d := tenantData(t)
	all := mailbox(t, d, 20)
	inSpam := added(t)(d.ImportMail(alice, mailOf(50), "SPAM"))
	c, server := simulated(t, d, sim.Options{PageSize: 6})
	s := Mail(c, alice, MailOptions{})
	_, cursor := pass(t, s, "")
	first, err := s.Fetch(t.Context(), all[3])
	must(t, err)

	must(t, d.Relabel(alice, all[3], []string{"STARRED"}, []string{"INBOX"}))
	must(t, d.Relabel(alice, all[3], []string{"Later"}, nil))
	must(t, d.DeleteMessage(alice, all[4]))
	must(t, d.Relabel(alice, all[5], []string{"TRASH"}, []string{"INBOX"}))
	must(t, d.Relabel(alice, inSpam, []string{"INBOX"}, []string{"SPAM"}))
	fresh := added(t)(d.ImportMail(alice, mailOf(60), "INBOX"))
	freshAndRead := added(t)(d.ImportMail(alice, mailOf(61), "INBOX", "UNREAD"))
	must(t, d.Relabel(alice, freshAndRead, nil, []string{"UNREAD"}))
	added(t)(d.ImportMail(alice, mailOf(62), "CHAT"))

	server.ResetCounts()
	items, next := pass(t, s, cursor)
	counts := server.Counts()
	if counts["gmail.messages.get"] > 5 || counts["gmail.messages.list"] != 0 || counts["gmail.history.list"] > 3 {
		t.Errorf("the requests depend on more than the changes: %v", counts)
	}
	got := map[string]sources.Item[sources.Message]{}
	for _, it := range items {
		got[it.ID] = it
	}
	if len(got) != 6 {
		t.Errorf("%d messages changed, want 6: %v", len(got), ids(items))
	}
	for _, id := range []string{all[4], all[5]} {
		if !got[id].Deleted {
			t.Errorf("%s is not deleted: %+v", id, got[id])
		}
	}
	if it := got[fresh]; !it.Stub || it.Version != "" {
		t.Errorf("a new message: %+v", it)
	}
	if it := got[freshAndRead]; it.Deleted {
		t.Errorf("a new message that was read: %+v", it)
	}
	changed := got[all[3]]
	if changed.Stub || changed.Version == first.Version || !changed.Content.Starred || changed.Content.Body.Version != first.Content.Body.Version {
		t.Errorf("labels changed: %+v", changed)
	}
	if diff := cmp.Diff([]sources.Label{{ID: "Label_1", Path: []string{"Later"}}}, changed.Content.Labels); diff != "" {
		t.Error(diff)
	}
	if changed.Title != first.Title || changed.Content.MessageID != first.Content.MessageID || !changed.Content.Received.Equal(first.Content.Received) {
		t.Errorf("got %+v, the first pass had %+v", changed, first)
	}
	if diff := cmp.Diff(mailOf(3), read(t, changed.Content.Body)); diff != "" {
		t.Error(diff)
	}
	refetched, err := s.Fetch(t.Context(), all[3])
	must(t, err)
	if refetched.Version != changed.Version {
		t.Errorf("Fetch gives the version %s, the history gave %s", refetched.Version, changed.Version)
	}
	back := got[inSpam]
	if back.Stub || back.Deleted || !bytes.Equal(read(t, back.Content.Body), mailOf(50)) {
		t.Errorf("taken out of spam: %+v", back)
	}

	server.ResetCounts()
	if items, _ := pass(t, s, next); len(items) != 0 {
		t.Errorf("a pass without changes yields %v", ids(items))
	}
	if diff := cmp.Diff(map[string]int{"gmail.labels.list": 1, "gmail.history.list": 1}, server.Counts()); diff != "" {
		t.Error(diff)
	}
}

func TestMailMissesNothingThatComesDuringTheListing(t *testing.T) {
	d := tenantData(t)
	all := mailbox(t, d, 20)
	c, _ := simulated(t, d, sim.Options{PageSize: 10})
	s := Mail(c, alice, MailOptions{})
	start, err := s.Changes(t.Context(), "")
	must(t, err)
	if len(start.Items) > 0 {
		t.Error("messages come before the history is stored from which they are known")
	}
	page, err := s.Changes(t.Context(), start.Next)
	must(t, err)
	meanwhile := added(t)(d.ImportMail(alice, mailOf(70), "INBOX"))
	must(t, d.Relabel(alice, all[19], []string{"STARRED"}, nil))
	rest, cursor := pass(t, s, page.Next)
	got := ids(rest[len(rest)-2:])
	slices.Sort(got)
	want := []string{all[19], meanwhile}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" || len(rest) != 12 {
		t.Errorf("%d items after the first page, the last of them\n%s", len(rest), diff)
	}
	if items, _ := pass(t, s, cursor); len(items) != 0 {
		t.Errorf("the next pass yields %v", ids(items))
	}
}

func TestMailMissesNothingThatComesDuringTheHistory(t *testing.T) {
	d := tenantData(t)
	mailbox(t, d, 5)
	c, _ := simulated(t, d, sim.Options{PageSize: 10})
	s := Mail(c, alice, MailOptions{})
	_, later := pass(t, s, "")
	for i := range 15 {
		added(t)(d.ImportMail(alice, mailOf(100+i), "INBOX"))
	}
	page, err := s.Changes(t.Context(), later)
	must(t, err)
	if !page.More {
		t.Fatal("one page holds all of the history")
	}
	meanwhile := added(t)(d.ImportMail(alice, mailOf(200), "INBOX"))
	_, cursor := pass(t, s, page.Next)
	items, cursor := pass(t, s, cursor)
	if diff := cmp.Diff([]string{meanwhile}, ids(items)); diff != "" {
		t.Errorf("what came between two pages is not asked for again\n%s", diff)
	}
	if items, _ := pass(t, s, cursor); len(items) != 0 {
		t.Errorf("the pass after that yields %v", ids(items))
	}
}

func TestMailCursorsExpire(t *testing.T) {
	d := tenantData(t)
	mailbox(t, d, 20)
	c, _ := simulated(t, d, sim.Options{PageSize: 10})
	s := Mail(c, alice, MailOptions{})
	start, err := s.Changes(t.Context(), "")
	must(t, err)
	first, err := s.Changes(t.Context(), start.Next)
	must(t, err)
	_, later := pass(t, s, first.Next)
	d.ExpirePageTokens()
	if _, err := s.Changes(t.Context(), first.Next); !errors.Is(err, sources.ErrCursorExpired) {
		t.Errorf("an old page of the listing: %v", err)
	}
	for _, junk := range []sources.Cursor{"x", "{}", `{"phase":"?","history":"1"}`, `{"phase":"relabel","history":"1"}`} {
		if _, err := s.Changes(t.Context(), junk); !errors.Is(err, sources.ErrCursorExpired) {
			t.Errorf("cursor %q: %v", junk, err)
		}
	}
	for i := range 15 {
		added(t)(d.ImportMail(alice, mailOf(100+i), "INBOX"))
	}
	page, err := s.Changes(t.Context(), later)
	must(t, err)
	d.ExpirePageTokens()
	rest, _ := pass(t, s, page.Next)
	if len(rest) != 15 {
		t.Errorf("after an expired page of the history %d messages, want all 15 once more", len(rest))
	}
	must(t, d.Relabel(alice, rest[0].ID, []string{"STARRED"}, nil))
	d.ExpireHistory(alice)
	if _, err := s.Changes(t.Context(), later); !errors.Is(err, sources.ErrCursorExpired) {
		t.Errorf("an old history id: %v", err)
	}
}

func TestMailRenamedLabelBringsItsMessagesAgain(t *testing.T) {
	d := tenantData(t)
	all := mailbox(t, d, 5)
	for _, id := range all[:3] {
		must(t, d.Relabel(alice, id, []string{"Old", "Other"}, nil))
	}
	c, server := simulated(t, d, sim.Options{PageSize: 2})
	renamed := ""
	next := c.base
	c.base = httpx.RoundTrip(func(r *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(r)
		if err != nil || renamed == "" || !strings.HasSuffix(r.URL.Path, "/labels") {
			return res, err
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		res.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(body, []byte(`"Old"`), []byte(`"`+renamed+`"`))))
		return res, err
	})
	s := Mail(c, alice, MailOptions{})
	_, cursor := pass(t, s, "")
	before, err := s.Fetch(t.Context(), all[0])
	must(t, err)
	renamed = "New"
	server.ResetCounts()
	items, after := pass(t, s, cursor)
	got := ids(items)
	slices.Sort(got)
	if diff := cmp.Diff(slices.Sorted(slices.Values(all[:3])), got); diff != "" {
		t.Error(diff)
	}
	for _, it := range items {
		if it.Version == before.Version || it.Content.Body.Version != it.ID {
			t.Errorf("%+v is no change of labels", it)
		}
		if !slices.ContainsFunc(it.Content.Labels, func(l sources.Label) bool { return slices.Equal(l.Path, []string{"New"}) }) {
			t.Errorf("labels %v", it.Content.Labels)
		}
	}
	if n := server.Counts()["gmail.messages.get"]; n != 3 {
		t.Errorf("%d requests for three messages", n)
	}
	if items, _ := pass(t, s, after); len(items) != 0 {
		t.Errorf("the pass after that yields %v", ids(items))
	}
}

func TestMailOfUsersThatCannotBeRead(t *testing.T) {
	d := tenantData(t)
	must(t, d.AddUser(sim.User{Email: "nobox@example.org", NoMailbox: true}))
	must(t, d.AddUser(sim.User{Email: "left@example.org", Deleted: true}))
	id := mailbox(t, d, 1)[0]
	c, server := simulated(t, d, sim.Options{})
	check := func(name string, err error, reason fault.Reason, hint string) {
		t.Helper()
		f := fault.Of(err)
		if f == nil || f.Action != fault.FailTask || f.Reason != reason || !strings.Contains(f.Hint, hint) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	_, err := Mail(c, "nobox@example.org", MailOptions{}).Changes(t.Context(), "")
	check("no mailbox", err, fault.SourceServiceOff, "Admin console")
	_, err = Mail(c, "left@example.org", MailOptions{}).Changes(t.Context(), "")
	check("deleted", err, fault.SourceAccountGone, "accounts file")
	_, err = Mail(c, "nobody@example.org", MailOptions{}).Changes(t.Context(), "")
	check("unknown", err, fault.SourceAccountGone, "accounts file")
	must(t, d.ChangeUser(alice, func(u *sim.User) { u.Suspended = true }))
	s := Mail(c, alice, MailOptions{})
	_, err = s.Changes(t.Context(), "")
	must(t, err)
	for range 3 {
		_, err = s.Fetch(t.Context(), id)
		check("suspended", err, fault.SourceSuspended, "restore the user")
	}
	if n := server.Counts()["directory.users.get"]; n != 1 {
		t.Errorf("the directory was asked %d times", n)
	}
}

func TestMailRefusedMessageHoldsUpNoOther(t *testing.T) {
	d := tenantData(t)
	all := mailbox(t, d, 3)
	c, _ := simulated(t, d, sim.Options{Behaviour: cloudsim.Behaviour{Hook: func(r *http.Request, name string) (cloudsim.Fault, bool) {
		return cloudsim.Fault{Kind: "403", Reason: "forbidden"}, name == "gmail.messages.get" && strings.Contains(r.URL.Path, all[1])
	}}})
	s := Mail(c, alice, MailOptions{})
	_, cursor := pass(t, s, "")
	for _, id := range all {
		must(t, d.Relabel(alice, id, []string{"STARRED"}, nil))
	}
	items, _ := pass(t, s, cursor)
	if len(items) != 3 {
		t.Fatalf("%d items, want 3", len(items))
	}
	for _, it := range items {
		refused := fault.Of(it.Problem) != nil && fault.Of(it.Problem).Reason == fault.SourceForbidden
		if refused != (it.ID == all[1]) || it.Version == "" {
			t.Errorf("%s of version %q: %v", it.ID, it.Version, it.Problem)
		}
	}
}

func TestMailGivesUpWhenEveryMessageIsRefused(t *testing.T) {
	d := tenantData(t)
	id := mailbox(t, d, 1)[0]
	refuse := true
	c, _ := simulated(t, d, sim.Options{Behaviour: cloudsim.Behaviour{Hook: func(_ *http.Request, name string) (cloudsim.Fault, bool) {
		return cloudsim.Fault{Kind: "403", Reason: "forbidden"}, refuse && name == "gmail.messages.get"
	}}})
	s := Mail(c, alice, MailOptions{})
	fetch := func() *fault.Error {
		_, err := s.Fetch(t.Context(), id)
		return fault.Of(err)
	}
	for range maxForbidden - 1 {
		if f := fetch(); f.Action != fault.FailItem || f.Reason != fault.SourceForbidden {
			t.Fatalf("got %v", f)
		}
	}
	refuse = false
	if f := fetch(); f != nil {
		t.Fatalf("got %v", f)
	}
	refuse = true
	for i := range maxForbidden {
		f := fetch()
		if want := i == maxForbidden-1; (f.Action == fault.FailTask) != want {
			t.Errorf("refusal %d in a row: %v", i+1, f)
		}
	}
}

// TestMailLargeMessagesStayOutOfMemory reads a message that does not fit into memory by the rules of the spool.
func TestMailLargeMessagesStayOutOfMemory(t *testing.T) {
	d := tenantData(t)
	raw := append(mailOf(1), bytes.Repeat([]byte("0123456789abcdef\r\n"), 200_000)...)
	id := added(t)(d.ImportMail(alice, raw, "INBOX"))
	c, _ := simulated(t, d, sim.Options{})
	s := Mail(c, alice, MailOptions{})
	it, err := s.Fetch(t.Context(), id)
	must(t, err)
	if !bytes.Equal(read(t, it.Content.Body), raw) {
		t.Error("other bytes than were stored")
	}
	it.Release()
	// With a directory that is not there the spool cannot leave memory: that must be said, not worked around.
	c.options.TempDir = filepath.Join(t.TempDir(), "missing")
	if _, err := s.Fetch(t.Context(), id); fault.Of(err).Reason != fault.LocalDisk {
		t.Errorf("got %v", err)
	}
}

func TestMailOfRealMessages(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data", "mail")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("no test data")
	}
	d := tenantData(t)
	want := map[string][]byte{}
	must(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".eml") || len(want) >= 300 {
			return err
		}
		raw, err := os.ReadFile(path)
		if err == nil {
			want[added(t)(d.AddMessage(alice, sim.Message{Raw: cloudsim.Bytes(raw), Labels: []string{"INBOX"}, Date: time.Unix(1e9, 0)}))] = raw
		}
		return err
	}))
	if len(want) == 0 {
		t.Fatal("no mail in the test data")
	}
	c, _ := simulated(t, d, sim.Options{})
	s := Mail(c, alice, MailOptions{})
	items, _ := pass(t, s, "")
	for _, stub := range items {
		it, err := s.Fetch(t.Context(), stub.ID)
		must(t, err)
		if !bytes.Equal(read(t, it.Content.Body), want[it.ID]) {
			t.Errorf("%s: other bytes than were stored", it.ID)
		}
		it.Release()
		delete(want, it.ID)
	}
	if len(want) > 0 {
		t.Errorf("%d messages were not listed", len(want))
	}
}
