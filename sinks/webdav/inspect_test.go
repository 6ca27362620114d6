package webdav_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/studio-b12/gowebdav"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/sinktest"
	"codeberg.org/repatriate/repatriate/sinks/webdav"
)

func foreign(s *webdav.Sink, w sinks.Written) bool {
	return s.Expect(sinks.Proof{Receipt: w.Receipt}).Foreign
}

func TestWhatWasThereBefore(t *testing.T) { eachServer(t, testWhatWasThereBefore) }

// What the user had before is remembered as such until the program writes bytes of its own.
func testWhatWasThereBefore(t *testing.T, s *webdav.Sink, other *gowebdav.Client) {
	mine := file(1)
	data, err := io.ReadAll(must(mine.Content.Body.Open(t.Context())))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(other.Write(mine.Content.Path[0], data, 0), other.Mkdir("folder", 0)); err != nil {
		t.Fatal(err)
	}
	w := mustPut(t, s, mine, sinks.Receipt{})
	if !foreign(s, w) {
		t.Error("a file that was there is taken for the sink's own")
	}
	w = mustPut(t, s, at(file(1), "elsewhere"), w.Receipt)
	if !foreign(s, w) {
		t.Error("a file that was there is forgotten when it is moved")
	}
	if w = mustPut(t, s, at(file(1), "elsewhere"), w.Receipt); !foreign(s, w) {
		t.Error("a file that was there is forgotten in the next pass")
	}
	if w = mustPut(t, s, at(changed(file(1)), "elsewhere"), w.Receipt); foreign(s, w) {
		t.Error("what the sink wrote is not taken for its own")
	}
	if w := mustPut(t, s, file(2), sinks.Receipt{}); foreign(s, w) {
		t.Error("a new file is taken for one that was there")
	}
	f := mustPut(t, s, folder("folder"), sinks.Receipt{})
	if !foreign(s, f) || !foreign(s, mustPut(t, s, folder("folder"), f.Receipt)) || !foreign(s, mustPut(t, s, folder("moved folder"), f.Receipt)) {
		t.Error("a folder that was there is taken for the sink's own")
	}
	if foreign(s, mustPut(t, s, folder("new folder"), sinks.Receipt{})) {
		t.Error("a new folder is taken for one that was there")
	}
}

func must(r io.ReadCloser, err error) io.Reader {
	if err != nil {
		panic(err)
	}
	return r
}

// A document that is converted anew each time is proved by what lies there.
func TestDocumentConvertedAnew(t *testing.T) {
	eachServer(t, func(t *testing.T, s *webdav.Sink, _ *gowebdav.Client) {
		readings := 0
		item := file(1)
		item.Content.Body.Size = -1
		item.Content.Body.Open = func(context.Context) (io.ReadCloser, error) {
			readings++
			return io.NopCloser(strings.NewReader(fmt.Sprintf("reading %d", readings))), nil
		}
		first := mustPut(t, s, item, sinks.Receipt{})
		item.Again = true
		w, err := s.Put(t.Context(), item, sinks.Receipt{})
		if fault.Of(err) != nil && fault.Of(err).Reason == fault.TargetConflict {
			return // a server that keeps no times: the other bytes are somebody else's
		}
		if err != nil {
			t.Fatal(err)
		}
		if want := "sha256:" + sinktest.Digest([]byte("reading 1")); w.Digest != want || first.Digest != "" {
			t.Errorf("the digests are %q and %q, want the second %q", first.Digest, w.Digest, want)
		}
	})
}

