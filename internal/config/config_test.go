package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/config"
)

const full = `job: pilot
state: pilot.db
source: {google: {credentials: file:sa.json, admin: admin@example.org}}
target:
  files:    {webdav:  "https://cloud.example.org/remote.php/dav/files/{user}/"}
  mail:     {imap:    "imaps://mail.example.org:993"}
  calendar: {caldav:  "https://cloud.example.org/remote.php/dav/calendars/{user}/"}
accounts: accounts.csv
kinds: [files, mail, calendar]
`

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "job.yaml", full)
	write(t, dir, "accounts.csv", "\xef\xbb\xbfsource;target;password;kinds\r\nada@example.org;ada;env:ADA;mail files\r\n#bob@example.org;bob;env:BOB\r\n")
	j, err := config.Load(filepath.Join(dir, "job.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if j.Concurrency.Items != 0 || j.Labels != "primary" || j.Deletions != "keep" || j.Target.Mail.Connections != 4 {
		t.Errorf("defaults: %+v", j)
	}
	if len(j.People) != 1 || j.People[0].Target != "ada" || strings.Join(j.People[0].Kinds, " ") != "mail files" || j.People[0].Line != 2 {
		t.Errorf("accounts: %+v", j.People)
	}
	if j.StatePath() != filepath.Join(dir, "pilot.db") {
		t.Errorf("state: %s", j.StatePath())
	}
}

func TestSeveralAccountsNeedSeveralPlaces(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "job.yaml", strings.ReplaceAll(full, "files/{user}/", "files/all/"))
	write(t, dir, "accounts.csv", "source,target,password\nada@example.org,ada,env:ADA\n")
	if _, err := config.Load(filepath.Join(dir, "job.yaml")); err != nil {
		t.Error(err)
	}
	write(t, dir, "accounts.csv", "source,target,password\nada@example.org,ada,env:ADA\nbob@example.org,bob,env:BOB\n")
	if _, err := config.Load(filepath.Join(dir, "job.yaml")); err == nil || !strings.Contains(err.Error(), "write {user} into target.files.webdav") {
		t.Errorf("error %v", err)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key":         {"accounts:", "acounts:", `there is no key "acounts"; did you mean "accounts"?`},
		"unknown nested key":  {"credentials:", "credential:", `there is no key "source.google.credential"; did you mean "credentials"?`},
		"position":            {"kinds:", "knds:", "job.yaml:9:1:"},
		"secret in the clear": {"file:sa.json", "hunter2", "a secret is named, never written"},
		"plain http":          {"https://cloud.example.org/remote.php/dav/files", "http://cloud.example.org/files", "sends passwords in the clear"},
		"plain imap":          {"imaps:", "imap:", "job.yaml: line 6: target.mail.imap: imap: sends passwords in the clear"},
		"password in the URL": {"https://cloud", "https://me:hunter2@cloud", "write no user or password into the URL"},
		"no provider":         {"google:", "gogle:", `did you mean "google"`},
		"no kind":             {"[files,", "[filse,", `job.yaml: line 9: kinds: there is no kind "filse"`},
		"kind without target": {"  mail:     {imap:    \"imaps://mail.example.org:993\"}\n", "", "mail has no target"},
		"a wrong type":        {"job: pilot", "job: [pilot]", "job.yaml"},
		"a broken document":   {"job: pilot", "job: {pilot", "job.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Parse("job.yaml", []byte(strings.Replace(full, c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") && name != "password in the URL" {
				t.Errorf("the secret stands in %v", err)
			}
		})
	}
}

// TestFormInOneLine: mistakes of the form are told in one line, without the words of the library.
func TestFormInOneLine(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"kinds: files", "job.yaml:1:8: a list belongs here: write it in brackets, as [one, two]"},
		{"source: {google: {clock: x}}", `job.yaml:1:26: "x" stands where a number belongs`},
		{"source: {google: {paid: perhaps}}", `job.yaml:1:25: "perhaps" stands where true or false belongs`},
		{"target: {mail: {connections: many}}", `job.yaml:1:30: "many" stands where a number belongs`},
		{"source: google", "job.yaml:1:9: keys with values of their own belong here, as {key: value}"},
		{"\tstate: x", "job.yaml:1:6: a tab stands here: YAML takes only blanks before a key"},
		{"labels: primary\n\tstate: x", "job.yaml:2:1: a tab stands here: YAML takes only blanks before a key"},
		{"labels: [", "job.yaml:1:9: "},
		{"labels: primary\nlabels: copies", "job.yaml:2:1: "},
		{"state: [a]", `job.yaml:1:8: "[" stands where a text belongs`},
	} {
		_, err := config.Parse("job.yaml", []byte(c.text+"\njob: pilot\n"))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), " Go ") {
			t.Errorf("%q: %v", c.text, err)
		}
	}
}

func TestParseReportsAllMistakes(t *testing.T) {
	_, err := config.Parse("job.yaml", []byte("source: {google: {}}\nlabels: none\nconflicts: target-wins\n"))
	for _, want := range []string{"job:", "accounts:", "credentials", "admin", "target:", "labels:", "conflicts:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not speak of %q", err, want)
		}
	}
}

