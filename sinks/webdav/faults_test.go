package webdav_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/meter"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/webdav"
	"codeberg.org/repatriate/repatriate/sinks/webdav/nextcloudtest"
)

func TestAnswersAsFaults(t *testing.T) {
	const html = "<html><body>words for people</body></html>"
	for _, c := range []struct {
		status int
		body   string
		action fault.Action
		reason fault.Reason
	}{
		{400, html, fault.FailItem, fault.TargetInvalid},
		{401, html, fault.FailTask, fault.TargetAuth},
		{403, html, fault.FailItem, fault.TargetForbidden},
		{404, html, fault.FailItem, fault.TargetConflict},
		{405, html, fault.FailItem, fault.TargetConflict},
		{408, html, fault.Retry, fault.TargetUnavailable},
		{409, html, fault.FailItem, fault.TargetConflict},
		{413, html, fault.FailItem, fault.TargetTooBig},
		{415, html, fault.FailItem, fault.TargetInvalid},
		{423, html, fault.Retry, fault.TargetLocked},
		{429, html, fault.Retry, fault.TargetThrottled},
		{500, html, fault.Retry, fault.TargetUnavailable},
		{500, `<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>OCP\Files\ForbiddenException</s:exception></d:error>`, fault.FailItem, fault.TargetInvalid},
		{501, html, fault.FailItem, fault.TargetUnsupported},
		{502, html, fault.Retry, fault.TargetUnavailable},
		{503, html, fault.Retry, fault.TargetUnavailable},
		{507, html, fault.FailTask, fault.TargetQuota},
		{302, html, fault.FailTask, fault.TargetBadAnswer},
		{207, html, fault.Retry, fault.TargetBadAnswer},
	} {
		server, s, m := metered(t, nextcloudtest.Options{NoBulk: true})
		server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Retry-After", "7")
			w.Header().Set("Location", "http://elsewhere.example.org/")
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
			return true
		})
		_, err := s.Put(t.Context(), at(file(1), "a secret name"), sinks.Receipt{})
		wantFault(t, http.StatusText(c.status), err, c.action, c.reason)
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells the file's name or the password: %v", err)
		}
		f := fault.Of(err)
		if want := c.action == fault.Retry; want != (f.After == 7*time.Second) || want != (m.Throttled() > 0) {
			t.Errorf("%d: after %v, throttled %v", c.status, f.After, m.Throttled())
		}
	}
}

func metered(t *testing.T, o nextcloudtest.Options) (*nextcloudtest.Server, *webdav.Sink, *meter.Meter) {
	t.Helper()
	server, m := nextcloudtest.Start(t, o), new(meter.Meter)
	s := open(t, webdav.Options{URL: server.URL(), User: "u1", Password: "secret", Meter: m, AssemblyPause: time.Millisecond})
	server.Requests()
	return server, s, m
}

func TestSabreMessageIsPassedOn(t *testing.T) {
	_, s, _ := metered(t, nextcloudtest.Options{NoBulk: true})
	_, err := s.Put(t.Context(), at(file(1), "x.part"), sinks.Receipt{})
	wantFault(t, "PUT of a forbidden name", err, fault.FailItem, fault.TargetInvalid)
	if !strings.Contains(err.Error(), `".part" is a forbidden file type.`) {
		t.Errorf("the server's reason is missing: %v", err)
	}
	_, err = s.Put(t.Context(), at(file(1), ".htaccess"), sinks.Receipt{})
	wantFault(t, "PUT of .htaccess", err, fault.FailItem, fault.TargetInvalid)
}

func TestLockedFile(t *testing.T) {
	server, s, _ := metered(t, nextcloudtest.Options{NoBulk: true})
	w := mustPut(t, s, at(file(1), "f"), sinks.Receipt{})
	server.Lock("f", true)
	_, err := s.Put(t.Context(), changed(at(file(1), "f")), w.Receipt)
	wantFault(t, "PUT of a locked file", err, fault.Retry, fault.TargetLocked)
	wantFault(t, "DELETE of a locked file", s.Remove(t.Context(), w.Receipt), fault.Retry, fault.TargetLocked)
	server.Lock("f", false)
	mustPut(t, s, changed(at(file(1), "f")), w.Receipt)
}

