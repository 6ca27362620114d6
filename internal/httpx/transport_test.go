package httpx

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answer is a transport that answers every request with the body.
func answer(status int, body string) http.RoundTripper {
	return RoundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})
}

func TestBounded(t *testing.T) {
	for _, c := range []struct {
		query     string
		status    int
		body      string
		wantBytes int
		wantErr   error
	}{
		{"?alt=json", 200, strings.Repeat("x", 10), 10, nil},
		{"?alt=json", 200, strings.Repeat("x", 11), 10, ErrTooLong},
		{"?alt=json", 200, strings.Repeat("x", 9999), 10, ErrTooLong},
		{"?alt=media", 200, strings.Repeat("x", 9999), 9999, nil},
		{"?alt=media", 403, strings.Repeat("x", maxError+1), maxError, nil},
		{"?alt=json", 403, strings.Repeat("x", 20), 20, nil},
	} {
		req := httptest.NewRequestWithContext(t.Context(), "GET", "http://example.org/"+c.query, nil)
		res, err := Bounded(answer(c.status, c.body), 10).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		if len(got) != c.wantBytes || !errors.Is(err, c.wantErr) {
			t.Errorf("%s %d of %d bytes: got %d bytes, %v", c.query, c.status, len(c.body), len(got), err)
		}
		_ = res.Body.Close()
	}
}

// trickling serves a body that stops after its first bytes until the client has gone.
func trickling(t *testing.T) *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, "first")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(srv.Close)
	return srv
}

func TestStallingEndsASilentBody(t *testing.T) {
	srv, next := trickling(t), NewTransport()
	defer next.CloseIdleConnections()
	client := &http.Client{Transport: Stalling(next, 20*time.Millisecond)}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", srv.URL, nil)
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if string(got) != "first" || !errors.Is(err, ErrStalled) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestStallingKeepsTheCallersCancellation(t *testing.T) {
	srv, next := trickling(t), NewTransport()
	defer next.CloseIdleConnections()
	ctx, cancel := context.WithCancel(t.Context())
	client := &http.Client{Transport: Stalling(next, time.Hour)}
	req, _ := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadFull(res.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(res.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A server that takes no more bytes keeps nobody waiting for ever; a body that is slow itself is nobody's fault.
func TestStallingEndsAnUploadThatIsNotTaken(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	held := make(chan net.Conn, 1)
	go func() {
		if conn, err := ln.Accept(); err == nil {
			held <- conn // and never read from it
		}
	}()
	next := NewTransport()
	defer next.CloseIdleConnections()
	endless := struct{ io.Reader }{zeros{}}
	req, err := http.NewRequestWithContext(t.Context(), "PUT", "http://"+ln.Addr().String()+"/", endless)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Transport: Stalling(next, 50*time.Millisecond)}).Do(req)
	if err == nil {
		_ = res.Body.Close()
	}
	if !errors.Is(err, ErrStalled) {
		t.Errorf("got %v", err)
	}
	_ = (<-held).Close()
}

// net/http sends head and body together where it knows the body's type.
func TestStallingLeavesSmallBodiesAsTheyAre(t *testing.T) {
	var got io.ReadCloser
	next := RoundTrip(func(r *http.Request) (*http.Response, error) {
		got = r.Body
		return nil, io.ErrUnexpectedEOF
	})
	req, err := http.NewRequestWithContext(t.Context(), "PUT", "http://example.org/", strings.NewReader("small"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Stalling(next, time.Minute).RoundTrip(req); !errors.Is(err, io.ErrUnexpectedEOF) || got != req.Body {
		t.Errorf("the body became %T, %v", got, err)
	}
}

// zeros is a body without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestStallingGivesASlowBodyItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := RoundTrip(func(r *http.Request) (*http.Response, error) {
			got, err := io.ReadAll(r.Body)
			_ = r.Body.Close()
			time.Sleep(time.Hour) // the server thinks about it
			if err == nil {
				err = r.Context().Err()
			}
			return &http.Response{StatusCode: 201, Body: io.NopCloser(bytes.NewReader(got))}, err
		})
		req := httptest.NewRequestWithContext(t.Context(), "PUT", "http://example.org/", &slowly{left: 3})
		res, err := Stalling(next, time.Minute).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	})
}

// slowly is a body of which a byte comes every hour.
type slowly struct{ left int }

func (s *slowly) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	time.Sleep(time.Hour)
	s.left--
	return copy(p, "x"), nil
}

func TestStallingDoesNotCountTheReadersPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := RoundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(&untilDone{r.Context(), strings.NewReader("body")})}, nil
		})
		req := httptest.NewRequestWithContext(t.Context(), "GET", "http://example.org/", nil)
		res, err := Stalling(next, time.Minute).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		for range len("body") {
			time.Sleep(time.Hour)
			if _, err := io.ReadFull(res.Body, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := res.Body.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("at the end: got %d bytes, %v", n, err)
		}
	})
}

// untilDone is a body that breaks when its request's context has ended.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u *untilDone) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, u.ctx.Err()
	}
	return u.r.Read(p)
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"7":                             7 * time.Second,
		"0.5":                           500 * time.Millisecond,
		"-3":                            0,
		"NaN":                           0,
		"1e300":                         maxRetryAfter,
		"soon":                          0,
		"Mon, 04 May 2026 03:03:01 GMT": time.Minute,
		"Mon, 04 May 2026 03:01:01 GMT": 0,
		"Mon, 04 May 2027 03:02:01 GMT": maxRetryAfter,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: got %v, want %v", value, got, want)
		}
	}
}

func TestRedactHidesQueriesAndUsers(t *testing.T) {
	client := &http.Client{Transport: RoundTrip(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://user:secret@example.org/path?sig=secret#secret", nil)
	res, err := client.Do(req)
	if err == nil {
		_ = res.Body.Close()
		t.Fatal("no error")
	}
	text := Redact(err).Error()
	if strings.Contains(text, "secret") || !strings.Contains(text, "https://example.org/path") || !errors.Is(Redact(err), io.ErrUnexpectedEOF) {
		t.Errorf("got %s", text)
	}
}
