package sheet

import (
	"encoding/csv"
	"strings"
	"testing"
)

func TestCell(t *testing.T) {
	for in, want := range map[string]string{
		"ada@example.org": "ada@example.org", "=HYPERLINK(1)": "'=HYPERLINK(1)", "-1+1": "'-1+1", " +1": "' +1", "＝1": "'＝1", "a;=1": "a;'=1",
		"a\x1b[2Jb\nc": "a\ufffd[2Jb c", "@x": "'@x", "\t=1": "' =1",
	} {
		if got := Cell(in); got != want {
			t.Errorf("Cell(%q) = %q, want %q", in, got, want)
		}
	}
	if n := len([]rune(Cell(strings.Repeat("x", 9000)))); n != longest {
		t.Errorf("a cell has %d runes", n)
	}
}

func FuzzPlain(f *testing.F) {
	for _, s := range []string{"ada@example.org", "=1", "-x@example.org", "a;+b", "drive:0A", "'=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := Cell(s)
		var b strings.Builder
		w := csv.NewWriter(&b)
		if err := w.Write([]string{c, "x"}); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		back, err := csv.NewReader(strings.NewReader(b.String())).Read()
		if err != nil || back[0] != c {
			t.Fatalf("%q became %q, %v", c, back, err)
		}
		if strings.ContainsAny(c[:min(1, len(c))], "=+-@") {
			t.Errorf("%q begins like a formula", c)
		}
	})
}

func TestPlain(t *testing.T) {
	for _, s := range []string{"ada@example.org", "=1@example.org", "-x@example.org", "+x@example.org", "a;=b", "drive:0AExample"} {
		if got := Plain(Cell(s)); got != s {
			t.Errorf("Plain(Cell(%q)) = %q", s, got)
		}
	}
}
