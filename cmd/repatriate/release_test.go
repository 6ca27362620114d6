package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/simulation"
)

// releasedBy reads what release printed as JSON.
func releasedBy(t *testing.T, p *program) (done []released) {
	t.Helper()
	var out struct {
		Accounts []released `json:"accounts"`
	}
	if err := json.Unmarshal(p.stdout.Bytes(), &out); err != nil {
		t.Fatalf("%v in %s", err, p.stdout.String())
	}
	return out.Accounts
}

// TestReleaseGoesOn: an account whose password is refused keeps no other one back, and is named with the cause; the proof is made without it.
func TestReleaseGoesOn(t *testing.T) {
	s := simulated(t, simulation.Options{Source: demoGoogle(t)})
	ran(t, exitOK, "run", s.Job, "--kind", "calendar")
	want := releasedBy(t, ran(t, exitOK, "calendars", "release", s.Job, "--dry-run", "--json"))
	dir := filepath.Dir(s.Job)
	if err := os.WriteFile(filepath.Join(dir, "wrong"), []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	accounts := filepath.Join(dir, "accounts.csv")
	right := readText(t, accounts)
	lines := strings.Split(right, "\n")
	broken := want[0].Account
	for i, line := range lines {
		if strings.HasPrefix(line, broken+",") {
			lines[i] = regexp.MustCompile(`file:[^,]+`).ReplaceAllString(line, "file:wrong")
		}
	}
	if err := os.WriteFile(accounts, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	p := ran(t, exitStopped, "calendars", "release", s.Job, "--json")
	got := releasedBy(t, p)
	if len(got) != len(want) || !strings.Contains(got[0].Error, "target.auth") || strings.Contains(p.stdout.String(), "hunter2") {
		t.Fatalf("%s\n%s", p.stdout.String(), p.stderr.String())
	}
	if !slices.Equal(got[1:], want[1:]) {
		t.Errorf("the others: %+v, want %+v", got[1:], want[1:])
	}
	if !strings.Contains(p.stderr.String(), "1 account of ") {
		t.Errorf("%s", p.stderr.String())
	}
	if text := ran(t, exitStopped, "calendars", "release", s.Job, "--dry-run").stdout.String(); !strings.Contains(text, "Failed: "+broken+": ") {
		t.Errorf("it is not named: %s", text)
	}
	if err := os.WriteFile(accounts, []byte(right), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := releasedBy(t, ran(t, exitOK, "calendars", "release", s.Job, "--json", "--account", broken)); len(got) != 1 || got[0] != want[0] {
		t.Errorf("once its password is right: %+v, want %+v", got, want[0])
	}
}

// TestReleaseWithoutAServer: three accounts find out that nobody can be released.
func TestReleaseWithoutAServer(t *testing.T) {
	s := simulated(t, simulation.Options{Source: demoGoogle(t)})
	through(t, s, strings.ReplaceAll(s.Targets.Calendar.URL, "{user}", "u"), "http://"+closedPort(t))
	p := ran(t, exitStopped, "calendars", "release", s.Job, "--dry-run", "--json")
	if got := releasedBy(t, p); len(got) != 3 || got[2].Error == "" || !strings.Contains(p.stderr.String(), "Not even begun for it: ") {
		t.Errorf("%+v\n%s", got, p.stderr.String())
	}
}
