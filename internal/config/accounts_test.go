package config_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"codeberg.org/repatriate/repatriate/internal/config"
)

func TestParseAccountsRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":             {"", "no header"},
		"missing column":    {"source,password\na,env:A\n", `the column "target" is missing`},
		"misspelt column":   {"source,target,pasword\n", `did you mean "password"`},
		"column twice":      {"source,target,target\n", "stands twice"},
		"source twice":      {"source,target\na@x,a\nA@x,b\n", "line 3: A@x stands in line 2"},
		"two into one":      {"source,target\na@x,a\nb@x,A\n", "two accounts may not become one"},
		"no target":         {"source,target\na@x,\n", "line 2: source and target are both needed; the target of a@x is empty"},
		"password written":  {"source,target,password\na@x,a,hunter2\n", "a secret is named"},
		"unknown kind":      {"source,target,password,kinds\na@x,a,env:A,mial\n", `no kind "mial"`},
		"a path":            {"source,target\na@x,..\n", "no name of an account"},
		"latin-1":           {"source,target\nj\xf6rg@x,a\n", "line 2: the file is not UTF-8, so that \"j\u00f6rg@x\" in the column source"},
		"latin-1 elsewhere": {"source,target,name\na@x,a,\n\xc3\xb6@x,b,J\xf6rg\n", "line 3: the file is not UTF-8"},
		"damaged":           {"\xef\xbb\xbfsource,target\na@x,a\nj\xf6rg@x,b\n", "line 3: is no UTF-8"},
		"half of UTF-16":    {"\xff\xfes\x00o", "line 1: is no UTF-16"},
		"UTF-16, no mark":   {"s\x00o\x00", "line 1: holds NUL bytes"},
		"no address":        {"source,target\nada,a\n", "line 2: \"ada\" is no address like"},
		"name and address":  {"source,target\nAda <ada@x>,a\n", "is no address like"},
		"two at":            {"source,target\na@b@x,a\n", "is no address like"},
		"no drive":          {"source,target\ndrive:,a\n", "is no address like"},
		"no source":         {"source,target,password\n,a,env:A\n", "line 2: source and target are both needed; the source is empty"},
		"invisible":         {"source,target\na@x,ada\u200b\n", "line 2: an invisible character (U+200B) in the column target"},
		"no header":         {"ada@x,ada,env:A\n", "line 1: the first line names the columns, as in source,target,password"},
		"other columns":     {"source|target\na@x|a\n", "line 1: columns are separated by commas, semicolons or tabs"},
		"other separator":   {"source,target\na@x;a\n", "line 2: is separated by another character than the header line, which has the comma"},
		"too many fields":   {"source,target,kinds\na@x,a,mail,files\n", "line 2: has more fields"},
		"quotation mark":    {"source,target\na@x,\"a\"b\"\n", "line 2: a quotation mark stands where none can"},
		"control character": {"source,target\n\"a\nb@x\",a\n", "control characters"},
	} {
		if _, err := config.ParseAccounts("accounts.csv", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

// utf16le is what spreadsheets call Unicode text.
func utf16le(s string) string {
	b := []byte{0xff, 0xfe}
	for _, c := range utf16.Encode([]rune(s)) {
		b = append(b, byte(c), byte(c>>8))
	}
	return string(b)
}

// TestAccountsOfSpreadsheets reads what spreadsheets write: the same two accounts each time.
func TestAccountsOfSpreadsheets(t *testing.T) {
	const plain = "source,target,password,kinds,name\na@x,ada,env:A,mail,Zo\u00eb \U0001f600\n# b@x,left,,,\n\nj@x,j\u00f6rg,,,\n"
	semicolons := strings.ReplaceAll(plain, ",", ";")
	tabs := strings.ReplaceAll(plain, ",", "\t")
	for name, c := range map[string]struct{ text, encoding, separator, note string }{
		"plain":             {plain, "UTF-8", "comma", ""},
		"semicolons":        {semicolons, "UTF-8", "semicolon", ""},
		"marked":            {"\xef\xbb\xbf" + semicolons, "UTF-8 with a byte order mark", "semicolon", ""},
		"tabs":              {tabs, "UTF-8", "tab", ""},
		"Unicode text":      {utf16le(tabs), "UTF-16", "tab", "is UTF-16"},
		"CRLF":              {strings.ReplaceAll(plain, "\n", "\r\n"), "UTF-8", "comma", ""},
		"CR":                {strings.ReplaceAll(plain, "\n", "\r"), "UTF-8", "comma", "CR alone"},
		"quoted header":     {strings.Replace(plain, "source,target", "\"Source\", \"TARGET\"", 1), "UTF-8", "comma", ""},
		"comment before it": {"# from the directory, for all\n" + plain, "UTF-8", "comma", ""},
		"sep before it":     {"sep=;\r\n" + semicolons, "UTF-8", "semicolon", ""},
		"empty columns":     {strings.ReplaceAll(strings.ReplaceAll(plain, "name\n", "name,,\n"), "600\n", "600,,\n"), "UTF-8", "comma", ""},
		"capital kind":      {strings.Replace(plain, ",mail,", ",Mail,", 1), "UTF-8", "comma", ""},
	} {
		f := config.ReadAccounts("accounts.csv", []byte(c.text))
		if len(f.Findings) > 0 || f.Encoding != c.encoding || f.Separator != c.separator {
			t.Errorf("%s: %q in %s, separated by %s", name, f.Findings, f.Encoding, f.Separator)
		}
		if len(f.People) != 2 || f.People[0].Kinds[0] != "mail" || f.People[1].Target != "j\u00f6rg" || f.LeftOut == 0 {
			t.Errorf("%s: %+v, %d left out", name, f.People, f.LeftOut)
		}
		if notes := fmt.Sprint(f.Notes); c.note == "" && len(f.Notes) > 0 || !strings.Contains(notes, c.note) {
			t.Errorf("%s: notes %s", name, notes)
		}
	}
}

// TestWindows1252 takes such a file as long as no account's name depends on the encoding.
func TestWindows1252(t *testing.T) {
	f := config.ReadAccounts("accounts.csv", []byte("source;target;name\na@x;ada;Zo\xeb\n# j\xf6@x;;\nb@x;bob;\n"))
	if len(f.Findings) > 0 || len(f.People) != 2 || f.Encoding != "Windows-1252" {
		t.Errorf("%+v", f)
	}
	if len(f.Notes) != 1 || !strings.Contains(f.Notes[0].Message, "line 2 is not UTF-8") {
		t.Errorf("notes: %v", f.Notes)
	}
}

// TestAllFindings: a mistake hides no other, and each has its line.
func TestAllFindings(t *testing.T) {
	f := config.ReadAccounts("accounts.csv", []byte("source,target,password,kinds\n"+
		"ada,a,env:A,mail\nb@x,,hunter2,\nc@x,\"c\"c,,\nd@x,a,,mial\nD@x,d,,\ne@x,e,env:E,\n"))
	want := []struct {
		line int
		text string
	}{
		{2, "no address"}, {3, "target of b@x is empty"}, {3, "secret is named"}, {4, "quotation mark"},
		{5, `no kind "mial"`}, {5, "target of line 2"}, {6, "D@x stands in line 5"},
	}
	if len(f.Findings) != len(want) {
		t.Fatalf("findings: %v", f.Findings)
	}
	for i, w := range want {
		if got := f.Findings[i]; got.Line != w.line || !strings.Contains(got.Message, w.text) || strings.Contains(got.Message, "hunter2") {
			t.Errorf("finding %v, want line %d: %s", got, w.line, w.text)
		}
	}
}

// TestFindingsAreBounded: a file that is wrong everywhere is not said to be so a million times.
func TestFindingsAreBounded(t *testing.T) {
	f := config.ReadAccounts("accounts.csv", []byte("source,target\n"+strings.Repeat("x,\n", 5000)))
	if n := len(f.Findings); n != 1001 || f.Findings[n-1].Message != "and 13999 more" {
		t.Errorf("%d findings, the last %v", n, f.Findings[n-1])
	}
}

// TestCheckAccounts looks at what only the job file, the accounts file and this machine together show.
func TestCheckAccounts(t *testing.T) {
	dir := t.TempDir()
	edited := strings.Replace(full, "kinds: [files, mail, calendar]\n", "", 1)
	edited = strings.Replace(edited, "  calendar: {caldav:  \"https://cloud.example.org/remote.php/dav/calendars/{user}/\"}\n", "", 1)
	write(t, dir, "accounts.csv", "source,target,password,kinds\n"+
		"a@x,a,file:secrets/a,\nb@x,b,file:here,calendar\nc,c,env:REPATRIATE_TEST_UNSET,\nd@x,d,,mail\n")
	write(t, dir, "here", "x")
	j, err := config.Parse(filepath.Join(dir, "job.yaml"), []byte(edited))
	if err != nil {
		t.Fatal(err)
	}
	f, err := j.CheckAccounts()
	if err != nil {
		t.Fatal(err)
	}
	lines := func(found []config.Finding) (all []string) {
		for _, x := range found {
			all = append(all, x.String())
		}
		return all
	}
	if got := lines(f.Findings); !slices.Equal(got, []string{
		"line 3: calendar has no target in the job file",
		`line 4: "c" is no address like ada@example.org, and no shared drive like drive:0AExampleId`,
		"line 5: d@x: the password is missing, which mail needs; name it in the column password, or in mail_password if it serves mail alone",
	}) {
		t.Errorf("findings: %q", got)
	}
	if got := lines(f.Notes); !slices.Equal(got, []string{
		"line 2: the file of the password file:secrets/a cannot be found",
		"line 4: the environment has no variable for the password env:REPATRIATE_TEST_UNSET",
	}) {
		t.Errorf("notes: %q", got)
	}
	j.Accounts = "missing.csv"
	if _, err := j.CheckAccounts(); err == nil {
		t.Error("a file that is missing has been read")
	}
}

func FuzzParseAccounts(f *testing.F) {
	f.Add([]byte("source,target,password\na@x,a,env:A\n"))
	f.Add([]byte("\xff\xfes\x00"))
	f.Add([]byte("source\ttarget\tname\ra@x\ta\t\xe9\r"))
	f.Add([]byte("source;target\n\"a\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		people, err := config.ParseAccounts("accounts.csv", text)
		for _, p := range people {
			if err == nil && (p.Source == "" || p.Target == "") {
				t.Errorf("accepted %+v", p)
			}
		}
	})
}
