package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/preflight"
)

// Preflight says whether a job can begin.
type Preflight struct {
	*preflight.Report
	Job string
	// Path is the job file, for the command to go on with.
	Path string
}

// WriteJSON writes the report for programs.
func (p Preflight) WriteJSON(w io.Writer) error {
	return WriteReadableJSON(w, struct {
		Job      string             `json:"job"`
		Summary  preflight.Summary  `json:"summary"`
		Findings []*preflight.Group `json:"findings"`
	}{p.Job, p.Summary(), append([]*preflight.Group{}, p.Groups()...)})
}

// WriteText writes the report for people.
func (p Preflight) WriteText(w io.Writer) error {
	s := p.Summary()
	var b strings.Builder
	var last preflight.Side
	level := preflight.Level(0xff)
	for _, g := range p.Groups() {
		if g.Level != level || g.Side != last {
			level, last = g.Level, g.Side
			fmt.Fprintf(&b, "\n%s\n", chapters[chapter{level, last}])
		}
		b.WriteString(wrapped(lineOf(g, s.Accounts)))
	}
	fmt.Fprintf(&b, "\n%s: %s, %d ready, %d cannot be moved", p.Job, Plural(int64(s.Accounts), "account"), s.Ready, s.Cannot)
	if s.Skipped > 0 {
		fmt.Fprintf(&b, ", %d not looked at", s.Skipped)
	}
	fmt.Fprintf(&b, "; %s, %s.\n", Plural(int64(s.Errors), "error"), Plural(int64(s.Warnings), "warning"))
	b.WriteString(p.verdict())
	_, err := io.WriteString(w, strings.TrimPrefix(b.String(), "\n"))
	return err
}

type chapter struct {
	level preflight.Level
	side  preflight.Side
}

var chapters = map[chapter]string{
	{preflight.Error, preflight.Source}:   "What keeps the migration from beginning, at the source:",
	{preflight.Error, preflight.Target}:   "What keeps the migration from beginning, on the target:",
	{preflight.Warning, preflight.Source}: "Worth knowing, at the source:",
	{preflight.Warning, preflight.Target}: "Worth knowing, on the target:",
	{preflight.OK, preflight.Source}:      "In order, at the source:",
	{preflight.OK, preflight.Target}:      "In order, on the target:",
}

func (p Preflight) verdict() string {
	switch p.ExitCode() {
	case 0:
		return wrap("Nothing keeps the migration from beginning. See what it brings and loses, and how long it takes: repatriate plan "+
			cmp.Or(p.Path, "JOB.yaml"), 0) + "\n"
	case 3:
		return "Some accounts cannot be moved yet.\n"
	}
	if p.Summary().Refused {
		return "The migration cannot begin before what concerns everybody is mended.\n"
	}
	return "The migration cannot begin.\n"
}

// lineOf is the finding in one line.
func lineOf(g *preflight.Group, total int) string {
	whom := "everybody"
	switch {
	case g.Accounts > 0 && g.Accounts == total && total > 1:
		whom = fmt.Sprintf("all %d accounts", total)
	case g.Accounts > 1 && g.Level == preflight.OK:
		whom = fmt.Sprintf("%d accounts", g.Accounts)
	case g.Accounts > len(g.Named):
		whom = fmt.Sprintf("%s and %d more", strings.Join(g.Named, ", "), g.Accounts-len(g.Named))
	case g.Accounts > 0:
		whom = strings.Join(g.Named, ", ")
	}
	if len(g.Kinds) > 0 {
		whom += ", " + enumerated(g.Kinds)
	}
	text := fmt.Sprintf("%-7s %s: %s", g.Level, whom, g.What)
	if g.Reason != "" {
		text += fmt.Sprintf(" (%s)", g.Reason)
	}
	if g.Why != "" {
		text += "; " + g.Why
	}
	if g.Do != "" {
		text += ". To do: " + g.Do
	}
	return Clean(text, 4000)
}

// enumerated writes words as a list: "files, calendar and tasks".
func enumerated(words []string) string {
	last := len(words) - 1
	if last <= 0 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// wrapped breaks a line between words; what follows is set in.
func wrapped(line string) string {
	const indent = "          "
	var b strings.Builder
	b.WriteString("  ")
	at := 2
	for i, word := range strings.SplitAfter(line, " ") {
		if n := len([]rune(strings.TrimRight(word, " "))); at+n > lineWidth && i > 0 {
			b.WriteString("\n" + indent)
			at = len(indent)
		}
		b.WriteString(word)
		at += len([]rune(word))
	}
	lines := strings.Split(b.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}
