package deltamodel

import (
	"context"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/sources"
)

const (
	user  = "dora@example.org"
	admin = "admin@example.org"
	// owner and password are of the account on the target.
	owner, password = "dora", "secret"
)

// world is one kind of content of an account at a provider, and what its target must hold.
type world struct {
	account
	model
	// pass moves all collections with new clients, as another process would.
	pass func(ctx context.Context) error
	// lenient says that the model can tell what may lie on the target when there are edits between a pass that was broken off and
	// the next one.
	lenient bool
}

// account is edited at a simulated provider.
type account interface {
	// edit changes the account as the dice fall, and says in words what it did; nothing if these dice allow nothing.
	edit(d *dice) string
	// expire makes the provider forget the positions that it has handed out.
	expire(d *dice)
}

// model knows what the edits have made of an account.
type model interface {
	// passed says that a pass has come to its end: what the source holds now is what the target must hold, with what is kept. One that
	// is not whole was broken off, and may have moved any part.
	passed(whole bool)
	// differences compares the whole target with what it must hold.
	differences() []string
	// live is the number of items that the provider holds, by collection.
	live() map[string]int
	// most is how many requests a pass over an unchanged account may make.
	most() int
}

// opened is a collection with a source of it.
type opened[S sources.Content] struct {
	sources.Collection
	source sources.Source[S]
}

// each opens a list of collections.
func each[S sources.Content](list []sources.Collection, open func(sources.Collection) sources.Source[S]) (out []opened[S]) {
	for _, c := range list {
		out = append(out, opened[S]{c, open(c)})
	}
	return out
}

// opener lists what is moved, with a new client.
type opener[S sources.Content] func(ctx context.Context) ([]opened[S], error)

// oneCollection is an opener of an account that is no list of collections.
func oneCollection[S sources.Content](id string, open func() sources.Source[S]) opener[S] {
	return func(context.Context) ([]opened[S], error) {
		return []opened[S]{{sources.Collection{ID: id, Name: id}, open()}}, nil
	}
}

// passOver returns a function that moves what open lists, one collection after the other. deliver moves one of them.
func passOver[S sources.Content](b *bench, kind string, open opener[S], deliver func(context.Context, opened[S], checkpoint.Ledger) error) func(context.Context) error {
	return func(ctx context.Context) error {
		list, err := open(ctx)
		if err != nil {
			return err
		}
		for _, c := range list {
			l, err := b.store.Begin(ctx, checkpoint.Task{Account: user, Kind: kind, Collection: c.ID}, c.Name)
			if err != nil {
				return err
			}
			if err := deliver(ctx, c, l); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestGoogleDrive(t *testing.T) { tryPlans(t, openGoogleDrive) }

func TestOneDrive(t *testing.T) { tryPlans(t, openOneDrive) }

func TestGmail(t *testing.T) { tryPlans(t, openGmail) }

func TestExchangeMail(t *testing.T) { tryPlans(t, openExchange) }

func TestGoogleEvents(t *testing.T) { tryPlans(t, openGoogleEvents) }

func TestGoogleContacts(t *testing.T) { tryPlans(t, openGoogleContacts) }

func TestGoogleTasks(t *testing.T) { tryPlans(t, openGoogleTasks) }

func TestGraphEvents(t *testing.T) { tryPlans(t, openGraphEvents) }

func TestGraphContacts(t *testing.T) { tryPlans(t, openGraphContacts) }

func TestGraphTasks(t *testing.T) { tryPlans(t, openGraphTasks) }
