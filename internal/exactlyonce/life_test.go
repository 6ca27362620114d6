package exactlyonce

import (
	"context"
	"fmt"
	"io"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/runner"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/caldav"
	"codeberg.org/repatriate/repatriate/sinks/carddav"
	"codeberg.org/repatriate/repatriate/sinks/imap"
	"codeberg.org/repatriate/repatriate/sinks/webdav"
	"codeberg.org/repatriate/repatriate/sources"
)

// account0 is the account at the provider.
const account0 = "dora@example.org"

// reader makes the sources of the account.
type reader struct {
	files     sources.Source[sources.File]
	mail      sources.Source[sources.Message]
	calendars func(context.Context) ([]sources.Collection, error)
	calendar  func(id string) sources.Source[sources.Event]
	books     func(context.Context) ([]sources.Collection, error)
	contacts  func(id string) sources.Source[sources.Contact]
	lists     func(context.Context) ([]sources.Collection, error)
	tasks     func(sources.Collection) sources.Source[sources.Task]
}

// moving is an engine of any kind.
type moving interface {
	Run(context.Context, checkpoint.Ledger) error
	Retry(context.Context, checkpoint.Ledger) error
}

// opening opens the target for a collection and ties an engine to it.
type opening func(ctx context.Context, c sources.Collection) (moving, io.Closer, error)

// open puts the parts of a kind together as the program does.
func (l *life) open(ctx context.Context, kind string) ([]runner.Task, error) {
	alone := func(context.Context) ([]sources.Collection, error) { return []sources.Collection{{ID: kind}}, nil }
	list, open := alone, opening(nil)
	switch kind {
	case "files":
		open = l.openFiles
	case "mail":
		open = l.openMail
	case "calendar":
		list, open = l.reader.calendars, l.openCalendar
	case "contacts":
		list, open = l.reader.books, l.openContacts
	case "tasks":
		list, open = l.reader.lists, l.openTasks
	default:
		return nil, fmt.Errorf("there is no kind %q", kind)
	}
	var found []sources.Collection
	err := engine.Persist(ctx, l.options, "list", func() (err error) {
		found, err = list(ctx)
		return err
	})
	var tasks []runner.Task
	for _, c := range found {
		tasks = append(tasks, l.task(c, open))
	}
	return tasks, err
}

func (l *life) task(c sources.Collection, open opening) runner.Task {
	return runner.Task{Collection: c.ID, Name: c.Name, Work: func(ctx context.Context, ledger checkpoint.Ledger) error {
		var e moving
		var sink io.Closer
		err := engine.Persist(ctx, l.options, "open", func() (err error) {
			e, sink, err = open(ctx, c)
			return err
		})
		if err != nil {
			return err
		}
		defer sink.Close()
		if l.retry {
			return e.Retry(ctx, ledger)
		}
		return e.Run(ctx, ledger)
	}}
}

func (l *life) openFiles(ctx context.Context, _ sources.Collection) (moving, io.Closer, error) {
	sink, err := webdav.Open(ctx, webdav.Options{URL: l.url, User: user, Password: password, Transport: l.transport})
	if err != nil {
		return nil, nil, err
	}
	rules := mapping.FileRules{}
	return engine.NewFiles(l.reader.files, rules.File, rules.Name, sink, l.options), sink, nil
}

func (l *life) openMail(ctx context.Context, _ sources.Collection) (moving, io.Closer, error) {
	sink, err := imap.Open(ctx, imap.Options{URL: l.url, User: user, Password: password, Insecure: true, Connections: 2})
	if err != nil {
		return nil, nil, err
	}
	return engine.New(l.reader.mail, mapping.MailRules{}.Message, sink, l.options), sink, nil
}

func (l *life) openCalendar(ctx context.Context, c sources.Collection) (moving, io.Closer, error) {
	o := l.caldav(sinks.Collection{ID: c.ID, Name: c.Name, Description: c.Description, Color: c.Color, TimeZone: c.TimeZone,
		Primary: c.Primary, Components: []string{"VEVENT"}})
	sink, err := caldav.Open(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	return engine.New(l.reader.calendar(c.ID), mapping.EventRules{Zone: c.TimeZone}.Event, sink, l.options), sink, nil
}

func (l *life) caldav(c sinks.Collection) caldav.Options {
	return caldav.Options{URL: l.url, User: user, Password: password, RoundTripper: l.transport, Collection: c}
}

func (l *life) openContacts(ctx context.Context, c sources.Collection) (moving, io.Closer, error) {
	sink, err := carddav.Open(ctx, carddav.Options{URL: l.url, User: user, Password: password, RoundTripper: l.transport,
		Collection: sinks.Collection{ID: c.ID, Name: c.Name, Description: c.Description, Primary: c.Primary}})
	if err != nil {
		return nil, nil, err
	}
	rules := mapping.ContactRules{Version4: sink.Version4()}
	return engine.New(l.reader.contacts(c.ID), rules.Contact, sink, l.options), sink, nil
}

func (l *life) openTasks(ctx context.Context, c sources.Collection) (moving, io.Closer, error) {
	sink, err := caldav.OpenTasks(ctx, l.caldav(sinks.Collection{ID: c.ID, Name: c.Name, TimeZone: c.TimeZone, Components: []string{"VTODO"}}))
	if err != nil {
		return nil, nil, err
	}
	return engine.New(l.reader.tasks(c), mapping.TaskRules{Zone: c.TimeZone}.Task, sink, l.options), sink, nil
}
