package main

import (
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/caldav"
	"codeberg.org/repatriate/repatriate/sinks/carddav"
)

// written is what lies on the target of one task.
type written interface {
	sinks.Inspector
	Remove(ctx context.Context, prev sinks.Receipt) error
}

// openWritten opens what a task wrote to, without making anything there; nil if it wrote nothing.
func (w *wiring) openWritten(ctx context.Context, store checkpoint.Store, part part) (written, func(), error) {
	place, err := usualPlace(ctx, store, part.status.Task)
	if err != nil || place == "" {
		return nil, func() {}, err
	}
	return w.openPlace(ctx, part, place)
}

// openMade is openWritten for who takes things away: it also opens what an undo that was broken off, or a run that found nothing to write,
// may have left empty, and what a run that was broken off early may have written to without a record.
func (w *wiring) openMade(ctx context.Context, store checkpoint.Store, part part) (written, func(), error) {
	place, err := usualPlace(ctx, store, part.status.Task)
	tree, mail := part.tree(), part.status.Kind == "mail"
	if err != nil || place == "" && part.status.Generation == 0 && (tree || mail) { // the others make a collection before the first page
		return nil, func() {}, err
	}
	if place == "" {
		if place, err = w.usualCollection(ctx, part.account, part.status.Task); err != nil {
			return nil, func() {}, err
		}
	}
	return w.openPlace(ctx, part, place)
}

func (w *wiring) openPlace(ctx context.Context, part part, place string) (written, func(), error) {
	p, t := part.account, part.status.Task
	var err error
	var s any
	done := func() {}
	switch t.Kind {
	case "files":
		s, done, err = w.webdav(ctx, p)
	case "mail":
		s, done, err = w.imap(ctx, p)
	default:
		s, err = w.collectionAt(ctx, p, t, place)
		if c, ok := s.(io.Closer); ok {
			done = func() { _ = c.Close() }
		}
	}
	if err != nil {
		return nil, func() {}, err
	}
	target, ok := s.(written)
	if !ok {
		done()
		return nil, func() {}, fmt.Errorf("what %s wrote cannot be read back", t.Kind)
	}
	return target, done, nil
}

// opener opens what a task wrote to; nil if there is nothing.
type opener func(ctx context.Context, store checkpoint.Store, p part) (written, func(), error)

// onTarget calls do with what a task wrote to and with its ledger, unless there is nothing.
func (w *wiring) onTarget(ctx context.Context, open opener, store checkpoint.Store, p part, do func(written, checkpoint.Ledger) error) error {
	target, done, err := open(ctx, store, p)
	if err != nil || target == nil {
		return err
	}
	defer done()
	ledger, err := store.Begin(ctx, p.status.Task, p.status.Name)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	return do(target, ledger)
}

// usualCollection returns the path of the calendar or address book that a run writes a task's items to, if that is there.
func (w *wiring) usualCollection(ctx context.Context, p config.Account, t checkpoint.Task) (place string, err error) {
	find := func(ctx context.Context) (string, error) { return "", nil }
	switch t.Kind {
	case "calendar", "tasks":
		o, err := w.caldavOptions(ctx, p, t.Kind)
		if err != nil {
			return "", err
		}
		o.Collection = sinks.Collection{ID: t.Collection, Components: []string{map[string]string{"calendar": "VEVENT", "tasks": "VTODO"}[t.Kind]}}
		find = func(ctx context.Context) (string, error) { return caldav.Usual(ctx, o) }
	case "contacts":
		o, err := w.carddavOptions(ctx, p)
		if err != nil {
			return "", err
		}
		o.Collection = sinks.Collection{ID: t.Collection}
		find = func(ctx context.Context) (string, error) { return carddav.Usual(ctx, o) }
	}
	err = engine.Persist(ctx, w.patience(), "open", func() error {
		place, err = find(ctx)
		return err
	})
	return place, err
}

// collectionAt opens a calendar or address book by its path. Without one it is that which a run would make: a run that wrote nothing into it,
// or an undo that was broken off, may have left it empty.
func (w *wiring) collectionAt(ctx context.Context, p config.Account, t checkpoint.Task, at string) (any, error) {
	own := sinks.Collection{ID: t.Collection}
	switch t.Kind {
	case "calendar":
		o, err := w.caldavOptions(ctx, p, t.Kind)
		if err != nil {
			return nil, err
		}
		o.Collection = own
		return caldav.At(o, at)
	case "tasks":
		o, err := w.caldavOptions(ctx, p, t.Kind)
		if err != nil {
			return nil, err
		}
		o.Collection = own
		return caldav.TasksAt(o, at)
	case "contacts":
		o, err := w.carddavOptions(ctx, p)
		if err != nil {
			return nil, err
		}
		o.Collection = own
		return carddav.At(o, at)
	}
	return nil, fmt.Errorf("there is no kind %q", t.Kind)
}

func (w *wiring) carddavOptions(ctx context.Context, p config.Account) (carddav.Options, error) {
	user, password, err := w.login(ctx, p, "contacts")
	return carddav.Options{
		URL: config.UserURL(w.job.Target.Contacts.CardDAV, user), User: user, Password: password, RoundTripper: w.transport, Meter: &w.target,
	}, err
}

// mostLooked bounds how many records are asked for where the items of a collection lie.
const mostLooked = 1000

// usualPlace returns the path of the collection in which the task's items lie: some may stand for ones that lay elsewhere before. It is
// empty if the task wrote nothing.
func usualPlace(ctx context.Context, store checkpoint.Store, t checkpoint.Task) (string, error) {
	found, best, looked := map[string]int{}, "", 0
	for rec, err := range store.Records(ctx, t) {
		if err != nil {
			return "", fmt.Errorf("read the ledger: %w", err)
		}
		if rec.Location == "" {
			continue
		}
		place := path.Dir(rec.Location) + "/"
		if found[place]++; found[place] > found[best] {
			best = place
		}
		if looked++; looked == mostLooked {
			break
		}
	}
	return best, nil
}

// part is a task of the ledger with the account that it belongs to.
type part struct {
	status  checkpoint.Status
	account config.Account
}

// tree reports whether the task's items lie in folders.
func (p part) tree() bool { return p.status.Kind == "files" }

// parts returns the ledger's tasks of the people, and the accounts of tasks that stand in the accounts file no more.
func parts(statuses []checkpoint.Status, job *config.Job, people []config.Account) (out []part, gone []string) {
	for _, s := range statuses {
		is := func(a config.Account) bool { return a.Source == s.Account }
		i := slices.IndexFunc(people, is)
		switch {
		case s.Collection == "":
		case i >= 0 && slices.Contains(people[i].Kinds, s.Kind):
			out = append(out, part{s, people[i]})
		case !slices.ContainsFunc(job.People, is) && !slices.Contains(gone, s.Account):
			gone = append(gone, s.Account)
		}
	}
	return out, gone
}

// patience is the engine's, for reading back and undoing.
func (w *wiring) patience() engine.Options { return engine.Options{Log: w.log} }

// goneAccounts says which accounts nobody looked at, and why.
func goneAccounts(gone []string, job *config.Job) string {
	if len(gone) == 0 {
		return ""
	}
	return fmt.Sprintf("the state has items of accounts that do not stand in %s any more, and which were left alone: %s", job.Accounts, strings.Join(gone, ", "))
}
