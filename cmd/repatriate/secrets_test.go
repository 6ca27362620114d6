package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/simulation"
	"codeberg.org/repatriate/repatriate/internal/tcptest"
)

// witness stands before the servers. It learns what is secret on its way, and may answer itself, with all that it was sent.
type witness struct {
	// echo returns the status to answer with, for a request to a target or to the provider; 0 lets it through.
	echo func(target bool, r *http.Request) int
	// instead may answer in its own way.
	instead func(target bool, out http.ResponseWriter, r *http.Request) bool

	mu      sync.Mutex
	secrets map[string]bool
}

func (w *witness) learn(secrets ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.secrets == nil {
		w.secrets = map[string]bool{}
	}
	for _, s := range secrets {
		if len(s) > 7 {
			w.secrets[s] = true
		}
	}
}

func (w *witness) answer(target bool, out http.ResponseWriter, r *http.Request) bool {
	_, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	_, password, _ := r.BasicAuth()
	w.learn(credentials, password)
	if w.echo == nil {
		return w.instead != nil && w.instead(target, out, r)
	}
	status := w.echo(target, r)
	if status == 0 {
		return false
	}
	body, _ := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if form, err := url.ParseQuery(string(body)); err == nil {
		w.learn(form.Get("client_secret"), form.Get("assertion"))
	}
	said := fmt.Sprintf("refused %s for %q with %s", r.Header.Get("Authorization"), password, body[:min(len(body), 2000)])
	out.Header().Set("Location", "https://elsewhere.invalid/?was="+url.QueryEscape(said))
	out.Header().Set("WWW-Authenticate", fmt.Sprintf("Basic realm=%q", said))
	out.WriteHeader(status)
	_, _ = io.WriteString(out, repeated(target, r, said))
	return true
}

// repeated puts a text where each protocol has its explanation.
func repeated(target bool, r *http.Request, said string) string {
	if !target {
		text, _ := json.Marshal(said)
		if strings.HasSuffix(r.URL.Path, "token") {
			return fmt.Sprintf(`{"error": "invalid_client", "error_description": %s}`, text)
		}
		return fmt.Sprintf(`{"error": {"code": 403, "message": %[1]s, "errors": [{"reason": "forbidden", "message": %[1]s}]}}`, text)
	}
	var b strings.Builder
	b.WriteString(`<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>Refused</s:exception><s:message>`)
	_ = xml.EscapeText(&b, []byte(said))
	b.WriteString(`</s:message></d:error>`)
	return b.String()
}

// between puts the witness before the provider and the targets of a simulation, but for mail.
func (w *witness) between(t *testing.T, s *simulation.Simulation) {
	t.Helper()
	text, err := os.ReadFile(s.Job)
	if err != nil {
		t.Fatal(err)
	}
	roots := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindAllString(string(text), -1)
	slices.Sort(roots)
	for _, root := range slices.Compact(roots) {
		target := !strings.Contains(string(text), fmt.Sprintf("endpoint: %q", root+"/"))
		by := seededProxy(t, root, nil, func(out http.ResponseWriter, r *http.Request) bool { return w.answer(target, out, r) })
		edit(t, s.Job, root, by)
		if key := filepath.Join(filepath.Dir(s.Job), "sa.json"); exists(key) {
			if text, err := os.ReadFile(key); err == nil && strings.Contains(string(text), root) {
				edit(t, key, root, by)
			}
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// refusing is an IMAP server that refuses everything and repeats it.
func (w *witness) refusing(t *testing.T) (address string) {
	t.Helper()
	return tcptest.Serve(t, w.refuse)
}

func (w *witness) refuse(conn net.Conn) {
	_, _ = io.WriteString(conn, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\r\n")
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) < 2 {
			return
		}
		plain, _ := base64.StdEncoding.DecodeString(words[len(words)-1])
		w.learn(words[len(words)-1], string(plain[strings.LastIndexByte(string(plain), 0)+1:]))
		_, _ = fmt.Fprintf(conn, "%s NO no %s, that is %q\r\n", words[0], lines.Text(), plain)
	}
}

// evidence is everything that the program left behind, by where it was found.
type evidence map[string][]byte

// collect takes what a program printed.
func (e evidence) collect(p *program) {
	name := strings.Join(p.Args[1:], " ")
	e[name+" (standard output)"] = p.stdout.Bytes()
	e[name+" (standard error)"] = p.stderr.Bytes()
}

// collectFiles takes all files of the folder but those that were planted there, and the servers' own.
func (e evidence) collectFiles(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "files" || name == "calendar"):
			return fs.SkipDir
		case d.IsDir(), strings.HasPrefix(name, "password-"), name == "sa.json", name == "client-secret":
			return nil
		}
		e[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// search looks for the secrets in all their forms.
func (e evidence) search(t *testing.T, secrets ...string) {
	t.Helper()
	if len(secrets) < 2 {
		t.Fatalf("only %d secrets are known", len(secrets))
	}
	for where, text := range e {
		for _, s := range secrets {
			for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s), base64.RawStdEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s))} {
				if i := strings.Index(string(text), form); i >= 0 {
					t.Errorf("%s holds a secret: %q", where, text[max(0, i-200):min(len(text), i+len(form)+20)])
					return
				}
			}
		}
	}
}

