package htmlreport

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/docs"
)

// TestDetailsInFrench: what the mapping's golden files and the exported states hold of details can be said in French.
func TestDetailsInFrench(t *testing.T) {
	fr := languages(t)["fr"]
	all := append(eventDetails(t), stateDetails(t)...)
	if len(all) < 100 {
		t.Fatalf("only %d details: are they still found?", len(all))
	}
	for _, l := range all {
		if _, ok := told(fr.phrases.of(l.Reason), strings.Split(l.Detail, "; ")); !ok {
			t.Errorf("%s: %q has no form in lang/fr.json, not even one that says that it stays as it is", l.Reason, l.Detail)
		}
	}
}

// eventDetails are the losses in the mapping's golden files.
func eventDetails(t *testing.T) (all []checkpoint.Loss) {
	t.Helper()
	paths, err := filepath.Glob("../../mapping/testdata/event/*.ics.txt")
	if err != nil {
		t.Fatal(err)
	}
	loss := regexp.MustCompile(`(?m)^([a-z]+\.[a-z_]+): (.+)$`)
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(string(b), "BEGIN:VCALENDAR")
		for _, m := range loss.FindAllStringSubmatch(head, -1) {
			all = append(all, checkpoint.Loss{Reason: m[1], Detail: m[2]})
		}
	}
	return all
}

// stateDetails are the losses in the states that moves of the whole demo organisation left.
func stateDetails(t *testing.T) (all []checkpoint.Loss) {
	t.Helper()
	paths, err := filepath.Glob("../../checkpoint/sqlite/testdata/demo-*.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(z); lines.Scan(); {
			var line struct {
				Record struct{ Losses []checkpoint.Loss }
			}
			if json.Unmarshal(lines.Bytes(), &line) != nil {
				continue // a line of another kind
			}
			all = append(all, slices.DeleteFunc(line.Record.Losses, func(l checkpoint.Loss) bool { return l.Detail == "" })...)
		}
	}
	return all
}

// TestDetailsOfTheCode: every text that the code writes into details is in a form, so that a new one gets its words in French.
func TestDetailsOfTheCode(t *testing.T) {
	var forms strings.Builder
	for _, pairs := range languages(t)["fr"].Details {
		for _, p := range pairs {
			forms.WriteString(p[0] + "\n")
		}
	}
	texts := detailTexts(t)
	if len(texts) < 60 {
		t.Fatalf("only %d texts: are they still found?", len(texts))
	}
	for _, text := range texts {
		if !strings.Contains(forms.String(), text) {
			t.Errorf("no form of lang/fr.json has %q", text)
		}
	}
}

// detailTexts are the texts that stand in the code where losses get details.
func detailTexts(t *testing.T) (texts []string) {
	t.Helper()
	for _, pattern := range []string{"mapping/*.go", "engine/*.go", "sinks/*/*.go", "sinks/internal/dav/*.go"} {
		paths, err := filepath.Glob("../../" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") || strings.Contains(path, "sinktest") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				for _, e := range detailsIn(n) {
					texts = append(texts, textsIn(e)...)
				}
				return true
			})
		}
	}
	return texts
}

// detailsIn are the details that a node gives to losses: arguments of lose, aside and reset, fields and variables of the name.
func detailsIn(n ast.Node) []ast.Expr {
	name := func(e ast.Expr) string {
		switch e := e.(type) {
		case *ast.Ident:
			return e.Name
		case *ast.SelectorExpr:
			return e.Sel.Name
		}
		return ""
	}
	switch n := n.(type) {
	case *ast.CallExpr:
		switch called := name(n.Fun); {
		case called == "lose" && len(n.Args) == 2:
			return n.Args[1:]
		case called == "aside" && len(n.Args) == 2:
			return n.Args[:1]
		}
	case *ast.KeyValueExpr:
		if name(n.Key) == "Detail" {
			return []ast.Expr{n.Value}
		}
	case *ast.AssignStmt:
		if len(n.Lhs) == 1 && strings.EqualFold(name(n.Lhs[0]), "detail") {
			return n.Rhs
		}
	}
	return nil
}

