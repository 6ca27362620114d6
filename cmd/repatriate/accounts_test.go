package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/sources"
)

// named applies a rule to accounts that are given as "address|display name|state".
func named(t *testing.T, rule string, accounts ...string) []accountLine {
	t.Helper()
	n, err := newNaming([]string{rule})
	if err != nil {
		t.Fatal(err)
	}
	var lines []accountLine
	for _, text := range accounts {
		f := strings.Split(text, "|")
		l := lineOf(sources.Account{ID: f[0], Name: f[1], State: f[2], Shared: f[2] == "drive"})
		l.out = f[2] == "suspended"
		lines = append(lines, n.name(l))
	}
	return lines
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ rule, account, target, comment string }{
		{"local", "ada@example.org|Ada Lovelace|active", "ada", ""},
		{"keep", "ada@example.org|Ada Lovelace|active", "ada@example.org", ""},
		{"first.last", "al@example.org|Ada Lovelace|active", "ada.lovelace", ""},
		{"first.last", "al@example.org|Lovelace, Ada|active", "ada.lovelace", ""},
		{"first.last", "al@example.org|Ada King Lovelace (Analysis)|active", "ada.lovelace", ""},
		{"first.last", "x@example.org|J\u00f6rg Stra\u00dfe-\u0141uk|active", "jorg.strasse-luk", ""},
		{"first.last", "x@example.org|Conan O\u2019Brien|active", "conan.obrien", ""},
		{"first.last", "ada@example.org|Ada|active", "ada", "single word"},
		{"first.last", "taro@example.org|\u5c71\u7530 \u592a\u90ce|active", "taro", "other letters"},
		{"first.last", "x@example.org||active", "x", "single word"},
		{"first.last", "0A|Board|drive", "", "shared drive or library; name the account"},
		{"keep", "0A|Board|drive", "", "shared drive or library"},
		{"local", "info@example.org|Info|shared", "info", "shared mailbox"},
		{"local", "bob@example.org|Bob|suspended", "bob", "suspended: cannot be read"},
	} {
		l := named(t, c.rule, c.account)[0]
		if l.target != c.target || (c.comment == "") != (l.comment == "") || !strings.Contains(l.comment, c.comment) {
			t.Errorf("%s of %s: %q, %q; want %q, %q", c.rule, c.account, l.target, l.comment, c.target, c.comment)
		}
	}
}

// TestNamesAreUnique: no two accounts are given one name, and who cannot be read keeps none from others.
func TestNamesAreUnique(t *testing.T) {
	lines := named(t, "local", "ada@old.example|Ada|suspended", "ada@example.org|Ada|active",
		"ADA@example.com|Ada|active", "ada@example.net|Ada|suspended")
	var got []string
	for _, l := range lines {
		got = append(got, l.target)
	}
	if strings.Join(got, ",") != "ada,ada,," {
		t.Errorf("targets %q", got)
	}
	if !strings.Contains(lines[2].comment, "choose a target: ada@example.org has ADA") {
		t.Errorf("comment %q", lines[2].comment)
	}
}

func TestNamesOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "names.csv")
	put(t, path, "source;target\r\nAda@example.org;countess\r\ndrive:0A;board\r\nnobody@example.org;x\r\n")
	lines := named(t, "column:"+path, "ada@example.org|Ada|active", "0A|Board|drive", "bob@example.org|Bob|active")
	if lines[0].target != "countess" || lines[1].target != "board" || lines[2].target != "" ||
		lines[2].comment != "not in the file of names" {
		t.Errorf("%+v", lines)
	}
	n, err := newNaming([]string{"column:" + path})
	if err != nil {
		t.Fatal(err)
	}
	n.name(lineOf(sources.Account{ID: "ada@example.org"}))
	var said strings.Builder
	if n.report(&said); !strings.Contains(said.String(), "2 of 3 lines name nobody in the directory, the first is line 3: drive:0A") {
		t.Error(said.String())
	}
	for rule, want := range map[string]string{
		"column:": "name a CSV file", "column:" + path + ".missing": "no such file", "lokal": "none of local", "": "none of local",
	} {
		if _, err := newNaming([]string{rule}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", rule, err, want)
		}
	}
	put(t, path, "source,target\na@x,\n")
	if _, err := newNaming([]string{"column:" + path}); err == nil || !strings.Contains(err.Error(), "line 2: ") {
		t.Errorf("an empty name: %v", err)
	}
}

