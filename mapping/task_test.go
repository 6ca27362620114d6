package mapping

import (
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sources"
)

// todoOf maps a task and reads what was made of it.
func todoOf(t *testing.T, task sources.Task) (*icalendar.Component, []Loss) {
	t.Helper()
	out, losses, err := TaskRules{Zone: "Europe/Berlin"}.Task(task)
	if err != nil {
		t.Fatal(err)
	}
	calendar, err := icalendar.Parse(out.Data)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.Data)
	}
	for _, c := range calendar.Components {
		if c.Name == "VTODO" {
			return c, losses
		}
	}
	t.Fatalf("no to-do in\n%s", out.Data)
	return nil, nil
}

// todoLines are the properties of a to-do and of its alarms, without those that each one has.
func todoLines(c *icalendar.Component) string {
	var lines []string
	for _, p := range c.Properties {
		switch p.Name {
		case "UID", "DTSTAMP":
			continue
		}
		line := p.Name
		for _, q := range p.Params {
			line += ";" + q.Name + "=" + strings.Join(q.Values, ",")
		}
		lines = append(lines, line+":"+p.Value)
	}
	for _, alarm := range c.Children("VALARM") {
		lines = append(lines, "VALARM("+todoLines(alarm)+")")
	}
	return strings.Join(lines, "|")
}

func day(s string) sources.EventTime { return sources.EventTime{Date: s} }

// taskCase is a task, what is made of it, and what is lost.
type taskCase struct {
	name   string
	in     sources.Task
	want   string
	losses string
}

func taskCases() []taskCase {
	at := time.Date(2024, 3, 18, 7, 30, 0, 0, time.UTC)
	return []taskCase{
		{"open", sources.Task{Title: "A; b", Notes: "n"}, `SUMMARY:A\; b|STATUS:NEEDS-ACTION|DESCRIPTION:n`, ""},
		{"begun", sources.Task{Status: "inProcess"}, "STATUS:IN-PROCESS", ""},
		{"waiting", sources.Task{Status: "waiting", Categories: []string{"a,b"}}, `STATUS:NEEDS-ACTION|CATEGORIES:a\,b,Waiting`, TaskStatus},
		{"deferred", sources.Task{Status: "deferred"}, "STATUS:NEEDS-ACTION|CATEGORIES:Deferred", TaskStatus},
		{"waiting by two names", sources.Task{Status: "waiting", Categories: []string{"Waiting"}}, "STATUS:NEEDS-ACTION|CATEGORIES:Waiting", TaskStatus},
		{"done", sources.Task{Done: true, Status: "waiting", Completed: at}, "STATUS:COMPLETED|PERCENT-COMPLETE:100|COMPLETED:20240318T073000Z", ""},
		{"important", sources.Task{Importance: "high"}, "STATUS:NEEDS-ACTION|PRIORITY:1", ""},
		{"unimportant", sources.Task{Importance: "low"}, "STATUS:NEEDS-ACTION|PRIORITY:9", ""},
		{"days", sources.Task{Start: day("2024-03-18"), Due: day("2024-03-20")},
			"DTSTART;VALUE=DATE:20240318|DUE;VALUE=DATE:20240320|STATUS:NEEDS-ACTION", ""},
		{"due before it begins", sources.Task{Start: day("2024-03-21"), Due: day("2024-03-20")}, "DUE;VALUE=DATE:20240320|STATUS:NEEDS-ACTION", TaskDateInvalid},
		{"due when it begins", sources.Task{Start: day("2024-03-20"), Due: day("2024-03-20")}, "DUE;VALUE=DATE:20240320|STATUS:NEEDS-ACTION", TaskStart},
		{"each week on a Wednesday, begins before", sources.Task{Start: day("2024-03-18"), Due: day("2024-03-20"), Recurrence: []string{"RRULE:FREQ=WEEKLY;BYDAY=WE"}},
			"DTSTART;VALUE=DATE:20240320|DUE;VALUE=DATE:20240320|RRULE:FREQ=WEEKLY;BYDAY=WE|STATUS:NEEDS-ACTION", TaskStart},
		{"each week on a Monday, due later", sources.Task{Start: day("2024-03-18"), Due: day("2024-03-20"), Recurrence: []string{"RRULE:FREQ=WEEKLY;BYDAY=MO"}},
			"DTSTART;VALUE=DATE:20240318|DUE;VALUE=DATE:20240320|RRULE:FREQ=WEEKLY;BYDAY=MO|STATUS:NEEDS-ACTION", ""},
		{"each week, due before it begins", sources.Task{Start: day("2024-03-25"), Due: day("2024-03-18"), Recurrence: []string{"RRULE:FREQ=WEEKLY"}},
			"DTSTART;VALUE=DATE:20240318|DUE;VALUE=DATE:20240318|RRULE:FREQ=WEEKLY|STATUS:NEEDS-ACTION", TaskDateInvalid},
		{"times that are none", sources.Task{Done: true, Completed: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(-5, 0, 0),
			Reminder: sources.EventTime{Time: time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)}}, "STATUS:COMPLETED|PERCENT-COMPLETE:100", TaskDateInvalid},
		{"each week", sources.Task{Due: day("2024-03-18"), Recurrence: []string{"RRULE:FREQ=WEEKLY;BYDAY=MO"}},
			"DTSTART;VALUE=DATE:20240318|DUE;VALUE=DATE:20240318|RRULE:FREQ=WEEKLY;BYDAY=MO|STATUS:NEEDS-ACTION", ""},
		{"each week, of no day", sources.Task{Recurrence: []string{"RRULE:FREQ=WEEKLY"}}, "STATUS:NEEDS-ACTION", TaskRecurrence},
		{"reminder", sources.Task{Title: "A", Reminder: sources.EventTime{Time: at}},
			"SUMMARY:A|STATUS:NEEDS-ACTION|VALARM(ACTION:DISPLAY|DESCRIPTION:A|TRIGGER;VALUE=DATE-TIME:20240318T073000Z)", ""},
		{"part", sources.Task{ParentID: "p", Position: "00000000000000000007"},
			"STATUS:NEEDS-ACTION|RELATED-TO:" + taskUID("p") + "|X-APPLE-SORT-ORDER:7", ""},
		{"first", sources.Task{Position: "00000000000000000000"}, "STATUS:NEEDS-ACTION|X-APPLE-SORT-ORDER:0", ""},
		{"far down", sources.Task{Position: "00000000002147483647"}, "STATUS:NEEDS-ACTION|X-APPLE-SORT-ORDER:2147483647", ""},
		{"steps", sources.Task{Notes: "n", Checklist: []sources.ChecklistItem{{Title: "one"}, {Title: "two", Done: true}}},
			`STATUS:NEEDS-ACTION|DESCRIPTION:n\n\n- [ ] one\n- [x] two`, TaskChecklist},
		{"links", sources.Task{Link: "https://example.org/t", Links: []sources.TaskLink{{Title: "Mail", URL: "https://example.org/m"}}},
			`STATUS:NEEDS-ACTION|DESCRIPTION:Mail: https://example.org/m|URL:https://example.org/t`, TaskLink},
		{"HTML", sources.Task{Notes: "<b>n</b>", NotesHTML: true}, `STATUS:NEEDS-ACTION|DESCRIPTION:n|X-ALT-DESC;FMTTYPE=text/html:<b>n</b>`, ""},
	}
}

