package report

import (
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/undo"
)

// TestFitTo has a report on a narrow terminal no wider than that, and commands whole.
func TestFitTo(t *testing.T) {
	defer FitTo(widest)
	u := &Undoing{Job: "pilot", Path: "school/pilot.yaml", DryRun: true}
	u.Add(checkpoint.Status{Task: checkpoint.Task{Account: "ada@example.org", Kind: "files"}, Name: "Drive"}, undo.Result{Removed: 123456}, nil)
	for _, columns := range []int{80, 100, 160} {
		FitTo(columns)
		var b strings.Builder
		if err := u.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		widestLine := 0
		for _, line := range strings.Split(b.String(), "\n") {
			widestLine = max(widestLine, utf8.RuneCountInString(line))
		}
		if want := min(columns, widest); widestLine > want || widestLine < want-10 {
			t.Errorf("on %d columns the widest line has %d:\n%s", columns, widestLine, b.String())
		}
	}
}

// TestUndoSaysWhatItCounts: folders of the program's own are no items of the source, and what was undone in part is moved in part.
func TestUndoSaysWhatItCounts(t *testing.T) {
	files := checkpoint.Status{Task: checkpoint.Task{Account: "ada@example.org", Kind: "files"}, Name: "Drive"}
	for _, c := range []struct {
		name      string
		own       int64
		part, dry bool
		want, not string
	}{
		{"folders of its own", 2, false, true, "Among what is removed: 2 folders that the program made", "Undone"},
		{"all of it", 0, false, false, "A run moves everything anew: repatriate run pilot.yaml", "Among what"},
		{"a part", 0, true, false, "A run moves these items anew: repatriate run pilot.yaml", "everything"},
	} {
		u := &Undoing{Job: "pilot", Path: "pilot.yaml", DryRun: c.dry, Part: c.part}
		u.Add(files, undo.Result{Removed: 104, Own: c.own}, nil)
		var b strings.Builder
		if err := u.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		if text := b.String(); !strings.Contains(text, c.want) || strings.Contains(text, c.not) {
			t.Errorf("%s:\n%s", c.name, text)
		}
	}
}

// TestHeadingsStandApart on a terminal of the usual width, and leave names their room.
func TestHeadingsStandApart(t *testing.T) {
	defer FitTo(widest)
	FitTo(80)
	r := New("pilot", []checkpoint.Status{{Task: checkpoint.Task{Account: "ada@example.org", Kind: "mail"}, Listed: 123456, Complete: true}})
	r.Totals.Bytes = 1
	var b strings.Builder
	r.writeTasks(&b)
	heading, _, _ := strings.Cut(b.String(), "\n")
	if got := regexp.MustCompile(` {2,}`).Split(heading, -1); strings.Join(got, "|") != "account|listed|copied|losses|skipped|failed|size" {
		t.Errorf("headings %q", got)
	}
	if len(heading) != 80 || strings.Index(heading, "listed") < roomyName {
		t.Errorf("heading %q", heading)
	}
}

// TestCommandsAreNotBroken since they are to be copied.
func TestCommandsAreNotBroken(t *testing.T) {
	text := "Not proven: see above. To have what is missing moved again, also what its user deleted: repatriate verify job.yaml --requeue, " +
		"then: repatriate run job.yaml."
	got := strings.Split(wrap(text, 0), "\n")
	want := []string{
		"Not proven: see above. To have what is missing moved again, also what its user deleted:",
		"repatriate verify job.yaml --requeue, then: repatriate run job.yaml.",
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("%q", got)
	}
}

// TestClosedJobsAreReopened by the commands that a report of one proposes: they are refused otherwise.
func TestClosedJobsAreReopened(t *testing.T) {
	closed := time.Now()
	waiting := checkpoint.Status{Task: checkpoint.Task{Account: "ada@example.org", Kind: "mail"}, Listed: 1, Complete: true}
	waiting.Counts[checkpoint.Pending] = 1
	r := New("pilot", []checkpoint.Status{waiting})
	u := &Undoing{Job: "pilot", Path: "pilot.yaml", Tasks: []Undone{}}
	r.Path = "pilot.yaml"
	for _, c := range []struct {
		closed *time.Time
		want   string
	}{{nil, "repatriate run pilot.yaml\n"}, {&closed, "repatriate run pilot.yaml --reopen\n"}} {
		r.Closed, u.Closed = c.closed, c.closed != nil
		for _, text := range []interface{ WriteText(io.Writer) error }{r, u} {
			var b strings.Builder
			if err := text.WriteText(&b); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(b.String(), c.want) {
				t.Errorf("%T does not say %q:\n%s", text, c.want, b.String())
			}
		}
	}
}

// TestFit counts the columns of a terminal, of which some letters take two, and cuts no letter from its accent.
func TestFit(t *testing.T) {
	for _, c := range []struct {
		text    string
		columns int
		want    string
	}{
		{"abcdef", 6, "abcdef"}, {"abcdef", 5, "abcd…"}, {"美咲美咲", 8, "美咲美咲"}, {"美咲美咲", 7, "美咲美…"}, {"美咲美咲", 6, "美咲…"},
		{"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"}, {"e\u0301e\u0301e\u0301", 2, "e\u0301…"}, {"a\x1b[2Jb", 9, "a\ufffd[2Jb"},
		{"Vide\u00a0!", 9, "Vide !"},
	} {
		if got := Fit(c.text, c.columns); got != c.want {
			t.Errorf("Fit(%q, %d) = %q, want %q", c.text, c.columns, got, c.want)
		}
	}
}
