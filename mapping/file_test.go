package mapping_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sources"
)

func TestName(t *testing.T) {
	long := strings.Repeat("ü", 200)
	for _, c := range []struct {
		name string
		want string
		keep string // with KeepUnportable, where it differs
	}{
		{name: "Report 2024.pdf", want: "Report 2024.pdf"},
		{name: ".gitignore", want: ".gitignore"},
		{name: "a/b", want: "a_b"},
		{name: `a\b`, want: "a_b"},
		{name: "../x", want: ".._x"},
		{name: ".", want: "unnamed"},
		{name: "..", want: "unnamed"},
		{name: "", want: "unnamed"},
		{name: " \t", want: "unnamed"},
		{name: "\u3000", want: "unnamed"},
		{name: " lead and trail ", want: "lead and trail"},
		{name: "trail.", want: "trail", keep: "trail."},
		{name: "trail. .", want: "trail", keep: "trail. ."},
		{name: "10:30?", want: "10_30_", keep: "10:30?"},
		{name: "CON", want: "CON_", keep: "CON"},
		{name: "nul.tar.gz", want: "nul_.tar.gz", keep: "nul.tar.gz"},
		{name: "LPT².txt", want: "LPT²_.txt", keep: "LPT².txt"},
		{name: "com1 .txt", want: "com1 _.txt", keep: "com1 .txt"},
		{name: "console", want: "console"},
		{name: ".htaccess", want: ".htaccess_"},
		{name: ".HTACCESS", want: ".HTACCESS_"},
		{name: ".DAV", want: ".DAV_"},
		{name: "film.part", want: "film.part_"},
		{name: "film.FilePart", want: "film.FilePart_"},
		{name: "film.part.", want: "film.part_", keep: "film.part."},
		{name: "line\r\nbreak\x00", want: "line__break_"},
		{name: "para\u2029graph", want: "para_graph"},
		{name: "invoice\u202Egpj.exe", want: "invoicegpj.exe"},
		{name: "می\u200cخواهم", want: "می\u200cخواهم"},
		{name: "e\u0301.txt", want: "é.txt"},
		{name: "bad\xff\xfeutf8", want: "bad_utf8"},
		{name: "sur\xed\xa0\x80rogate", want: "sur_rogate"},
		{name: long + ".docx", want: strings.Repeat("ü", 122) + ".docx"},
		{name: long, want: strings.Repeat("ü", 125)},
		{name: strings.Repeat("a", 300) + ".tar.gz", want: strings.Repeat("a", 243) + ".tar.gz"},
		{name: strings.Repeat("a", 249) + " b", want: strings.Repeat("a", 249)},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkName(t, mapping.FileRules{}, c.name, c.want)
			if c.keep == "" {
				c.keep = c.want
			}
			checkName(t, mapping.FileRules{KeepUnportable: true}, c.name, c.keep)
		})
	}
}

func checkName(t *testing.T, r mapping.FileRules, name, want string) {
	t.Helper()
	got, loss := r.Name(sources.File{Name: name})
	if got != want {
		t.Errorf("%+v: %q became %q, want %q", r, name, got, want)
	}
	switch {
	case got == name && loss != nil:
		t.Errorf("%+v: %q has the loss %v", r, name, loss)
	case got != name && (loss == nil || loss.Reason != mapping.FileRenamed):
		t.Errorf("%+v: %q became %q with the loss %v", r, name, got, loss)
	case got != name && utf8.ValidString(name) && loss.Detail != mapping.Renaming(name, got):
		t.Errorf("%+v: the loss says %q of %q", r, loss.Detail, name)
	}
}

