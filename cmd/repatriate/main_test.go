package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/simulation"
)

// asProgram names the environment variable that makes the test program behave as repatriate itself.
const asProgram = "REPATRIATE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// program is repatriate as a process.
type program struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
}

// started starts the program with a private folder for temporary files.
func started(t *testing.T, args ...string) *program {
	t.Helper()
	return startedWith(t, func(*program) {}, args...)
}

// startedWith starts the program after it was changed.
func startedWith(t *testing.T, change func(*program), args ...string) *program {
	t.Helper()
	p := &program{Cmd: exec.CommandContext(t.Context(), os.Args[0], args...)}
	p.Env = append(os.Environ(), asProgram+"=1", "TMPDIR="+t.TempDir())
	p.Stdout, p.Stderr = &p.stdout, &p.stderr
	change(p)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// code waits for the end and returns the exit code; -1 after a signal.
func (p *program) code(t *testing.T) int {
	t.Helper()
	err := p.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

// ran runs the program to its end and demands an exit code.
func ran(t *testing.T, code int, args ...string) *program {
	t.Helper()
	p := started(t, args...)
	if got := p.code(t); got != code {
		t.Fatalf("repatriate %q: exit code %d, want %d\nstdout: %.2000s\nstderr: %.4000s", args, got, code, p.stdout.String(), p.stderr.String())
	}
	return p
}

// googleOf is a small made-up organisation.
func googleOf(o sim.Options) simulation.Options {
	data := sim.Generate(organisation.Spec{Users: 2, Mail: 40, Files: 30, Events: 8, Seed: 1})
	return simulation.Options{Source: simulation.Google(data, o, "")}
}

// simulated starts a provider and targets within the test.
func simulated(t *testing.T, o simulation.Options) *simulation.Simulation {
	t.Helper()
	s, err := simulation.Start(t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// edit replaces a text within a file.
func edit(t *testing.T, path, old, replacement string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s does not hold %q", path, old)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), old, replacement)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestUsage(t *testing.T) {
	dir := t.TempDir()
	job := filepath.Join(dir, "job.yaml")
	if err := os.WriteFile(job, []byte("job: x\nacounts: y\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sound, waves := filepath.Join(dir, "sound.yaml"), filepath.Join(dir, "waves.csv")
	for path, text := range map[string]string{
		sound: "job: pilot\nsource: {google: {credentials: file:sa.json, admin: admin@example.org}}\n" +
			"target: {mail: {imap: \"imap://127.0.0.1:1\"}}\naccounts: accounts.csv\n",
		filepath.Join(dir, "accounts.csv"): "source,target,password\nada@example.org,ada,env:ADA\n",
		waves:                              "wave,account\n1,ada@example.org\n2,eve@example.org\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args string
		code int
		want string // in what is printed
	}{
		{"", exitOK, "Exit codes:"},
		{"--help", exitOK, "Exit codes:"},
		{"version", exitOK, "repatriate "},
		{"completion bash", exitOK, "complete"},
		{"rum", exitUsage, "Did you mean run"},
		{"run", exitUsage, "takes one job file"},
		{"run a b", exitUsage, "takes one job file"},
		{"run --bogus " + job, exitUsage, "unknown flag: --bogus"},
		{"run --acount ada@example.org " + job, exitUsage, "did you mean --account?"},
		{"run --account adda@example.org " + sound, exitUsage, "accounts.csv; do you mean ada@example.org?"},
		{"run --account eve@elsewhere.org " + sound, exitUsage, "is not in accounts.csv\n"},
		{"accounts chek " + sound, exitUsage, `"chek" is no job file. Did you mean repatriate accounts check?`},
		{"state chek " + sound, exitUsage, `there is no command "chek". Did you mean check?`},
		{"run " + filepath.Join(dir, "missing.yaml"), exitUsage, "missing.yaml"},
		{"run " + filepath.Join(dir, "sond.yaml"), exitUsage, "; do you mean " + sound + "?"},
		{"run --metrics 9090 " + sound, exitUsage, `"9090" is no address: write 127.0.0.1:9090, or :9090`},
		{"run " + job, exitUsage, `job.yaml:2:1: there is no key "acounts"; did you mean "accounts"?`},
		{"run --until noon " + sound, exitUsage, `--until "noon" is no time: write 06:00`},
		{"run --until 2026-01-01T06:00:00Z " + sound, exitUsage, "is over"},
		{"run --bandwidth fast " + sound, exitUsage, `--bandwidth: "fast" is no speed`},
		{"run --metrics 127.0.0.1:x " + sound, exitUsage, "--metrics: "},
		{"run --waves x.csv " + sound, exitUsage, "--waves goes with --wave"},
		{"run --wave 1 --account ada@example.org " + sound, exitUsage, "exclude one another"},
		{"run --wave 1 --final " + sound, exitUsage, "without --account, --kind and --wave"},
		{"run --wave 1 " + sound, exitUsage, "pilot-waves.csv: no such file"},
		{"run --wave 3 --waves " + waves + " " + sound, exitUsage, `there is no wave "3"; it has 1, 2`},
		{"run --wave 2 --waves " + waves + " " + sound, exitUsage, `line 3: "eve@example.org" is in wave 2, and does not stand in`},
		{"status --watch --json " + sound, exitUsage, "exclude one another"},
		{"status --interval 5s " + sound, exitUsage, "--interval goes with --watch"},
		{"status --watch --interval 1ms " + sound, exitUsage, "--interval is at least"},
		{"status " + job, exitUsage, `did you mean "accounts"?`},
		{"retry " + job, exitUsage, `did you mean "accounts"?`},
		{"accounts " + job, exitUsage, `did you mean "accounts"?`},
		{"run --log-level loud " + job, exitUsage, "loud"},
		{"run --log-format xml " + job, exitUsage, "xml"},
		{"demo now", exitUsage, "takes no argument"},
		{"simulate", exitUsage, "--dir is required"},
		{"simulate other --dir x", exitUsage, "other"},
		{"demo --source other", exitUsage, "other"},
		{"simulate --dir x --faults nonsense", exitUsage, "nonsense"},
	} {
		p := ran(t, c.code, strings.Fields(c.args)...)
		if !strings.Contains(p.stdout.String()+p.stderr.String(), c.want) {
			t.Errorf("repatriate %s does not say %q: %.600s%.600s", c.args, c.want, p.stdout.String(), p.stderr.String())
		}
		if c.code != exitOK && p.stdout.Len() > 0 {
			t.Errorf("repatriate %s: an error on standard output: %.200s", c.args, p.stdout.String())
		}
	}
}

func TestExitCodeOfErrors(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		code int
	}{
		"unknown":     {t.Context(), boom, exitInternal},
		"usage":       {t.Context(), usage(boom), exitUsage},
		"interrupted": {cancelled, boom, exitInterrupted},
		"with a code": {cancelled, exitError{exitStopped, boom}, exitStopped},
	} {
		if got := exitCode(c.ctx, c.err); got != c.code {
			t.Errorf("%s: exit code %d, want %d", name, got, c.code)
		}
	}
	if usage(nil) != nil {
		t.Error("no error became one")
	}
}
