package microsoft

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/quickxor"
	"codeberg.org/repatriate/repatriate/sources"
)

// drives is a scripted OneDrive whose delta answers come by token.
type drives struct {
	t     *testing.T
	url   string
	pages map[string]string // by token; %s stands for the URL of the delta
	item  string
	data  []byte

	links   atomic.Int64 // download links given out; only the last is good
	expire  atomic.Int64 // downloads that find their link expired
	cut     atomic.Int64 // downloads that break off
	noRange bool
	etags   []string // of the downloads in their order
}

func (d *drives) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/v1.0/users/anna@contoso.test/drive":
		_, _ = io.WriteString(w, `{"id":"b!1"}`)
	case r.URL.Path == "/v1.0/drives/b!1/root":
		_, _ = io.WriteString(w, `{"id":"ROOT"}`)
	case r.URL.Path == "/v1.0/drives/b!1/root/delta":
		d.delta(w, r)
	case r.URL.Path == "/v1.0/drives/b!1/items/F/content":
		w.Header().Set("Location", fmt.Sprintf("%s/download?tempauth=%d", d.url, d.links.Add(1)))
		w.WriteHeader(http.StatusFound)
	case r.URL.Path == "/v1.0/drives/b!1/items/F":
		_, _ = io.WriteString(w, d.item)
	default:
		http.NotFound(w, r)
	}
}

func (d *drives) delta(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("token") == "refused" {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":{"code":"invalidRequest","message":"Invalid token"}}`)
		return
	}
	page, ok := d.pages[q.Get("token")]
	if !ok {
		w.Header().Set("Location", d.url+"/v1.0/drives/b!1/root/delta?token=")
		w.WriteHeader(http.StatusGone)
		_, _ = io.WriteString(w, `{"error":{"code":"resyncRequired","innerError":{"code":"resyncChangesApplyDifferences"}}}`)
		return
	}
	_, _ = io.WriteString(w, strings.ReplaceAll(page, "%s", d.url+"/v1.0/drives/b!1/root/delta"))
}

// download is the store behind pre-authenticated URLs.
func (d *drives) download(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header.Get("Authorization") != "" || r.Header.Get("Accept") == "":
		d.t.Errorf("a download with the headers %v", r.Header)
	case r.URL.Query().Get("tempauth") != strconv.FormatInt(d.links.Load(), 10) || d.expire.Add(-1) >= 0:
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	from := 0
	if v, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok && !d.noRange {
		from, _ = strconv.Atoi(strings.TrimSuffix(v, "-"))
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(d.data)-1, len(d.data)))
	}
	if len(d.etags) > 0 {
		w.Header().Set("ETag", d.etags[0])
		d.etags = d.etags[1:]
	}
	rest := d.data[from:]
	w.Header().Set("Content-Length", strconv.Itoa(len(rest)))
	if from > 0 {
		w.WriteHeader(http.StatusPartialContent)
	}
	if d.cut.Add(-1) >= 0 {
		_, _ = w.Write(rest[:len(rest)/2])
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(rest)
}

func newDrives(t *testing.T) (*drives, *Client) {
	t.Helper()
	d := &drives{t: t}
	s, c := newTenant(t, d.ServeHTTP)
	d.url = s.URL
	s.open = map[string]http.HandlerFunc{"/download": d.download}
	return d, c
}