// TestTaskLines compares what one field of a task makes.
func TestTaskLines(t *testing.T) {
	for _, test := range taskCases() {
		todo, losses := todoOf(t, test.in)
		if got := todoLines(todo); got != test.want {
			t.Errorf("%s:\n%s\nwant\n%s", test.name, got, test.want)
		}
		if got := reasonsOf(losses); got != test.losses {
			t.Errorf("%s: losses %q, want %q", test.name, got, test.losses)
		}
	}
}

// TestTasksInPython lets the python libraries of Debian read each of these, and expand what recurs.
func TestTasksInPython(t *testing.T) {
	var objects []string
	for _, test := range taskCases() {
		out, _, err := TaskRules{Zone: "Europe/Berlin"}.Task(test.in)
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, string(out.Data))
	}
	for i, read := range readInPython(t, objects) {
		test := taskCases()[i]
		if read.UID != taskUID(test.in.ID) || !slices.Equal(read.Summaries, []string{test.in.Title}) {
			t.Errorf("%s: %q, %q", test.name, read.UID, read.Summaries)
		}
		todo, _ := todoOf(t, test.in)
		first, want := todo.Value("DTSTART"), 0
		switch {
		case todo.Value("RRULE") != "":
			want = (3*365 + 6) / 7 // each week of three years of 365 days
		case first != "":
			want = 1
		}
		if len(read.Starts) != want || want > 0 && strings.ReplaceAll(read.Starts[0][:len(time.DateOnly)], "-", "") != first {
			t.Errorf("%s: python has %d days, want %d from %s", test.name, len(read.Starts), want, first)
		}
	}
}
