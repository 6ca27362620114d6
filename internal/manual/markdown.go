package manual

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// Markdown writes the reference of a program as one document. intro follows its title.
func Markdown(w io.Writer, root *cobra.Command, intro string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Commands\n\n%s\n\n", strings.TrimSpace(intro))
	all := sections(root)
	b.WriteString("| command | |\n|---|---|\n")
	for _, s := range all[1:] {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s |\n", s.path, anchor(s.path), cell(s.short))
	}
	for _, s := range all {
		s.markdown(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// anchor is what GitHub and Forgejo make of a heading.
func anchor(heading string) string { return strings.ReplaceAll(heading, " ", "-") }

func (s section) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n%s.\n\n```\n%s\n```\n", s.path, words(s.short), s.usage)
	for _, p := range s.about {
		if p.literal {
			fmt.Fprintf(b, "\n```\n%s\n```\n", p.text)
		} else {
			fmt.Fprintf(b, "\n%s\n", words(p.text))
		}
	}
	if len(s.below) > 0 && len(s.about) == 0 {
		b.WriteString("\n")
		for _, c := range s.below {
			fmt.Fprintf(b, "* [`%s`](#%s)\n", c.CommandPath(), anchor(c.CommandPath()))
		}
	}
	s.flagTable(b)
	if s.example != "" {
		fmt.Fprintf(b, "\nFor example:\n\n```\n%s\n```\n", unindent(s.example))
	}
	s.exitTable(b)
}

func (s section) flagTable(b *strings.Builder) {
	if len(s.flags) == 0 {
		return
	}
	b.WriteString("\n| flag | meaning |\n|---|---|\n")
	for _, f := range s.flags {
		name := f.name
		if f.value != "" {
			name += " " + f.value
		}
		fmt.Fprintf(b, "| `%s` | %s", name, cell(f.usage))
		if f.standard != "" {
			fmt.Fprintf(b, " (default `%s`)", f.standard)
		}
		b.WriteString(" |\n")
	}
}

func (s section) exitTable(b *strings.Builder) {
	switch {
	case len(s.exit) == 0:
	case s.exit[0].code == "":
		fmt.Fprintf(b, "\nExit codes: %s.\n", words(s.exit[0].meaning))
	default:
		b.WriteString("\n| exit code | meaning |\n|---|---|\n")
		for _, e := range s.exit {
			fmt.Fprintf(b, "| %s | %s |\n", e.code, cell(e.meaning))
		}
	}
}

var (
	quotedCommand = regexp.MustCompile(`'(repatriate [^'\n]+)'`)
	flagWord      = regexp.MustCompile(`(^|[\s(])(--[a-z][a-z-]*)`)
	special       = strings.NewReplacer(`\`, `\\`, "<", `\<`, "*", `\*`, "_", `\_`)
)

// words writes a text as Markdown: commands and flags in it are code, and nothing in it is markup by accident.
func words(text string) string {
	text = special.Replace(text)
	text = quotedCommand.ReplaceAllString(text, "`$1`")
	return flagWord.ReplaceAllString(text, "$1`$2`")
}

func cell(text string) string { return strings.ReplaceAll(words(text), "|", `\|`) }

// unindent takes away the blanks that all lines begin with in a help text.
func unindent(text string) string {
	return strings.ReplaceAll(strings.TrimPrefix(text, "  "), "\n  ", "\n")
}
