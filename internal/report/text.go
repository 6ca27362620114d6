package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
)

// WriteJSON writes the report as one JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	return WriteJSON(w, r)
}

// WriteText writes the report for a person at a terminal: first what there is, last what is to be done. Names are shown
// without what could steer the terminal.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	if r.Simulated {
		say(&b, "Dry run: nothing was written, and no file was downloaded. This is what would come of a run, "+
			"but for what only shows then, such as downloads that are refused and a target that is full.\n")
	}
	r.writeTasks(&b)
	r.writeReasons(&b)
	r.writeErrors(&b)
	if left := ApartText(r.Tasks); left != "" {
		fmt.Fprintf(&b, "\n%s\n", wrap("Left out on purpose, and not listed ("+string(fault.SourceLeftOut)+"): "+left+".", 0))
	}
	r.writeHeld(&b, cmp.Or(r.Path, "JOB.yaml"))
	r.writePass(&b)
	r.writeVerdict(&b)
	r.writeFinal(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) writeErrors(b *strings.Builder) {
	r.writeUnbalanced(b)
	r.writeCounted(b)
	r.writeWeighed(b)
	r.WriteOutages(b)
	groups := r.stoppedAlike()
	for i, tasks := range groups {
		if i == maxStops {
			fmt.Fprintf(b, "\n… and other collections, for %s; --json has them all.\n", Plural(int64(len(groups)-i), "other reason"))
			break
		}
		writeStop(b, tasks)
	}
}

// Bounds of what is shown of tasks that stopped.
const (
	maxStops = 20 // different errors
	perStop  = 3  // tasks with the same one
)

// stoppedAlike returns the tasks that stopped, those with the same error together, without those that an outage stopped.
func (r *Report) stoppedAlike() (groups [][]Task) {
	return alike(r.Tasks, func(t Task) string { return own(r.Outages, t.Account, t.Kind, t.Error) })
}

// alike gathers those that have the same key, in the order in which they come; an empty key leaves one out.
func alike[T any](all []T, key func(T) string) (groups [][]T) {
	at := make(map[string]int)
	for _, t := range all {
		k := key(t)
		if k == "" {
			continue
		}
		i, known := at[k]
		if !known {
			i, at[k] = len(groups), len(groups)
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], t)
	}
	return groups
}

// madeName is what collections are called in addresses on the target.
var madeName = regexp.MustCompile(`repatriate-[0-9a-f]{16}`)

// cause is the text of an error without what tells one account or collection from another, so that the same trouble of many is told
// once.
func cause(text, account string) string {
	text = strings.ReplaceAll(text, account, "")
	if user, _, ok := strings.Cut(account, "@"); ok && len(user) > 2 {
		text = strings.ReplaceAll(text, user, "")
	}
	return madeName.ReplaceAllString(text, "")
}

func writeStop(b *strings.Builder, tasks []Task) {
	fmt.Fprintf(b, "\n%s\n  %s\n", wrap("Stopped: "+someOf(tasks, Task.title), 0), wrap(Clean(tasks[0].Error, 1000), 2))
	reason := reasonIn(tasks[0].Error)
	if meaning := Meaning(reason); meaning != "" {
		fmt.Fprintf(b, "  %s\n", wrap("That means: "+meaning, 2))
	}
	if advice := Advice(reason); advice != "" {
		fmt.Fprintf(b, "  %s\n", wrap("What to do: "+advice, 2))
	}
	until := parkedUntil(tasks)
	if until.After(time.Now()) {
		fmt.Fprintf(b, "  Parked until %s; a run after that goes on.\n", until.Local().Format("2006-01-02 15:04"))
	}
}

// someOf names a few of the tasks, and counts the others.
func someOf[T any](tasks []T, title func(T) string) string {
	var names []string
	for _, t := range tasks[:min(len(tasks), perStop)] {
		names = append(names, title(t))
	}
	if more := len(tasks) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, "; ")
}

// reasonForm is how a fault's error shows its reason.
var reasonForm = regexp.MustCompile(`\(([a-z]+\.[a-z_]+)\)`)

// reasonIn returns the reason that stands in the text of an error; empty if none does. That of the innermost fault stands first.
func reasonIn(text string) string {
	if m := reasonForm.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// title names the task for a person.
func (t Task) title() string {
	name := cmp.Or(t.Name, t.Collection)
	if drive := DriveName(t.Account, t.Name); name == "" || name == t.Account || drive != "" {
		return CalledShortly(t.Account, t.Name) + ", " + t.Kind
	}
	return Clean(t.Account, 60) + ", " + t.Kind + " (" + Clean(name, 40) + ")"
}

func (r *Report) writePass(b *strings.Builder) {
	if r.Pass == nil {
		return
	}
	p := r.Pass
	text := fmt.Sprintf("This pass wrote %s (%s) and removed %d, with", Plural(p.Written, "item"), Size(p.Bytes), p.Removed)
	if r.Simulated {
		text = fmt.Sprintf("A run would write %s (at least %s) and remove %d. This took", Plural(p.Written, "item"), Size(p.Bytes), p.Removed)
	}
	text += fmt.Sprintf(" %s to the provider and %d to the target, in %s", Plural(p.SourceRequests, "request"), p.TargetRequests, round(p.Seconds))
	if p.ThrottledSeconds >= 0.1 {
		text += fmt.Sprintf(", %s of it throttled%s", round(p.ThrottledSeconds), p.scopes())
	}
	fmt.Fprintf(b, "\n%s\n", wrap(text+".", 0))
	if p.TakenUp > 0 {
		say(b, "Taken up again: %s that had failed for a passing reason.", Plural(p.TakenUp, "item"))
	}
}

// scopes names what held the pass back, the longest first.
func (p *Pass) scopes() string {
	names := slices.SortedFunc(maps.Keys(p.Throttled), func(a, b string) int {
		return cmp.Or(cmp.Compare(p.Throttled[b], p.Throttled[a]), cmp.Compare(a, b))
	})
	var list []string
	for _, name := range names {
		if s := p.Throttled[name]; s >= 0.1 && name != "" {
			list = append(list, fmt.Sprintf("%s: %s", name, round(s)))
		}
	}
	if len(list) == 0 {
		return ""
	}
	return " (" + strings.Join(list, "; ") + ")"
}

func round(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second)).Round(100 * time.Millisecond)
}

