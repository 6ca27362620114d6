package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/passes"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// TestReport writes every form of report of a job, for its owner alone, and never over what is there.
func TestReport(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	dir := t.TempDir()
	page, lines, folder := filepath.Join(dir, "r.html"), filepath.Join(dir, "r.csv"), filepath.Join(dir, "people")
	if p := ran(t, exitUsage, "report", s.Job, "--output", page); !strings.Contains(p.stderr.String(), "run it first") {
		t.Errorf("before the first run: %s", p.stderr.String())
	}
	run := reported(t, ran(t, exitOK, "run", "--json", s.Job))
	all := []string{"report", s.Job, "--output", page, "--csv", lines, "--per-account", folder, "--json", "--lang", "fr"}
	p := ran(t, exitOK, all...)
	var got struct {
		Totals   struct{ Listed int64 }
		Accounts []struct{ Account, Grade string }
		Items    []struct{ Reason string }
		Passes   []passes.Pass
	}
	if err := json.Unmarshal(p.stdout.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Totals.Listed != run.Totals.Listed || len(got.Accounts) != len(run.Accounts) {
		t.Errorf("the report has %+v, the run had %+v", got, run.Totals)
	}
	copied := run.Totals.Copied + run.Totals.CopiedWithLosses
	if len(got.Passes) != 1 || got.Passes[0].OnTarget != copied || got.Passes[0].Written != run.Pass.Written || got.Passes[0].State != report.Complete {
		t.Errorf("the passes are %+v, and %d items were copied", got.Passes, copied)
	}
	if n := strings.Count(mustRead(t, lines), "\n") - 1; n != len(got.Items) {
		t.Errorf("%d lines of CSV for %d items", n, len(got.Items))
	}
	pages, err := filepath.Glob(filepath.Join(folder, "*.html"))
	if err != nil || len(pages) != len(got.Accounts) {
		t.Errorf("%d pages for %d accounts: %v", len(pages), len(got.Accounts), err)
	}
	for _, path := range append(pages, page, lines) {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("others may read %s: %v, %v", path, info, err)
		}
		noSecrets(t, s, mustRead(t, path))
	}
	for _, args := range [][]string{{"--output", page}, {"--csv", lines}, {"--per-account", folder}, {"--output", dir + "/x", "--csv", dir + "/x"}, {"--json", "--lang", "de"}} {
		ran(t, exitUsage, append([]string{"report", s.Job}, args...)...)
	}
	if err := os.WriteFile(page, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if ran(t, exitUsage, "report", s.Job, "--output", page, "--csv", filepath.Join(dir, "new.csv")); mustRead(t, page) != "mine" {
		t.Error("a file was written over")
	}
	ran(t, exitOK, append(all, "--force")...)
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 3 || !strings.HasPrefix(mustRead(t, page), "<!doctype html>") {
		t.Errorf("with --force: %q, %v", left, err)
	}
}
