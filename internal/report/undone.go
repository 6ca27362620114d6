package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/undo"
)

// Undone is what was taken away of one task.
type Undone struct {
	Account    string `json:"account"`
	Kind       string `json:"kind"`
	Collection string `json:"collection"`
	Name       string `json:"name,omitempty"`
	Removed    int64  `json:"removed"`
	// Own is how many of the removed ones are folders that the program made for itself.
	Own    int64 `json:"own_folders,omitempty"`
	Stayed int64 `json:"stayed"`
	// Left are the items that stay; of very many, the first ones. Cleared are the names of emptied containers that went along.
	Left    []undo.Left `json:"left"`
	Cleared []string    `json:"cleared"`
	// Error is why the task could not be undone to its end.
	Error string `json:"error"`
}

// Undoing is what was taken away from the targets of a job.
type Undoing struct {
	Job    string   `json:"job"`
	Path   string   `json:"-"`
	DryRun bool     `json:"dry_run,omitempty"`
	Tasks  []Undone `json:"tasks"`
	// Part says that it was about some accounts or kinds only.
	Part bool `json:"-"`
	// Closed says that a final run closed the ledger, so that another run has to open it again.
	Closed bool `json:"-"`
	// Outages are the servers that could not be used for any account.
	Outages []Outage `json:"outages,omitempty"`
	// Note says what nobody looked at.
	Note string `json:"note,omitempty"`
}

// Add adds what was done with a task, as far as it went.
func (u *Undoing) Add(s checkpoint.Status, r undo.Result, err error) {
	t := Undone{Account: s.Account, Kind: s.Kind, Collection: s.Collection, Name: s.Name, Removed: r.Removed, Own: r.Own, Stayed: r.Stayed, Left: r.Left, Cleared: r.Cleared}
	if t.Left == nil {
		t.Left = []undo.Left{}
	}
	slices.SortStableFunc(t.Left, func(a, b undo.Left) int { return cmp.Compare(a.Location, b.Location) })
	if t.Cleared == nil {
		t.Cleared = []string{}
	}
	if err != nil {
		t.Error = err.Error()
	}
	u.Tasks = append(u.Tasks, t)
	slices.SortFunc(u.Tasks, func(a, b Undone) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Collection, b.Collection))
	})
}

// ExitCode is the process's exit code: 0, or 4 where a task stopped. What stays on the target is no failure.
func (u *Undoing) ExitCode() int {
	if len(u.Outages) > 0 || slices.ContainsFunc(u.Tasks, func(t Undone) bool { return t.Error != "" }) {
		return 4
	}
	return 0
}

// WriteJSON writes it as one JSON object.
func (u *Undoing) WriteJSON(w io.Writer) error { return WriteJSON(w, u) }

// WriteText writes it for a person at a terminal.
func (u *Undoing) WriteText(w io.Writer) error {
	var b strings.Builder
	titles := []string{"removed", "stay"}
	if u.DryRun {
		titles[0] = "to remove"
	}
	t := table{titles: titles}
	for _, task := range u.Tasks {
		t.add(task.Account, task.Kind, cmp.Or(task.Name, task.Collection), task.Removed, task.Stayed)
	}
	t.write(&b)
	u.writeOwn(&b)
	u.writeLeft(&b)
	u.writeRest(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// writeOwn says why more is removed than the run wrote items.
func (u *Undoing) writeOwn(b *strings.Builder) {
	var n int64
	for _, t := range u.Tasks {
		n += t.Own
	}
	if n > 0 {
		say(b, "\nAmong what is removed: %s that the program made for what lay in no folder.", Plural(n, "folder"))
	}
}

func (u *Undoing) writeLeft(b *strings.Builder) {
	var n, shown int64
	for _, t := range u.Tasks {
		n += t.Stayed
	}
	if n == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", "These stay on the target:")
	for _, t := range u.Tasks {
		for _, l := range t.Left {
			if shown++; shown <= perOutcome {
				fmt.Fprintf(b, "  %s\n", wrap(CalledShortly(t.Account, t.Name)+", "+t.Kind+": "+Clean(cmp.Or(l.Title, l.ID), 80), 4))
				fmt.Fprintf(b, "    %s\n", wrap("at "+place(t.Kind, l.Location)+": "+Clean(l.Detail, 400), 4))
			}
		}
	}
	if n > perOutcome {
		fmt.Fprintf(b, "  … and %d more; --json has them.\n", n-perOutcome)
	}
}

func (u *Undoing) writeRest(b *strings.Builder) {
	heading := "\nAlso removed, since the job had made them and nothing lies in them:\n"
	for _, t := range u.Tasks {
		if len(t.Cleared) > 0 {
			fmt.Fprintf(b, "%s  %s\n", heading, wrap(CalledShortly(t.Account, t.Name)+", "+t.Kind+": "+Clean(strings.Join(t.Cleared, ", "), 1000), 4))
			heading = ""
		}
	}
	met := encounters{outages: u.Outages}
	for _, t := range u.Tasks {
		met.add(t.Account, t.Kind, t.Error)
	}
	met.write(b)
	for _, tasks := range alike(u.Tasks, func(t Undone) string { return own(u.Outages, t.Account, t.Kind, t.Error) }) {
		names := someOf(tasks, func(t Undone) string { return taskTitle(t.Account, t.Kind, cmp.Or(t.Name, t.Collection)) })
		fmt.Fprintf(b, "\n%s\n  %s\n", wrap("Stopped: "+names, 0), wrap(Clean(tasks[0].Error, 1000), 2))
	}
	if u.Note != "" {
		fmt.Fprintf(b, "\n%s\n", wrap("Note: "+Clean(u.Note, 1000)+".", 0))
	}
	job := cmp.Or(u.Path, "JOB.yaml")
	switch {
	case u.DryRun:
		fmt.Fprintf(b, "\n%s\n", wrap("Dry run: nothing was removed. This is what would be, by what lies on the target now.", 0))
	case u.ExitCode() != 0:
		fmt.Fprintf(b, "\n%s\n", wrap("Mend the cause above and repeat it: repatriate undo "+job, 0))
	default:
		if u.Closed {
			job += " --reopen"
		}
		what := "everything"
		if u.Part {
			what = "these items"
		}
		fmt.Fprintf(b, "\n%s\n", wrap("Undone. A run moves "+what+" anew: repatriate run "+job, 0))
	}
}
