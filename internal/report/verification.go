package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/readback"
)

// Verified is what was found of one task.
type Verified struct {
	Account    string `json:"account"`
	Kind       string `json:"kind"`
	Collection string `json:"collection"`
	Name       string `json:"name,omitempty"`
	// Outcomes has the number of items with each outcome.
	Outcomes map[readback.Outcome]int64 `json:"outcomes"`
	// Read counts the objects that were read whole, Others those on the target that are not the job's.
	Read   int64 `json:"read"`
	Others int64 `json:"others"`
	// Findings are the items that are not proven; of very many, the first ones.
	Findings []readback.Finding `json:"findings"`
	// Error is why the task could not be looked at.
	Error string `json:"error"`
}

// Verification is what lies on the target of a job, compared with the ledger.
type Verification struct {
	Job string `json:"job"`
	// Path is the job file, for what is proposed to do; may be empty.
	Path string `json:"-"`
	// Share is the part of the files and messages that was read whole.
	Share  float64                    `json:"share"`
	Proven bool                       `json:"proven"`
	Totals map[readback.Outcome]int64 `json:"totals"`
	Tasks  []Verified                 `json:"tasks"`
	// Outages are the servers that could not be asked for any account.
	Outages []Outage `json:"outages,omitempty"`
	// Note says what nobody looked at.
	Note string `json:"note,omitempty"`
	// Interrupted says that it did not come to its end, so that nothing is proven.
	Interrupted bool `json:"interrupted,omitempty"`
	// Requeued counts the missing items that the next run will move again.
	Requeued int64 `json:"requeued,omitempty"`
}

// NewVerification returns one without tasks.
func NewVerification(job string, share float64) *Verification {
	return &Verification{Job: job, Share: share, Totals: map[readback.Outcome]int64{}, Proven: true, Tasks: []Verified{}}
}

// Add adds what was found of a task, or why it could not be looked at.
func (v *Verification) Add(s checkpoint.Status, r readback.Result, err error) {
	t := Verified{
		Account: s.Account, Kind: s.Kind, Collection: s.Collection, Name: s.Name,
		Outcomes: map[readback.Outcome]int64{}, Read: r.Read, Others: r.Others, Findings: r.Findings,
	}
	for _, o := range readback.Outcomes {
		t.Outcomes[o] = r.Counts[o]
		v.Totals[o] += r.Counts[o]
	}
	if t.Findings == nil {
		t.Findings = []readback.Finding{}
	}
	slices.SortStableFunc(t.Findings, func(a, b readback.Finding) int { return cmp.Compare(a.Location, b.Location) })
	if err != nil {
		t.Error = err.Error()
	}
	v.Tasks = append(v.Tasks, t)
	slices.SortFunc(v.Tasks, func(a, b Verified) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Collection, b.Collection))
	})
	v.Proven = v.Proven && err == nil && t.sound()
}

// sound reports whether nothing differs, is missing or is there twice.
func (t Verified) sound() bool {
	return t.Outcomes[readback.Differs]+t.Outcomes[readback.Missing]+t.Outcomes[readback.Extra] == 0
}

// ExitCode is the process's exit code by what was found: 0, 3 or 4; 130 of one that was interrupted.
func (v *Verification) ExitCode() int {
	switch {
	case v.Interrupted:
		return 130
	case v.Proven:
		return 0
	case len(v.Outages) > 0 || slices.ContainsFunc(v.Tasks, func(t Verified) bool { return t.Error != "" }):
		return 4
	}
	return 3
}

// WriteJSON writes the verification as one JSON object.
func (v *Verification) WriteJSON(w io.Writer) error { return WriteJSON(w, v) }

