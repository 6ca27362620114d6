package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

const renewDocs = "; run: make docs"

// TestCommandsDocument: the reference of the commands is that of this program.
func TestCommandsDocument(t *testing.T) {
	want, err := commandsDocument(newRoot())
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("docs/commands.md is not what the program says of itself%s", renewDocs)
	}
	everyCommand(newRoot(), func(c *cobra.Command) {
		if c.IsAvailableCommand() && c.Name() != "completion" && c.Parent() != nil && c.Parent().Name() != "completion" &&
			!strings.Contains(string(want), "\n## "+c.CommandPath()+"\n") {
			t.Errorf("%s has no section", c.CommandPath())
		}
	})
}

// TestLossesInDocuments: the lists of losses are those of docs/reasons.md.
func TestLossesInDocuments(t *testing.T) {
	text, err := os.ReadFile("../../docs/migrated.md")
	if err != nil {
		t.Fatal(err)
	}
	renewed, err := renewLosses(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if renewed != string(text) {
		t.Errorf("docs/migrated.md has other losses than docs/reasons.md%s", renewDocs)
	}
	for _, loss := range []string{"file.renamed", "mail.rebuilt", "event.color", "contact.in_note", "task.link"} {
		if !strings.Contains(renewed, "| `"+loss+"` |") {
			t.Errorf("no line for %s", loss)
		}
	}
	for _, wrong := range []string{"nothing to renew", "<!-- losses: nothing -->\n<!-- end -->"} {
		if _, err := renewLosses(wrong); err == nil {
			t.Errorf("%q was renewed", wrong)
		}
	}
}

// TestDocsCommand writes what packagers need.
func TestDocsCommand(t *testing.T) {
	dir := t.TempDir()
	ran(t, exitOK, "docs", "--markdown", filepath.Join(dir, "commands.md"), "--man", filepath.Join(dir, "man"))
	for _, name := range []string{"commands.md", "man/repatriate.1", "man/repatriate-run.1", "man/repatriate-state-export.1"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() < 300 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "man/repatriate-docs.1")); err == nil {
		t.Error("a hidden command has a page")
	}
	ran(t, exitUsage, "docs")
}
