package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/httpx/tlstest"
)

// elsewhere is a server that nobody gave credentials for.
type elsewhere struct {
	mu       sync.Mutex
	requests int
	held     []string // what requests held that they should not
}

func (e *elsewhere) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.requests++
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie"} {
		if v := r.Header.Get(name); v != "" {
			e.held = append(e.held, fmt.Sprintf("%s %s: %s %s", r.Method, r.URL, name, v))
		}
	}
	if body, _ := io.ReadAll(r.Body); len(body) > 0 {
		e.held = append(e.held, fmt.Sprintf("%s %s: a body of %d bytes", r.Method, r.URL, len(body)))
	}
	http.NotFound(w, r)
}

// TestRedirectsGetNoCredentials sends every client elsewhere, with every status of a redirect, by a host that has a good certificate.
func TestRedirectsGetNoCredentials(t *testing.T) {
	authority := tlstest.NewAuthority(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, authority.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		for name, c := range map[string]struct {
			microsoft bool
			of        func(target bool, r *http.Request) bool
			followed  bool
		}{
			"targets":          {false, func(target bool, _ *http.Request) bool { return target }, false},
			"Google":           {false, func(target bool, r *http.Request) bool { return !target && !strings.HasSuffix(r.URL.Path, "/token") }, true},
			"Google's tokens":  {false, func(target bool, r *http.Request) bool { return !target && strings.HasSuffix(r.URL.Path, "/token") }, false},
			"Graph":            {true, func(target bool, r *http.Request) bool { return !target && strings.Contains(r.URL.Path, "/v1.0/") }, false},
			"Microsoft tokens": {true, func(target bool, r *http.Request) bool { return !target && strings.HasSuffix(r.URL.Path, "/token") }, false},
		} {
			t.Run(fmt.Sprint(name, " ", status), func(t *testing.T) {
				e := &elsewhere{}
				other := httptest.NewUnstartedServer(e)
				other.Config.ErrorLog = log.New(io.Discard, "", 0)
				other.TLS = authority.Config(t, tlstest.Good)
				other.StartTLS()
				t.Cleanup(other.Close)
				o := googleOf(sim.Options{})
				if c.microsoft {
					o = microsoftOf(t)
				}
				s := simulated(t, o)
				w := &witness{}
				w.instead = func(target bool, out http.ResponseWriter, r *http.Request) bool {
					if c.of(target, r) {
						http.Redirect(out, r, other.URL+r.URL.Path, status)
					}
					return c.of(target, r)
				}
				w.between(t, s)
				p := startedWith(t, func(p *program) { p.Env = append(p.Env, "SSL_CERT_FILE="+ca) }, "check", s.Job)
				if code := p.code(t); code != exitStopped && code != exitIncomplete {
					t.Errorf("exit code %d: %.1000s%.1000s", code, p.stdout.String(), p.stderr.String())
				}
				e.mu.Lock()
				defer e.mu.Unlock()
				if len(e.held) > 0 || (e.requests > 0) != c.followed {
					t.Errorf("%d requests elsewhere held %q", e.requests, e.held)
				}
			})
		}
	}
}
