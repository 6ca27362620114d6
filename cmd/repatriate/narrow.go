package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/internal/report"
)

// widestHelp is the number of columns that the texts of the help are written for.
const widestHelp = 100

// helpColumns is how wide the help is shown.
var helpColumns = widestHelp

// fitTo has reports and help fit on a terminal of so many columns.
func fitTo(columns int) {
	report.FitTo(columns)
	helpColumns = min(max(columns, 40), widestHelp)
}

// narrow has the help of root and its commands broken anew where the terminal is narrower than it was written for.
func narrow(root *cobra.Command, columns int) {
	if columns >= widestHelp {
		return
	}
	cobra.AddTemplateFunc("reflow", func(text string) string { return reflow(text, columns) })
	root.SetHelpTemplate(strings.ReplaceAll(root.HelpTemplate(), "| trimTrailingWhitespaces", "| trimTrailingWhitespaces | reflow"))
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "Flags.FlagUsages", fmt.Sprintf("Flags.FlagUsagesWrapped %d", columns)))
}

// reflow breaks paragraphs into lines of at most so many columns. Lines that are set in stay as they are.
func reflow(text string, columns int) string {
	var out []string
	joined := false // whether the last line of out may be gone on with
	for _, line := range strings.Split(text, "\n") {
		if line == "" || line[0] == ' ' {
			out, joined = append(out, line), false
			continue
		}
		for _, word := range strings.Fields(line) {
			if last := len(out) - 1; joined && len([]rune(out[last]))+1+len([]rune(word)) <= columns {
				out[last] += " " + word
			} else {
				out, joined = append(out, word), true
			}
		}
	}
	return strings.Join(out, "\n")
}

// folded breaks the paragraphs of a text anew where its lines are longer than so many columns. What belongs to a numbered line is set in
// behind the number. Commands and words that are longer stay whole.
func folded(text string, columns int) string {
	if columns >= widestHelp {
		return text
	}
	var out []string
	hang := -1 // how far what goes on with the last line is set in; -1 if nothing may
	for _, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		indent := len(line) - len(strings.TrimLeft(line, " "))
		if len(words) == 0 || words[0] == "repatriate" {
			out, hang = append(out, line), -1
			continue
		}
		if indent == 0 || indent != hang {
			out, hang = append(out, line[:indent]+words[0]), indent
			if numbered.MatchString(words[0]) {
				hang = len(words[0]) + 1
			}
			words = words[1:]
		}
		for _, word := range words {
			if last := len(out) - 1; len([]rune(out[last]))+1+len([]rune(word)) <= columns {
				out[last] += " " + word
			} else {
				out = append(out, strings.Repeat(" ", hang)+word)
			}
		}
	}
	return strings.Join(out, "\n")
}

// numbered is the beginning of a step.
var numbered = regexp.MustCompile(`^[0-9]+\.$`)
