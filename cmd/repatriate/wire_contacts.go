package main

import (
	"context"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/runner"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/caldav"
	"codeberg.org/repatriate/repatriate/sinks/carddav"
	"codeberg.org/repatriate/repatriate/sources"
)

// collections makes a task of each collection that list finds.
func (w *wiring) collections(ctx context.Context, what string, list func() ([]sources.Collection, error), task func(sources.Collection) runner.Task) ([]runner.Task, error) {
	found, err := opened(ctx, w, what, list)
	if err != nil {
		return nil, err
	}
	var tasks []runner.Task
	for _, c := range found {
		tasks = append(tasks, task(c))
	}
	return tasks, nil
}

func (w *wiring) contacts(p config.Account, c sources.Collection) runner.Task {
	src := w.provider.contacts(p.Source, c.ID)
	return runner.Task{Collection: c.ID, Name: c.Name, Work: func(ctx context.Context, l checkpoint.Ledger) error {
		sink, rules, done, err := w.carddav(ctx, p, c)
		if err != nil {
			return err
		}
		defer done()
		return work(ctx, w, engine.New(src, rules.Contact, sink, w.optionsFor(p, "contacts")), l)
	}}
}

// carddav opens the address book, which says in what version it wants its cards.
func (w *wiring) carddav(ctx context.Context, p config.Account, c sources.Collection) (sinks.Sink[sinks.Contact], mapping.ContactRules, func(), error) {
	if w.pass.dryRun {
		return drily[sinks.Contact](w, p, "contacts"), mapping.ContactRules{}, func() {}, nil
	}
	o, err := w.carddavOptions(ctx, p)
	if err != nil {
		return nil, mapping.ContactRules{}, nil, err
	}
	o.Collection = sinks.Collection{ID: c.ID, Name: c.Name, Description: c.Description, Primary: c.Primary}
	s, err := opened(ctx, w, "open an address book", func() (*carddav.Sink, error) { return carddav.Open(ctx, o) })
	if err != nil {
		return nil, mapping.ContactRules{}, nil, err
	}
	return s, mapping.ContactRules{Version4: s.Version4()}, func() { _ = s.Close() }, nil
}

func (w *wiring) todo(p config.Account, c sources.Collection) runner.Task {
	src := w.provider.tasks(p.Source, c)
	rules := mapping.TaskRules{Zone: c.TimeZone}
	return runner.Task{Collection: c.ID, Name: c.Name, Work: func(ctx context.Context, l checkpoint.Ledger) error {
		sink, done, err := w.todoSink(ctx, p, c)
		if err != nil {
			return err
		}
		defer done()
		return work(ctx, w, engine.New(src, rules.Task, sink, w.optionsFor(p, "tasks")), l)
	}}
}

// todoSink opens the calendar for a list: one of its own for each, since targets show calendars of tasks as lists.
func (w *wiring) todoSink(ctx context.Context, p config.Account, c sources.Collection) (sinks.Sink[sinks.Task], func(), error) {
	if w.pass.dryRun {
		return drily[sinks.Task](w, p, "tasks"), func() {}, nil
	}
	o, err := w.caldavOptions(ctx, p, "tasks")
	if err != nil {
		return nil, nil, err
	}
	o.Collection = sinks.Collection{ID: c.ID, Name: c.Name, TimeZone: c.TimeZone, Components: []string{"VTODO"}}
	s, err := opened(ctx, w, "open a task list", func() (*caldav.Tasks, error) { return caldav.OpenTasks(ctx, o) })
	if err != nil {
		return nil, nil, err
	}
	return s, func() { _ = s.Close() }, nil
}
