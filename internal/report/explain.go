package report

import (
	"fmt"
	"io"
	"strings"

	"codeberg.org/repatriate/repatriate/docs"
)

// Explanation says of reasons what they mean and what to do.
type Explanation []docs.Reason

// explainIndent is where the text below a reason's name begins.
const explainIndent = 2

// WriteText writes it for people, with a heading for each section of the document.
func (e Explanation) WriteText(w io.Writer) error {
	var b strings.Builder
	section := ""
	for i, r := range e {
		if i > 0 {
			b.WriteByte('\n')
		}
		if r.Section != section && len(e) > 1 {
			section = r.Section
			fmt.Fprintf(&b, "%s\n%s\n\n", section, strings.Repeat("=", len(section)))
		}
		fmt.Fprintf(&b, "%s\n", r.Name)
		fmt.Fprintf(&b, "%*s%s\n", explainIndent, "", wrap(r.Meaning, explainIndent))
		fmt.Fprintf(&b, "%*s%s\n", explainIndent, "", wrap("What to do: "+r.Action, explainIndent))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteJSON writes it for programs.
func (e Explanation) WriteJSON(w io.Writer) error {
	return WriteReadableJSON(w, e)
}

// ExitCode is the process's exit code.
func (Explanation) ExitCode() int { return 0 }