// WriteText writes the verification for a person at a terminal.
func (v *Verification) WriteText(w io.Writer) error {
	var b strings.Builder
	t := table{titles: []string{"proven", "changed", "differs", "missing", "extra", "others"}}
	for _, task := range v.Tasks {
		t.add(task.Account, task.Kind, cmp.Or(task.Name, task.Collection), append(outcomes(task.Outcomes), task.Others)...)
	}
	t.write(&b)
	v.writeFindings(&b)
	met := encounters{outages: v.Outages}
	for _, t := range v.Tasks {
		met.add(t.Account, t.Kind, t.Error)
	}
	met.write(&b)
	for _, tasks := range alike(v.Tasks, func(t Verified) string { return own(v.Outages, t.Account, t.Kind, t.Error) }) {
		names := someOf(tasks, func(t Verified) string { return taskTitle(t.Account, t.Kind, cmp.Or(t.Name, t.Collection)) })
		fmt.Fprintf(&b, "\n%s\n  %s\n", wrap("Not looked at: "+names, 0), wrap(Clean(tasks[0].Error, 1000), 2))
	}
	if v.Note != "" {
		fmt.Fprintf(&b, "\n%s\n", wrap("Note: "+Clean(v.Note, 1000)+".", 0))
	}
	v.writeVerdict(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// Missed notes which servers could not be asked for any account, so that nothing is proven.
func (v *Verification) Missed(o []Outage) {
	v.Outages = o
	v.Proven = v.Proven && len(o) == 0
}

func outcomes(counts map[readback.Outcome]int64) (out []int64) {
	for _, o := range readback.Outcomes {
		out = append(out, counts[o])
	}
	return out
}

// perOutcome is how many findings of one outcome are shown, and perChange how many of those that are as they should be; --json has them
// all.
const perOutcome, perChange = 20, 5

// headings say what each outcome means to a person.
var headings = map[readback.Outcome]string{
	readback.Changed: "Changed by their users since they were written, and left as they are:",
	readback.Differs: "Different from what was written, though the server tells of no change:",
	readback.Missing: "Missing on the target:",
	readback.Extra:   "On the target twice; this is the copy that the job did not write:",
}

func (v *Verification) writeFindings(b *strings.Builder) {
	for _, o := range readback.Outcomes[1:] {
		n := v.Totals[o]
		if n == 0 {
			continue
		}
		fmt.Fprintf(b, "\n%s\n", headings[o])
		shown, most := int64(0), int64(perOutcome)
		if o == readback.Changed {
			most = perChange
		}
		for _, t := range v.Tasks {
			for _, f := range t.Findings {
				if f.Outcome == o && shown < most {
					shown++
					writeFinding(b, t, f)
				}
			}
		}
		if n > shown {
			fmt.Fprintf(b, "  … and %d more; --json has them.\n", n-shown)
		}
	}
}

func writeFinding(b *strings.Builder, t Verified, f readback.Finding) {
	title := cmp.Or(f.Title, f.ID, f.Location)
	fmt.Fprintf(b, "  %s\n", wrap(CalledShortly(t.Account, t.Name)+", "+t.Kind+": "+Clean(title, 80), 4))
	at := "at " + place(t.Kind, f.Location)
	if !f.Usual() {
		at += ": " + Clean(f.Detail, 400)
	}
	fmt.Fprintf(b, "    %s\n", wrap(at, 4))
	if f.Link != "" {
		fmt.Fprintf(b, "    %s\n", Clean(f.Link, 400))
	}
}

func (v *Verification) writeVerdict(b *strings.Builder) {
	job := cmp.Or(v.Path, "JOB.yaml")
	read := int64(0)
	for _, t := range v.Tasks {
		read += t.Read
	}
	fmt.Fprintln(b)
	switch {
	case v.Interrupted:
		fmt.Fprintf(b, "%s\n", wrap("verify was interrupted: this is what it found until then, and nothing was changed on the target.", 0))
	case v.Proven && v.Share >= 1:
		fmt.Fprintf(b, "%s\n", wrap("Proven: all that the job wrote lies on the target, byte for byte where it has bytes. "+readWhole(read)+".", 0))
	case v.Proven:
		fmt.Fprintf(b, "%s\n", wrap("Proven: all that the job wrote lies on the target, by place, size and version. "+readWhole(read)+"; --deep reads all.", 0))
	case v.Requeued > 0:
		fmt.Fprintf(b, "%s\n", wrap(fmt.Sprintf("Not proven: see above. The next run moves %s again: repatriate run %s", Plural(v.Requeued, "missing item"), job), 0))
	case v.ExitCode() == 4:
		fmt.Fprintf(b, "%s\n", wrap("Not everything could be looked at. Mend the cause above, then: repatriate verify "+job, 0))
	default:
		say(b, "Not proven: see above.")
		for _, line := range v.advice(job) {
			say(b, "%s", line)
		}
	}
}

// advice says what to do about what was found.
func (v *Verification) advice(job string) (out []string) {
	if v.Totals[readback.Missing] > 0 {
		out = append(out, "To have what is missing moved again, also what its user deleted: repatriate verify "+job+" --requeue, then: repatriate run "+job)
	}
	if v.Totals[readback.Extra] > 0 {
		out = append(out, "Of what is there twice, the copy may be deleted on the target, unless its user wants both.")
	}
	if v.Totals[readback.Differs] > 0 {
		out = append(out, "What differs is best deleted on the target, and then moved again as missing.")
	}
	return out
}

func readWhole(n int64) string {
	switch n {
	case 0:
		return "Nothing was read whole"
	case 1:
		return "1 item was read whole"
	}
	return fmt.Sprintf("%d items were read whole", n)
}

// taskTitle names a task for a person.
func taskTitle(account, kind, name string) string {
	return Task{Account: account, Kind: kind, Name: name}.title()
}
