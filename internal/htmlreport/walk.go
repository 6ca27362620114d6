package htmlreport

import (
	"context"
	"errors"
	"fmt"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// Writer takes what is to be said of a job, account by account.
type Writer interface {
	// Begin begins an account; it is called for each one of the job, in order.
	Begin(a Account) error
	// Item takes what is to be said of one of the account's items.
	Item(i Item) error
	// End ends the last account, and the report. It is not called after an error.
	End() error
}

// Holder is a Writer that also wants to know where mail lies on the target.
type Holder interface {
	// Holds says that a mailbox of the account holds one more message.
	Holds(mailbox string)
}

// Walk reads the store once and tells all writers what it holds.
func Walk(ctx context.Context, job *Job, store checkpoint.Reader, writers ...Writer) error {
	w := walk{store: store, writers: writers}
	for _, writer := range writers {
		if h, ok := writer.(Holder); ok {
			w.holders = append(w.holders, h)
		}
	}
	for _, a := range job.Accounts {
		if err := w.account(ctx, a); err != nil {
			return err
		}
	}
	var errs []error
	for _, writer := range writers {
		errs = append(errs, writer.End())
	}
	return errors.Join(errs...)
}

type walk struct {
	store   checkpoint.Reader
	writers []Writer
	holders []Holder
}

func (w *walk) account(ctx context.Context, a Account) error {
	for _, writer := range w.writers {
		if err := writer.Begin(a); err != nil {
			return err
		}
	}
	for _, t := range a.Tasks {
		if err := w.task(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) task(ctx context.Context, t report.Task) error {
	states := []checkpoint.State{checkpoint.CopiedWithLosses, checkpoint.Skipped, checkpoint.Failed}
	held := t.Kind == "mail" && len(w.holders) > 0
	if held {
		states = append(states, checkpoint.Copied)
	} else if t.CopiedWithLosses+t.Skipped+t.Failed == 0 {
		return nil
	}
	task := checkpoint.Task{Account: t.Account, Kind: t.Kind, Collection: t.Collection}
	p, err := newPlaces(ctx, w.store, task)
	if err != nil {
		return err
	}
	defer p.close()
	for rec, err := range w.store.Records(ctx, task, states...) {
		if err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		place, err := p.of(rec)
		if err != nil {
			return err
		}
		if held && place != "" {
			w.hold(place)
		}
		if err := w.items(itemsOf(t, rec, place)); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) hold(mailbox string) {
	for _, h := range w.holders {
		h.Holds(mailbox)
	}
}

func (w *walk) items(items []Item) error {
	for _, i := range items {
		for _, writer := range w.writers {
			if err := writer.Item(i); err != nil {
				return err
			}
		}
	}
	return nil
}
