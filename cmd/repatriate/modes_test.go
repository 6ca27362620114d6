package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
)

// TestWhatIsWrittenIsForTheOwnerAlone has a shell that forbids nobody anything run the program. While a pass is under way and its state is
// open, the command of a password writes down what lies there.
func TestWhatIsWrittenIsForTheOwnerAlone(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	dir := filepath.Dir(s.Job)
	temporary := filepath.Join(t.TempDir(), "temporary")
	if err := os.Mkdir(temporary, 0o700); err != nil {
		t.Fatal(err)
	}
	const listing = `cmd:find simulation.db* \"$TMPDIR\" -name 'simulation.db*' -printf '%m %f\\n' -o -name 'repatriate-*' -printf '%m %f\\n' >> listing; cat password-user0002`
	edit(t, filepath.Join(dir, "accounts.csv"), "file:password-user0002", `"`+strings.ReplaceAll(strings.ReplaceAll(listing, `\"`, `""`), `\\`, `\`)+`"`)
	for _, args := range [][]string{
		{"run", s.Job, "--dry-run"}, {"run", s.Job},
		{"report", s.Job, "--output", "out.html", "--csv", "out.csv", "--per-account", "pages"},
		{"report", s.Job, "--output", "out.html", "--csv", "out.csv", "--per-account", "pages", "--force"},
		{"state", "export", s.Job, "--output", "out.jsonl"},
		{"init", "made", "--job", "made", "--provider", "google", "--admin", "a@example.org", "--credentials", "file:sa.json", "--nextcloud", "https://cloud.example.org", "--kind", "files"},
	} {
		p := startedWith(t, func(p *program) {
			p.Args = append([]string{"sh", "-c", `umask 0; exec "$0" "$@"`, p.Path}, p.Args[1:]...)
			p.Path, p.Dir, p.Env = "/bin/sh", dir, append(p.Env, "TMPDIR="+temporary)
		}, args...)
		if code := p.code(t); code != exitOK {
			t.Fatalf("%q: exit code %d: %s", args, code, p.stderr.String())
		}
	}
	lookAtModes(t, dir)
	text, err := os.ReadFile(filepath.Join(dir, "listing"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		mode, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		seen[name] = true
		if mode != "600" && mode != "700" {
			t.Errorf("%s has mode %s while a pass is under way", name, mode)
		}
	}
	for _, name := range []string{"simulation.db", "simulation.db-wal", "simulation.db-shm", "simulation.db.lock"} {
		if !seen[name] {
			t.Errorf("%s was not seen in %q", name, text)
		}
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("left among the temporary files: %v, %v", left, err)
	}
}

// lookAtModes looks at everything in the folder but what the servers and the test itself made.
func lookAtModes(t *testing.T, dir string) {
	t.Helper()
	var seen []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if name == "files" || name == "calendar" {
			return fs.SkipDir
		}
		if name == "." || name == "listing" {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		seen = append(seen, name)
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			t.Errorf("%s has mode %04o", name, mode)
		}
		return nil
	})
	all := strings.Join(seen, " ")
	for _, want := range []string{"simulation.db", "out.html", "out.csv", "out.jsonl", "pages/user0001@example.org.html", "made/made.yaml", "made/accounts.csv"} {
		if !strings.Contains(all, want) {
			t.Errorf("%s was not looked at: %s, %v", want, all, err)
		}
	}
}
