package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/sources/google"
	"codeberg.org/repatriate/repatriate/sources/microsoft"
)

const someClient = "11111111-2222-3333-4444-555555555555"

// answersFor are those that flags would give.
func answersFor(provider string, kinds []string) *initAnswers {
	a := &initAnswers{job: "pilot", provider: provider, credentials: "file:sa.json", secret: "file:client-secret", kinds: slices.Clone(kinds),
		nextcloud: "https://cloud.example.org", imap: "mail.example.org"}
	if provider == "google" {
		a.admin = "admin@example.org"
	} else {
		a.tenant, a.clientID = "example.org", someClient
	}
	return a
}

// subsets returns all sets of kinds but the empty one.
func subsets() [][]string {
	var all [][]string
	for bits := 1; bits < 1<<len(config.Kinds); bits++ {
		var kinds []string
		for i, k := range config.Kinds {
			if bits>>i&1 == 1 {
				kinds = append(kinds, k)
			}
		}
		all = append(all, kinds)
	}
	return all
}

// uncomment takes the marks from the example of an accounts file.
func uncomment(t *testing.T, path string) {
	t.Helper()
	edit(t, path, "# ", "")
}

// TestInitWritesWhatCanBeLoaded makes the files for both providers and every set of kinds.
func TestInitWritesWhatCanBeLoaded(t *testing.T) {
	for _, provider := range providers {
		for _, kinds := range subsets() {
			a, dir := answersFor(provider, kinds), filepath.Join(t.TempDir(), "new")
			if err := a.complete(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			path, _, err := a.write(dir)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := config.Load(path); err == nil ||
				!strings.HasSuffix(err.Error(), "holds no account; 'repatriate accounts' prints what the directory holds") {
				t.Fatalf("%s %q: before there is an account: %v", provider, kinds, err)
			}
			uncomment(t, filepath.Join(dir, "accounts.csv"))
			job, err := config.Load(path)
			if err != nil {
				t.Fatalf("%s %q: %v", provider, kinds, err)
			}
			if !slices.Equal(job.Kinds, kinds) || len(job.People) != 1 || job.People[0].Source != "ada@example.org" || job.People[0].Target != "ada" {
				t.Errorf("%s %q: %q, %+v", provider, kinds, job.Kinds, job.People)
			}
			checkTargets(t, job)
			checkGrants(t, path, job)
		}
	}
}

// checkTargets looks whether each kind has its target and no other kind has one.
func checkTargets(t *testing.T, job *config.Job) {
	t.Helper()
	const dav = "https://cloud.example.org/remote.php/dav/"
	got := map[string]string{}
	if x := job.Target.Files; x != nil {
		got["files"] = x.WebDAV
	}
	if x := job.Target.Mail; x != nil {
		got["mail"] = x.IMAP
	}
	if x := job.Target.Calendar; x != nil {
		got["calendar"] = x.CalDAV
	}
	if x := job.Target.Contacts; x != nil {
		got["contacts"] = x.CardDAV
	}
	if x := job.Target.Tasks; x != nil {
		got["tasks"] = x.CalDAV
	}
	want := map[string]string{"files": dav + "files/{user}/", "mail": "imaps://mail.example.org:993", "calendar": dav + "calendars/{user}/",
		"contacts": dav + "addressbooks/users/{user}/", "tasks": dav + "calendars/{user}/"}
	for _, k := range config.Kinds {
		if slices.Contains(job.Kinds, k) && got[k] != want[k] || !slices.Contains(job.Kinds, k) && got[k] != "" {
			t.Errorf("%q: the target of %s is %q", job.Kinds, k, got[k])
		}
	}
}

// checkGrants looks whether the steps ask for what the kinds need, and for no more.
func checkGrants(t *testing.T, path string, job *config.Job) {
	t.Helper()
	var out strings.Builder
	if err := writeSteps(&out, path, job); err != nil {
		t.Fatal(err)
	}
	line := "\n     " + strings.Join(microsoft.PermissionsOf(job.Kinds), ", ") + "\n"
	if job.Source.Google != nil {
		line = "\n     " + strings.Join(google.ScopesOf(job.Kinds, false), ",") + "\n"
	}
	if !strings.Contains(out.String(), line) {
		t.Errorf("%q: the steps lack %q: %s", job.Kinds, line, out.String())
	}
	for l := range strings.Lines(strings.ReplaceAll(out.String(), filepath.Dir(path), "pilot")) {
		toCopy := strings.Contains(l, "https://www.googleapis.com/") || strings.Contains(l, ".Read") || strings.Contains(l, "/adminconsent")
		if n := utf8.RuneCountInString(strings.TrimRight(l, "\n")); n > 100 && !toCopy {
			t.Errorf("%d columns: %s", n, l)
		}
	}
}

func TestInit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "town")
	args := []string{"init", dir, "--provider", "google", "--admin", "admin@example.org", "--nextcloud", "cloud.example.org/index.php/apps/files/?dir=/"}
	p := ran(t, exitOK, args...)
	job, err := config.Parse(filepath.Join(dir, "pilot.yaml"), []byte(readText(t, filepath.Join(dir, "pilot.yaml"))))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(job.Kinds, []string{"files", "calendar", "contacts", "tasks"}) ||
		job.Target.Files.WebDAV != "https://cloud.example.org/remote.php/dav/files/{user}/" {
		t.Errorf("%q, %+v", job.Kinds, job.Target.Files)
	}
	for _, want := range []string{"Written: " + dir + "/pilot.yaml and " + dir + "/accounts.csv", "Admin SDK API, Google Calendar API, Google Drive API",
		"as " + dir + "/sa.json", "repatriate init --steps " + dir + "/pilot.yaml", "repatriate accounts check " + dir + "/pilot.yaml"} {
		if !strings.Contains(p.stdout.String(), want) {
			t.Errorf("%q is not said: %s", want, p.stdout.String())
		}
	}
	if strings.Contains(p.stdout.String(), "gmail") || p.stderr.Len() > 0 {
		t.Errorf("%s%s", p.stdout.String(), p.stderr.String())
	}
	for _, name := range []string{"pilot.yaml", "accounts.csv"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	server := sim.New(sim.NewData("example.org"), sim.Options{})
	defer server.Close()
	put(t, filepath.Join(dir, "sa.json"), string(server.KeyFile("http://127.0.0.1:1")))
	id, err := google.ClientIDOf(server.KeyFile("http://127.0.0.1:1"))
	if err != nil || id == "" {
		t.Fatalf("%q, %v", id, err)
	}
	p = ran(t, exitOK, "init", "--steps", filepath.Join(dir, "pilot.yaml"))
	if !strings.Contains(p.stdout.String(), "\n     "+id+"\n") || strings.Contains(p.stdout.String(), "Written") {
		t.Errorf("the client id %s is missing: %s", id, p.stdout.String())
	}
	put(t, filepath.Join(dir, "sa.json"), "hunter2")
	p = ran(t, exitOK, "init", "--steps", filepath.Join(dir, "pilot.yaml"))
	if !strings.Contains(p.stdout.String(), "sa.json is not a key file: no valid JSON") || strings.Contains(p.stdout.String(), "hunter2") {
		t.Errorf("a key file that is none: %s", p.stdout.String())
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestInitOverwritesNothing: not the job file, not the accounts file, and not half of the two.
func TestInitOverwritesNothing(t *testing.T) {
	for _, there := range []string{"pilot.yaml", "accounts.csv", "pilot.db"} {
		dir := t.TempDir()
		put(t, filepath.Join(dir, there), "mine")
		a := answersFor("google", []string{"mail"})
		if err := a.complete(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if _, _, err := a.write(dir); err == nil || !strings.Contains(err.Error(), there+" is there already") {
			t.Errorf("%s: %v", there, err)
		}
		left, err := os.ReadDir(dir)
		if err != nil || len(left) != 1 || readText(t, filepath.Join(dir, there)) != "mine" {
			t.Errorf("%s: %v, %v", there, left, err)
		}
	}
}

func TestInitOfMicrosoft(t *testing.T) {
	a := answersFor("microsoft", []string{"mail"})
	a.clientID = ""
	if err := a.complete(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	path, job, err := a.write(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	steps := func() string {
		var out strings.Builder
		if err := stepsOfFile(&out, path); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if job.Source.Microsoft.ClientID != noClientID {
		t.Errorf("%+v", job.Source.Microsoft)
	}
	for _, want := range []string{"https://login.microsoftonline.com/example.org/adminconsent?client_id=CLIENT_ID\n", "as client_id into " + path,
		"\n     User.Read.All, MailboxSettings.Read, Mail.Read\n"} {
		if !strings.Contains(steps(), want) {
			t.Errorf("%q is not said: %s", want, steps())
		}
	}
	edit(t, path, noClientID, someClient)
	edit(t, path, "secret: \"file:client-secret\"", "cloud: us\n    certificate: file:app.pem")
	for _, want := range []string{"https://login.microsoftonline.us/example.org/adminconsent?client_id=" + someClient + "\n", "upload the certificate"} {
		if !strings.Contains(steps(), want) {
			t.Errorf("%q is not said: %s", want, steps())
		}
	}
}

func TestInitWithoutTerminal(t *testing.T) {
	dir := t.TempDir()
	for args, want := range map[string]string{
		"":                                            "add --provider, --nextcloud or --imap, or another target",
		"--provider google --imap mail":               "standard input is no terminal to ask at; add --admin",
		"--provider microsoft --kind mail":            "add --tenant, --imap",
		"--provider gogle --imap mail":                `--provider: "gogle" is none of google, microsoft`,
		"--provider google --admin ada --imap":        "flag needs an argument",
		"--provider google --admin ada --nextcloud x": `--admin: "ada" is no address`,
		"--provider google --admin a@x --tenant x --nextcloud x":                  "--tenant: a job of google has none",
		"--provider google --admin a@x --kind mial --imap x":                      `there is no kind "mial"`,
		"--provider google --admin a@x --kind files,mail --nextcloud x":           "add --imap",
		"--provider google --admin a@x --kind contacts --caldav https://x/{user}": "add --carddav",
		"--provider google --admin a@x --webdav https://x/all":                    "--webdav: write {user} into",
		"--provider google --admin a@x --nextcloud http://x":                      "does not begin with https://",
		"--provider google --admin a@x --nextcloud https://me:hunter2@x":          "write no user or password into the URL",
		"--provider google --admin a@x --nextcloud x --credentials hunter2":       "--credentials: a secret is named",
		"--provider google --admin a@x --nextcloud x --job a/b":                   "--job",
		"--provider microsoft --tenant a/b --nextcloud x":                         "--tenant: \"a/b\" is neither",
		"--provider microsoft --tenant x --client-id y --nextcloud x":             "--client-id: \"y\" is no application id",
	} {
		c := newInit()
		c.SilenceUsage, c.SilenceErrors = true, true
		c.SetArgs(append(strings.Fields(args), dir))
		if strings.HasSuffix(args, "--imap") {
			c.SetArgs(strings.Fields(args))
		}
		c.SetIn(strings.NewReader("google\n"))
		c.SetOut(io.Discard)
		err := c.ExecuteContext(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("init %s: %v, want %q", args, err, want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("something was written: %v, %v", left, err)
	}
	if p := ran(t, exitUsage, "init", dir); !strings.Contains(p.stderr.String(), "standard input is no terminal") || p.stdout.Len() > 0 {
		t.Errorf("%s%s", p.stdout.String(), p.stderr.String())
	}
}

// asked answers as somebody at a terminal does.
func asked(t *testing.T, a *initAnswers, typed string) (string, error) {
	t.Helper()
	var screen strings.Builder
	err := a.answered(t.Context(), newTerminal(strings.NewReader(typed), &screen).ask)
	return screen.String(), err
}

func TestInitAsks(t *testing.T) {
	a := &initAnswers{job: "pilot", credentials: "file:sa.json", secret: "file:x"}
	screen, err := asked(t, a, "gogle\ngoogle\nadmin@example.org\n\nmail, Tasks\nmail.example.org\nhttps://dav.example.org/{user}\n")
	if err != nil {
		t.Fatal(err)
	}
	if a.provider != "google" || a.admin != "admin@example.org" || !slices.Equal(a.kinds, []string{"mail", "tasks"}) ||
		a.imap != "imaps://mail.example.org:993" || a.dav != "https://dav.example.org/{user}" {
		t.Errorf("%+v", a)
	}
	if strings.Contains(screen, "WebDAV") || strings.Contains(screen, "CardDAV") || !strings.Contains(screen, `"gogle" is none of google, microsoft.`) {
		t.Errorf("asked: %s", screen)
	}
	a = &initAnswers{job: "pilot", provider: "microsoft", tenant: "example.org", nextcloud: "https://cloud.example.org",
		credentials: "file:x", secret: "file:x"}
	if screen, err = asked(t, a, "\n\nmail.example.org:1993"); err != nil || len(a.kinds) != 5 ||
		a.imap != "imaps://mail.example.org:1993" || a.clientID != "" {
		t.Errorf("%v, %+v: %s", err, a, screen)
	}
	a = &initAnswers{job: "pilot", provider: "microsoft", tenant: "example.org", nextcloud: "https://cloud.example.org", imap: "mail.example.org",
		credentials: "file:x", secret: "file:x"}
	if screen, err = asked(t, a, ""); err != nil || screen != "" || len(a.kinds) != 5 || a.imap != "imaps://mail.example.org:993" {
		t.Errorf("flags that say all: %v, %+v: %s", err, a, screen)
	}
	a = &initAnswers{job: "pilot", credentials: "file:x", secret: "file:x"}
	if _, err = asked(t, a, "google\n"); !errors.Is(err, io.EOF) {
		t.Errorf("an answer that never came: %v", err)
	}
}

// TestInitQuotes: no answer becomes another key of the job file.
func TestInitQuotes(t *testing.T) {
	for _, ref := range []string{
		`file:a"b`, "file:a: #b", "file:{x}", "cmd:pass show 'a' \\ | head -1 && true", "file:\u00e9\U0001f600", "file:a\nadmin: b",
	} {
		a := answersFor("google", []string{"mail"})
		a.credentials, a.imap = ref, "imaps://mail.example.org:993"
		text, err := a.text()
		if err != nil {
			t.Fatal(err)
		}
		job, err := config.Parse("pilot.yaml", []byte(text))
		if err != nil || job.Source.Google.Credentials != ref || job.Source.Google.Admin != "admin@example.org" {
			t.Errorf("%q: %v, %+v", ref, err, job)
		}
	}
}

func TestInitURLs(t *testing.T) {
	for _, c := range []struct {
		check     func(string) (string, error)
		in, wants string
	}{
		{checkNextcloud, "https://cloud.example.org", "https://cloud.example.org"},
		{checkNextcloud, "https://cloud.example.org/", "https://cloud.example.org"},
		{checkNextcloud, "https://example.org/nextcloud/index.php/login?x=1#y", "https://example.org/nextcloud"},
		{checkNextcloud, "https://cloud.example.org/remote.php/dav/files/ada/", "https://cloud.example.org"},
		{checkNextcloud, "https://cloud.example.org/apps/dashboard/", "https://cloud.example.org"},
		{checkNextcloud, "http://127.0.0.1:8080", "http://127.0.0.1:8080"},
		{checkNextcloud, "ftp://cloud.example.org", ""},
		{checkNextcloud, "https://", ""},
		{checkIMAP, "mail.example.org", "imaps://mail.example.org:993"},
		{checkIMAP, "imaps://[2001:db8::1]", "imaps://[2001:db8::1]:993"},
		{checkIMAP, "imap://127.0.0.1", "imap://127.0.0.1:143"},
		{checkIMAP, "imap://mail.example.org", ""},
		{checkTenant, "example.onmicrosoft.com", "example.onmicrosoft.com"},
		{checkTenant, "..", ""},
		{checkDAV, "dav.example.org/{user}/", "https://dav.example.org/{user}/"},
		{checkDAV, "https://dav.example.org/", ""},
	} {
		got, err := c.check(c.in)
		if got != c.wants && err == nil || (err != nil) != (c.wants == "") {
			t.Errorf("%s: %q, %v; want %q", c.in, got, err, c.wants)
		}
	}
}

// TestInitsSuggestions: what is commented out in a job file can be used.
func TestInitsSuggestions(t *testing.T) {
	n := 0
	for _, provider := range providers {
		a := answersFor(provider, config.Kinds)
		a.imap = "imaps://mail.example.org:993"
		text, err := a.text()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text) {
			if !regexp.MustCompile(`^ *# [a-z_]+: [a-z0-9{\["]`).MatchString(line) {
				continue
			}
			n++
			edited := strings.Replace(text, line, strings.Replace(line, "# ", "", 1), 1)
			if strings.Contains(line, "certificate") {
				edited = strings.Replace(edited, "secret: \"file", "# secret: \"file", 1)
			}
			if _, err := config.Parse("pilot.yaml", []byte(edited)); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
	if n != 15 {
		t.Errorf("%d suggestions", n)
	}
}

func TestShellWord(t *testing.T) {
	for path, want := range map[string]string{"pilot/a-b_c.yaml": "pilot/a-b_c.yaml", "my job/x": "'my job/x'", "it's": `'it'\''s'`, "": "''"} {
		if got := shellWord(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