func TestFullDisk(t *testing.T) {
	server := realserver.Apache(t, realserver.ApacheOptions{Quota: "2M"})
	opts, _ := userOf(server).account(t)
	s := open(t, opts)
	big := file(1)
	big.Content.Body = sinks.Body{Version: "big", Size: 4 << 20, Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(zeros{}, 4<<20)), nil
	}}
	_, err := s.Put(t.Context(), big, sinks.Receipt{})
	wantFault(t, "PUT onto a full disk", err, fault.FailTask, fault.TargetQuota)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestBodyTooLargeForTheServer(t *testing.T) {
	server := realserver.Apache(t, realserver.ApacheOptions{MaxBody: 500})
	opts, _ := userOf(server).account(t)
	_, err := open(t, opts).Put(t.Context(), file(1), sinks.Receipt{})
	wantFault(t, "PUT of a large body", err, fault.FailItem, fault.TargetTooBig)
}

func TestServerThatIsGone(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	url := server.URL
	server.Close()
	_, err := webdav.Open(t.Context(), webdav.Options{URL: url + "/alice", User: "alice", Password: "geheim"})
	wantFault(t, "Open", err, fault.Retry, fault.TargetUnavailable)
	if strings.Contains(err.Error(), "alice") || strings.Contains(err.Error(), "geheim") {
		t.Errorf("the error tells too much: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	server := nextcloudtest.Start(t, nextcloudtest.Options{})
	for _, c := range []struct {
		url, password string
		reason        fault.Reason
	}{
		{server.URL(), "wrong", fault.TargetAuth},
		{server.URL() + "missing/", "secret", fault.TargetInvalid},
		{"ftp://127.0.0.1/", "secret", fault.TargetInvalid},
		{"://", "secret", fault.TargetInvalid},
		{"http://u1:secret@127.0.0.1/", "secret", fault.TargetInvalid},
	} {
		_, err := webdav.Open(t.Context(), webdav.Options{URL: c.url, User: "u1", Password: c.password})
		wantFault(t, "Open "+c.url, err, fault.FailTask, c.reason)
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

func TestCredentialsStayWithTheServer(t *testing.T) {
	var heard []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard = append(heard, r.Method) }))
	defer elsewhere.Close()
	server, s, _ := metered(t, nextcloudtest.Options{NoBulk: true})
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		return true
	})
	_, err := s.Put(t.Context(), file(1), sinks.Receipt{})
	wantFault(t, "PUT that is redirected", err, fault.FailTask, fault.TargetBadAnswer)
	if len(heard) != 0 {
		t.Errorf("the other server heard %v", heard)
	}
}

func TestBearerToken(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization")+" "+r.Header.Get("Authorize-As"))
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = io.WriteString(w, `<multistatus xmlns="DAV:"><response><href>/</href><propstat><prop><resourcetype><collection/></resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>`)
	}))
	defer server.Close()
	token := func(context.Context) (string, error) { return "abc", nil }
	open(t, webdav.Options{URL: server.URL, Token: token, Header: http.Header{"Authorize-As": {"u1"}}})
	if len(got) != 1 || got[0] != "Bearer abc u1" {
		t.Errorf("sent %q", got)
	}
	broken := func(context.Context) (string, error) { return "", errors.New("no token today") }
	_, err := webdav.Open(t.Context(), webdav.Options{URL: server.URL, Token: broken})
	wantFault(t, "Open without a token", err, fault.FailTask, fault.TargetAuth)
}

func TestOneRequestForANewFile(t *testing.T) {
	server := realserver.Apache(t, realserver.ApacheOptions{})
	opts, _ := userOf(server).account(t)
	opts.Meter = new(meter.Meter)
	s := open(t, opts)
	before := opts.Meter.Requests()
	w := mustPut(t, s, file(1), sinks.Receipt{})
	if n := opts.Meter.Requests() - before; n != 1 {
		t.Errorf("a new file took %d requests", n)
	}
	before = opts.Meter.Requests()
	mustPut(t, s, file(1), w.Receipt)
	if n := opts.Meter.Requests() - before; n != 0 {
		t.Errorf("an unchanged file took %d requests", n)
	}
}

func TestEmptyFileOnCyrus(t *testing.T) {
	opts, other := userOf(realserver.Cyrus(t, realserver.CyrusOptions{})).account(t)
	s := open(t, opts)
	items := odd()
	_, err := s.Put(t.Context(), items[len(items)-1], sinks.Receipt{})
	if err == nil {
		return // a release that stores it rightly
	}
	wantFault(t, "PUT of an empty file", err, fault.FailItem, fault.TargetHashMismatch)
	if got := held(t, other, "/"); len(got) != 0 {
		t.Errorf("%d files are left", len(got))
	}
}
