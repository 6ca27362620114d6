package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	graphsim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/internal/embedded"
	"codeberg.org/repatriate/repatriate/internal/simulation"
	"codeberg.org/repatriate/repatriate/internal/tcptest"
	"codeberg.org/repatriate/repatriate/sources/google"
)

// googleTeam is an organisation of an administrator, a user, one who is suspended and one without a mailbox.
func googleTeam(t *testing.T) *sim.Data {
	t.Helper()
	d := sim.NewData("example.org")
	for _, u := range []sim.User{
		{Email: "ada@example.org", GivenName: "Ada", FamilyName: "Example", Admin: true}, {Email: "ben@example.org", GivenName: "Ben", FamilyName: "Example"},
		{Email: "sam@example.org", GivenName: "Sam", FamilyName: "Example", Suspended: true},
		{Email: "nora@example.org", GivenName: "Nora", FamilyName: "Example", NoMailbox: true},
	} {
		if err := d.AddUser(u); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// graphTeam is a tenant of two users, one without a licence and one without a mailbox.
func graphTeam(t *testing.T) *graphsim.Data {
	t.Helper()
	d := graphsim.NewData("example.org")
	for _, u := range []graphsim.User{
		{Email: "ada@example.org", GivenName: "Ada", FamilyName: "Example"}, {Email: "ben@example.org", GivenName: "Ben", FamilyName: "Example"},
		{Email: "uwe@example.org", GivenName: "Uwe", FamilyName: "Example", Unlicensed: true, NoMailbox: true},
		{Email: "nora@example.org", GivenName: "Nora", FamilyName: "Example", NoMailbox: true},
	} {
		if err := d.AddUser(u); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// trouble is a misconfiguration in a job that is otherwise in order.
type trouble struct {
	name string
	// google and graph choose how the provider behaves; graph not nil: the source is Microsoft.
	google sim.Options
	graph  *graphsim.Options
	// seed brings the trouble about.
	seed func(t *testing.T, s *simulation.Simulation)
	code int
	want []string // in what check says: the cause, whom it concerns, the remedy
	env  []string
}

// seededProxy is a server before one of the targets, that changes requests or answers. It ends with the test.
func seededProxy(t *testing.T, upstream string, certificate *tls.Certificate, answer func(w http.ResponseWriter, r *http.Request) bool) string {
	t.Helper()
	u, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: u.Scheme, Host: u.Host})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer == nil || !answer(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	s.Config.ErrorLog = nil
	if certificate == nil {
		s.Start()
	} else {
		s.TLS = &tls.Config{Certificates: []tls.Certificate{*certificate}}
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	return s.URL
}

// through replaces the address of a target in the job file, beginning with scheme and host.
func through(t *testing.T, s *simulation.Simulation, upstream, by string) {
	t.Helper()
	u, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	edit(t, s.Job, u.Scheme+"://"+u.Host, by)
}

// scopesWithout are all of Google's but those that hold a word.
func scopesWithout(word string) []string {
	return slices.DeleteFunc(sim.ReadOnlyScopes(), func(s string) bool { return strings.Contains(s, word) })
}

// apiOff is a Cloud project in which an API is not enabled.
func apiOff(t *testing.T, method string) sim.Options {
	t.Helper()
	o := sim.Options{}
	var err error
	if o.Faults, err = cloudsim.ParseFaults(method + ":403:accessNotConfigured:1"); err != nil {
		t.Fatal(err)
	}
	return o
}

func missingScopes() []trouble {
	var all []trouble
	for word, kind := range map[string]string{"drive.readonly": "files", "gmail.readonly": "mail", "calendar.readonly": "calendar",
		"auth/contacts.readonly": "contacts", "tasks.readonly": "tasks", "admin.directory": ""} {
		scope := scopeOf(word)
		all = append(all, trouble{name: "missing scope " + word, google: sim.Options{Scopes: scopesWithout(word)}, code: exitStopped,
			want: []string{kind, "(source.scope_missing)", "add the scope " + scope + " to the client id 100000000000000000001",
				"https://admin.google.com/ac/owl/domainwidedelegation"}})
	}
	return all
}

func scopeOf(word string) string {
	i := slices.IndexFunc(google.Scopes(), func(s string) bool { return strings.Contains(s, word) })
	return google.Scopes()[i]
}

// editOf returns a seed that edits a file beside the job file.
func editOf(name, old, replacement string) func(*testing.T, *simulation.Simulation) {
	return func(t *testing.T, s *simulation.Simulation) {
		edit(t, filepath.Join(filepath.Dir(s.Job), name), old, replacement)
	}
}

func googleTroubles(t *testing.T) []trouble {
	return append(missingScopes(),
		trouble{name: "API not enabled", google: apiOff(t, "gmail.*"), code: exitStopped, want: []string{"all 3 accounts, mail", "accessNotConfigured",
			"enable the Google Gmail API", "https://console.cloud.google.com/apis/library/gmail.googleapis.com"}, seed: editOf("accounts.csv", "files calendar contacts tasks", "")},
		trouble{name: "the administrator is none", seed: editOf("job.yaml", `admin: "ada@`, `admin: "ben@`), code: exitStopped,
			want: []string{"ben@example.org may not read the directory", "super administrator"}},
		trouble{name: "the administrator is unknown", seed: editOf("job.yaml", `admin: "ada@`, `admin: "adam@`), code: exitStopped,
			want: []string{"adam@example.org is no user of the organisation", "source.google.admin of the job file"}},
		trouble{name: "no delegation", google: sim.Options{Scopes: []string{}}, code: exitStopped, want: []string{"domain-wide delegation is not set up",
			"add the client id 100000000000000000001 with the scopes https://"}},
		trouble{name: "key of another project", seed: editOf("sa.json", "repatriate@simulated-project", "other@another-project"), code: exitStopped,
			want: []string{"(source.auth)", "No valid verifier", "belongs to another service account: make a new one in the Cloud console"}},
		trouble{name: "broken key", seed: editOf("sa.json", `"private_key": "-----BEGIN`, `"private_key": "-----BEG`), code: exitStopped,
			want: []string{"(source.auth)", "private_key is missing or broken in the key file", "make a new key file"}},
		trouble{name: "key not readable", seed: editOf("job.yaml", "file:sa.json", "file:gone.json"), code: exitStopped,
			want: []string{"(source.auth)", "source.google.credentials", "gone.json", "it must be there and readable"}},
		trouble{name: "clock wrong by an hour", google: sim.Options{Ahead: 2 * time.Hour}, code: exitStopped,
			want: []string{"(source.auth)", "invalid_grant", "the clock of this machine is wrong", "is 2h0m0s ahead of this machine's", "set this machine's clock"}},
		trouble{name: "suspended", seed: editOf("accounts.csv", "# suspended: ", ""), code: exitIncomplete,
			want: []string{"sam@example.org: the user is suspended (source.suspended)", "restore the user in the Admin console"}},
		trouble{name: "unknown user", seed: editOf("accounts.csv", "ben@example.org", "benn@example.org"), code: exitIncomplete,
			want: []string{"benn@example.org: the organisation has no such user (source.account_gone)", "primary address of an existing user"}},
		trouble{name: "no Gmail", seed: editOf("accounts.csv", "files calendar contacts tasks", ""), code: exitIncomplete,
			want: []string{"nora@example.org, mail:", "(source.service_off)", "switch the service on for the user in the Admin console"}},
	)
}

func graphTroubles() []trouble {
	all := &graphsim.Options{}
	missing := func(permission string) *graphsim.Options {
		return &graphsim.Options{Permissions: slices.DeleteFunc(graphsim.ReadOnlyPermissions(), func(p string) bool { return p == permission })}
	}
	return []trouble{
		{name: "wrong tenant", graph: all, seed: editOf("job.yaml", `tenant: "example.org"`, `tenant: "example.com"`), code: exitStopped,
			want: []string{"(source.auth)", "AADSTS90002", "the tenant does not exist in this cloud: check tenant"}},
		{name: "wrong client id", graph: all, seed: editOf("job.yaml", graphsim.ClientID, "99999999-2222-3333-4444-555555555555"), code: exitStopped,
			want: []string{"(source.auth)", "AADSTS700016", "not registered in the tenant: check client_id"}},
		{name: "expired secret", graph: all, seed: editOf("client-secret", graphsim.Secret, graphsim.ExpiredSecret), code: exitStopped,
			want: []string{"(source.auth)", "AADSTS7000222", "the client secret has expired: make a new one"}},
		{name: "missing permission for the directory", graph: missing("User.Read.All"), code: exitStopped,
			want: []string{"(source.scope_missing)", "grant the application permission User.Read.All", "/adminconsent?client_id=" + graphsim.ClientID}},
		{name: "missing permission for mail", graph: missing("Mail.Read"), code: exitIncomplete,
			want: []string{"mail:", "(source.scope_missing)", "grant the application permission Mail.Read in the tenant", "/adminconsent?client_id="}},
		{name: "missing permission for time zones", graph: missing("MailboxSettings.Read"), code: exitOK,
			want: []string{"warning", "the permission MailboxSettings.Read is missing"}},
		{name: "no licence", graph: all, seed: editOf("accounts.csv", "# unlicensed: ", ""), code: exitIncomplete,
			want: []string{"warning uwe@example.org: the user has no licence", "assign a licence", "uwe@example.org, files:", "the account has no OneDrive"}},
		{name: "no mailbox for anything", graph: all, seed: editOf("accounts.csv", ",files\n", ",\n"), code: exitIncomplete,
			want: []string{"nora@example.org, mail, calendar, contacts and tasks:", "(source.service_off)", "; 1 error"}},
		{name: "no mailbox", graph: all, seed: editOf("accounts.csv", ",files\n", ",files mail\n"), code: exitIncomplete,
			want: []string{"nora@example.org, mail:", "(source.service_off)", "the account has no Exchange Online mailbox"}},
	}
}

func targetTroubles(t *testing.T) []trouble {
	certificate := exampleCertificate(t)
	filesBy := func(certificate *tls.Certificate, host string, answer func(http.ResponseWriter, *http.Request) bool) func(*testing.T, *simulation.Simulation) {
		return func(t *testing.T, s *simulation.Simulation) {
			at := seededProxy(t, s.Targets.Files.URL, certificate, answer)
			through(t, s, s.Targets.Files.URL, strings.Replace(at, "127.0.0.1", host, 1))
		}
	}
	puts := func(status int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPut {
				w.WriteHeader(status)
			}
			return r.Method == http.MethodPut
		}
	}
	return []trouble{
		{name: "a name that does not resolve", code: exitStopped, seed: func(t *testing.T, s *simulation.Simulation) {
			through(t, s, s.Targets.Files.URL, "https://cloud.example.invalid")
		}, want: []string{"everybody, files: the name cloud.example.invalid does not resolve", "(target.unavailable)", "check the host in target.files.webdav"}},
		{name: "blocked port", code: exitStopped, seed: func(t *testing.T, s *simulation.Simulation) {
			through(t, s, s.Targets.Mail.URL, "imap://"+closedPort(t))
		}, want: []string{"everybody, mail: no connection to 127.0.0.1:", "refused", "(target.unavailable)", "target.mail.imap", "firewalls"}},
		{name: "plain http", code: exitUsage, seed: func(t *testing.T, s *simulation.Simulation) {
			through(t, s, s.Targets.Files.URL, "http://cloud.example.org")
		}, want: []string{"target.files.webdav", "sends passwords in the clear; use https:"}},
		{name: "self-signed certificate", code: exitStopped, seed: filesBy(certificate, "127.0.0.1", nil),
			want: []string{"files: the certificate of 127.0.0.1 is self-signed", "certificate of a public authority", "SSL_CERT_FILE"}},
		{name: "certificate for another host", code: exitStopped, seed: filesBy(certificate, "localhost", nil), env: []string{"SSL_CERT_FILE=" + trusted(t, certificate)},
			want: []string{"files: the certificate is not for localhost; it is for: example.com", "127.0.0.1", "write the name for which the certificate is"}},
		{name: "no TLS on the port", code: exitStopped, seed: func(t *testing.T, s *simulation.Simulation) {
			through(t, s, s.Targets.Files.URL, strings.Replace(s.Targets.Files.UserURL(""), "http:", "https:", 1)[:len("https://127.0.0.1:00000")])
		}, want: []string{"127.0.0.1 does not speak TLS on this port", "check scheme and port"}},
		{name: "wrong path for files", code: exitStopped, seed: editOf("job.yaml", "/files/{user}/", "/remote/{user}/"),
			want: []string{"all 3 accounts, files:", "does not exist (target.invalid)", "check target.files.webdav in the job file"}},
		{name: "wrong path for calendars", code: exitStopped, seed: editOf("job.yaml", "/calendars/{user}/", "/calender/{user}/"),
			want: []string{"calendar and tasks:", "404", "(target.invalid)", "check target.calendar.caldav", "; 1 error"}},
		{name: "wrong path for contacts", code: exitStopped, seed: editOf("job.yaml", "/addressbooks/{user}/", "/books/{user}/"),
			want: []string{"contacts:", "404", "(target.invalid)", "check target.contacts.carddav"}},
		{name: "no DAV server", code: exitStopped, seed: filesBy(nil, "127.0.0.1", func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return true
		}), want: []string{"no WebDAV server answers at", "405", "(target.invalid)", "check target.files.webdav"}},
		{name: "wrong password", code: exitIncomplete, seed: editOf("accounts.csv", "file:password-ben", "file:password-ada"),
			want: []string{"ben@example.org, files:", "ben@example.org, mail:", "ben@example.org, calendar, contacts and tasks:", "(target.auth)", "; 3 errors", "check the account's user and password on the target"}},
		{name: "missing password", code: exitIncomplete, seed: editOf("accounts.csv", "file:password-ben", "file:password-bob"),
			want: []string{"ben@example.org, files, mail, calendar, contacts and tasks:", "password-bob", "(target.auth)", "it must be there and readable", "; 1 error"}},
		{name: "read-only target", code: exitStopped, seed: filesBy(nil, "127.0.0.1", puts(http.StatusForbidden)),
			want: []string{"files: writing a test file: the target answered 403 Forbidden (target.forbidden)", "give it the right to write"}},
		{name: "full quota", code: exitStopped, seed: filesBy(nil, "127.0.0.1", puts(http.StatusInsufficientStorage)),
			want: []string{"files: writing a test file: the target answered 507", "(target.quota)", "the account or the server is full"}},
		{name: "IMAP without UIDPLUS", code: exitOK, seed: func(t *testing.T, s *simulation.Simulation) {
			through(t, s, s.Targets.Mail.URL, "imap://"+withoutWord(t, s.Targets.Mail.Addr, " UIDPLUS"))
		}, want: []string{"warning", "mail: the server lacks UIDPLUS", "use a server with UIDPLUS"}},
		{name: "CalDAV that schedules", code: exitStopped, seed: scheduling(true, true),
			want: []string{"everybody, calendar: canary: a guest heard", "(target.heard)", "turn its scheduling off"}},
		{name: "CalDAV that schedules silently", code: exitOK, seed: scheduling(false, true), want: []string{"ok everybody, calendar:", "a canary proved that nobody hears"}},
		{name: "CalDAV that schedules, without addresses", code: exitStopped, seed: scheduling(false, false), want: []string{"everybody, calendar: canary: the account ada has no mail address",
			"(target.unsupported)", "give the user an address on the target"}},
		{name: "redirect", code: exitStopped, seed: filesBy(nil, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "https://cloud.example.org"+r.URL.Path, http.StatusMovedPermanently)
			return true
		}), want: []string{"files:", "301 Moved Permanently (target.bad_answer)", "write the final address into the job file"}},
	}
}