// TestNoFormulas: what users call themselves is no formula in a spreadsheet.
func TestNoFormulas(t *testing.T) {
	l := named(t, "local", "x@example.org|=HYPERLINK(\"http://example.com\")|active")[0]
	if got := l.fields(nil)[5]; got != "'=HYPERLINK(\"http://example.com\")" {
		t.Error(got)
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAccountsOfAJobWithoutFiles: whoever moves mail alone grants no scope of Drive, and needs none.
func TestAccountsOfAJobWithoutFiles(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	text, err := os.ReadFile(s.Job)
	if err != nil {
		t.Fatal(err)
	}
	p := ran(t, exitOK, "accounts", s.Job, "--names", "keep")
	if s.Provider.Counts()["drive.drives.list"] == 0 || !strings.Contains(p.stdout.String(), "@") {
		t.Fatalf("no shared drives were listed: %s", p.stdout.String())
	}
	before := s.Provider.Counts()["drive.drives.list"]
	put(t, s.Job, string(text)+"\nkinds: [mail]\n")
	ran(t, exitOK, "accounts", s.Job)
	if n := s.Provider.Counts()["drive.drives.list"]; n != before {
		t.Errorf("a job of mail listed shared drives %d times", n-before)
	}
}

const checkedJob = `job: pilot
source: {google: {credentials: file:sa.json, admin: admin@example.org}}
target: {mail: {imap: "imaps://mail.example.org:993"}}
accounts: accounts.csv
`

func TestAccountsCheck(t *testing.T) {
	dir := t.TempDir()
	job, accounts := filepath.Join(dir, "pilot.yaml"), filepath.Join(dir, "accounts.csv")
	put(t, job, checkedJob)
	put(t, accounts, "\xef\xbb\xbfsource;target;password;comment\nada@example.org;ada;cmd:pass ada;an example\n# bob@example.org;;;\n")
	p := ran(t, exitOK, "accounts", "check", job)
	want := accounts + ": 1 account, 1 line commented out; UTF-8 with a byte order mark, separated by semicolons\nNothing is wrong with it.\n"
	if p.stdout.String() != want {
		t.Errorf("%q, want %q", p.stdout.String(), want)
	}
	put(t, accounts, "source,target,password,kinds\nada@example.org,ada,file:none,files\nbob,ada,hunter2,\n\x1b[2Jc@example.org,c,env:C,\n")
	p = ran(t, exitUsage, "accounts", "check", job)
	out := p.stdout.String()
	for _, want := range []string{"To correct:\n  line 2: files has no target", "  line 3: \"bob\" is no address",
		"  line 3: ada is the target of line 2",
		"  line 3: password of bob: a secret is named", "  line 4: control characters", "Worth knowing:\n  line 2: the file of the password file:none"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q lacks %q", out, want)
		}
	}
	if strings.ContainsAny(out, "\x1b") || strings.Contains(out, "hunter2") || p.stderr.Len() > 0 {
		t.Errorf("%q, %q", out, p.stderr.String())
	}
	var read struct {
		File            string
		Accounts        int
		Findings, Notes []struct {
			Line    int
			Message string
		}
	}
	p = ran(t, exitUsage, "accounts", "check", "--json", job)
	if err := json.Unmarshal(p.stdout.Bytes(), &read); err != nil || read.Accounts != 3 || len(read.Findings) != 5 ||
		read.Findings[0].Line != 2 || read.File != accounts {
		t.Errorf("%v: %s", err, p.stdout.String())
	}
	if err := os.Remove(accounts); err != nil {
		t.Fatal(err)
	}
	if p = ran(t, exitUsage, "accounts", "check", job); !strings.Contains(p.stderr.String(), "accounts.csv: no such file") {
		t.Errorf("a file that is missing: %s", p.stderr.String())
	}
}

// TestPasswordsOfAccounts: --password names the password of each account, and never by a name that leads elsewhere.
func TestPasswordsOfAccounts(t *testing.T) {
	n, err := newNaming(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.refer([]string{"file:secrets/{user}"}); err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]string{
		"ada@example.org": "file:secrets/ada", "../../x@example.org": "", "..@example.org": "", `a\b@example.org`: "", "@example.org": "",
	} {
		if got := n.name(lineOf(sources.Account{ID: source})).password; got != want {
			t.Errorf("%s: password %q, want %q", source, got, want)
		}
	}
	if got := n.name(lineOf(sources.Account{ID: "drive", Shared: true})).password; got != "" {
		t.Errorf("a shared drive without a target has the password %q", got)
	}
	for _, wrong := range []string{"hunter2", "file:secrets/one", "cmd:pass show {user}", "mail=hunter2", "mail=file:mail", "file:again/{user}", "fax=file:{user}"} {
		if err := n.refer([]string{wrong}); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
}

// TestAccountsToAFile: what was edited is never lost, neither to a second listing nor to one that fails.
func TestAccountsToAFile(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	file := filepath.Join(t.TempDir(), "accounts.csv")
	holds := func(want string) {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%v: %s", err, text)
		}
	}
	if err := os.WriteFile(file, []byte("# as init wrote it\nsource,target,password\n# ada@example.org,ada,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	listed := ran(t, exitOK, "accounts", s.Job, "--output", file)
	if listed.stdout.Len() > 0 || !strings.Contains(listed.stderr.String(), "written: "+file) {
		t.Errorf("%s%s", listed.stdout.String(), listed.stderr.String())
	}
	holds("user0002@example.org")
	edited := "source,target\nada@example.org,ada\n"
	if err := os.WriteFile(file, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	if p := ran(t, exitUsage, "accounts", s.Job, "--output", file); !strings.Contains(p.stderr.String(), "is there already") {
		t.Error(p.stderr.String())
	}
	holds(edited)
	edit(t, s.Job, "sa.json", "gone.json")
	if p := started(t, "accounts", s.Job, "--output", file, "--force"); p.code(t) == exitOK {
		t.Error("a listing without a key went well")
	}
	holds(edited)
}
