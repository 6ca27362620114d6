// Package manual writes the reference of a program's commands from their own help texts: one Markdown document, or a man page for each.
// The same commands always give the same text: no date and no version stands in it.
package manual

import (
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// section is what the reference says of one command.
type section struct {
	path, short, usage string
	// about are the paragraphs of the description, the exit codes left out.
	about []paragraph
	exit  []exitCode
	// flags are the command's own; those of every command stand once, with the program.
	flags   []flag
	example string
	// below are the commands of a command that only holds others.
	below []*cobra.Command
}

// paragraph is a text that flows, or one that stays as it is.
type paragraph struct {
	text    string
	literal bool
}

type exitCode struct{ code, meaning string }

type flag struct{ name, value, standard, usage string }

// sections returns the program and its commands, each before those below it. What is hidden, and what cobra adds by itself, is left out.
func sections(root *cobra.Command) []section {
	var all []section
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		all = append(all, describe(c))
		for _, sub := range c.Commands() {
			if documented(sub) {
				walk(sub)
			}
		}
	}
	walk(root)
	return all
}

func documented(c *cobra.Command) bool {
	return c.IsAvailableCommand() && c.Name() != "help" && c.Name() != "completion"
}

func describe(c *cobra.Command) section {
	s := section{path: c.CommandPath(), short: c.Short, usage: usageOf(c), example: strings.TrimRight(c.Example, "\n")}
	s.about, s.exit = paragraphs(c.Long)
	flags := c.LocalFlags()
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" {
			s.flags = append(s.flags, describeFlag(f))
		}
	})
	for _, sub := range c.Commands() {
		if documented(sub) {
			s.below = append(s.below, sub)
		}
	}
	return s
}

func usageOf(c *cobra.Command) string {
	if !c.HasParent() {
		return c.Name() + " COMMAND [flags]"
	}
	if !c.HasAvailableFlags() {
		return c.CommandPath() + strings.TrimPrefix(c.Use, c.Name())
	}
	if c.HasAvailableSubCommands() && !strings.Contains(c.Use, " ") {
		return c.CommandPath() + " COMMAND"
	}
	return c.UseLine()
}

func describeFlag(f *pflag.Flag) flag {
	value, usage := pflag.UnquoteUsage(f)
	d := flag{name: "--" + f.Name, value: value, usage: usage}
	if f.Shorthand != "" {
		d.name = "-" + f.Shorthand + ", " + d.name
	}
	switch f.DefValue {
	case "", "0", "false", "[]", "0s":
	default:
		d.standard = strings.Trim(f.DefValue, "[]")
	}
	return d
}

const exitCodes = "Exit codes: "

// paragraphs takes a description apart. Lines that are set in keep their form.
func paragraphs(long string) (about []paragraph, exit []exitCode) {
	for block := range strings.SplitSeq(strings.TrimSpace(long), "\n\n") {
		if codes, ok := strings.CutPrefix(block, exitCodes); ok {
			exit = append(exit, parseExit(codes)...)
			continue
		}
		for line := range strings.SplitSeq(block, "\n") {
			literal := strings.HasPrefix(line, "  ")
			last := len(about) - 1
			switch {
			case line == "":
			case last >= 0 && about[last].literal == literal && !strings.HasSuffix(about[last].text, "\n\n"):
				about[last].text += "\n" + line
			default:
				about = append(about, paragraph{line, literal})
			}
		}
		if len(about) > 0 {
			about[len(about)-1].text += "\n\n" // ends here
		}
	}
	for i := range about {
		about[i].text = strings.TrimRight(about[i].text, "\n")
	}
	return about, exit
}

var oneExit = regexp.MustCompile(`^(\d+) (?s)(.+)$`)

// parseExit reads "0 printed; 2 usage or configuration." What has no number belongs to the one before it, or says it all.
func parseExit(text string) []exitCode {
	var codes []exitCode
	text = strings.TrimSuffix(strings.Join(strings.Fields(text), " "), ".")
	for part := range strings.SplitSeq(text, "; ") {
		m := oneExit.FindStringSubmatch(part)
		switch {
		case m != nil:
			codes = append(codes, exitCode{m[1], m[2]})
		case len(codes) > 0:
			codes[len(codes)-1].meaning += "; " + part
		default:
			codes = append(codes, exitCode{"", part})
		}
	}
	return codes
}
