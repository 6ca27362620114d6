package progress

import (
	"strings"

	"github.com/rivo/uniseg"
)

// width returns how many columns a text takes on a terminal.
func width(s string) int { return uniseg.StringWidth(s) }

// cut returns as much of s as fits n columns, with an ellipsis in the place of what does not.
func cut(s string, n int) string {
	if width(s) <= n {
		return s
	}
	head, _ := head(s, n-1)
	return ellipsis(head, "", n)
}

// middle returns s in n columns, with an ellipsis in the place of its middle if it is longer.
func middle(s string, n int) string {
	if width(s) <= n {
		return s
	}
	front, _ := head(s, n/2)
	return ellipsis(front, tail(s, n-1-width(front)), n)
}

func ellipsis(front, back string, n int) string {
	if n < 1 {
		return ""
	}
	return front + "…" + back
}

// head returns the longest beginning of s that fits n columns, and its width. Characters stay whole with what combines with them.
func head(s string, n int) (string, int) {
	at, columns := 0, 0
	for g := uniseg.NewGraphemes(s); g.Next(); {
		if columns+g.Width() > n {
			break
		}
		columns += g.Width()
		_, at = g.Positions()
	}
	return s[:at], columns
}

// tail returns the longest end of s that fits n columns.
func tail(s string, n int) string {
	columns := width(s)
	for g := uniseg.NewGraphemes(s); g.Next(); {
		from, _ := g.Positions()
		if columns <= n {
			return s[from:]
		}
		columns -= g.Width()
	}
	return ""
}

// pad fills s with blanks up to n columns.
func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-width(s))) }
