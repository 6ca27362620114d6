package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestHelpFitsNarrowTerminals without breaking words, and says the same in the same order.
func TestHelpFitsNarrowTerminals(t *testing.T) {
	help := func(command string, columns int) string {
		root := newRoot()
		narrow(root, columns)
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetArgs([]string{command, "--help"})
		if err := root.Execute(); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for _, command := range []string{"run", "plan", "init", "verify"} {
		wide, slim := help(command, widestHelp), help(command, 80)
		prose, _, _ := strings.Cut(slim, "\nUsage:")
		for _, line := range strings.Split(prose, "\n") {
			if utf8.RuneCountInString(line) > 80 {
				t.Errorf("%s: %d columns: %s", command, utf8.RuneCountInString(line), line)
			}
		}
		if a, b := strings.Join(strings.Fields(wide), " "), strings.Join(strings.Fields(slim), " "); a != b {
			t.Errorf("%s: the narrow help says something else:\n%s\n%s", command, a, b)
		}
	}
}

func TestFolded(t *testing.T) {
	text := "one two three\n  four five six seven\n\n  repatriate check job.yaml\n  https://example.org/long/address x\n"
	want := "one two\nthree\n  four five\n  six seven\n\n  repatriate check job.yaml\n  https://example.org/long/address\n  x\n"
	if got := folded(text, 12); got != want {
		t.Errorf("%q", got)
	}
	steps := "1. one two three\n   four five:\n     x\n   six seven\n2. eight\n"
	if got := folded(steps, 12); got != "1. one two\n   three\n   four\n   five:\n     x\n   six seven\n2. eight\n" {
		t.Errorf("%q", got)
	}
	if got := folded(text, widestHelp); got != text {
		t.Errorf("%q", got)
	}
}