// exampleCertificate is the one that httptest uses: self-signed, for example.com and 127.0.0.1.
func exampleCertificate(t *testing.T) *tls.Certificate {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	c := s.TLS.Certificates[0]
	return &c
}

// trusted writes a file of authorities with the certificate alone.
func trusted(t *testing.T, c *tls.Certificate) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "authorities.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// closedPort is an address at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// withoutWord forwards to an address and takes a word out of the answers.
func withoutWord(t *testing.T, upstream, word string) string {
	t.Helper()
	return tcptest.Serve(t, tcptest.Between(upstream, tcptest.Copy, tcptest.Lines(func(line []byte) ([]byte, bool) {
		return bytes.ReplaceAll(line, []byte(word), nil), true
	})))
}

// scheduling is a calendar server that says it invites guests, and perhaps does so whatever a request asks for: each event that one
// account writes lies in the calendar of the other as well.
// The accounts have addresses as far as addressed says so.
func scheduling(loud, addressed bool) func(*testing.T, *simulation.Simulation) {
	return func(t *testing.T, s *simulation.Simulation) {
		dir := filepath.Dir(s.Job)
		guest := s.Targets.Calendar.UserURL("ben")
		password, err := os.ReadFile(filepath.Join(dir, "password-ben"))
		if err != nil {
			t.Fatal(err)
		}
		send := func(method, at string, body []byte) {
			req, err := http.NewRequest(method, at, bytes.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			req.SetBasicAuth("ben", strings.TrimSpace(string(password)))
			req.Header.Set("Content-Type", "text/calendar; charset=utf-8")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			res.Body.Close()
		}
		send("MKCALENDAR", guest+"personal/", nil)
		at := seededProxy(t, s.Targets.Calendar.URL, nil, func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodOptions {
				w.Header().Set("DAV", "1, 3, access-control, calendar-access, calendar-auto-schedule")
				w.WriteHeader(http.StatusOK)
				return true
			}
			if name, principal := strings.CutPrefix(r.URL.Path, "/principals/"); principal && addressed {
				w.Header().Set("Content-Type", "application/xml; charset=utf-8")
				w.WriteHeader(http.StatusMultiStatus)
				fmt.Fprintf(w, `<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><response><href>%s</href><propstat><prop>`+
					`<C:calendar-user-address-set><href>mailto:%s@example.org</href></C:calendar-user-address-set></prop>`+
					`<status>HTTP/1.1 200 OK</status></propstat></response></multistatus>`, r.URL.Path, strings.Trim(name, "/"))
				return true
			}
			if r.Method == http.MethodPut && loud && strings.HasPrefix(r.URL.Path, "/calendars/ada/") {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				if bytes.Contains(body, []byte("ATTENDEE")) {
					send(http.MethodPut, guest+"personal/invitation.ics", body)
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
			}
			return false
		})
		through(t, s, s.Targets.Calendar.URL, at)
	}
}

// TestCheckNamesEachTrouble seeds misconfigurations and wants each of them named with its cause and its remedy.
func TestCheckNamesEachTrouble(t *testing.T) {
	all := slices.Concat(googleTroubles(t), graphTroubles(), targetTroubles(t))
	named := 0
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			o := simulation.Options{Source: simulation.Google(googleTeam(t), c.google, "")}
			if c.graph != nil {
				o.Source = simulation.Microsoft(graphTeam(t), *c.graph, 0)
			}
			s := simulated(t, o)
			if c.seed != nil {
				c.seed(t, s)
			}
			p := startedWith(t, func(p *program) { p.Env = append(p.Env, c.env...) }, "check", s.Job)
			code := p.code(t)
			said := strings.Join(strings.Fields(p.stdout.String()+p.stderr.String()), " ")
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("check does not say %q:\n%s", want, p.stdout.String()+p.stderr.String())
				}
			}
			if code != c.code {
				t.Errorf("exit code %d, want %d:\n%s", code, c.code, p.stdout.String())
			}
			leftNothing(t, s)
			if !t.Failed() {
				named++
			}
		})
	}
	t.Logf("%d of %d named", named, len(all))
}

