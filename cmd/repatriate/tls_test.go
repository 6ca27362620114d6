package main

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/httpx/tlstest"
	"codeberg.org/repatriate/repatriate/internal/simulation"
	"codeberg.org/repatriate/repatriate/internal/tcptest"
)

// encrypted puts TLS before an HTTP server and returns where it is reached.
func encrypted(t *testing.T, root string, config *tls.Config) string {
	t.Helper()
	u, err := url.Parse(root)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(u)
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	plain := proxy.Director                  //nolint:staticcheck // a request is to keep its Host
	proxy.Director = func(r *http.Request) { //nolint:staticcheck // as above
		plain(r)
		if d := r.Header.Get("Destination"); d != "" {
			r.Header.Set("Destination", strings.Replace(d, "https:", "http:", 1))
		}
	}
	s := httptest.NewUnstartedServer(proxy)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = config
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// encryptedMail puts TLS before an IMAP server and returns its address.
func encryptedMail(t *testing.T, address string, config *tls.Config) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	return tcptest.ServeOn(t, l, tcptest.Between(address, tcptest.Copy, tcptest.Copy))
}

// behindTLS has everything of a simulation behind TLS: the targets, or the provider.
func behindTLS(t *testing.T, s *simulation.Simulation, config *tls.Config, provider bool) {
	t.Helper()
	text, err := os.ReadFile(s.Job)
	if err != nil {
		t.Fatal(err)
	}
	mail, err := url.Parse(s.Targets.Mail.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), `endpoint: "`)
	root, _, _ := strings.Cut(after, `/"`)
	if provider {
		// Google's tokens still come from where the key file says, and Microsoft's answers are full of links to where they come from.
		if strings.Contains(string(text), "login: ") {
			edit(t, s.Job, `login: "`+root, `login: "`+encrypted(t, root, config))
		} else {
			edit(t, s.Job, root, encrypted(t, root, config))
		}
		return
	}
	edit(t, s.Job, "imap://"+mail.Host, "imaps://"+encryptedMail(t, mail.Host, config))
	for _, at := range []string{s.Targets.Files.URL, s.Targets.Calendar.URL} {
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		edit(t, s.Job, "http://"+u.Host, encrypted(t, "http://"+u.Host, config))
	}
}

// TestCertificatesAreVerified for every target and both providers: what is wrong with one is refused by name, with what to do.
func TestCertificatesAreVerified(t *testing.T) {
	authority := tlstest.NewAuthority(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, authority.PEM(), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		flaw       tlstest.Flaw
		what, cure string
		unknown    bool // the authority is not made known
	}{
		"wrong name":  {tlstest.WrongName, "the certificate is not for 127.0.0.1", "write the name for which the certificate is", false},
		"expired":     {tlstest.Expired, "is not valid today", "renew", false},
		"self-signed": {tlstest.SelfSigned, "is self-signed", "target.ca", false},
		"TLS 1.1":     {tlstest.Old, "speaks no TLS from version 1.2 on", "switch on TLS 1.2", false},
		"unknown":     {tlstest.Good, "signed by an authority that this machine does not trust", "target.ca", true},
		"own CA":      {tlstest.Good, "", "", false},
	} {
		for where, o := range map[string]simulation.Options{"targets": googleOf(sim.Options{}), "Google": googleOf(sim.Options{}), "Microsoft": microsoftOf(t)} {
			t.Run(name+" "+where, func(t *testing.T) {
				what := c.what
				s := simulated(t, o)
				behindTLS(t, s, authority.Config(t, c.flaw), where != "targets")
				var env []string
				switch {
				case c.unknown:
				case where == "targets":
					edit(t, s.Job, "target:\n", "target:\n  ca: "+ca+"\n")
				default:
					env = []string{"SSL_CERT_FILE=" + ca}
				}
				p := startedWith(t, func(p *program) { p.Env = append(p.Env, env...) }, "run", "--log-level", "warn", s.Job)
				if where == "Microsoft" && c.flaw == tlstest.SelfSigned {
					what = "that this machine does not trust" // the official library keeps nothing but the text of the error
				}
				code, said := p.code(t), strings.Join(strings.Fields(p.stdout.String()+p.stderr.String()), " ")
				if what == "" {
					if code != exitOK {
						t.Errorf("exit code %d: %.3000s", code, said)
					}
					return
				}
				if code != exitStopped || !strings.Contains(said, what) || !strings.Contains(said, c.cure) {
					t.Errorf("exit code %d, want %q and %q in %.3000s", code, what, c.cure, said)
				}
				if where == "targets" {
					everyTargetSays(t, p.stderr.String(), what)
				}
			})
		}
	}
}

// everyTargetSays looks for a text in the error of each kind.
func everyTargetSays(t *testing.T, log, want string) {
	t.Helper()
	for _, kind := range []string{"files", "mail", "calendar", "contacts", "tasks"} {
		found := false
		for line := range strings.Lines(log) {
			found = found || strings.Contains(line, "kind="+kind) && strings.Contains(line, want)
		}
		if !found {
			t.Errorf("%s does not say %q: %.2000s", kind, want, log)
		}
	}
}

// TestAuthoritiesThatCannotBeRead are a mistake in the job file.
func TestAuthoritiesThatCannotBeRead(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	dir := filepath.Dir(s.Job)
	edit(t, s.Job, "target:\n", "target:\n  ca: own.pem\n")
	for _, want := range []string{"own.pem: no such file", "no certificate in it"} { // the file is made after the first
		for _, command := range []string{"run", "check"} {
			if p := ran(t, exitUsage, command, s.Job); !strings.Contains(p.stderr.String(), "target.ca: ") || !strings.Contains(p.stderr.String(), want) {
				t.Errorf("%s: %s", command, p.stderr.String())
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "own.pem"), []byte("no certificate"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSecretsThatOthersMayRead are named by check and in the log of a run.
func TestSecretsThatOthersMayRead(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	dir := filepath.Dir(s.Job)
	for name, mode := range map[string]os.FileMode{"sa.json": 0o644, "password-user0001": 0o640} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	check := strings.Join(strings.Fields(ran(t, exitOK, "check", s.Job).stdout.String()), " ")
	log := ran(t, exitOK, "run", "--log-level", "warn", s.Job).stderr.String()
	for name, mode := range map[string]string{"sa.json": "0644", "password-user0001": "0640"} {
		if want := "the secret in " + filepath.Join(dir, name) + " may be read by others on this machine (mode " + mode; !strings.Contains(check, want) {
			t.Errorf("check does not say %q: %s", want, check)
		}
		if !strings.Contains(log, "file="+filepath.Join(dir, name)+" mode="+mode) {
			t.Errorf("the log does not name %s: %s", name, log)
		}
	}
	if strings.Contains(check+log, "password-user0002") {
		t.Error("a file of the owner's alone is named")
	}
}