func (r *Report) writeVerdict(b *strings.Builder) {
	fmt.Fprintln(b)
	job := cmp.Or(r.Path, "JOB.yaml")
	if r.Closed != nil {
		job += " --reopen" // it would be refused otherwise
	}
	if r.WindowOpens != nil {
		say(b, "%s", outsideOfWindows(*r.WindowOpens))
	}
	r.writeBalance(b, cmp.Or(r.Path, "JOB.yaml"))
	if r.EndedAt != nil {
		say(b, "Ended at %s, as asked; nothing is lost. Go on with: repatriate run %s", r.EndedAt.Local().Format("15:04"), job)
	}
	if r.Simulated && r.Balanced && r.Path != "" && r.Closed == nil {
		say(b, "To go on: repatriate run %s", r.Path)
	}
	if r.Simulated || !r.Balanced {
		return
	}
	switch r.State {
	case Complete:
		if r.Path != "" && r.Pass != nil && r.Final == nil {
			say(b, "To see for yourself that all of it is on the target: repatriate verify %s", r.Path)
		}
	case Incomplete:
		if r.EndedAt != nil {
			break
		}
		if n := r.Unlisted(); n > 0 {
			say(b, "Not listed to the end yet: %s. Go on with: repatriate run %s", Plural(n, "collection"), job)
		} else if r.Totals.Pending > 0 {
			say(b, "Go on with: repatriate run %s", job)
		}
	case Stopped:
		if until := r.allParked(time.Now()); !until.IsZero() {
			say(b, "Parked before the end: %s. Go on after %s with: repatriate run %s",
				Plural(r.stopped(), "collection"), until.Local().Format("2006-01-02 15:04"), job)
			break
		}
		say(b, "Stopped before the end: %s. Mend the cause above, then: repatriate run %s", Plural(r.stopped(), "collection"), job)
	case Interrupted:
		if r.Broken != "" {
			say(b, "The run ended before its end: %s. Nothing is lost. Once that is mended, go on with: repatriate run %s", r.Broken, job)
			break
		}
		say(b, "The run was interrupted; nothing is lost. Go on with: repatriate run %s", job)
	}
	r.writeFailed(b, job, time.Now())
}

// writeFailed says how what failed is taken up: with retry, by the next run, or when its collection is parked no more, since a retry passes over it
// until then.
func (r *Report) writeFailed(b *strings.Builder, job string, now time.Time) {
	var parked []Task
	var waiting, passing, rest int64
	for _, t := range r.Tasks {
		switch {
		case t.Failed == 0:
		case t.Until != nil && t.Until.After(now):
			parked, waiting = append(parked, t), waiting+t.Failed
		default:
			n := t.passing()
			passing, rest = passing+n, rest+t.Failed-n
		}
	}
	if rest > 0 {
		say(b, "Failed: %s. Mend the cause above, then: repatriate retry %s", Plural(rest, "item"), job)
	}
	if passing > 0 {
		say(b, "Failed for a passing reason: %s. The next run takes %s up: repatriate run %s", Plural(passing, "item"), them(passing), job)
	}
	if waiting > 0 {
		say(b, "Failed, and not taken up before %s, since %s parked until then (see above): %s. Run again after that: repatriate retry %s",
			parkedUntil(parked).Local().Format("2006-01-02 15:04"), are(len(parked), "collection"), Plural(waiting, "item"), job)
	}
}

// are begins to say something of one thing or of several.
func are(n int, thing string) string {
	if n == 1 {
		return "the " + thing + " is"
	}
	return fmt.Sprintf("%d %ss are", n, thing)
}

// allParked returns when the last of the tasks that stopped may go on; the zero time if one of them waits for nothing but a remedy.
func (r *Report) allParked(now time.Time) (last time.Time) {
	for _, t := range r.Tasks {
		switch {
		case t.Error == "":
		case t.Until == nil || !t.Until.After(now):
			return time.Time{}
		case t.Until.After(last):
			last = *t.Until
		}
	}
	return last
}

func (r *Report) stopped() (n int64) {
	for _, t := range r.Tasks {
		if t.Error != "" {
			n++
		}
	}
	return n
}
