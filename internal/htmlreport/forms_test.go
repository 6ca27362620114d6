package htmlreport_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/htmlreport"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fixed are the parts of a page that stand in files of their own.
var fixed = regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>|sha256-[A-Za-z0-9+/=&#;]+`)

// golden compares a page with a file in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	got = fixed.ReplaceAll(got, nil)
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is another; -update writes it anew:\n%s", path, got)
	}
}

func TestHTML(t *testing.T) {
	l := sample()
	var b bytes.Buffer
	writeHTML(t, l, l.job(people...), &b)
	golden(t, "report.html", b.Bytes())
}

func TestJSON(t *testing.T) {
	for name, c := range map[string]ledger{"report.json": sample(), "empty.json": {}} {
		j := c.job()
		if len(c) > 0 {
			j = c.job(people...)
		}
		var b bytes.Buffer
		w, err := htmlreport.NewJSON(&b, j)
		if err != nil {
			t.Fatal(err)
		}
		write(t, c, j, w)
		if !json.Valid(b.Bytes()) {
			t.Errorf("%s is no JSON", name)
		}
		golden(t, name, b.Bytes())
	}
}

// written returns the CSV of a ledger.
func written(t *testing.T, l ledger, j *htmlreport.Job) [][]string {
	t.Helper()
	var b bytes.Buffer
	w, err := htmlreport.NewCSV(&b)
	if err != nil {
		t.Fatal(err)
	}
	write(t, l, j, w)
	text, marked := strings.CutPrefix(b.String(), "\ufeff")
	if !marked {
		t.Error("the byte order mark is missing")
	}
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestCSV(t *testing.T) {
	l := sample()
	lines := written(t, l, l.job(people...))
	if len(lines) != 8 || strings.Join(lines[0][:6], " ") != "account target account_grade kind collection title" {
		t.Fatalf("%d lines, heading %q", len(lines), lines[0])
	}
	renamed := lines[2]
	want := []string{"ada@example.org", "ada", "D", "files", "Drive", "a:b.txt", "copied_with_losses", "file.renamed", "B"}
	if strings.Join(renamed[:9], "|") != strings.Join(want, "|") || renamed[12] != "Moved/Inner/a_b.txt" || renamed[14] != "f2" {
		t.Errorf("%q, want %q", renamed, want)
	}
	if failed := lines[3]; failed[13] != "" || !strings.HasPrefix(failed[5], "'=cmd") {
		t.Errorf("the hostile one: %q", failed)
	}
	if labels := lines[5]; labels[11] != `the label "a.b" is now the keyword $a.b; the label "c" is now the keyword $c` || labels[12] != "Projects/2024" {
		t.Errorf("two losses of one reason: %q", labels)
	}
}

// TestCSVHasNoFormulas: no cell begins with what a spreadsheet calculates, also where it takes semicolons for separators.
func TestCSVHasNoFormulas(t *testing.T) {
	formula := regexp.MustCompile(`^\s*[=+\-@＝＋－＠\t\r]`)
	for _, title := range []string{
		"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1", "\u202e=1", "\ufeff=1", "＝1", "a;=1", "a; +1", "\"=1", "x\n=1", "\x00=1", "\t1",
	} {
		l := ledger{{Account: title, Kind: "files", Collection: title}: {name: title, records: []checkpoint.Record{
			{ID: title, Title: title, State: checkpoint.Failed, Reason: title, Message: title, Link: title},
		}}}
		for _, field := range written(t, l, l.job(htmlreport.Named{Source: title, Target: title}))[1] {
			for _, part := range strings.Split(field, ";") {
				if formula.MatchString(strings.TrimLeft(part, "\ufffd")) {
					t.Errorf("%q became the cell %q", title, field)
				}
			}
			if strings.ContainsAny(field, "\t\r\n\x00\u202e\ufeff") {
				t.Errorf("%q became the cell %q", title, field)
			}
		}
	}
}

// pagesFor writes the pages for people into a folder and returns it.
func pagesFor(t *testing.T, l ledger, lang string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pages")
	w, err := htmlreport.NewPeople(dir, l.job(people...), lang, false, func(path string, write func(io.Writer) error) error {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return err
		}
		return os.WriteFile(path, b.Bytes(), 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Release()
	write(t, l, l.job(people...), w)
	return dir
}

// pageFor writes the pages of a job, and returns the one of an account.
func pageFor(t *testing.T, l ledger, j *htmlreport.Job, lang, account string) (page string) {
	t.Helper()
	w, err := htmlreport.NewPeople(filepath.Join(t.TempDir(), "pages"), j, lang, false, func(path string, write func(io.Writer) error) error {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return err
		}
		if filepath.Base(path) == account+".html" {
			page = b.String()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Release()
	write(t, l, j, w)
	return page
}

// TestWhatBecameOfLabels is said to those who had some: only Google has them, and the job file says what becomes of them.
func TestWhatBecameOfLabels(t *testing.T) {
	const primary, copies = "lies in the folder of its first label", "lies in each of them"
	for _, c := range []struct{ provider, labels, account, want, not string }{
		{"Google Workspace", "", "ada@example.org", primary, copies},
		{"Google Workspace", "primary", "ada@example.org", primary, copies},
		{"Google Workspace", "copies", "ada@example.org", copies, primary},
		{"Google Workspace", "primary", "ben@example.org", "These are your mail folders", "first label"},
		{"Microsoft 365", "primary", "ada@example.org", "These are your mail folders", primary},
	} {
		l := sample()
		j := l.job(people...)
		j.Provider, j.Labels = c.provider, c.labels
		if page := pageFor(t, l, j, "en", c.account); !strings.Contains(page, c.want) || strings.Contains(page, c.not) {
			t.Errorf("%+v:\n%s", c, page)
		}
	}
}

// TestPagesWithoutAList do not ask to look at it.
func TestPagesWithoutAList(t *testing.T) {
	copied := checkpoint.Record{ID: "1", State: checkpoint.Copied, Title: "x", Location: "INBOX;UIDVALIDITY=1/;UID=1"}
	waiting := checkpoint.Record{ID: "2", State: checkpoint.Pending}
	failed := checkpoint.Record{ID: "3", State: checkpoint.Failed, Title: "y", Reason: "target.quota"}
	all := func(r ...checkpoint.Record) []checkpoint.Record { return r }
	for _, c := range []struct {
		name, account string
		records       []checkpoint.Record
		want, not     string
	}{
		{"nothing listed", "ada@x", nil, "The move of your account has not begun.", "listed below"},
		{"stopped later", "ada@x", all(copied), "What had come over by then is in your new account.", "listed below"},
		{"waiting", "ada@x", all(copied, waiting), "1 still to come", "listed below"},
		{"failed", "ada@x", all(copied, failed), "Please look at what is listed below.", "What had come over by then"},
		{"a drive", "drive:0AX", all(copied), "What had come over by then is in its new place.", "account."},
	} {
		l := ledger{{Account: c.account, Kind: "mail", Collection: "mailbox"}: {name: "Mail", records: c.records, err: "connection refused"}}
		page := pageFor(t, l, l.job(), "en", strings.ReplaceAll(c.account, ":", "_"))
		verdict, _, _ := strings.Cut(page, "<footer")
		if !strings.Contains(verdict, c.want) || strings.Contains(verdict, c.not) {
			t.Errorf("%s:\n%s", c.name, verdict)
		}
	}
}

// TestFrenchSentences: no full stop before a dot, no part of a number that is the whole, and a drive is nobody's account.
func TestFrenchSentences(t *testing.T) {
	l := sample()
	l[checkpoint.Task{Account: "ada@example.org", Kind: "contacts", Collection: "c"}] = &content{name: "Contacts", records: []checkpoint.Record{
		{ID: "p1", State: checkpoint.CopiedWithLosses, Losses: []checkpoint.Loss{{Reason: "contact.in_note"}}},
		{ID: "p2", State: checkpoint.CopiedWithLosses, Losses: []checkpoint.Loss{{Reason: "contact.in_note"}}},
	}}
	for _, c := range []struct{ account, want, not string }{
		{"ada@example.org", "le nom y est ada.l.</bdi> Situation au", ". ·"},
		{"ada@example.org", "contacts<small>avec de petits changements</small>", "dont 2"},
		{"ben@example.org", "</bdi> · Situation au", "</bdi> Situation"},
		{"drive_0AX", "dans le nouvel espace", "votre nouveau compte"},
	} {
		if page := pageFor(t, l, l.job(people...), "fr", c.account); !strings.Contains(page, c.want) || strings.Contains(page, c.not) {
			t.Errorf("%s, %q:\n%s", c.account, c.want, page)
		}
	}
}

func TestPagesForPeople(t *testing.T) {
	for _, lang := range htmlreport.Languages() {
		dir := pagesFor(t, sample(), lang)
		for _, name := range []string{"ada@example.org.html", "ben@example.org.html", "drive_0AX.html", "zoe@example.org.html", "index.csv"} {
			page, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, lang+"-"+name, page)
			if strings.Contains(string(page), "HTTP 403") {
				t.Errorf("%s says what a server said", name)
			}
		}
	}
}

// TestPagesOfHostileAccounts: a page never lies outside of the folder, and no page takes another's place.
func TestPagesOfHostileAccounts(t *testing.T) {
	l := ledger{}
	for _, a := range []string{"../../evil", "..", ".", "/etc/passwd", "Ada@example.org", "ada@example.org", "ada@EXAMPLE.org", "a\x00b", "a/b", "index.csv", "-rf", "é", strings.Repeat("x", 500), "con"} {
		l[checkpoint.Task{Account: a, Kind: "mail", Collection: "m"}] = &content{records: []checkpoint.Record{{ID: "1", State: checkpoint.Copied}}}
	}
	dir := pagesFor(t, l, "en")
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	taken := map[string]bool{}
	for _, f := range files {
		if taken[strings.ToLower(f.Name())] || strings.HasPrefix(f.Name(), ".") || strings.HasPrefix(f.Name(), "-") || len(f.Name()) > 120 {
			t.Errorf("a file named %q", f.Name())
		}
		taken[strings.ToLower(f.Name())] = true
	}
	if want := len(l) + 2 + 1 + 1; len(files) != want-1 { // ben and zoe of the job file; ada is one of them; the index
		t.Errorf("%d files for %d accounts: %v", len(files), len(l), files)
	}
	if outside, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "*")); err != nil || len(outside) != 1 {
		t.Errorf("outside of the folder: %q, %v", outside, err)
	}
}
