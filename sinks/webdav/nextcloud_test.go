package webdav_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/sinktest"
	"codeberg.org/repatriate/repatriate/sinks/webdav"
	"codeberg.org/repatriate/repatriate/sinks/webdav/nextcloudtest"
)

func TestTimesAndChecksumAreSent(t *testing.T) {
	server, s, _ := metered(t, nextcloudtest.Options{NoBulk: true})
	item := at(file(1), "f")
	data := []byte("hello")
	sum := md5.Sum(data)
	item.Content.Body = sinktest.Bytes("v", data)
	item.Content.Body.MD5 = hex.EncodeToString(sum[:])
	item.Content.Created = time.Unix(1500000000, 0)
	item.Content.MediaType = "text/plain; charset=utf-8"
	w := mustPut(t, s, item, sinks.Receipt{})
	if got := server.Modified("f"); !got.Equal(item.Content.Modified) {
		t.Errorf("the server keeps %v", got)
	}
	if got := server.Checksum("f"); got != "MD5:"+item.Content.Body.MD5 {
		t.Errorf("the server keeps the checksum %q", got)
	}
	r := server.Requests()
	if len(r) != 1 || r[0].Header.Get("X-OC-CTime") != "1500000000" || r[0].Header.Get("If-None-Match") != "*" || r[0].Bytes != 5 {
		t.Errorf("sent %+v", r)
	}
	if w.Receipt.Version == "" {
		t.Error("the receipt has no ETag")
	}
	item.Content.MediaType = "text/plain\r\nX-Evil: 1"
	mustPut(t, s, at(item, "g"), sinks.Receipt{})
	if r := server.Requests(); r[0].Header.Get("X-Evil") != "" || r[0].Header.Get("Content-Type") != "" {
		t.Errorf("a broken media type was sent as %v", r[0].Header)
	}
}

// TestConvertedAgain: a document that is exported twice has other bytes each time.
func TestConvertedAgain(t *testing.T) {
	_, s, _ := metered(t, nextcloudtest.Options{NoBulk: true})
	item := at(file(1), "f")
	item.Content.Body.Size = -1
	w := mustPut(t, s, item, sinks.Receipt{})
	item.Again = true
	item.Content.Body.Open = func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("the same words in another archive")), nil
	}
	got := mustPut(t, s, item, sinks.Receipt{})
	if !got.Unchanged || got.Receipt.Version != w.Receipt.Version {
		t.Errorf("adopted %+v, written was %+v", got, w)
	}
	item.Again = false
	_, err := s.Put(t.Context(), item, sinks.Receipt{})
	wantConflict(t, "a new document where another lies", err)
}

func chunkSink(t *testing.T, o nextcloudtest.Options) (*nextcloudtest.Server, *webdav.Sink) {
	t.Helper()
	server := nextcloudtest.Start(t, o)
	s := open(t, webdav.Options{
		URL: server.URL(), User: "u1", Password: "secret", BulkSize: -1, ChunkThreshold: 250, ChunkSize: 100, AssemblyPause: time.Millisecond,
	})
	server.Requests()
	return server, s
}

func count(requests []nextcloudtest.Request, method, part string) (n int) {
	for _, r := range requests {
		if r.Method == method && strings.Contains(r.Path, part) {
			n++
		}
	}
	return n
}

