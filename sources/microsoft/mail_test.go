package microsoft

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// mailbox is a scripted mailbox: what each folder's delta answers, and where each message is now.
type mailbox struct {
	t        *testing.T
	url      string
	folders  map[string]string   // by parent's id, "" at the top: the members of the collection
	delta    map[string][]string // by folder and token
	where    map[string]string   // the message's JSON by id; missing: gone
	requests atomic.Int64
	refuse   atomic.Int64 // large delta pages that end with an empty 503
}

func newMailbox(t *testing.T) (*mailbox, *Client) {
	t.Helper()
	m := &mailbox{t: t, where: map[string]string{}, delta: map[string][]string{}, folders: map[string]string{
		"":  `{"id":"I","displayName":"Posteingang","childFolderCount":1},{"id":"T","displayName":"Papierkorb"},{"id":"S","displayName":"x","@odata.type":"#microsoft.graph.mailSearchFolder"}`,
		"I": `{"id":"P","displayName":"Projekte/2024"}`,
	}}
	s, c := newTenant(t, m.ServeHTTP)
	m.url = s.URL
	return m, c
}

func (m *mailbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.requests.Add(1)
	path := strings.TrimPrefix(r.URL.Path, "/v1.0/users/anna@contoso.test/")
	if !strings.Contains(r.Header.Get("Prefer"), `IdType="ImmutableId"`) && path != "/v1.0/$batch" {
		m.t.Errorf("%s without immutable ids", r.URL)
	}
	parts := strings.Split(path, "/")
	switch {
	case path == "/v1.0/$batch":
		answerBatch(w, r, m.inBatch)
	case path == "mailFolders" || len(parts) == 3 && parts[2] == "childFolders":
		if r.URL.Query().Get("includeHiddenFolders") != "true" {
			m.t.Errorf("%s leaves hidden folders out", r.URL)
		}
		fmt.Fprintf(w, `{"value":[%s]}`, m.folders[strings.Join(parts[1:min(2, len(parts))], "")])
	case strings.HasSuffix(path, "/messages/delta"):
		m.answerDelta(w, r, parts[1])
	case strings.HasSuffix(path, "/$value"):
		_, _ = io.WriteString(w, "Subject: x\r\n\r\ntext\r\n")
	default:
		_, _ = io.WriteString(w, m.where[parts[1]])
	}
}

func (m *mailbox) inBatch(path string) (int, string) {
	if at, _, _ := strings.Cut(path, "?"); strings.HasSuffix(at, "/messages/delta") {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Prefer", mailPage)
		w := httptest.NewRecorder()
		m.answerDelta(w, r, strings.Split(at, "/")[4])
		return w.Code, cmp.Or(w.Body.String(), "null")
	}
	path, _, _ = strings.Cut(strings.TrimPrefix(path, "/users/anna@contoso.test/"), "?")
	kind, id, _ := strings.Cut(path, "/")
	known := map[string]string{"inbox": `{"id":"I"}`, "deleteditems": `{"id":"T"}`}
	if kind == "messages" {
		known = m.where
	}
	if body, ok := known[id]; ok {
		return 200, body
	}
	return 404, `{"error":{"code":"ErrorItemNotFound","message":"The specified object was not found in the store."}}`
}

func (m *mailbox) answerDelta(w http.ResponseWriter, r *http.Request, folder string) {
	if r.URL.Query().Get("$top") != "" {
		m.t.Error("$top limits the whole delta and must not be sent")
	}
	if r.Header.Get("Prefer") != smallMailPage && m.refuse.Add(-1) >= 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	token := r.URL.Query().Get("$deltatoken")
	page, ok := m.delta[folder+token]
	if token == "old" {
		w.WriteHeader(http.StatusGone)
		_, _ = io.WriteString(w, `{"error":{"code":"SyncStateNotFound"}}`)
		return
	}
	kind, next := "deltaLink", token+"+"
	if ok && page[0] == "more" {
		kind, page = "nextLink", page[1:]
	}
	fmt.Fprintf(w, `{"@odata.%s":%q,"value":[%s]}`, kind,
		m.url+"/v1.0/users/anna@contoso.test/mailFolders/"+folder+"/messages/delta?$deltatoken="+strings.ReplaceAll(next, "+", "%2B"), strings.Join(page, ","))
}

func mailJSON(id, folder, more string) string {
	return fmt.Sprintf(`{"id":%q,"parentFolderId":%q,"subject":"about\r\n%s","receivedDateTime":"2024-05-01T10:00:00Z","internetMessageId":"<%s@x>"%s}`,
		id, folder, id, id, more)
}

