package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/config"
)

// TestAnotherPlace: who has accounts go to another place than before is told that nothing would come there, and goes on if it is the same.
func TestAnotherPlace(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	ran(t, exitOK, "run", s.Job)
	edit(t, s.Job, s.Targets.Files.URL, strings.Replace(s.Targets.Files.URL, "127.0.0.1", "localhost", 1))
	for _, command := range []string{"run", "retry"} {
		text := ran(t, exitUsage, command, s.Job).stderr.String()
		for _, want := range []string{"files of user0001@example.org went to http://127.0.0.1", "would go to http://localhost", "'repatriate verify " + s.Job + " --requeue'", "--retarget"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s says nothing of %q: %s", command, want, text)
			}
		}
	}
	ran(t, exitOK, "run", "--kind", "mail", s.Job) // which goes where it went
	if r := reported(t, ran(t, exitOK, "run", "--retarget", "--json", s.Job)); r.Pass.Written != 0 {
		t.Errorf("the same account under another address: %+v", r.Pass)
	}
	ran(t, exitOK, "run", s.Job)
	ran(t, exitOK, "verify", s.Job)
}

// TestAnotherAccount has an account go to one that does not hold what was moved, where it is moved again once it is known to be missing.
func TestAnotherAccount(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	ran(t, exitOK, "run", "--kind", "mail", "--account", "user0001@example.org", s.Job)
	accounts := filepath.Join(filepath.Dir(s.Job), "accounts.csv")
	for _, swap := range [][2]string{{",user0001,file:password-user0001", ",other,other"}, {",user0002,file:password-user0002", ",user0001,file:password-user0001"},
		{",other,other", ",user0002,file:password-user0002"}} {
		edit(t, accounts, swap[0], swap[1])
	}
	mail := []string{"--kind", "mail", "--account", "user0001@example.org", s.Job}
	if text := ran(t, exitUsage, append([]string{"run"}, mail...)...).stderr.String(); !strings.Contains(text, ", user0002 now") {
		t.Errorf("the other account is not named: %s", text)
	}
	ran(t, exitIncomplete, append([]string{"verify", "--requeue"}, mail...)...)
	if r := reported(t, ran(t, exitOK, append([]string{"run", "--retarget", "--json"}, mail...)...)); r.Pass.Written == 0 {
		t.Errorf("what is missing was not moved again: %+v", r.Pass)
	}
	ran(t, exitOK, append([]string{"verify"}, mail...)...)
}

// TestStateThatIsGone: a job whose state is gone does not begin anew, unless somebody wants it.
func TestStateThatIsGone(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	ran(t, exitOK, "run", s.Job)
	job, err := config.Load(s.Job)
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(job.StatePath() + end); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if text := ran(t, exitUsage, "run", s.Job).stderr.String(); !strings.Contains(text, "put "+job.StatePath()+" back") {
		t.Errorf("without its state: %s", text)
	}
	if _, err := os.Stat(job.StatePath()); !os.IsNotExist(err) {
		t.Errorf("a state was made: %v", err)
	}
	if err := os.Remove(filepath.Join(filepath.Dir(s.Job), job.Job+".passes.jsonl")); err != nil {
		t.Fatal(err)
	}
	ran(t, exitOK, "run", s.Job)
}

// TestStateOfAnotherJob is refused as a mistake of the job file, by what reads and what writes.
func TestStateOfAnotherJob(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	ran(t, exitOK, "run", "--kind", "tasks", s.Job)
	edit(t, s.Job, "job: google-workspace", "job: another")
	for _, command := range []string{"run", "status", "verify"} {
		if text := ran(t, exitUsage, command, s.Job).stderr.String(); !strings.Contains(text, `it belongs to the job "google-workspace", not to "another"`) {
			t.Errorf("%s: %s", command, text)
		}
	}
}

func TestSamePlace(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"imap://mail.example.org:143, ada", "imaps://mail.example.org:993, ada", true},
		{"imap://mail.example.org, ada", "imaps://mail.example.org:993, ada", true},
		{"imaps://mail.example.org:993, ada", "imaps://mail.example.org:993, ben", false},
		{"imaps://mail.example.org:993, ada", "imaps://mail.example.org:1993, ada", false},
		{"http://cloud.example.org/dav/ada", "https://cloud.example.org:443/dav/ada", true},
		{"https://cloud.example.org/dav/ada", "https://cloud.example.org/dav/ben", false},
		{"https://cloud.example.org/dav/ada", "https://cloud.example.net/dav/ada", false},
		{"http://cloud.example.org:8080/dav/ada", "https://cloud.example.org:8443/dav/ada", false},
	} {
		if got := samePlace(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}

func TestTheJobOfACommand(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"run", "--kind", "mail", "town/pilot.yaml"}, "town/pilot.yaml"},
		{[]string{"status", "pilot.yml", "--watch"}, "pilot.yml"},
		{[]string{"run", "--waves=waves.yaml", "pilot"}, "JOB.yaml"},
		{nil, "JOB.yaml"},
	} {
		if got := jobIn(c.args); got != c.want {
			t.Errorf("%q: %q, want %q", c.args, got, c.want)
		}
	}
}