func TestChunksGoOnWhereTheyWereCut(t *testing.T) {
	server, s := chunkSink(t, nextcloudtest.Options{})
	item := file(1) // some 900 bytes
	whole := item.Content.Body.Open
	cut := errors.New("cut")
	item.Content.Body.Open = func(ctx context.Context) (io.ReadCloser, error) {
		r, err := whole(ctx)
		return io.NopCloser(io.MultiReader(io.LimitReader(r, 350), failingReader{cut})), err
	}
	if _, err := s.Put(t.Context(), item, sinks.Receipt{}); !errors.Is(err, cut) {
		t.Fatalf("Put of a body that breaks off: %v", err)
	}
	for name, chunks := range server.Chunks() {
		if len(chunks) != 3 {
			t.Errorf("the first attempt left %v in %s", chunks, name)
		}
	}
	server.Requests()
	read := 0
	item.Content.Body.Open = func(ctx context.Context) (io.ReadCloser, error) {
		r, err := whole(ctx)
		return io.NopCloser(countingReader{r, &read}), err
	}
	mustPut(t, s, item, sinks.Receipt{})
	second := server.Requests()
	for _, r := range second {
		if r.Method == http.MethodPut && (strings.HasSuffix(r.Path, "/00001") || strings.HasSuffix(r.Path, "/00002") || strings.HasSuffix(r.Path, "/00003")) {
			t.Errorf("the second attempt sent %s again", r.Path)
		}
	}
	if count(second, "PUT", "/00010") != 1 || count(second, "MOVE", "/.file") != 1 {
		t.Errorf("the second attempt sent %v", second)
	}
	if int64(read) < item.Content.Body.Size {
		t.Errorf("the second attempt read %d bytes of the body: its digest is not proven", read)
	}
	if left := server.Chunks(); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
	for _, r := range second {
		if strings.Contains(r.Path, "/uploads/") && r.Method != "PROPFIND" && (r.Header.Get("Destination") == "" || r.Header.Get("OC-Total-Length") == "") {
			t.Errorf("%s %s has no Destination or length", r.Method, r.Path)
		}
	}
	if !server.Modified("file 1.txt").Equal(item.Content.Modified) {
		t.Error("the time was not kept")
	}
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

type countingReader struct {
	io.Reader
	n *int
}

func (c countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	*c.n += n
	return n, err
}

// TestAssembly: the MOVE is answered badly in each way; what counts is whether the file arrives.
func TestAssembly(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		done   bool // the server assembles the file all the same
		want   fault.Reason
	}{
		"locked and done":        {status: 423, done: true},
		"not found and done":     {status: 404, done: true},
		"timeout and done":       {status: 504, done: true},
		"no answer and done":     {status: 0, done: true},
		"locked for long":        {status: 423, want: fault.TargetLocked},
		"timeout and not done":   {status: 504, want: fault.TargetUnavailable},
		"the upload is gone":     {status: 404, want: fault.TargetUnavailable},
		"no answer and not done": {status: 0, want: fault.TargetUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			server, s := chunkSink(t, nextcloudtest.Options{})
			server.Intercept(func(w http.ResponseWriter, r *http.Request) bool { return badAssembly(server, w, r, c.status, c.done) })
			w, err := s.Put(t.Context(), file(1), sinks.Receipt{})
			if c.want != "" {
				wantFault(t, "Put", err, fault.Retry, c.want)
				server.Intercept(nil)
				server.Requests()
				mustPut(t, s, file(1), sinks.Receipt{})
				if n := count(server.Requests(), "PUT", "/uploads/"); n != 0 {
					t.Errorf("the next attempt sent %d chunks again", n)
				}
				return
			}
			if err != nil || w.Receipt.Version == "" {
				t.Fatalf("Put: %+v, %v", w, err)
			}
			mustPut(t, s, changed(file(1)), w.Receipt)
		})
	}
}

// badAssembly answers the MOVE of an upload with the status, or not at all.
func badAssembly(server *nextcloudtest.Server, w http.ResponseWriter, r *http.Request, status int, done bool) bool {
	if r.Method != "MOVE" {
		return false
	}
	if done {
		server.Serve(silent{http.Header{}}, r)
	}
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
	return true
}

type silent struct{ h http.Header }

func (s silent) Header() http.Header         { return s.h }
func (s silent) Write(p []byte) (int, error) { return len(p), nil }
func (s silent) WriteHeader(int)             {}

func TestChunksDoNotOverwriteTheUser(t *testing.T) {
	server, s := chunkSink(t, nextcloudtest.Options{})
	item := at(file(1), "f")
	user := func() { touch(t, server.URL()+"f") } // while the chunks are on their way
	_, err := s.Put(t.Context(), during(item, user), sinks.Receipt{})
	wantConflict(t, "the assembly of a new file", err)
	if left := server.Chunks(); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
	other := mustPut(t, s, at(file(2), "g"), sinks.Receipt{})
	user = func() { touch(t, server.URL()+"g") }
	_, err = s.Put(t.Context(), during(changed(at(file(2), "g")), user), other.Receipt)
	wantConflict(t, "the assembly of a replacement", err)
	http.DefaultClient.CloseIdleConnections()
}

func touch(t *testing.T, url string) {
	t.Helper()
	r, _ := http.NewRequest(http.MethodPut, url, strings.NewReader("by the user"))
	r.SetBasicAuth("u1", "secret")
	if resp, err := http.DefaultClient.Do(r); err != nil || resp.StatusCode/100 != 2 {
		t.Errorf("the user's PUT: %v, %v", resp, err)
	}
}

// during has f run when the body is read half.
func during(item sinks.Item[sinks.File], f func()) sinks.Item[sinks.File] {
	whole := item.Content.Body.Open
	item.Content.Body.Open = func(ctx context.Context) (io.ReadCloser, error) {
		r, err := whole(ctx)
		var once sync.Once
		hook := readerFunc(func([]byte) (int, error) { once.Do(f); return 0, io.EOF })
		return io.NopCloser(io.MultiReader(io.LimitReader(r, 300), hook, r)), err
	}
	return item
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestProxyLimitIsNoLimitOfTheFile(t *testing.T) {
	server := nextcloudtest.Start(t, nextcloudtest.Options{MaxBody: 2 << 20})
	s := open(t, webdav.Options{URL: server.URL(), User: "u1", Password: "secret", ChunkSize: 1 << 20, AssemblyPause: time.Millisecond})
	item := file(1)
	item.Content.Body = sinktest.Pattern("big", nil, 3<<20)
	w := mustPut(t, s, item, sinks.Receipt{})
	if n := count(server.Requests(), "PUT", "/uploads/"); n != 3 {
		t.Errorf("sent %d chunks", n)
	}
	item.Content.Body.Version = "big 2"
	mustPut(t, s, item, w.Receipt)
}

func TestQuota(t *testing.T) {
	_, s := chunkSink(t, nextcloudtest.Options{Quota: 500})
	_, err := s.Put(t.Context(), file(1), sinks.Receipt{})
	wantFault(t, "a chunked upload beyond the quota", err, fault.FailTask, fault.TargetQuota)
}

// putAll puts n new files into the folder at once, and returns their receipts and errors.
func putAll(t *testing.T, s *webdav.Sink, folder string, n int) ([]sinks.Receipt, []error) {
	t.Helper()
	receipts, errs := make([]sinks.Receipt, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			w, err := s.Put(t.Context(), at(file(i), folder, fmt.Sprintf("ü %d", i)), sinks.Receipt{})
			receipts[i], errs[i] = w.Receipt, err
		})
	}
	wg.Wait()
	return receipts, errs
}