func TestPlainToLoopbackIsAllowed(t *testing.T) {
	text := strings.ReplaceAll(full, "https://cloud.example.org", "http://127.0.0.1:8080")
	if _, err := config.Parse("job.yaml", []byte(text)); err != nil {
		t.Error(err)
	}
	text = strings.Replace(full, "imaps:", "imap:", 1) + "insecure: true\n"
	if _, err := config.Parse("job.yaml", []byte(text)); err != nil {
		t.Error(err)
	}
}

func TestFormats(t *testing.T) {
	for formats, word := range map[string]string{"opendocument": "opendocument", "{document: odt}": ""} {
		text := strings.Replace(full, "admin: admin", "formats: "+formats+", admin: admin", 1)
		j, err := config.Parse("job.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		f := j.Source.Google.Formats
		if f.Word != word || (word == "" && f.Changes["document"] != "odt") {
			t.Errorf("%s: %+v", formats, f)
		}
	}
}

func TestUserURL(t *testing.T) {
	if got := config.UserURL("https://x/{user}/", "a/../b c"); got != "https://x/a%2F..%2Fb%20c/" {
		t.Error(got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte("a: &x [*x]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if j, err := config.Parse("job.yaml", text); err == nil && (j.Job == "" || j.Source.Google == nil) {
			t.Errorf("accepted without a name or a source: %q", text)
		}
	})
}

func TestMicrosoft(t *testing.T) {
	const section = `microsoft: {tenant: example.org, client_id: id, secret: "file:secret"`
	job := func(more string) string {
		return strings.Replace(full, "google: {credentials: file:sa.json, admin: admin@example.org", section+more, 1)
	}
	if _, err := config.Parse("job.yaml", []byte(job(""))); err != nil {
		t.Error(err)
	}
	for more, want := range map[string]string{
		`, certificate: "file:c.pem"`:                                   "a secret or a certificate, not both",
		`, cloud: mars`:                                                 `"mars" is none of global`,
		`, licences: -1`:                                                "from 0 on",
		`, sites: ["sites/school"]`:                                     "source.microsoft.sites",
		`, sites: ["http://127.0.0.1/a"]`:                               "source.microsoft.sites",
		`, endpoint: "http://example.org"`:                              "source.microsoft.endpoint",
		`, certificate_password: hunter2`:                               "a secret is named, never written",
		`}, google: {credentials: "file:sa.json", admin: a@example.org`: "one provider",
	} {
		_, err := config.Parse("job.yaml", []byte(job(more)))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", more, err, want)
		}
	}
	_, err := config.Parse("job.yaml", []byte(strings.Replace(full, "google: {credentials: file:sa.json, admin: admin@example.org", "microsoft: {cloud: us", 1)))
	for _, want := range []string{".tenant", ".client_id", ": name the client secret"} {
		if err == nil || !strings.Contains(err.Error(), "source.microsoft"+want) {
			t.Errorf("%v does not speak of %s", err, want)
		}
	}
}

// TestFolderInsteadOfAFile: the job file that is meant is named.
func TestFolderInsteadOfAFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := config.Load(dir); err == nil || !strings.HasSuffix(err.Error(), "is a folder, not a file") {
		t.Error(err)
	}
	for _, name := range []string{"job.yaml", "other.yaml"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := config.Load(dir); err == nil || !strings.HasSuffix(err.Error(), "do you mean "+filepath.Join(dir, "job.yaml")+"?") {
		t.Error(err)
	}
}

// TestNoJobFile: what is given instead of a job file is called by its name in one line, and nothing of it is shown.
func TestNoJobFile(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"sa.json", `{"type": "service_account", "private_key": "-----BEGIN hunter2", "client_email": "a@x"}`,
			"is no job file, but the key of a service account; it is named in the job file: credentials: file:sa.json"},
		{"accounts.csv", "source;target;password\nada@x;hunter2;env:A\n", "is no job file, but an accounts file; it is named in the job file: accounts: accounts.csv"},
		{"marked.csv", "\xef\xbb\xbf# hunter2\r\nSource,Target\r\n", "but an accounts file"},
		{"unicode.csv", utf16le("source\ttarget\nhunter2"), "but an accounts file"},
		{"waves.csv", "wave,begins,account\n1,hunter2,ada@x\n", "is no job file, but a wave plan; it goes with --waves"},
		{"pilot.db", "SQLite format 3\x00hunter2", "is no job file, but a state file; it is named in the job file: state: pilot.db"},
		{"app.pem", "-----BEGIN PRIVATE KEY-----\nhunter2\n", "but a key or a certificate"},
		{"password", "hunter2\n", "but something else, without its keys"},
		{"book.xlsx", "PK\x03\x04hunter2\x00", "but something else, without its keys"},
		{"notes", "- {job: hunter2}\n", "a job file is a list of keys with their values"},
		{"empty", " \n", "but an empty one"},
	} {
		dir := t.TempDir()
		write(t, dir, "pilot.yaml", full)
		write(t, dir, c.name, c.text)
		_, err := config.Load(filepath.Join(dir, c.name))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if beside := "; do you mean " + filepath.Join(dir, "pilot.yaml") + "?"; c.name != "notes" && err != nil && !strings.HasSuffix(err.Error(), beside) {
			t.Errorf("%s: %v does not name the job file", c.name, err)
		}
	}
	for _, text := range []string{"job: j\n", "{\"job\": \"j\"}", "{kinds: [mail], \"target\": {}}", "# a comment\nsource: {}\n"} {
		if _, err := config.Parse("job.yaml", []byte(text)); err == nil || strings.Contains(err.Error(), "no job file") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
