package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// placedJob writes a job whose accounts file has a mistake, and one with a wave plan of two waves.
func placedJob(t *testing.T) (path string) {
	t.Helper()
	dir := t.TempDir()
	for _, f := range [][2]string{
		{"job.yaml", "job: j\nsource: {google: {credentials: file:sa.json, admin: admin@example.org, endpoint: \"http://127.0.0.1:1/\"}}\n" +
			"target: {mail: {imap: \"imaps://mail.example.org:993\"}}\naccounts: accounts.csv\n"},
		{"accounts.csv", "source,target,password\nada@example.org,ada,cmd:touch ran\nben@example.org,ben,\ndrive:0A,team,file:none\n# zoe@example.org,zoe,\n"},
		{"j-waves.csv", "wave,account\n2,ada@example.org\nteachers,ben@example.org\n2,drive:0A\n"},
		{"broken.yaml", "job: [\n"},
	} {
		if err := os.WriteFile(filepath.Join(dir, f[0]), []byte(f[1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "job.yaml")
}

// TestCompletionOffers asks as the scripts of shells do.
func TestCompletionOffers(t *testing.T) {
	job := placedJob(t)
	accounts := []string{"ada@example.org\tada", "ben@example.org\tben", "drive:0A\tteam"}
	for _, c := range []struct {
		args string
		want []string
	}{
		{"run JOB --account ?", accounts},
		{"check JOB --account ?", accounts},
		{"approve JOB --account ?", accounts},
		{"calendars release JOB --account ?", accounts},
		{"run JOB --account b?", accounts[1:2]},
		{"run JOB --account ada@example.org,?", []string{"ada@example.org,ben@example.org\tben", "ada@example.org,drive:0A\tteam"}},
		{"run --account ?", []string{"_activeHelp_ name the job file first: what it holds is offered then"}},
		{"run BROKEN --account ?", []string{"_activeHelp_ name the job file first: what it holds is offered then"}},
		{"run JOB --kind ?", []string{"files", "mail", "calendar", "contacts", "tasks"}},
		{"run JOB --kind mail,c?", []string{"mail,calendar", "mail,contacts"}},
		{"init --kind t?", []string{"tasks"}},
		{"run JOB --wave ?", []string{"2", "teachers"}},
		{"run JOB --wave t?", []string{"teachers"}},
		{"run JOB --waves none.csv --wave ?", []string{"_activeHelp_ there is no wave plan yet: 'repatriate plan --waves' writes one"}},
		{"explain source.mal?", []string{"source.malware"}},
		{"explain source.malware source.mal?", nil},
		{"report JOB --lang ?", []string{"en", "fr"}},
		{"report JOB --csv ?", []string{"csv"}},
		{"run JOB --log-format ?", []string{"text", "json"}},
		{"run JOB --until ?", nil},
		{"run JOB ?", nil},
		{"run ?", []string{"yaml", "yml"}},
		{"state check ?", []string{"yaml", "yml"}},
		{"simulate ?", []string{"google", "microsoft"}},
	} {
		args := []string{"__complete"}
		for _, word := range strings.Fields(c.args) {
			word = strings.Replace(strings.TrimSuffix(word, "?"), "JOB", job, 1)
			args = append(args, strings.Replace(word, "BROKEN", filepath.Join(filepath.Dir(job), "broken.yaml"), 1))
		}
		lines := strings.Split(strings.TrimSpace(ran(t, exitOK, args...).stdout.String()), "\n")
		if got := lines[:len(lines)-1]; !slices.Equal(got, c.want) { // the last one is the directive
			t.Errorf("%s: %q, want %q", c.args, got, c.want)
		}
	}
	if exists(filepath.Join(filepath.Dir(job), "ran")) {
		t.Error("the command of a password ran for a completion")
	}
}

func allCommands(c *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		all = append(all, allCommands(sub)...)
	}
	return all
}

// TestFlagsAreCompleted: a flag that names a file or takes one of few words is known as such by its name, so that a name must be right.
func TestFlagsAreCompleted(t *testing.T) {
	known := map[string]bool{}
	for _, c := range allCommands(newRoot()) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
	}
	for name := range flagFiles {
		if !known[name] {
			t.Errorf("no command has the flag --%s", name)
		}
	}
	for name := range flagWords() {
		if !known[name] {
			t.Errorf("no command has the flag --%s", name)
		}
	}
}