// pass reads until a page says that there is no more, and returns the items in words.
func pass(t *testing.T, s sources.Source[sources.Message], at sources.Cursor) (words []string, next sources.Cursor, done bool) {
	t.Helper()
	for more := true; more; {
		page, err := s.Changes(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range page.Items {
			word := i.ID
			if i.Deleted {
				word += " deleted"
			} else {
				word += " " + strings.Join(i.Content.Labels[0].Path, "|")
			}
			words = append(words, word)
		}
		at, more, done = page.Next, page.More, page.ListingDone
	}
	slices.Sort(words)
	return words, at, done
}

func wantPass(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestAMailboxIsReadByFolders(t *testing.T) {
	m, c := newMailbox(t)
	m.delta["I"] = []string{"more", mailJSON("1", "I", ""), mailJSON("1", "I", `,"isRead":true`)}
	m.delta["I+"] = []string{mailJSON("2", "I", "")}
	m.delta["P"] = []string{mailJSON("3", "P", "")}
	s := Mail(c, "anna@contoso.test", MailOptions{})
	got, next, done := pass(t, s, "")
	wantPass(t, got, "1 Posteingang", "2 Posteingang", "3 Posteingang|Projekte/2024")
	if !done {
		t.Error("the listing did not end")
	}
	before := m.requests.Load()
	if got, next, done = pass(t, s, next); len(got) > 0 || done {
		t.Errorf("a second pass got %q, listing %v", got, done)
	}
	if n := m.requests.Load() - before; n > 4 {
		t.Errorf("a second pass took %d requests", n)
	}
	// One message was moved, one deleted, one put into the trash.
	m.delta["I+++"] = []string{`{"id":"1","@removed":{"reason":"deleted"}}`, `{"id":"2","@removed":{"reason":"deleted"}}`}
	m.delta["P++"] = []string{`{"id":"3","@removed":{"reason":"changed"}}`, mailJSON("1", "P", "")}
	m.where["1"], m.where["3"] = mailJSON("1", "P", ""), mailJSON("3", "T", "")
	got, next, _ = pass(t, s, next)
	wantPass(t, got, "1 Posteingang|Projekte/2024", "2 deleted", "3 deleted")
	// A renamed folder brings its messages again, under its new name, after what left it.
	m.folders["I"] = `{"id":"P","displayName":"Alt"}`
	m.delta["P"] = []string{mailJSON("1", "P", "")}
	m.delta["P+++"] = []string{`{"id":"4","@removed":{"reason":"deleted"}}`}
	got, next, _ = pass(t, s, next)
	wantPass(t, got, "1 Posteingang|Alt", "4 deleted")
	m.folders["I"] = ``
	if _, err := s.Changes(t.Context(), next); !errors.Is(err, sources.ErrCursorExpired) {
		t.Errorf("a deleted folder: got %v", err)
	}
}

func TestAnEmptyRefusalIsAskedForLess(t *testing.T) {
	m, c := newMailbox(t)
	m.delta["I"] = []string{mailJSON("1", "I", "")}
	m.refuse.Store(2)
	got, _, _ := pass(t, Mail(c, "anna@contoso.test", MailOptions{}), "")
	wantPass(t, got, "1 Posteingang")
}

func TestAnExpiredDeltaOfMail(t *testing.T) {
	_, c := newMailbox(t)
	cur := mailCursor{Left: []string{"I"}, Links: map[string]sources.Cursor{"I": "users/anna@contoso.test/mailFolders/I/messages/delta?$deltatoken=old"}}
	if _, err := Mail(c, "anna@contoso.test", MailOptions{}).Changes(t.Context(), cur.encode()); !errors.Is(err, sources.ErrCursorExpired) {
		t.Errorf("got %v", err)
	}
}

func TestAMessageWithItsState(t *testing.T) {
	m, c := newMailbox(t)
	s := Mail(c, "anna@contoso.test", MailOptions{})
	versions := map[string]bool{}
	for _, more := range []string{``, `,"isRead":true`, `,"isDraft":true,"changeKey":"a"`, `,"isDraft":true,"changeKey":"b"`, `,"importance":"high"`,
		`,"flag":{"flagStatus":"flagged"}`, `,"categories":["Red"]`, `,"singleValueExtendedProperties":[{"id":"Integer 0x1081","value":"102"}]`,
		`,"singleValueExtendedProperties":[{"id":"Integer 0x1081","value":"104"}]`} {
		m.where["1"] = mailJSON("1", "I", more)
		i, err := s.Fetch(t.Context(), "1")
		if err != nil {
			t.Fatal(err)
		}
		v := i.Content
		if versions[i.Version] || v.Labels[0].Role != sources.RoleInbox || v.MessageID != "1@x" || v.Received.Year() != 2024 || i.Title != "about  1" {
			t.Errorf("%s: got %+v", more, i)
		}
		for flag, set := range map[string]bool{"isRead": v.Read, "isDraft": v.Draft, "high": v.Important, "flagged": v.Starred, "Red": len(v.Categories) == 1, "102": v.Answered, "104": v.Forwarded} {
			if set != strings.Contains(more, flag) {
				t.Errorf("%s: %s is %v", more, flag, set)
			}
		}
		versions[i.Version] = true
		r, err := v.Body.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(r); err != nil || string(body) != "Subject: x\r\n\r\ntext\r\n" {
			t.Errorf("got %q, %v", body, err)
		}
		_ = r.Close()
	}
	m.where["1"] = mailJSON("1", "T", "")
	if _, err := s.Fetch(t.Context(), "1"); !errors.Is(err, sources.ErrGone) || fault.Of(err).Reason != fault.SourceDeleted {
		t.Errorf("in the trash: got %v", err)
	}
}
