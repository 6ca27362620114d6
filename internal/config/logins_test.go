package config_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/config"
)

// loginsOf reads accounts with columns of single kinds.
const loginsOf = `source;target;password;kinds;mail_target;mail_password;calendar_password
ada@x;ada;env:A;;ada.l@mail;env:AM;
bob@x;bob;env:B;mail files;;cmd:pass bob;env:BC
`

func TestLogins(t *testing.T) {
	people, err := config.ParseAccounts("accounts.csv", []byte(loginsOf))
	if err != nil || len(people) != 2 {
		t.Fatal(people, err)
	}
	ada, bob := people[0], people[1]
	for _, c := range []struct {
		account config.Account
		kind    string
		want    config.Login
	}{
		{ada, "files", config.Login{Target: "ada", Password: "env:A"}},
		{ada, "mail", config.Login{Target: "ada.l@mail", Password: "env:AM"}},
		{ada, "calendar", config.Login{Target: "ada", Password: "env:A"}},
		{bob, "mail", config.Login{Target: "bob", Password: "cmd:pass bob"}},
		{bob, "calendar", config.Login{Target: "bob", Password: "env:BC"}},
		{config.Account{Target: "eve", Own: map[string]config.Login{"mail": {Target: "e"}}}, "mail", config.Login{Target: "e"}},
	} {
		if got := c.account.Login(c.kind); got != c.want {
			t.Errorf("%s, %s: %+v, want %+v", c.account.Target, c.kind, got, c.want)
		}
	}
	ada.Kinds = []string{"files", "mail"}
	if got := ada.Elsewhere(); !maps.Equal(got, map[string]string{"mail": "ada.l@mail"}) {
		t.Errorf("elsewhere: %v", got)
	}
	if ada.Kinds = []string{"files"}; ada.Elsewhere() != nil || bob.Elsewhere() != nil {
		t.Errorf("elsewhere: %v, %v", ada.Elsewhere(), bob.Elsewhere())
	}
}