func TestRenaming(t *testing.T) {
	for _, c := range []struct{ old, now, want string }{
		{"a/b", "a_b", `"a/b" is now "a_b"`},
		{" é", "é", `" é" is now "é"`},
		{"e\u0301", "é", `"e\u0301" is now "\u00e9"`},
		{"bad\xff", "bad_", `"bad\xff" is now "bad_"`},
	} {
		if got := mapping.Renaming(c.old, c.now); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func TestNameGetsItsExtension(t *testing.T) {
	for _, c := range []struct {
		file    sources.File
		want    string
		renamed bool
	}{
		{file: sources.File{Name: "Minutes", Extension: ".docx"}, want: "Minutes.docx"},
		{file: sources.File{Name: "Minutes.DOCX", Extension: ".docx"}, want: "Minutes.DOCX"},
		{file: sources.File{Name: "a/b", Extension: ".docx"}, want: "a_b.docx", renamed: true},
		{file: sources.File{Name: "v1.2", Extension: ".odt"}, want: "v1.2.odt"},
		{file: sources.File{Name: strings.Repeat("x", 250), Extension: ".docx"}, want: strings.Repeat("x", 245) + ".docx", renamed: true},
		{file: sources.File{Name: "Team", Type: sources.Shortcut}, want: "Team.url"},
		{file: sources.File{Name: "Team", Type: sources.Folder}, want: "Team"},
	} {
		got, loss := mapping.FileRules{}.Name(c.file)
		if got != c.want || (loss != nil) != c.renamed {
			t.Errorf("%q became %q (%v), want %q", c.file.Name, got, loss, c.want)
		}
	}
}

func TestVariants(t *testing.T) {
	for _, c := range []struct {
		name   string
		folder bool
		want   []string
	}{
		{"a.txt", false, []string{"a.txt", "a (2).txt", "a (3).txt"}},
		{"v1.2", true, []string{"v1.2", "v1.2 (2)", "v1.2 (3)"}},
		{"x.tar.gz", false, []string{"x.tar.gz", "x (2).tar.gz", "x (3).tar.gz"}},
		{".env", false, []string{".env", ".env (2)", ".env (3)"}},
		{"a. b c", false, []string{"a. b c", "a. b c (2)", "a. b c (3)"}},
		{strings.Repeat("a", 246) + " (2)", true, []string{strings.Repeat("a", 246) + " (2)", strings.Repeat("a", 246) + " (3)", strings.Repeat("a", 246) + " (4)"}},
	} {
		if diff := cmp.Diff(c.want, take(mapping.Variants(c.name, c.folder), 3)); diff != "" {
			t.Errorf("variants of %q: %s", c.name, diff)
		}
	}
}

func take(seq iter.Seq[string], n int) (all []string) {
	for s := range seq {
		if all = append(all, s); len(all) == n {
			break
		}
	}
	return all
}

func TestFile(t *testing.T) {
	at := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	got, losses, err := mapping.FileRules{}.File(sources.File{
		Name: "Minutes", Orphan: true, MediaType: "application/vnd.google-apps.document", ExportType: "application/x-docx",
		Extension: ".docx", Created: at, Modified: at.Add(time.Hour), Body: sources.Body{Version: "7", Size: -1, MD5: "m", SHA256: "s"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Path != nil || got.Folder || got.MediaType != "application/x-docx" || !got.Created.Equal(at) || !got.Modified.Equal(at.Add(time.Hour)) {
		t.Errorf("mapped to %+v", got)
	}
	if b := got.Body; b.Version != "7" || b.Size != -1 || b.MD5 != "m" || b.SHA256 != "s" {
		t.Errorf("the body became %+v", b)
	}
	want := []mapping.Loss{
		{Reason: mapping.FileConverted, Detail: "document → docx"},
		{Reason: mapping.FileOrphan},
	}
	if diff := cmp.Diff(want, losses); diff != "" {
		t.Error(diff)
	}
}

func TestFolder(t *testing.T) {
	got, losses, err := mapping.FileRules{}.File(sources.File{Name: "x", Type: sources.Folder, MediaType: "application/vnd.google-apps.folder"})
	if err != nil || len(losses) != 0 || !got.Folder || got.MediaType != "" || got.Body.Open != nil {
		t.Errorf("mapped to %+v, %v, %v", got, losses, err)
	}
}

func TestShortcut(t *testing.T) {
	for _, c := range []struct{ link, want string }{
		{"https://drive.example.org/open?id=1&x=y", "[InternetShortcut]\r\nURL=https://drive.example.org/open?id=1&x=y\r\n"},
		{"https://drive.example.org/ü", "[InternetShortcut]\r\nURL=https://drive.example.org/%C3%BC\r\n"},
		{"", ""},
		{"javascript:alert(1)", ""},
		{"file:///etc/passwd", ""},
		{"https://drive.example.org/a\r\nIconFile=x", ""},
		{"https://drive.example.org/?q=a b\nURL=x", ""},
		{"https://user:pw@drive.example.org/", ""},
	} {
		got, losses, err := mapping.FileRules{}.File(sources.File{Name: "s", Type: sources.Shortcut, TargetName: "Plan", TargetLink: c.link})
		if c.want == "" {
			if f := fault.Of(err); f == nil || f.Reason != fault.MappingInvalid || f.Action != fault.FailItem {
				t.Errorf("%q: %v", c.link, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.link, err)
			continue
		}
		r, _ := got.Body.Open(t.Context())
		data, _ := io.ReadAll(r)
		if string(data) != c.want || got.Body.Size != int64(len(data)) || got.Body.Version == "" {
			t.Errorf("%q: %q, %+v", c.link, data, got.Body)
		}
		if diff := cmp.Diff([]mapping.Loss{{Reason: mapping.FileShortcut, Detail: "Plan"}}, losses); diff != "" {
			t.Error(diff)
		}
	}
}

// checkLegal is written apart from the rules: what the targets refuse.
func checkLegal(t *testing.T, name string, portable bool) {
	t.Helper()
	switch {
	case !utf8.ValidString(name), !norm.NFC.IsNormalString(name), len(name) == 0, len(name) > 250, name == ".", name == "..":
		t.Errorf("%q is not a name", name)
	case strings.ContainsAny(name, "/\\\x00\r\n\x7f"), name != strings.TrimSpace(name), strings.EqualFold(name, ".htaccess"):
		t.Errorf("%q is forbidden everywhere", name)
	case strings.HasSuffix(strings.ToLower(name), ".part"), strings.HasSuffix(strings.ToLower(name), ".filepart"):
		t.Errorf("%q is forbidden by Nextcloud", name)
	case portable && (strings.ContainsAny(name, `<>:"|?*`) || strings.HasSuffix(name, ".")):
		t.Errorf("%q is forbidden by Windows", name)
	}
}

func TestNamesOfTheCorpus(t *testing.T) {
	f, err := os.Open("../../shared/data/filenames/names.jsonl")
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") != "true" {
		t.Skip("the corpus is not on this machine")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); n++ {
		var entry struct {
			Name    string `json:"name"`
			Escaped string `json:"name_json_escape"`
		}
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			t.Fatal(err)
		}
		if entry.Escaped != "" { // a lone surrogate, as a provider's JSON can carry it
			if err := json.Unmarshal([]byte(entry.Escaped), &entry.Name); err != nil {
				t.Fatal(err)
			}
		}
		checkAll(t, entry.Name)
	}
	if n < 200 {
		t.Errorf("the corpus has %d names", n)
	}
}

func checkAll(t *testing.T, name string) {
	t.Helper()
	for _, r := range []mapping.FileRules{{}, {KeepUnportable: true}} {
		for _, f := range []sources.File{{Name: name}, {Name: name, Type: sources.Folder}, {Name: name, Extension: ".docx"}, {Name: name, Type: sources.Shortcut}} {
			got, _ := r.Name(f)
			checkLegal(t, got, !r.KeepUnportable)
			if again, loss := r.Name(sources.File{Name: got, Type: f.Type, Extension: f.Extension}); again != got || loss != nil {
				t.Errorf("%q became %q and then %q", name, got, again)
			}
			checkVariants(t, r, got, f.Type == sources.Folder)
		}
	}
}

func checkVariants(t *testing.T, r mapping.FileRules, name string, folder bool) {
	t.Helper()
	seen := make(map[string]bool)
	for _, v := range take(mapping.Variants(name, folder), 12) {
		checkLegal(t, v, !r.KeepUnportable)
		if seen[v] {
			t.Errorf("%q has the variant %q twice", name, v)
		}
		seen[v] = true
	}
	if !seen[name] {
		t.Errorf("%q is not among its variants", name)
	}
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"a.txt", "", "..", "con.part.", " . ", "\xff", strings.Repeat("é", 200) + ".tar.gz", "e\u0301", "a\u202Eb", "nul .part"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) { checkAll(t, name) })
}

func TestBeside(t *testing.T) {
	long := strings.Repeat("ü", 130) + ".docx"
	for _, c := range []struct {
		name   string
		folder bool
		from   int
		want   []string
	}{
		{"report.docx", false, 1, []string{"report (source).docx", "report (source 2).docx", "report (source 3).docx"}},
		{"report.docx", false, 3, []string{"report (source 3).docx", "report (source 4).docx", "report (source 5).docx"}},
		{"v1.0", true, 1, []string{"v1.0 (source)", "v1.0 (source 2)", "v1.0 (source 3)"}},
		{"a.tar.gz", false, 1, []string{"a (source).tar.gz", "a (source 2).tar.gz", "a (source 3).tar.gz"}},
	} {
		got := take(mapping.Beside(c.name, c.folder, c.from), 3)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q from %d: %s", c.name, c.from, diff)
		}
		for i, name := range got {
			if n := mapping.BesideNumber(c.name, name, c.folder); n != c.from+i {
				t.Errorf("%q is number %d beside %q, want %d", name, n, c.name, c.from+i)
			}
		}
	}
	for _, name := range take(mapping.Beside(long, false, 1), 12) {
		if len(name) > 250 || !strings.HasSuffix(name, ".docx") || !utf8.ValidString(name) {
			t.Errorf("%q has %d bytes", name, len(name))
		}
	}
	for _, name := range []string{"report.docx", "report (2).docx", "report (source 1).docx", "report (source)"} {
		if n := mapping.BesideNumber("report.docx", name, false); n != 0 {
			t.Errorf("%q counts as number %d", name, n)
		}
	}
}
