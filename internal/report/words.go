package report

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// Size writes a number of bytes for people.
func Size(n int64) string {
	const unit = 1000
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	v, i := float64(n)/unit, 0
	for v >= unit && i < 4 {
		v /= unit
		i++
	}
	return fmt.Sprintf("%.1f %cB", v, "kMGTP"[i])
}

// Plural writes a number of things.
func Plural(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Clean returns s on one line, at most n runes long, without what could steer a terminal or turn the direction of text.
func Clean(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r' || unicode.Is(unicode.Zs, r): // French names have blanks that do not break
			return ' '
		case unicode.Is(unicode.Cf, r) || !unicode.IsPrint(r):
			return '\ufffd'
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return s
}

// Fit returns s as Clean does, at most so many columns of a terminal wide: some letters take two.
func Fit(s string, columns int) string {
	s = Clean(s, 8*columns) // letters and what combines with them
	if uniseg.StringWidth(s) <= columns {
		return s
	}
	at, end := 0, 0
	for g := uniseg.NewGraphemes(s); g.Next() && at+g.Width() < columns; {
		at += g.Width()
		_, end = g.Positions()
	}
	return s[:end] + "…"
}

// longestLine bounds a line that goes to no terminal, in characters.
const longestLine = 2000

// Line returns s as Clean does on one line that is not broken: cut to the terminal, whole where there is none.
func Line(s string) string {
	if terminal == 0 {
		return Clean(s, longestLine)
	}
	return Fit(s, terminal)
}

// wrap breaks text between words into lines of at most lineWidth, of which all but the first are indented. The first one
// begins at the indent, too. A command to type stays on one line, so that it can be copied.
func wrap(text string, indent int) string {
	var b strings.Builder
	at := indent
	for i, word := range unbroken(text) {
		n := uniseg.StringWidth(word)
		switch {
		case i == 0:
		case at+1+n > lineWidth:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			at = indent
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}

// Wrap breaks text between words, as the reports do: into lines of which all but the first are indented. The first one begins at
// the indent, too.
func Wrap(text string, indent int) string { return wrap(text, indent) }

// say writes a sentence.
func say(b *strings.Builder, format string, args ...any) {
	fmt.Fprintf(b, "%s\n", wrap(fmt.Sprintf(format, args...), 0))
}

// unbroken splits text between words, but for commands: from "repatriate" after a colon to the next mark of punctuation.
func unbroken(text string) (words []string) {
	command := false
	for _, word := range strings.Split(text, " ") {
		last := len(words) - 1
		if command {
			words[last] += " " + word
		} else {
			command = word == "repatriate" && last >= 0 && strings.HasSuffix(words[last], ":")
			words = append(words, word)
		}
		command = command && !strings.HasSuffix(word, ",") && !strings.HasSuffix(word, ".") && !strings.HasSuffix(word, ";")
	}
	return words
}

// place shows where an item lies. A message's mailbox and number are told in words, as a mail program does.
func place(kind, location string) string {
	box, rest, ok := strings.Cut(location, ";UIDVALIDITY=")
	_, uid, ok2 := strings.Cut(rest, "/;UID=")
	name, err := url.PathUnescape(box)
	if kind != "mail" || !ok || !ok2 || err != nil {
		return Clean(location, 300)
	}
	return Clean(name, 250) + " (UID " + Clean(uid, 20) + ")"
}

// them stands for a number of things.
func them(n int64) string {
	if n == 1 {
		return "it"
	}
	return "them"
}
