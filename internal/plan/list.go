package plan

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/report"
)

// List shows who approved what, and what waits for it.
type List struct {
	Job, Path string
	// Approve is the job file's limit; empty if no approval is needed.
	Approve   string
	Approvals Approvals
	Waiting   []report.Held
}

// ExitCode is 0.
func (List) ExitCode() int { return 0 }

// WriteJSON writes it as one JSON object.
func (l List) WriteJSON(w io.Writer) error {
	return report.WriteJSON(w, struct {
		Job       string        `json:"job"`
		Approve   string        `json:"approve,omitempty"`
		Approvals []Approval    `json:"approvals"`
		Broken    int           `json:"broken_lines,omitempty"`
		Waiting   []report.Held `json:"waiting"`
	}{l.Job, l.Approve, append([]Approval{}, l.Approvals.All...), l.Approvals.Broken, append([]report.Held{}, l.Waiting...)})
}

// WriteText writes it for people.
func (l List) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, a := range l.Approvals.All {
		a.write(&b)
	}
	if len(l.Approvals.All) == 0 {
		b.WriteString("Nothing was approved yet.\n")
	}
	if n := l.Approvals.Broken; n > 0 {
		fmt.Fprintf(&b, "%s of the file cannot be read, and approve nothing.\n", report.Plural(int64(n), "line"))
	}
	switch {
	case l.Approve == "":
		b.WriteString("\nThe job file has no approve: every account runs without an approval.\n")
	case len(l.Waiting) == 0:
		fmt.Fprintf(&b, "\nNothing waits: by approve: %s every account may run.\n", l.Approve)
	default:
		fmt.Fprintf(&b, "\nLeft out by approve: %s until somebody approves: %s\n", l.Approve, report.Plural(int64(len(l.Waiting)), "account"))
		for _, h := range l.Waiting {
			fmt.Fprintf(&b, "  %s\n", report.Clean(strings.TrimSpace(h.Grade+" "+report.Called(h.Account, h.Name))+": "+h.Why, maxText))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (a Approval) write(b *strings.Builder) {
	fmt.Fprintf(b, "%s  %s %s by %s", a.At.Local().Format("2006-01-02 15:04"), a.Grade, report.Called(a.Account, a.Name), report.Clean(a.By, 80))
	if a.Note != "" {
		fmt.Fprintf(b, ": %s", report.Clean(a.Note, maxText))
	}
	b.WriteByte('\n')
	for _, kind := range slices.Sorted(maps.Keys(a.Reasons)) {
		if len(a.Reasons[kind]) > 0 {
			fmt.Fprintf(b, "    %s\n", report.Clean(kind+": "+strings.Join(a.Reasons[kind], ", "), maxText))
		}
	}
}

// Recorded tells what was just approved.
type Recorded struct {
	Approvals []Approval
	// Path is the job file, and Needed says that it asks for approvals.
	Path   string
	Needed bool
}

// ExitCode is 0.
func (Recorded) ExitCode() int { return 0 }

// WriteJSON writes the approvals as a JSON array.
func (r Recorded) WriteJSON(w io.Writer) error { return report.WriteJSON(w, r.Approvals) }

// WriteText writes them for people.
func (r Recorded) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, a := range r.Approvals {
		a.write(&b)
	}
	fmt.Fprintf(&b, "Recorded: %s.", report.Plural(int64(len(r.Approvals)), "approval"))
	if r.Needed {
		fmt.Fprintf(&b, " To go on: repatriate run %s\n", r.Path)
	} else {
		b.WriteString(" The job file has no approve, so that nothing waited for it.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