func (w *witness) known(more ...string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for s := range w.secrets {
		more = append(more, s)
	}
	return more
}

// microsoftOf is a small made-up tenant.
func microsoftOf(t *testing.T) simulation.Options {
	t.Helper()
	data, err := microsoft.Of(organisation.Generate(organisation.Spec{Users: 2, Mail: 20, Files: 10, Events: 8, Contacts: 4, Tasks: 4, Seed: 1}))
	if err != nil {
		t.Fatal(err)
	}
	return simulation.Options{Source: simulation.Microsoft(data, microsoft.Options{}, 0)}
}

// TestNoSecretIsWritten has secrets of every kind of reference and every command, at the most talkative level of both logs.
func TestNoSecretIsWritten(t *testing.T) {
	for name, o := range map[string]simulation.Options{"google": googleOf(sim.Options{}), "microsoft": microsoftOf(t)} {
		t.Run(name, func(t *testing.T) {
			s := simulated(t, o)
			dir, found, w := filepath.Dir(s.Job), evidence{}, &witness{}
			w.between(t, s)
			first := plantReferences(t, dir)
			for _, args := range speakingCommands(dir) {
				p := startedWith(t, func(p *program) {
					p.Env, p.Dir = append(p.Env, "REPATRIATE_TEST_PLANTED="+first, "REPATRIATE_TEST_MAIL="+first), dir
				}, append(args, s.Job)...)
				if code := p.code(t); code != exitOK && code != exitIncomplete {
					t.Errorf("%q: exit code %d: %.1000s", args, code, p.stderr.String())
				}
				found.collect(p)
			}
			found.collectFiles(t, dir)
			for _, must := range []string{"environment", "cmdline", "simulation.db", "out.html", "out.csv", "out.jsonl", "pages/user0001@example.org.html"} {
				if len(found[must]) == 0 {
					t.Errorf("there is no %s", must)
				}
			}
			found.search(t, w.known(first, microsoft.Secret)...)
		})
	}
}

