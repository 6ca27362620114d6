package report

import (
	"fmt"
	"strings"
	"time"
)

// Brief is a report in a few lines that fit a terminal of 80 columns, for who looks again and again.
type Brief struct {
	*Report
	// At is when the report was made, and Accounts how many the job has.
	At       time.Time
	Accounts int
	// Before is the report of the last look; nil at the first one.
	Before *Brief
}

// Lines returns the report line by line.
func (b Brief) Lines() []string {
	lines := []string{fmt.Sprintf("%s at %s%s", Clean(b.Job, 40), b.At.Local().Format(time.TimeOnly), b.since())}
	lines = append(lines, b.table()...)
	lines = append(lines, b.progress())
	groups := b.stoppedAlike()
	for i, tasks := range groups {
		if i == maxBrief {
			lines = append(lines, "… and others that stopped for "+Plural(int64(len(groups)-i), "other reason"))
			break
		}
		lines = append(lines, stoppedBriefly(tasks, b.At)...)
	}
	if b.WindowOpens != nil {
		lines = append(lines, outsideOfWindows(*b.WindowOpens))
	}
	if b.Closed != nil {
		lines = append(lines, "The job was closed on "+b.Closed.Local().Format("2 January 2006 at 15:04"))
	}
	return lines
}

// maxBrief bounds the causes of stops that are shown.
const maxBrief = 3

// since says what came of the time since the last look.
func (b Brief) since() string {
	if b.Before == nil {
		return ""
	}
	seconds := b.At.Sub(b.Before.At).Seconds()
	if seconds <= 0 {
		return ""
	}
	items, bytes := b.decided()-b.Before.decided(), b.Totals.Bytes-b.Before.Totals.Bytes
	return fmt.Sprintf(": %.1f items and %s per second", max(0, float64(items)/seconds), Size(int64(max(0, float64(bytes)/seconds))))
}

// decided is the number of items that are not pending.
func (b Brief) decided() int64 { return b.Totals.Listed - b.Totals.Pending }

func (b Brief) table() []string {
	lines := [][]string{{"", "listed", "copied", "losses", "skipped", "failed", "removed", "pending", "size"}}
	for _, t := range b.totals() {
		c := t.counts
		line := []string{t.kind}
		for _, n := range []int64{c.Listed, c.Copied, c.CopiedWithLosses, c.Skipped, c.Failed, c.Removed, c.Pending} {
			line = append(line, fmt.Sprint(n))
		}
		lines = append(lines, append(line, sizeOf(c)))
	}
	var text strings.Builder
	_ = WriteColumns(&text, 1, lines) // into memory
	return strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
}

// progress counts the accounts by how far they are.
func (b Brief) progress() string {
	open := make(map[string]bool)
	for _, t := range b.Tasks {
		open[t.Account] = open[t.Account] || t.Pending > 0 || !t.Complete || t.Error != ""
	}
	done := 0
	for _, o := range open {
		if !o {
			done++
		}
	}
	return fmt.Sprintf("%d of %s moved to the end, %d begun", done, Plural(int64(b.Accounts), "account"), len(open)-done)
}

// stoppedBriefly says which tasks stopped with the same error, until when they are parked, and why.
func stoppedBriefly(tasks []Task, now time.Time) []string {
	text := "Stopped: " + tasks[0].title()
	if n := len(tasks) - 1; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	if until := parkedUntil(tasks); until.After(now) {
		text += ", parked until " + until.Local().Format("2006-01-02 15:04")
	}
	return []string{text, "  " + Clean(tasks[0].Error, 200)}
}

// parkedUntil returns when the last of the tasks may go on.
func parkedUntil(tasks []Task) (until time.Time) {
	for _, t := range tasks {
		if t.Until != nil && t.Until.After(until) {
			until = *t.Until
		}
	}
	return until
}

func outsideOfWindows(opens time.Time) string {
	return "Outside of the job's time windows: a run works again from " + opens.Local().Format("Monday 2 January 15:04") + "."
}
