package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/simulation"
)

// TestWaves: the waves of a plan hold every account once, begin in the job's windows, and a run of one moves its accounts alone.
func TestWaves(t *testing.T) {
	s := simulated(t, simulation.Options{Source: demoGoogle(t)})
	edit(t, s.Job, "\ntarget:", "\nwindows: [\"mon-fri 21:00-05:00\"]\ntimezone: Europe/Paris\ntarget:")
	file := filepath.Join(filepath.Dir(s.Job), "google-workspace-waves.csv")
	p := ran(t, exitIncomplete, "plan", s.Job, "--waves", file, "--from", "2030-03-04")
	read(t, p, "Time: likely", "What binds:", "Waves: 1, from Mon 2030-03-04 21:00 to Mon 2030-03-04 21:")
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, l := range lines[1:] {
		if l[0] != "1" || l[1] != "2030-03-04T21:00:00+01:00" || seen[l[3]] {
			t.Errorf("%q", l)
		}
		seen[l[3]] = true
	}
	if len(seen) != 6 || !strings.HasPrefix(lines[1][3], "drive:") {
		t.Errorf("%d accounts, the first is %s", len(seen), lines[1][3])
	}
	only := lines[2][3]
	if err := os.WriteFile(file, []byte("wave,account,kinds\n1,"+only+",calendar contacts\n2,"+lines[3][3]+",\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	moved := started(t, "run", "--json", "--now", "--wave", "1", s.Job)
	moved.code(t)
	r := reported(t, moved)
	for _, task := range r.Tasks {
		if task.Account != only || task.Kind != "calendar" && task.Kind != "contacts" {
			t.Errorf("the wave of %s moved %s of %s", only, task.Kind, task.Account)
		}
	}
	if len(r.Tasks) < 2 {
		t.Errorf("the wave moved %d tasks", len(r.Tasks))
	}
	if p := ran(t, exitUsage, "run", s.Job, "--wave", "1", "--kind", "mail"); !strings.Contains(p.stderr.String(), "wave 1 moves nothing of the kind mail") {
		t.Errorf("a wave without any mail: %s", p.stderr.String())
	}
}

// TestWavesAreAskedForWhole: what goes wrong is said before anything is read.
func TestWavesAreAskedForWhole(t *testing.T) {
	s := simulated(t, simulation.Options{Source: demoGoogle(t)})
	for args, want := range map[string]string{
		"--from 2030-03-04":               "--from goes with --waves",
		"--waves w.csv --csv w.csv":       "w.csv is named twice",
		"--waves w.csv --from tomorrow":   `--from "tomorrow" is no day`,
		"--waves " + s.Job:                "is there already",
		"--waves /nowhere/at/all/w.csv":   "cannot be written",
		"--waves w.csv --from 2030-02-30": "is no day",
	} {
		p := ran(t, exitUsage, append([]string{"plan", s.Job}, strings.Fields(args)...)...)
		if text := p.stderr.String(); !strings.Contains(text, want) {
			t.Errorf("%s: %s", args, text)
		}
	}
}