// plantReferences names the passwords of the accounts by env: and cmd:, and returns the first one's. The command writes down what the
// system tells everybody of it and of who called it.
func plantReferences(t *testing.T, dir string) string {
	t.Helper()
	list := filepath.Join(dir, "accounts.csv")
	edit(t, list, "source,target,password,kinds", "source,target,password,kinds,mail_password,calendar_password")
	edit(t, list, "file:password-user0001,", "env:REPATRIATE_TEST_PLANTED,,env:REPATRIATE_TEST_MAIL,cmd:cat password-user0001")
	edit(t, list, "file:password-user0002", "cmd:env > environment; cat /proc/$PPID/cmdline /proc/$$/cmdline > cmdline; cat password-user0002")
	text, err := os.ReadFile(filepath.Join(dir, "password-user0001"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// speakingCommands are all that speak with servers or write files. The state is read before undo empties it.
func speakingCommands(dir string) [][]string {
	in := func(name string) string { return filepath.Join(dir, name) }
	return [][]string{
		{"check", "--log-level", "debug"}, {"accounts"}, {"accounts", "check"},
		{"run", "--dry-run"}, {"run", "--log-level", "debug"}, {"run", "--log-level", "debug", "--log-format", "json", "--json"}, {"retry", "--log-level", "debug"},
		{"verify", "--log-level", "debug"}, {"verify", "--deep", "--json", "--log-level", "debug"},
		{"report", "--output", in("out.html"), "--csv", in("out.csv"), "--per-account", in("pages"), "--json"},
		{"status"}, {"status", "--json"}, {"state", "check"}, {"state", "export", "--output", in("out.jsonl")},
		{"undo", "--dry-run", "--log-level", "debug"}, {"undo", "--yes", "--log-level", "debug"},
	}
}

// TestNoEchoIsWritten has each server refuse with all that it was sent: in the text, in a redirect, in the challenge.
func TestNoEchoIsWritten(t *testing.T) {
	token := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "token") }
	loggedIn := func(target bool, r *http.Request) bool { return target && r.Header.Get("Authorization") != "" }
	for name, c := range map[string]struct {
		microsoft bool
		echo      func(target bool, r *http.Request) int
		args      [][]string
	}{
		"targets refuse the login": {false, func(target bool, r *http.Request) int { return given(loggedIn(target, r), 401) }, nil},
		"targets redirect":         {false, func(target bool, r *http.Request) int { return given(loggedIn(target, r), 302) }, nil},
		"targets refuse writing": {false, func(target bool, r *http.Request) int {
			return given(target && (r.Method == http.MethodPut || r.Method == "MKCOL"), 403)
		}, nil},
		"targets fail":               {false, func(target bool, r *http.Request) int { return given(target && r.Method == "PROPFIND", 500) }, [][]string{{"check"}}},
		"targets show what they got": {false, func(target bool, r *http.Request) int { return given(target && r.Method == "PROPFIND", 207) }, [][]string{{"check"}}},
		"Google refuses":             {false, func(target bool, r *http.Request) int { return given(!target && !token(r), 403) }, nil},
		"Google redirects":           {false, func(target bool, r *http.Request) int { return given(!target && !token(r), 302) }, [][]string{{"check"}}},
		"Google refuses tokens":      {false, func(target bool, r *http.Request) int { return given(!target && token(r), 400) }, nil},
		"Microsoft refuses":          {true, func(target bool, r *http.Request) int { return given(!target && !token(r), 403) }, nil},
		"Microsoft redirects":        {true, func(target bool, r *http.Request) int { return given(!target && !token(r), 302) }, [][]string{{"check"}}},
		"Microsoft refuses tokens":   {true, func(target bool, r *http.Request) int { return given(!target && token(r), 401) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := googleOf(sim.Options{})
			if c.microsoft {
				o = microsoftOf(t)
			}
			s := simulated(t, o)
			w := &witness{echo: c.echo}
			u, err := url.Parse(s.Targets.Mail.URL)
			if err != nil {
				t.Fatal(err)
			}
			edit(t, s.Job, u.Host, w.refusing(t))
			w.between(t, s)
			if c.args == nil {
				c.args = [][]string{{"check"}, {"run", "--log-level", "debug"}, {"status"}, {"report", "--output", filepath.Join(filepath.Dir(s.Job), "out.html"), "--json"}}
			}
			found := evidence{}
			for _, args := range c.args {
				p := started(t, append(args, s.Job)...)
				if code := p.code(t); code == exitOK && args[0] == "check" || code == exitInternal {
					t.Errorf("%q: exit code %d: %.2000s", args, code, p.stdout.String())
				}
				found.collect(p)
			}
			found.collectFiles(t, filepath.Dir(s.Job))
			found.search(t, w.known(microsoft.Secret)...)
		})
	}
}

func given(is bool, status int) int {
	if is {
		return status
	}
	return 0
}
