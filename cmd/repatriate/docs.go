package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/docs"
	"codeberg.org/repatriate/repatriate/internal/htmlreport"
	"codeberg.org/repatriate/repatriate/internal/manual"
)

//go:generate go run . docs --markdown ../../docs/commands.md --losses ../../docs/migrated.md

// commandsIntro stands at the head of docs/commands.md.
const commandsIntro = `Every command with its flags, examples and exit codes, as ` + "`repatriate COMMAND --help`" + ` says them. This document is made from the
program by ` + "`make docs`" + `; ` + "`make man`" + ` makes a man page of each command in ` + "`bin/man`" + `. ` + "`repatriate completion bash`" + ` (or ` + "`zsh`, `fish`, `powershell`" + `) prints a script that
completes commands, flags, job files, and what they hold (accounts, waves) in your shell; ` + "`repatriate completion bash --help`" + ` says where it goes.

Commands that show a table take ` + "`--json`" + `, for programs. [job-file.md](job-file.md) describes the file that most of them take, and
[running.md](running.md) the days of a migration.`

// docsFlags say what the docs command writes.
type docsFlags struct{ markdown, man, losses string }

// newDocs is for those who build and package the program.
func newDocs() *cobra.Command {
	var d docsFlags
	c := &cobra.Command{
		Use:    "docs",
		Short:  "Write the reference of the commands: Markdown, man pages",
		Hidden: true,
		Long: `docs writes what can be made from the program itself: the reference of its commands as Markdown or
as man pages, and the lists of losses within a document that has a place for them. What is there is
written over.`,
		Example: `  repatriate docs --man bin/man`,
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if d == (docsFlags{}) {
				return usage(errors.New("docs takes --markdown, --man or --losses"))
			}
			cobra.EnableCommandSorting = true // as in an index
			return d.write(newRoot())
		},
	}
	c.Flags().StringVar(&d.markdown, "markdown", "", "write the reference of the commands to this file")
	c.Flags().StringVar(&d.man, "man", "", "write a man page for each command into this folder")
	c.Flags().StringVar(&d.losses, "losses", "", "renew the lists of losses in this document")
	return c
}

func (d docsFlags) write(root *cobra.Command) error {
	if d.markdown != "" {
		text, err := commandsDocument(root)
		if err != nil {
			return err
		}
		if err := os.WriteFile(d.markdown, text, 0o644); err != nil {
			return err
		}
	}
	if d.losses != "" {
		text, err := os.ReadFile(d.losses)
		if err != nil {
			return usage(err)
		}
		renewed, err := renewLosses(string(text))
		if err != nil {
			return usage(fmt.Errorf("%s: %w", d.losses, err))
		}
		if err := os.WriteFile(d.losses, []byte(renewed), 0o644); err != nil {
			return err
		}
	}
	if d.man != "" {
		return writePages(root, d.man)
	}
	return nil
}

func commandsDocument(root *cobra.Command) ([]byte, error) {
	var b bytes.Buffer
	err := manual.Markdown(&b, root, commandsIntro)
	return b.Bytes(), err
}

func writePages(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, page := range manual.Pages(root) {
		if err := os.WriteFile(filepath.Join(dir, page.Name), []byte(page.Text), 0o644); err != nil {
			return fmt.Errorf("man page: %w", err)
		}
	}
	return nil
}

// lossList is the place of a list in a document: between two comments, of which the first says whose losses it has.
var lossList = regexp.MustCompile(`(?s)<!-- losses: ([a-z]+) -->\n.*?<!-- end -->`)

// renewLosses writes the lists of losses in a document anew, from docs/reasons.md and the grades of reports.
func renewLosses(text string) (string, error) {
	var missing error
	renewed := lossList.ReplaceAllStringFunc(text, func(old string) string {
		kind := lossList.FindStringSubmatch(old)[1]
		var b strings.Builder
		fmt.Fprintf(&b, "<!-- losses: %s -->\n\n| grade | loss | meaning |\n|---|---|---|\n", kind)
		n := 0
		for _, r := range docs.ListReasons() {
			if strings.HasPrefix(r.Name, kind+".") {
				n++
				fmt.Fprintf(&b, "| %s | `%s` | %s |\n", htmlreport.Of(r.Name), r.Name, r.Meaning)
			}
		}
		if n == 0 {
			missing = fmt.Errorf("there are no losses of %q", kind)
		}
		return b.String() + "\n<!-- end -->"
	})
	if renewed == text && !lossList.MatchString(text) {
		return "", errors.New("it has no place for a list of losses")
	}
	return renewed, missing
}
