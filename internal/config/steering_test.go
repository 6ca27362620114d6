package config_test

import (
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/config"
)

func TestBandwidthAndWindows(t *testing.T) {
	j, err := config.Parse("job.yaml", []byte(full+"bandwidth: 400Mbit\nwindows: [\"mon-fri 20:00-06:00\", sat-sun]\ntimezone: Europe/Paris\n"))
	if err != nil || j.Pace != 50_000_000 {
		t.Errorf("%d bytes per second, %v", j.Pace, err)
	}
	if j, err = config.Parse("job.yaml", []byte(full+"bandwidth: 5000000\n")); err != nil || j.Pace != 5_000_000 {
		t.Errorf("a plain number is %d bytes per second, %v", j.Pace, err)
	}
	for text, want := range map[string]string{
		"bandwidth: fast\n":             `bandwidth: "fast" is no speed`,
		"windows: []\n":                 "windows: the list is empty",
		"windows: [mondays]\n":          `windows: "mondays": the days are mon`,
		"windows: [sat]\ntimezone: X\n": `there is no time zone "X"`,
	} {
		if _, err := config.Parse("job.yaml", []byte(full+text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestWave(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "job.yaml", full)
	write(t, dir, "accounts.csv", "source,target,password,kinds\nada@example.org,ada,env:ADA,\nbob@example.org,bob,env:BOB,files mail\n-x@example.org,x,env:X,mail\n")
	j, err := config.Load(filepath.Join(dir, "job.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if got := j.WavesPath(); got != filepath.Join(dir, "pilot-waves.csv") {
		t.Errorf("the plan lies at %s", got)
	}
	for _, c := range []struct{ plan, wave, want, fails string }{
		{"wave,begins,account\n1,x,ADA@example.org\n2,x,bob@example.org\n1,x,'-x@example.org\n1,y,ada@example.org\n", "1", "ada@example.org: files mail calendar; -x@example.org: mail; ", ""},
		{"\xef\xbb\xbfAccount;Wave\r\nbob@example.org;Pilot\r\n", "pilot", "bob@example.org: files mail; ", ""},
		{"wave,account,kinds\n1,ada@example.org,mail  calendar\n1,bob@example.org,\n2,ada@example.org,files\n", "1", "ada@example.org: mail calendar; bob@example.org: files mail; ", ""},
		{"kinds,wave,account\nmail,1,ada@example.org\nmail files,1,ADA@example.org\n", "1", "ada@example.org: mail files; ", ""},
		{"wave,account,kinds\n1,bob@example.org,mail calendar\n", "1", "", "line 2: the job does not move the kind calendar of bob@example.org"},
		{"wave,account,kinds\n1,bob@example.org,mails\n", "1", "", `line 2: there is no kind "mails"`},
		{"wave,account\n1,ada@example.org\n2,bob@example.org\n", "7", "", `there is no wave "7"; it has 1, 2`},
		{"wave,account\n", "1", "", "it holds none"},
		{"wave,account\n1,ada@example.org\n1,eve@example.org\n2,mallory@example.org\n", "1", "", `line 3: "eve@example.org" is in wave 1, and does not stand in accounts.csv`},
		{"wave,who\n1,ada@example.org\n", "1", "", "a header line with the columns wave and account"},
		{"", "1", "", "a header line with the columns wave and account"},
		{"wave,account\n1\n", "1", "", "line 2: lacks a wave or an account"},
	} {
		write(t, dir, "plan.csv", c.plan)
		got, err := j.Wave(filepath.Join(dir, "plan.csv"), c.wave)
		moved := ""
		for _, a := range got {
			moved += a.Source + ": " + strings.Join(a.Kinds, " ") + "; "
		}
		if moved != c.want {
			t.Errorf("wave %s of %q: %q, want %q", c.wave, c.plan, moved, c.want)
		}
		if (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("wave %s of %q: %v, want %q", c.wave, c.plan, err, c.fails)
		}
	}
	if _, err := j.Wave(filepath.Join(dir, "missing.csv"), "1"); err == nil || !strings.Contains(err.Error(), "--waves names another file") {
		t.Errorf("without a plan: %v", err)
	}
}