// leftNothing fails the test if anything lies on a target that a check wrote.
func leftNothing(t *testing.T, s *simulation.Simulation) {
	t.Helper()
	for _, user := range s.Users() {
		files, err := s.Targets.Files.List(user)
		if err != nil || len(files) > 0 {
			t.Errorf("files of %s: %v, %v", user, files, err)
		}
		boxes, err := s.Targets.Mail.Mailboxes(user)
		if err != nil || len(boxes) != 1 || len(boxes[0].Messages) > 0 {
			t.Errorf("mailboxes of %s: %v, %v", user, boxes, err)
		}
		calendars, err := s.Targets.Calendar.Calendars(user)
		if err != nil || slices.ContainsFunc(calendars, func(c embedded.StoredCollection) bool { return c.Name != "personal" }) {
			t.Errorf("calendars of %s: %v, %v", user, calendars, err)
		}
		books, err := s.Targets.Calendar.AddressBooks(user)
		if err != nil || len(books) != 1 || len(books[0].Objects) > 0 {
			t.Errorf("address books of %s: %v, %v", user, books, err)
		}
	}
}

// TestCheckInOrder: nothing to complain of, as text and as JSON, for a sample, and after a check that left everything behind.
func TestCheckInOrder(t *testing.T) {
	s := simulated(t, simulation.Options{Source: simulation.Google(googleTeam(t), sim.Options{}, "")})
	p := ran(t, exitOK, "check", s.Job)
	for _, want := range []string{"3 accounts, files: logged in, wrote and removed a file", "2 accounts, mail: logged in, made a mailbox",
		"3 accounts, 3 ready, 0 cannot be moved; 0 errors, 0 warnings", "Nothing keeps the migration from beginning."} {
		if !strings.Contains(p.stdout.String(), want) {
			t.Errorf("no %q in:\n%s", want, p.stdout.String())
		}
	}
	for line := range strings.Lines(p.stdout.String()) {
		if len([]rune(line)) > 101 {
			t.Errorf("a line of %d columns: %s", len([]rune(line)), line)
		}
	}
	leaveBehind(t, s)
	p = ran(t, exitOK, "check", s.Job, "--sample", "1", "--kind", "files", "--kind", "calendar", "--json")
	var answer struct {
		Summary  struct{ Accounts, Ready, Errors int }
		Findings []struct {
			Level, Side, What string
			Kinds             []string
		}
	}
	if err := json.Unmarshal(p.stdout.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	if s := answer.Summary; s.Accounts != 1 || s.Ready != 1 || s.Errors != 0 {
		t.Errorf("summary %+v", s)
	}
	for _, f := range answer.Findings {
		if f.Level != "ok" || len(f.Kinds) > 1 || len(f.Kinds) > 0 && f.Kinds[0] != "files" && f.Kinds[0] != "calendar" {
			t.Errorf("finding %+v", f)
		}
	}
	leftNothing(t, s)
	if p := ran(t, exitUsage, "check", s.Job, "--sample", "-1"); !strings.Contains(p.stderr.String(), "--sample") {
		t.Errorf("a negative sample: %s", p.stderr.String())
	}
}

// leaveBehind puts on ada's account what a check that was cut off leaves.
func leaveBehind(t *testing.T, s *simulation.Simulation) {
	t.Helper()
	dir := s.Targets.Files.Dir("ada")
	if err := os.WriteFile(filepath.Join(dir, "repatriate-check.txt"), []byte("repatriate wrote this to see whether it may. It can be removed.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	password, err := os.ReadFile(filepath.Join(filepath.Dir(s.Job), "password-ada"))
	if err != nil {
		t.Fatal(err)
	}
	at := s.Targets.Calendar.UserURL("ada") + "repatriate-check/"
	for _, r := range []struct{ method, at, body string }{
		{"MKCALENDAR", at, ""},
		{http.MethodPut, at + "check.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:left\r\nDTSTAMP:20260101T000000Z\r\n" +
			"DTSTART:20260101T000000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"},
	} {
		req, err := http.NewRequest(r.method, r.at, strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("ada", strings.TrimSpace(string(password)))
		if r.body != "" {
			req.Header.Set("Content-Type", "text/calendar; charset=utf-8")
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusCreated {
			t.Fatalf("%s: %s", r.method, res.Status)
		}
	}
}

func TestCheckTouchesNothingOfOthers(t *testing.T) {
	s := simulated(t, simulation.Options{Source: simulation.Google(googleTeam(t), sim.Options{}, "")})
	path := filepath.Join(s.Targets.Files.Dir("ada"), "repatriate-check.txt")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := ran(t, exitIncomplete, "check", s.Job, "--account", "ada@example.org", "--account", "ben@example.org")
	if got := strings.Join(strings.Fields(p.stdout.String()), " "); !strings.Contains(got, "is none of this program's (target.conflict)") {
		t.Errorf("said: %s", got)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "mine" {
		t.Errorf("the user's file is %q, %v", text, err)
	}
}