func TestLoginsRefused(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"password written", "source,target,mail_password\na@x,a,hunter2\n", "line 2: mail_password of a@x: a secret is named, never written"},
		{"a path", "source,target,files_target\na@x,a,..\n", `line 2: files_target: ".." is no name of an account`},
		{"control character", "source,target,mail_target\na@x,a,\"b\nc\"\n", "control characters in the column mail_target"},
		{"another encoding", "source,target,mail_target\na@x,a,j\xf6rg\n", "in the column mail_target may be read wrongly"},
		{"misspelt", "source,target,mail_pasword\n", `did you mean "mail_password"`},
		{"no source", "source,target,mail_target\n,,a\n", "line 2: source and target are both needed"},
	} {
		_, err := config.ParseAccounts("accounts.csv", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

// manyServers is a job with mail on a server of its own, and with calendars and tasks in one place.
const manyServers = `job: j
source: {google: {credentials: file:sa.json, admin: admin@x}}
target:
  files: {webdav: "https://cloud.example.org/files/{user}/"}
  mail: {imap: "imaps://mail.example.org:993"}
  calendar: {caldav: "https://cloud.example.org/calendars/{user}/"}
  tasks: {caldav: "https://cloud.example.org/calendars/{user}/"}
accounts: accounts.csv
`

const master = `  mail: {imap: "imaps://mail.example.org:993", master: {user: m, password: "env:M"}}`

// TestLoginsOfAJob: what is missing, what would become one, and what is most likely not meant.
func TestLoginsOfAJob(t *testing.T) {
	byMaster := strings.Replace(manyServers, `  mail: {imap: "imaps://mail.example.org:993"}`, master, 1)
	noMail := strings.Replace(manyServers, `  mail: {imap: "imaps://mail.example.org:993"}`+"\n", "", 1)
	for _, c := range []struct{ name, job, accounts, finding, note string }{
		{"in order", manyServers, "source,target,password,mail_target\na@x,a,cmd:a,a@mail\nb@x,b,cmd:b,b@mail\n", "", ""},
		{"all by themselves", manyServers, "source,target,kinds,mail_password,files_password\na@x,a,mail files,cmd:a,cmd:b\n", "", "files and calendar go to one server"},
		{"one is missing", manyServers, "source,target,kinds,mail_password\na@x,a,mail files,cmd:a\n",
			"line 2: a@x: the password is missing, which files needs; name it in the column password, or in files_password", ""},
		{"two mailboxes become one", manyServers, "source,target,password,mail_target\na@x,a,cmd:a,\nb@x,b,cmd:b,A\n",
			"line 3: mail of a@x and mail of b@x both go to A; two accounts may not become one", ""},
		{"calendars and tasks become one", manyServers, "source,target,password,tasks_target\na@x,a,cmd:a,b\nb@x,b,cmd:b,b.t\n",
			"line 3: calendar of b@x and tasks of a@x both go to b", "calendar"},
		{"names that change places", manyServers, "source,target,password,kinds,mail_target\na@x,a,cmd:a,mail,b\nb@x,b,cmd:b,mail,a\n", "", ""},
		{"a drive has no mail", manyServers, "source,target,password,mail_target\na@x,a,cmd:a,team\ndrive:0A,team,cmd:b,\n", "", ""},
		{"two targets are told once", manyServers, "source,target,password,mail_target\na@x,a,cmd:a,m\nb@x,a,cmd:b,m\n", "line 3: a is the target of line 2 already", ""},
		{"master", byMaster, "source,target,password,mail_target,mail_password\na@x,a,cmd:a,m,cmd:b\n", "", "the column mail_password is not used"},
		{"no target", noMail, "source,target,password,mail_target\na@x,a,cmd:a,m\n", "", "the columns mail_target and mail_password are not used: the job file has no target.mail"},
		{"absent", manyServers, "source,target,password,kinds,mail_password\na@x,a,cmd:a,mail,file:none\n", "", "line 2: the file of the password file:none cannot be found"},
	} {
		job, err := config.Parse(placed(t, c.job, c.accounts), []byte(c.job))
		if err != nil {
			t.Fatal(c.name, err)
		}
		file, err := job.CheckAccounts()
		if err != nil {
			t.Fatal(c.name, err)
		}
		expect(t, c.name+": findings", file.Findings, c.finding)
		expect(t, c.name+": notes", file.Notes, c.note)
	}
}

// placed writes both files of a job and returns the path of the job file.
func placed(t *testing.T, job, accounts string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "job.yaml", job)
	write(t, dir, "accounts.csv", accounts)
	return filepath.Join(dir, "job.yaml")
}

// expect wants one finding that holds the text, or none.
func expect(t *testing.T, what string, found []config.Finding, want string) {
	t.Helper()
	got := make([]string, 0, len(found))
	for _, f := range found {
		got = append(got, f.String())
	}
	if want == "" && len(got) > 0 || want != "" && !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, want) }) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// TestSecretsOfLogins: those of single kinds are secrets as all others.
func TestSecretsOfLogins(t *testing.T) {
	job, err := config.Load(placed(t, manyServers, loginsOf))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(job.Secrets(), " "); got != "cmd:pass bob env:A env:AM env:B env:BC file:sa.json" {
		t.Errorf("secrets: %s", got)
	}
}

// TestNamesOfOthers: a file of names may have columns of its own; those that it needs must be there.
func TestNamesOfOthers(t *testing.T) {
	people, err := config.ParseNames("names.csv", []byte("staff;source;target;room\n7;ada@x;ada;12\n"))
	if err != nil || len(people) != 1 || people[0].Source != "ada@x" || people[0].Target != "ada" {
		t.Errorf("%+v, %v", people, err)
	}
	if _, err := config.ParseNames("names.csv", []byte("email,login\nada@x,ada\n")); err == nil || !strings.Contains(err.Error(), `the column "source" is missing`) {
		t.Errorf("without its columns: %v", err)
	}
}

// TestManyAbsentPasswords: a file that is written for another machine is not answered with a line for each account.
func TestManyAbsentPasswords(t *testing.T) {
	var b strings.Builder
	b.WriteString("source,target,password,kinds\n")
	for i := range 100 {
		fmt.Fprintf(&b, "a%[1]d@x,a%[1]d,file:none/%[1]d,mail\n", i)
	}
	job, err := config.Parse(placed(t, manyServers, b.String()), []byte(manyServers))
	if err != nil {
		t.Fatal(err)
	}
	file, err := job.CheckAccounts()
	if err != nil || len(file.Findings) > 0 || len(file.Notes) != 21 || file.Notes[20].Message != "and 80 more passwords are not on this machine" {
		t.Errorf("%v, %v, %v", err, file.Findings, file.Notes)
	}
}
