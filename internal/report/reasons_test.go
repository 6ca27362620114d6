package report_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/docs"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// literals returns the string literals of the Go files in a folder and below, tests left out, that look like a reason.
func literals(t *testing.T, dir string, like *regexp.Regexp) map[string]string {
	t.Helper()
	out := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if s, err := strconv.Unquote(l.Value); err == nil && like.MatchString(s) {
					out[s] = path
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestEveryReasonIsDocumented holds docs/reasons.md and the code together, in both directions.
func TestEveryReasonIsDocumented(t *testing.T) {
	used := literals(t, "../../fault", regexp.MustCompile(`^([a-z]+\.[a-z_]+|unknown)$`))
	if len(used) < 40 {
		t.Fatalf("only %d reasons were found in package fault", len(used))
	}
	for _, dir := range []string{"mapping", "sinks", "engine"} {
		losses := literals(t, filepath.Join("../..", dir), regexp.MustCompile(`^(file|mail|event|contact|task)\.[a-z_]+$`))
		for loss, path := range losses {
			used[loss] = path
		}
	}
	for _, loss := range []string{"file.renamed", "mail.line_endings", "event.rewritten", "contact.in_note", "task.checklist"} {
		if used[loss] == "" {
			t.Errorf("the search for losses did not find %s", loss)
		}
	}
	for reason, path := range used {
		if report.Meaning(reason) == "" {
			t.Errorf("docs/reasons.md does not explain %s of %s", reason, path)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\| [^|]+ \\| [^|]+ \\|$").FindAllStringSubmatch(docs.Reasons, -1) {
		if used[m[1]] == "" {
			t.Errorf("docs/reasons.md explains %s, which nothing uses", m[1])
		}
		delete(used, m[1])
	}
	var left []string
	for reason := range used {
		left = append(left, reason)
	}
	if slices.Sort(left); len(left) > 0 {
		t.Errorf("no line with what it means and what to do: %q", left)
	}
}

// TestPassingReasonsSaySo: what is to be done about a reason says that the next run takes an item up, if and only if it does.
func TestPassingReasonsSaySo(t *testing.T) {
	for reason := range literals(t, "../../fault", regexp.MustCompile(`^([a-z]+\.[a-z_]+|unknown)$`)) {
		passes := fault.Reason(reason).Passes() || fault.Reason(reason) == fault.TargetNoParent // with the folder above it
		if says := strings.Contains(report.Advice(reason), "the next run takes"); says != passes {
			t.Errorf("%s passes by itself: %v, and its advice is %q", reason, passes, report.Advice(reason))
		}
	}
}

// TestFailuresThatPass: the next run is named for what it takes up, and retry for the rest alone.
func TestFailuresThatPass(t *testing.T) {
	for _, c := range []struct {
		reasons  map[string]int64
		run, try string
	}{
		{map[string]int64{"target.unavailable": 2}, "reason: 2 items. The next run takes them up: repatriate run", ""},
		{map[string]int64{"source.malware": 1}, "", "Failed: 1 item. Mend the cause above, then: repatriate retry"},
		{map[string]int64{"source.malware": 2, "local.disk": 1}, "reason: 1 item. The next run takes it up: repatriate run", "Failed: 2 items. Mend"},
	} {
		st := checkpoint.Status{Task: checkpoint.Task{Account: "a", Kind: "mail", Collection: "mailbox"}, Reasons: c.reasons, Complete: true}
		for _, n := range c.reasons {
			st.Listed += n
		}
		st.Counts[checkpoint.Failed] = st.Listed
		r := report.New("job", []checkpoint.Status{st})
		r.Pass = &report.Pass{TakenUp: 3}
		var b strings.Builder
		if err := r.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(b.String()), " ")
		if !strings.Contains(text, c.run) || (c.run == "") != !strings.Contains(text, "takes") {
			t.Errorf("%v: %s", c.reasons, text)
		}
		if !strings.Contains(text, c.try) || (c.try == "") != !strings.Contains(text, "retry") || !strings.Contains(text, "Taken up again: 3 items") {
			t.Errorf("%v: %s", c.reasons, text)
		}
	}
}