// A byte that changed on the disk is found by reading; a change that the server tells of is the user's.
func TestFlippedByte(t *testing.T) {
	server := realserver.Apache(t, realserver.ApacheOptions{})
	opts, _ := userOf(server).account(t)
	s := open(t, opts)
	item := file(1)
	w := mustPut(t, s, item, sinks.Receipt{})
	p := sinks.Proof{Receipt: w.Receipt, Bytes: item.Content.Body.Size, Digest: "sha256:" + sinktest.BodyDigest(t, item.Content.Body)}
	wantVerdicts(t, s, p, sinks.Alike, sinks.Same)

	root := strings.ReplaceAll(filepath.Base(opts.URL), "%20", " ")
	on := filepath.Join(server.Dir, "data", server.User(1).User, root, w.Receipt.Location)
	was, err := os.Stat(on)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(on)
	if err != nil {
		t.Fatal(err)
	}
	data[100] ^= 1
	if err := errors.Join(os.WriteFile(on, data, 0), os.Chtimes(on, was.ModTime(), was.ModTime())); err != nil {
		t.Fatal(err)
	}
	wantVerdicts(t, s, p, sinks.Alike, sinks.Differs)
	if err := os.Chtimes(on, was.ModTime(), was.ModTime().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	wantVerdicts(t, s, p, sinks.Touched, sinks.Touched)
	data[100] ^= 1
	if err := errors.Join(os.WriteFile(on, data, 0), os.Chtimes(on, was.ModTime(), was.ModTime().Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	wantVerdicts(t, s, p, sinks.Touched, sinks.Same)
	if err := errors.Join(os.Truncate(on, 5), os.Chtimes(on, was.ModTime(), was.ModTime())); err != nil {
		t.Fatal(err)
	}
	wantVerdicts(t, s, p, sinks.Touched, sinks.Touched)
}

func wantVerdicts(t *testing.T, s *webdav.Sink, p sinks.Proof, listed, read sinks.Verdict) {
	t.Helper()
	for o, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if o.Location != p.Receipt.Location {
			continue
		}
		whole, err := s.Read(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if l, r := s.Compare(o, p), s.Compare(whole, p); l != listed || r != read {
			t.Errorf("listed the file is %s, read it is %s; want %s, %s: %+v\n%+v\n%+v", l, r, listed, read, o, whole, p)
		}
		return
	}
	t.Errorf("%s is not listed", p.Receipt.Location)
}

// A file whose size is another one although its version is not is damaged.
func TestVersionWithoutSize(t *testing.T) {
	var s webdav.Sink
	p := sinks.Proof{Receipt: sinks.Receipt{Location: "f", Version: `"1"`, State: `{"size":10}`}, Digest: "sha256:aa"}
	for _, c := range []struct {
		o    sinks.Object
		want sinks.Verdict
	}{
		{sinks.Object{Version: `"1"`, Size: 10}, sinks.Alike},
		{sinks.Object{Version: `"1"`, Size: -1}, sinks.Alike},
		{sinks.Object{Version: `"1"`, Size: 9}, sinks.Differs},
		{sinks.Object{Version: `"2"`, Size: 9}, sinks.Touched},
		{sinks.Object{Version: `"2"`, Size: 10, Digest: "sha256:aa"}, sinks.Same},
		{sinks.Object{Version: `"2"`, Size: 17, Digest: "sha256:aa"}, sinks.Touched}, // the digest of the upload, and somebody's bytes
		{sinks.Object{Version: `"1"`, Size: 17, Digest: "sha256:aa"}, sinks.Differs},
		{sinks.Object{Version: `"1"`, Size: 10, Digest: "sha256:bb"}, sinks.Differs},
		{sinks.Object{Folder: true, Size: -1}, sinks.Touched},
	} {
		if got := s.Compare(c.o, p); got != c.want {
			t.Errorf("%+v is %s, want %s", c.o, got, c.want)
		}
	}
	made := sinks.Proof{Receipt: sinks.Receipt{Location: "d", State: `{"folder":true,"size":0}`}}
	if got := s.Compare(sinks.Object{Folder: true}, made); got != sinks.Same {
		t.Errorf("a folder is %s", got)
	}
	if got := s.Compare(sinks.Object{Size: 1}, made); got != sinks.Touched {
		t.Errorf("a file in a folder's place is %s", got)
	}
}

// stated is a server that has one folder, and states what responses says.
func stated(t *testing.T, responses func(w io.Writer), body func(w http.ResponseWriter)) *webdav.Sink {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			body(w)
			return
		}
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = io.WriteString(w, `<d:multistatus xmlns:d="DAV:" xmlns:o="http://owncloud.org/ns">`+response("/", "<d:resourcetype><d:collection/></d:resourcetype>"))
		if r.Header.Get("Depth") == "1" {
			responses(w)
		}
		_, _ = io.WriteString(w, "</d:multistatus>")
	}))
	t.Cleanup(server.Close)
	return open(t, webdav.Options{URL: server.URL, User: "u", Password: "p"})
}

