package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// everyCommand calls f with each command of the program.
func everyCommand(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		everyCommand(sub, f)
	}
}

func TestHelpFitsTheTerminal(t *testing.T) {
	n := 0
	everyCommand(newRoot(), func(c *cobra.Command) {
		n++
		for line := range strings.Lines(c.Short + "\n" + c.Long + "\n" + c.Example) {
			if columns := utf8.RuneCountInString(strings.TrimRight(line, "\n")); columns > 100 {
				t.Errorf("%s: %d columns: %s", c.CommandPath(), columns, line)
			}
		}
		if c.Short == "" {
			t.Errorf("%s says nothing of itself", c.CommandPath())
		}
		for _, use := range []string{"JOB.yaml", "--dir"} {
			if strings.Contains(c.Use, use) && !strings.Contains(c.Long, "Exit codes:") {
				t.Errorf("%s does not name its exit codes", c.CommandPath())
			}
		}
	})
	if n < 8 {
		t.Errorf("only %d commands", n)
	}
}

// TestCommandsStandInGroups, each in one, with what fits beside its name on a narrow terminal.
func TestCommandsStandInGroups(t *testing.T) {
	out := ran(t, exitOK, "--help").stdout.String()
	at := -1
	for _, group := range groups {
		for _, name := range group.names {
			i := strings.Index(out, "\n  "+name+" ")
			if i < at || strings.Count(out, "\n  "+name+" ") != 1 {
				t.Errorf("%s stands at %d, after what stands at %d:\n%s", name, i, at, out)
			}
			at = i
		}
	}
	for _, c := range newRoot().Commands() {
		if c.GroupID == "" && !c.Hidden {
			t.Errorf("%s is in no group", c.Name())
		}
		if n := len("  completion  ") + utf8.RuneCountInString(c.Short); n > 80 {
			t.Errorf("%s: its line in the list has %d columns", c.Name(), n)
		}
	}
}

func TestCompletions(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		p := ran(t, exitOK, "completion", shell)
		if !strings.Contains(p.stdout.String(), "repatriate") || p.stderr.Len() > 0 {
			t.Errorf("%s: %d bytes, %s", shell, p.stdout.Len(), p.stderr.String())
		}
	}
	// What the scripts ask the program for.
	if p := ran(t, exitOK, "__complete", "st"); !strings.Contains(p.stdout.String(), "status\t") {
		t.Errorf("completion of st: %s", p.stdout.String())
	}
	p := ran(t, exitOK, "__complete", "run", "--kind", "")
	for _, kind := range []string{"files", "mail", "calendar"} {
		if !bytes.Contains(p.stdout.Bytes(), []byte(kind+"\n")) {
			t.Errorf("completion of --kind lacks %s: %s", kind, p.stdout.String())
		}
	}
	if p := ran(t, exitOK, "__complete", "run", ""); !strings.Contains(p.stdout.String(), "yaml") {
		t.Errorf("completion of a job file: %s", p.stdout.String())
	}
}
