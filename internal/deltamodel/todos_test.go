package deltamodel

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	goical "github.com/emersion/go-ical"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/caldav"
	"codeberg.org/repatriate/repatriate/sources"
)

// todo is a task as a person sees it.
type todo struct {
	title, text, status, due, parent, order string
	priority, reminder                      string
	categories                              []string
}

func (t todo) line() string {
	slices.Sort(t.categories)
	return fmt.Sprintf("%q %s due %s below %s at %s, priority %s, reminder %s, %q\n%s", t.title, t.status, t.due, t.parent, t.order, t.priority, t.reminder,
		t.categories, t.text)
}

// readTodo says what a calendar object on the target shows.
func readTodo(body []byte) (string, error) {
	return once(string(body), func() (string, error) {
		c, err := goical.NewDecoder(bytes.NewReader(body)).Decode()
		if err != nil {
			return "", err
		}
		var all []*goical.Component
		for _, child := range c.Children {
			if child.Name == "VTODO" {
				all = append(all, child)
			}
		}
		if len(all) != 1 {
			return "", fmt.Errorf("%d to-dos in one object", len(all))
		}
		v := all[0]
		text := func(name string) string {
			s, _ := v.Props.Text(name)
			return s
		}
		t := todo{title: text("SUMMARY"), text: text("DESCRIPTION"), status: text("STATUS"), parent: text("RELATED-TO"),
			order: text("X-APPLE-SORT-ORDER")}
		if p := v.Props.Get("DUE"); p != nil {
			t.due = p.Value
		}
		if p := v.Props.Get("PRIORITY"); p != nil {
			t.priority = p.Value
		}
		if p := v.Props.Get("CATEGORIES"); p != nil {
			if t.categories, err = p.TextList(); err != nil {
				return "", err
			}
		}
		for _, a := range v.Children {
			t.reminder = a.Props.Get("TRIGGER").Value
		}
		return t.line(), nil
	})
}

// moveTasks makes one pass over a list of tasks.
func moveTasks(ctx context.Context, s *shelf, c opened[sources.Task], l checkpoint.Ledger) error {
	sink, err := caldav.OpenTasks(ctx, s.caldavOptions(sinks.Collection{ID: c.ID, Name: c.Name, TimeZone: c.TimeZone, Components: []string{"VTODO"}}))
	if err != nil {
		return err
	}
	defer func() { _ = sink.Close() }()
	rules := mapping.TaskRules{Zone: c.TimeZone}
	return engine.New(c.source, rules.Task, sink, s.b.options()).Run(ctx, l)
}

// compactDay writes a day as iCalendar does.
func compactDay(day string) string { return strings.ReplaceAll(day, "-", "") }