func response(href, prop string) string {
	return "<d:response><d:href>" + href + "</d:href><d:propstat><d:prop>" + prop + "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
}

func TestNamesThatLeadOut(t *testing.T) {
	sum := strings.Repeat("AB", 32)
	s := stated(t, func(w io.Writer) {
		for _, href := range []string{"/..", "/.", "/%2e%2e", "/a%2Fb", "/a%00b", "//", "/fine", "http://elsewhere.example/also%20fine"} {
			_, _ = io.WriteString(w, response(href, "<d:getcontentlength>3</d:getcontentlength><o:checksums><o:checksum>MD5:00 SHA256:"+sum+"</o:checksum></o:checksums>"))
		}
	}, nil)
	var names []string
	for o, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, o.Location)
		if o.Digest != "sha256:"+strings.ToLower(sum) || o.Twin != "size:3" {
			t.Errorf("listed is %+v", o)
		}
	}
	if want := []string{"fine", "also fine"}; !slices.Equal(names, want) {
		t.Errorf("listed are %q, want %q", names, want)
	}
	for _, place := range []string{"../up", "a//b", ".."} {
		for _, err := range s.List(t.Context(), place) {
			wantFault(t, "List of "+place, err, fault.FailItem, fault.TargetInvalid)
		}
	}
	for _, err := range s.List(t.Context(), strings.Repeat("deep/", 10_000)+"deep") {
		wantFault(t, "List of a place without end", err, fault.FailItem, fault.TargetBadAnswer)
	}
}

// A folder with more members than are kept is given while it comes in.
func TestLargeFolder(t *testing.T) {
	const n = 45_000
	s := stated(t, func(w io.Writer) {
		for i := range n {
			_, _ = io.WriteString(w, response(fmt.Sprintf("/f%d", i), ""))
		}
	}, nil)
	seen := 0
	for o, err := range s.List(t.Context(), "") {
		if err != nil || o.Location != fmt.Sprintf("f%d", seen) || o.Size != -1 {
			t.Fatalf("number %d is %+v, %v", seen, o, err)
		}
		seen++
	}
	if seen != n {
		t.Errorf("%d of %d are listed", seen, n)
	}
	for _, left := range []int{10, n - 10} {
		for _, err := range s.List(t.Context(), "") {
			if left--; left == 0 || err != nil {
				break
			}
		}
	}
}

// A body that has no end, or breaks off, ends with an error.
func TestReadOfHostileBodies(t *testing.T) {
	endless := stated(t, nil, func(w http.ResponseWriter) { _, _ = io.Copy(w, io.LimitReader(zeros{}, 64<<20)) })
	_, err := endless.Read(t.Context(), sinks.Object{Location: "f", Size: 100})
	wantFault(t, "Read of a body without end", err, fault.Retry, fault.TargetBadAnswer)
	cut := stated(t, nil, func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write(bytes.Repeat([]byte("x"), 500))
	})
	_, err = cut.Read(t.Context(), sinks.Object{Location: "f", Size: 1000})
	wantFault(t, "Read of a body that breaks off", err, fault.Retry, fault.TargetUnavailable)
	gone := stated(t, nil, func(w http.ResponseWriter) { w.WriteHeader(http.StatusGone) })
	if _, err = gone.Read(t.Context(), sinks.Object{Location: "f", Size: -1}); !errors.Is(err, sinks.ErrNothing) {
		t.Errorf("Read of what is gone: %v", err)
	}
}