func TestBulk(t *testing.T) {
	server, s, _ := metered(t, nextcloudtest.Options{})
	mustPut(t, s, folder("d"), sinks.Receipt{})
	server.Requests()
	const n = 120
	receipts, errs := putAll(t, s, "d", n)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	requests := server.Requests()
	if got := count(requests, "POST", "/bulk"); got == 0 || got > n/4 || len(requests) != got {
		t.Errorf("%d files took %d bulk uploads and %d requests", n, got, len(requests))
	}
	if got := server.Modified("d/ü 7"); !got.Equal(file(7).Content.Modified) {
		t.Errorf("the time kept is %v", got)
	}
	for i, r := range receipts {
		mustPut(t, s, changed(at(file(i), "d", fmt.Sprintf("ü %d", i))), r)
	}
}

func TestBulkOverwritesNothing(t *testing.T) {
	server, s, _ := metered(t, nextcloudtest.Options{})
	touch(t, server.URL()+"taken")
	http.DefaultClient.CloseIdleConnections()
	_, err := s.Put(t.Context(), at(file(1), "taken"), sinks.Receipt{})
	wantConflict(t, "Put where the user's file lies", err)
	server.Requests()
	mustPut(t, s, at(file(2), "free"), sinks.Receipt{})
	if r := server.Requests(); len(r) != 1 || r[0].Method != "POST" {
		t.Errorf("the second file took %+v", r)
	}
	_, err = s.Put(t.Context(), at(file(3), "free"), sinks.Receipt{})
	wantConflict(t, "Put where the sink's own file lies", err)
}

func TestBulkThatFails(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		want   fault.Reason // of each file; empty: they go alone
	}{
		"500":        {answer: func(w http.ResponseWriter) { w.WriteHeader(500) }},
		"400":        {answer: func(w http.ResponseWriter) { w.WriteHeader(400) }},
		"no JSON":    {answer: func(w http.ResponseWriter) { _, _ = io.WriteString(w, "<html>") }},
		"empty list": {answer: func(w http.ResponseWriter) { _, _ = io.WriteString(w, "[]") }},
		"no results": {answer: func(w http.ResponseWriter) { _, _ = io.WriteString(w, "{}") }},
		"429":        {answer: func(w http.ResponseWriter) { w.WriteHeader(429) }, want: fault.TargetThrottled},
		"503":        {answer: func(w http.ResponseWriter) { w.WriteHeader(503) }, want: fault.TargetUnavailable},
		"cut off":    {answer: func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, want: fault.TargetUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			server, s, _ := metered(t, nextcloudtest.Options{})
			mustPut(t, s, folder("d"), sinks.Receipt{})
			server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPost {
					c.answer(w)
				}
				return r.Method == http.MethodPost
			})
			receipts, errs := putAll(t, s, "d", 10)
			for i, err := range errs {
				switch {
				case c.want != "":
					wantFault(t, "Put", err, fault.Retry, c.want)
				case err != nil || receipts[i].Version == "":
					t.Errorf("Put: %+v, %v", receipts[i], err)
				}
			}
		})
	}
}

// TestBulkDoneWithoutAnAnswer: the files arrived and nobody said so; they are adopted when they go alone.
func TestBulkDoneWithoutAnAnswer(t *testing.T) {
	server, s, _ := metered(t, nextcloudtest.Options{})
	mustPut(t, s, folder("d"), sinks.Receipt{})
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost {
			return false
		}
		server.Serve(silent{http.Header{}}, r)
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	receipts, errs := putAll(t, s, "d", 10)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(receipts, sinks.Receipt{}) {
		t.Errorf("receipts %+v", receipts)
	}
}

func TestBulkOneBadFile(t *testing.T) {
	_, s, _ := metered(t, nextcloudtest.Options{})
	mustPut(t, s, folder("d"), sinks.Receipt{})
	var wg sync.WaitGroup
	errs := make([]error, 10)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = s.Put(t.Context(), at(file(i), "d", fmt.Sprintf("%d.part", i)), sinks.Receipt{})
		})
	}
	_, good := putAll(t, s, "d", 10)
	wg.Wait()
	if err := errors.Join(good...); err != nil {
		t.Error(err)
	}
	for _, err := range errs {
		wantFault(t, "Put of a forbidden name", err, fault.FailItem, fault.TargetInvalid)
	}
}
