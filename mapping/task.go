package mapping

import (
	"cmp"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/recur"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// The losses of tasks. Each is explained where reports list losses.
const (
	TaskAttachment  = "task.attachment"   // large files of a task stay at the provider
	TaskChecklist   = "task.checklist"    // the steps of a task are a list in its description
	TaskStatus      = "task.status"       // that a task waits for somebody, or is deferred, is a category
	TaskLink        = "task.link"         // what a task was made from stays at the provider, as a link
	TaskStart       = "task.start"        // when a task begins is left out
	TaskRecurrence  = "task.recurrence"   // a recurrence that no iCalendar object can express is left out
	TaskDateInvalid = "task.date_invalid" // a date that cannot be written is left out
)

// TaskRules say how tasks become iCalendar objects. The zero TaskRules are ready for use.
type TaskRules struct {
	// Zone is the IANA name of the zone for times that have none; empty means UTC.
	Zone string
}

// Task turns a task into a VTODO (RFC 5545 §3.6.2). The UID is derived from the id, so that a task's parent is named without asking.
func (r TaskRules) Task(t sources.Task) (sinks.Task, []Loss, error) {
	m := eventMapper{rules: EventRules{Zone: r.Zone}, uid: taskUID(t.ID), spans: map[string]*zoneSpan{}}
	todo := icalendar.New("VTODO")
	todo.Add(icalendar.Text("UID", m.uid), icalendar.Raw("DTSTAMP", icalendar.FormatUTC(latest(t.Updated, t.Created, time.Unix(0, 0)))))
	if writable(t.Created) {
		todo.Add(icalendar.Raw("CREATED", icalendar.FormatUTC(t.Created)))
	}
	if writable(t.Updated) {
		todo.Add(icalendar.Raw("LAST-MODIFIED", icalendar.FormatUTC(t.Updated)))
	}
	addText(todo, "SUMMARY", joined(t.Title))
	m.taskTimes(todo, t)
	m.taskState(todo, t)
	m.taskText(todo, t)
	if t.ParentID != "" {
		todo.Add(icalendar.Text("RELATED-TO", taskUID(t.ParentID)))
	}
	if order := cmp.Or(strings.TrimLeft(t.Position, "0"), "0"); t.Position != "" && len(order) <= orderDigits && strings.Trim(order, "0123456789") == "" {
		// Read by Nextcloud Tasks and Apple's. Programs place a task without it by other things, so that the first one has its zero.
		todo.Add(icalendar.Raw("X-APPLE-SORT-ORDER", order))
	}
	calendar := icalendar.New("VCALENDAR")
	calendar.Add(icalendar.Raw("VERSION", "2.0"), icalendar.Text("PRODID", productID), icalendar.Raw("CALSCALE", "GREGORIAN"))
	calendar.Components = append(m.zones(), todo)
	return sinks.Task{UID: m.uid, Data: calendar.Bytes()}, m.losses, nil
}

// orderDigits bounds the number that orders tasks: Nextcloud Tasks reads it into a float of 53 bits. Google pads it to 20 digits.
const orderDigits = 15

// taskUID is what a task is called on every target.
func taskUID(id string) string { return derivedUID("task " + id) }

// taskTimes writes start, due, recurrence and the reminder.
func (m *eventMapper) taskTimes(c *icalendar.Component, t sources.Task) {
	start, due := m.taskSpan(t)
	form := m.taskTime(c, "DTSTART", start, len(t.Recurrence) > 0)
	m.taskTime(c, "DUE", due, len(t.Recurrence) > 0)
	m.taskRecurrence(c, t, start, form)
	m.taskReminder(c, t)
}

// taskSpan returns start and due of one type, of which due is the later (RFC 5545 §3.8.2.3); either may be zero. A recurrence needs a
// start: that of a task which has none is when it is due, as other programs write it.
func (m *eventMapper) taskSpan(t sources.Task) (start, due sources.EventTime) {
	start, due = t.Start, t.Due
	if due.IsZero() || start.IsZero() {
		if len(t.Recurrence) > 0 && start.IsZero() {
			start = due
		}
		return start, due
	}
	if start.Date == "" && due.Date != "" {
		start = sources.EventTime{Date: start.Time.In(m.location(start.Zone, false)).Format(time.DateOnly)}
	} else if start.Date != "" && due.Date == "" {
		due = sources.EventTime{Date: due.Time.In(m.location(due.Zone, false)).Format(time.DateOnly)}
	}
	late, recurs := eventInstant(due).Compare(eventInstant(start)), len(t.Recurrence) > 0
	switch {
	case late > 0 && recurs && !m.recursOn(t.Recurrence, start) && m.recursOn(t.Recurrence, due):
		m.lose(TaskStart, "")
	case late > 0:
		return start, due
	case late < 0:
		m.lose(TaskDateInvalid, "it began after it was due; the start is left out")
	case !recurs:
		m.lose(TaskStart, "")
	}
	if recurs {
		return due, due
	}
	return sources.EventTime{}, due
}

// recursOn reports whether a recurrence may begin at a time: RFC 5545 §3.8.5.3 leaves it open what a DTSTART means that its rule does not have.
// What cannot be expanded may.
func (m *eventMapper) recursOn(lines []string, at sources.EventTime) bool {
	wall := eventInstant(at)
	if at.Date == "" {
		wall = icalendar.WallClock(wall.In(m.location(at.Zone, true)))
	}
	for _, line := range lines {
		p, ok := icalendar.ParseLine(line)
		if !ok || p.Name != "RRULE" {
			continue
		}
		rule, err := icalendar.ParseRule(p.Value)
		walls, ok := recur.Walls(rule, wall)
		if err != nil || !ok {
			continue
		}
		for w := range walls {
			return w.Equal(wall)
		}
		return false
	}
	return true
}

// taskTime writes one time and returns its form.
func (m *eventMapper) taskTime(c *icalendar.Component, name string, t sources.EventTime, recurring bool) timeForm {
	if t.IsZero() {
		return timeForm{}
	}
	form, err := m.formOf(t, recurring)
	if err != nil {
		m.lose(TaskDateInvalid, strings.ToLower(name))
		return timeForm{}
	}
	at := eventInstant(t)
	c.Add(form.property(name, form.write(at)))
	m.use(form, at, at)
	if name == "DTSTART" {
		m.setForm(form, t)
	}
	return form
}

func (m *eventMapper) taskRecurrence(c *icalendar.Component, t sources.Task, start sources.EventTime, form timeForm) {
	if len(t.Recurrence) == 0 {
		return
	}
	if start.IsZero() {
		m.lose(TaskRecurrence, "it recurs, but has neither a start nor a due date")
		return
	}
	s := recurrence{dates: map[string]bool{}, excluded: map[string]bool{}}
	m.readRecurrence(t.Recurrence, &s)
	c.Add(s.properties(form)...)
	if s.infinite {
		m.forever()
	}
}

// taskReminder writes an alarm at a time of its own (RFC 5545 §3.8.6.3).
func (m *eventMapper) taskReminder(c *icalendar.Component, t sources.Task) {
	at := eventInstant(t.Reminder)
	switch {
	case t.Reminder.IsZero():
		return
	case !writable(at):
		m.lose(TaskDateInvalid, "reminder")
		return
	}
	alarm := icalendar.New("VALARM")
	alarm.Add(icalendar.Raw("ACTION", "DISPLAY"), icalendar.Text("DESCRIPTION", cmp.Or(joined(t.Title), "Reminder")),
		icalendar.Raw("TRIGGER", icalendar.FormatUTC(at), icalendar.P("VALUE", "DATE-TIME")))
	c.Components = append(c.Components, alarm)
}

// heldUp are the categories for states that no VTODO has (RFC 5545 §3.8.1.11 has four of them), and what is said of each. Such a task still
// needs action.
var heldUp = map[string]struct{ category, detail string }{
	"waiting": {"Waiting", "it waits for somebody else"}, "deferred": {"Deferred", "it is deferred"},
}

// taskState writes what is done and what matters.
func (m *eventMapper) taskState(c *icalendar.Component, t sources.Task) {
	switch {
	case t.Done:
		c.Add(icalendar.Raw("STATUS", "COMPLETED"), icalendar.Raw("PERCENT-COMPLETE", "100"))
		if writable(t.Completed) {
			c.Add(icalendar.Raw("COMPLETED", icalendar.FormatUTC(t.Completed)))
		} else if !t.Completed.IsZero() {
			m.lose(TaskDateInvalid, "completed")
		}
	case t.Status == "inProcess":
		c.Add(icalendar.Raw("STATUS", "IN-PROCESS"))
	default:
		c.Add(icalendar.Raw("STATUS", "NEEDS-ACTION"))
	}
	categories := nonEmpty(t.Categories)
	if held, ok := heldUp[t.Status]; ok && !t.Done {
		m.lose(TaskStatus, held.detail)
		if !slices.Contains(categories, held.category) {
			categories = append(categories, held.category)
		}
	}
	if len(categories) > 0 {
		c.Add(icalendar.TextList("CATEGORIES", categories))
	}
	addPriority(c, t.Importance)
}

// taskText writes the description: notes, steps, and where it came from.
func (m *eventMapper) taskText(c *icalendar.Component, t sources.Task) {
	text := t.Notes
	if t.NotesHTML {
		text = plainText(text)
	}
	parts := nonEmpty([]string{strings.TrimSpace(text)})
	if len(t.Checklist) > 0 {
		var steps []string
		for _, s := range t.Checklist {
			mark := "- [ ] " // as Nextcloud Tasks shows a step
			if s.Done {
				mark = "- [x] "
			}
			steps = append(steps, mark+joined(s.Title))
		}
		parts = append(parts, strings.Join(steps, "\n"))
		m.lose(TaskChecklist, strconv.Itoa(len(steps))+" steps")
	}
	for _, l := range t.Links {
		parts = append(parts, strings.TrimPrefix(oneLine(l.Title)+": "+oneLine(l.URL), ": "))
		m.lose(TaskLink, l.Title)
	}
	addText(c, "DESCRIPTION", strings.Join(parts, "\n\n"))
	if t.NotesHTML && strings.TrimSpace(text) != "" {
		c.Add(icalendar.Text("X-ALT-DESC", withParagraphs(t.Notes, parts[1:]), icalendar.P("FMTTYPE", "text/html")))
	}
	if u, err := url.Parse(t.Link); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
		c.Add(icalendar.Raw("URL", u.String()))
	}
	for _, a := range t.Attachments {
		if a.Data == nil {
			m.lose(TaskAttachment, strconv.Quote(a.Title))
			continue
		}
		c.Add(inline(a))
	}
}

// withParagraphs returns HTML with further text at its end, so that who reads the HTML misses nothing.
func withParagraphs(source string, texts []string) string {
	var b strings.Builder
	for _, t := range texts {
		b.WriteString("<p>" + strings.ReplaceAll(html.EscapeString(t), "\n", "<br>") + "</p>")
	}
	if i := strings.LastIndex(strings.ToLower(source), "</body>"); i >= 0 && len(strings.ToLower(source)) == len(source) {
		return source[:i] + b.String() + source[i:]
	}
	return source + b.String()
}