func quick(data []byte) string {
	h := quickxor.New()
	_, _ = h.Write(data)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func file(id, parent, name string, data []byte) string {
	return fmt.Sprintf(`{"id":%q,"name":%q,"size":%d,"parentReference":{"id":%q},"file":{"mimeType":"x/y","hashes":{"quickXorHash":%q}},
		"fileSystemInfo":{"createdDateTime":"2020-01-02T03:04:05Z","lastModifiedDateTime":"2021-01-02T03:04:05Z"}}`, id, name, len(data), parent, quick(data))
}

func facet(id, parent, name, facet string) string {
	return fmt.Sprintf(`{"id":%q,"name":%q,"parentReference":{"id":%q},%s}`, id, name, parent, facet)
}

// TestARefusedDeltaOfADrive: of drives Graph documents 410 alone for a position that it has forgotten. A 400 is an error that can be read, and
// the position stays.
func TestARefusedDeltaOfADrive(t *testing.T) {
	d, c := newDrives(t)
	d.pages = map[string]string{"": `{"@odata.deltaLink":"%s?token=refused","value":[{"id":"ROOT","root":{},"folder":{}}]}`}
	s := Drive(c, "anna@contoso.test")
	first, err := s.Changes(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err = s.Changes(t.Context(), first.Next)
		if err == nil || errors.Is(err, sources.ErrCursorExpired) || !strings.Contains(err.Error(), "invalidRequest") {
			t.Errorf("a delta that is refused: %v", err)
		}
	}
	delete(d.pages, "")
	if _, err := s.Changes(t.Context(), "no cursor of this program"); !errors.Is(err, sources.ErrCursorExpired) {
		t.Errorf("a position that cannot be read: %v", err)
	}
}

func TestADriveIsReadByDelta(t *testing.T) {
	d, c := newDrives(t)
	d.pages = map[string]string{
		"": `{"@odata.nextLink":"%s?token=2","value":[` + strings.Join([]string{
			`{"id":"ROOT","root":{},"folder":{}}`,
			file("F", "A", "old.txt", []byte("old")),
			facet("A", "ROOT", "a", `"folder":{}`),
			file("F", "A", "new.txt", []byte("data")),
		}, ",") + `]}`,
		"2": `{"@odata.deltaLink":"%s?token=3","value":[` + strings.Join([]string{
			facet("N", "ROOT", "book", `"package":{"type":"oneNote"}`),
			facet("R", "ROOT", "shared", `"remoteItem":{"name":"theirs","webUrl":"https://contoso.test/x"}`),
			facet("M", "ROOT", "bad.exe", `"file":{},"malware":{"description":"x"}`),
		}, ",") + `]}`,
		"3": `{"@odata.deltaLink":"%s?token=gone","value":[{"id":"A","deleted":{"state":"deleted"}}]}`,
	}
	s := Drive(c, "anna@contoso.test")
	first, err := s.Changes(t.Context(), "")
	if err != nil || !first.Listing || first.ListingDone || !first.More || len(first.Items) != 2 {
		t.Fatalf("got %+v, %v", first, err)
	}
	if a, f := first.Items[0], first.Items[1]; a.Content.Type != sources.Folder || a.Content.ParentID != "" || a.Content.Orphan ||
		f.Content.Name != "new.txt" || f.Content.ParentID != "A" || f.Content.Modified.Year() != 2021 || f.Content.Body.Size != 4 {
		t.Errorf("got %+v", first.Items)
	}
	second, err := s.Changes(t.Context(), first.Next)
	if err != nil || !second.Listing || !second.ListingDone || second.More || len(second.Items) != 3 {
		t.Fatalf("got %+v, %v", second, err)
	}
	for i, want := range []fault.Reason{fault.SourceNoExport, "", fault.SourceMalware} {
		got := second.Items[i].Problem
		if (got == nil) != (want == "") || got != nil && fault.Of(got).Reason != want {
			t.Errorf("%s: got the problem %v, want %s", second.Items[i].ID, got, want)
		}
	}
	if r := second.Items[1].Content; r.Type != sources.Shortcut || r.TargetLink != "https://contoso.test/x" {
		t.Errorf("got %+v", r)
	}
	third, err := s.Changes(t.Context(), second.Next)
	if err != nil || third.Listing || third.More || len(third.Items) != 1 || !third.Items[0].Deleted {
		t.Fatalf("got %+v, %v", third, err)
	}
	if _, err := s.Changes(t.Context(), third.Next); !errors.Is(err, sources.ErrCursorExpired) {
		t.Errorf("got %v", err)
	}
}

func read(t *testing.T, b sources.Body) ([]byte, error) {
	t.Helper()
	r, err := b.Open(t.Context())
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestADownloadComesWhole(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	for name, set := range map[string]func(*drives){
		"undisturbed":     func(*drives) {},
		"cut three times": func(d *drives) { d.cut.Store(3) },
		"cut, no ranges":  func(d *drives) { d.cut.Store(1); d.noRange = true },
	} {
		t.Run(name, func(t *testing.T) {
			d, c := newDrives(t)
			d.data, d.item = data, file("F", "ROOT", "a.bin", data)
			set(d)
			i, err := Library(c, "b!1").Fetch(t.Context(), "F")
			if err != nil {
				t.Fatal(err)
			}
			if got, err := read(t, i.Content.Body); err != nil || !bytes.Equal(got, data) {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
		})
	}
}

func TestALinkThatIsRefusedAtOnceIsTriedLater(t *testing.T) {
	d, c := newDrives(t)
	d.data, d.item = []byte("data"), file("F", "ROOT", "a.bin", []byte("data"))
	d.expire.Store(100)
	i, err := Library(c, "b!1").Fetch(t.Context(), "F")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := read(t, i.Content.Body); err == nil || fault.Of(err).Action != fault.Retry || d.links.Load() > 4 || strings.Contains(err.Error(), "tempauth") {
		t.Errorf("got %v after %d links", err, d.links.Load())
	}
}

func TestALinkExpiresInTheMiddle(t *testing.T) {
	data := bytes.Repeat([]byte("x"), 300_000)
	d, c := newDrives(t)
	d.data, d.item = data, file("F", "ROOT", "a.bin", data)
	d.cut.Store(1)
	i, err := Library(c, "b!1").Fetch(t.Context(), "F")
	if err != nil {
		t.Fatal(err)
	}
	r, err := i.Content.Body.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	d.expire.Store(1)
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) || d.links.Load() != 2 {
		t.Errorf("got %d bytes with %d links, %v", len(got), d.links.Load(), err)
	}
}

func TestWrongBytesAreNoticed(t *testing.T) {
	d, c := newDrives(t)
	d.data = []byte("date")
	for name, want := range map[string]bool{"a.bin": false, "a.docx": true} {
		d.item = file("F", "ROOT", name, []byte("data"))
		i, err := Library(c, "b!1").Fetch(t.Context(), "F")
		if err != nil {
			t.Fatal(err)
		}
		b := i.Content.Body
		_, err = read(t, b)
		if got := b.Differs != nil && b.Differs() == sources.Rewritten; got != want {
			t.Errorf("%s: differs is %v", name, got)
		}
		if (err == nil) != want || err != nil && fault.Of(err).Reason != fault.SourceHashMismatch {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAFileThatIsAsStatedDoesNotDiffer(t *testing.T) {
	d, c := newDrives(t)
	d.data, d.item = []byte("data"), file("F", "ROOT", "a.DOCX", []byte("data"))
	i, err := Library(c, "b!1").Fetch(t.Context(), "F")
	if err != nil {
		t.Fatal(err)
	}
	b := i.Content.Body
	if got, err := read(t, b); err != nil || string(got) != "data" || b.Differs() != "" {
		t.Errorf("got %q, %v, differs %q", got, err, b.Differs())
	}
}

func TestAFileThatChangesMeanwhileIsNotMixed(t *testing.T) {
	for name, row := range map[string]struct {
		etags []string
		want  bool
	}{"same": {[]string{`"1"`, `"1"`}, true}, "changed": {[]string{`"1"`, `"2"`}, false}, "silent": {nil, true}} {
		d, c := newDrives(t)
		data := bytes.Repeat([]byte("x"), 300_000)
		d.data, d.item, d.etags = data, file("F", "ROOT", "a.docx", data), row.etags
		d.cut.Store(1)
		i, err := Library(c, "b!1").Fetch(t.Context(), "F")
		if err != nil {
			t.Fatal(err)
		}
		_, err = read(t, i.Content.Body)
		if (err == nil) != row.want || err != nil && !errors.Is(err, errChanged) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