// verb is what formats numbers.
var verb = regexp.MustCompile(`%[a-z]`)

// textsIn are the pieces of text in an expression that have a letter.
func textsIn(e ast.Expr) (texts []string) {
	ast.Inspect(e, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		text, err := strconv.Unquote(lit.Value)
		if err != nil {
			return true
		}
		for _, piece := range verb.Split(text, -1) {
			if piece = strings.Trim(piece, " "); strings.ContainsFunc(piece, func(r rune) bool { return r >= 'A' }) {
				texts = append(texts, piece)
			}
		}
		return true
	})
	return texts
}

// TestFormsAreSound: they are of reasons that there are, and a language says only what a form has.
func TestFormsAreSound(t *testing.T) {
	var names []string
	for _, r := range docs.ListReasons() {
		_, end, _ := strings.Cut(r.Name, ".")
		names = append(names, r.Name, "*."+end)
	}
	for lang, l := range languages(t) {
		for reason, pairs := range l.Details {
			if !slices.Contains(names, reason) {
				t.Errorf("%s: there is no reason %s", lang, reason)
			}
			for _, p := range pairs {
				for _, word := range placeholder.FindAllString(p[1], -1) {
					if word != "{provider}" && !strings.Contains(p[0], word) {
						t.Errorf("%s, %s: %q has no %s", lang, reason, p[0], word)
					}
				}
			}
		}
	}
}

func TestDetail(t *testing.T) {
	all := languages(t)
	for _, c := range []struct{ lang, reason, text, want string }{
		{"fr", "mail.label_as_keyword", `the label "a; b" is now the keyword $x; the label "c" is now the keyword $c`,
			"le libellé « a; b » est devenu le mot-clé « $x » ; le libellé « c » est devenu le mot-clé « $c »"},
		{"fr", "event.end_unspecified", "no end was set; the provider's own stays", "aucune fin n’était indiquée ; celle de PROVIDER reste"},
		{"fr", "contact.in_note", "Birthday; Kundennummer", "Anniversaire (« Birthday ») ; « Kundennummer »"},
		{"fr", "contact.kept", "the target had this contact at /a; b.vcf; that one stays as it is", "votre nouveau compte l’avait déjà (/a; b.vcf) ; il reste tel quel"},
		{"fr", "task.checklist", "2 steps", "2 étapes"},
		{"fr", "event.color", "something of a later release", "« something of a later release »"},
		{"fr", "of.the_future", "a {provider} {text}", "« a {provider} {text} »"},
		{"fr", "contact.label", "{provider} {label}", "« {provider} {label} »"},
		{"fr", "contact.label", strings.Repeat("x; ", 100) + "y", "« " + strings.Repeat("x; ", 100) + "y »"},
		{"fr", "event.color", "", ""},
		{"en", "event.color", "the colour #1 became the nearest named one", "the colour #1 became the nearest named one"},
		{"en", "file.conflict_renamed", `"a" is now "b", since the user of the target has something else under the name`,
			`"a" is now "b", since you have something else under the name`},
	} {
		want := c.want
		if c.lang == "fr" {
			want = unbroken.Replace(want)
		}
		if got := all[c.lang].detail(c.reason, c.text); got != want {
			t.Errorf("%s, %s: %q became %q, want %q", c.lang, c.reason, c.text, got, want)
		}
	}
}

// TestShownDetail: what others wrote cannot steer, and is bounded; the language's own marks stay.
func TestShownDetail(t *testing.T) {
	fr := languages(t)["fr"]
	for _, c := range []struct{ detail, want string }{
		{"Vide\u00a0: \u202egro\x1b[2J", "«\u00a0Vide : \ufffdgro\ufffd[2J\u00a0»"},
		{strings.Repeat("x", 600), "«\u00a0" + strings.Repeat("x", longDetail-3) + "…"},
	} {
		if got := fr.shownDetail(Item{Reason: "contact.label", Detail: c.detail}); got != c.want {
			t.Errorf("%q became %q, want %q", c.detail, got, c.want)
		}
	}
}
