package modeltest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/checkpoint/sqlite"
	"codeberg.org/repatriate/repatriate/engine"
)

// account is one kind of content of one account at a simulated provider, with the target that it is moved to.
type account interface {
	// edit changes the account as the dice fall, and says in words what it did; nothing if these dice allow nothing.
	edit(d *dice) string
	// expire makes the provider forget all positions that it has handed out.
	expire()
	// run makes one pass with new clients, as another process would.
	run(ctx context.Context, s checkpoint.Store, o engine.Options) error
	model
	close()
}

// model knows what the edits have made of an account.
type model interface {
	// passed says that a pass has come to its end: what the source holds now is what the target must hold, with what is kept.
	passed()
	// differences compares the whole target with what it must hold.
	differences() []string
	// live is the number of items that the provider holds.
	live() int
	// most is how many requests a pass over an unchanged account may make.
	most() int64
}

// setting is what holds for a whole plan.
type setting struct {
	propagate bool
	// noisy makes pages repeat and reorder what they list.
	noisy bool
	// small makes pages small.
	small bool
	// variant is for the kind to choose by.
	variant int
}

func settingOf(seed uint64) setting {
	d := newDice(seed)
	return setting{propagate: d.chance(2), noisy: d.chance(2), small: d.chance(2), variant: d.IntN(1 << 16)}
}

func (s setting) String() string {
	return fmt.Sprintf("propagate %v, noisy pages %v, small pages %v, variant %d", s.propagate, s.noisy, s.small, s.variant)
}

// bench is where a plan is played.
type bench struct {
	setting
	dir     string
	store   *sqlite.Store
	wire    *wire
	account account
	outcome outcome
}

// play plays a plan on the account that open makes in a directory.
func play(p plan, open func(dir string, s setting, w *wire) account) (o outcome) {
	b := &bench{setting: settingOf(p.seed), wire: new(wire)}
	defer func() {
		b.close()
		o = b.outcome
		if cause := recover(); cause != nil {
			f, ok := cause.(failure)
			if !ok {
				panic(cause)
			}
			o.err = f.error
		}
	}()
	b.dir = value(os.MkdirTemp("", "modeltest"))
	b.tell("%v", b.setting)
	b.account = open(b.dir, b.setting, b.wire)
	b.open()
	for _, s := range p.steps {
		if d := newDice(s.seed); s.pass {
			b.pass(d)
		} else if did := b.account.edit(d); did != "" {
			b.outcome.edits++
			b.tell("%s", did)
		}
	}
	return o
}

func (b *bench) tell(format string, args ...any) {
	b.outcome.story = append(b.outcome.story, fmt.Sprintf(format, args...))
}

func (b *bench) open() {
	b.store = value(sqlite.Open(context.Background(), filepath.Join(b.dir, "state.db"), sqlite.Options{}))
}

func (b *bench) close() {
	if b.store != nil {
		_ = b.store.Close()
	}
	if b.account != nil {
		b.account.close()
	}
	_ = os.RemoveAll(b.dir)
}

// pass makes a pass, with what the dice add to it, and compares.
func (b *bench) pass(d *dice) {
	switch d.IntN(10) {
	case 0, 1:
		b.interrupted(d)
	case 2:
		b.expired()
	}
	b.tell("pass")
	b.whole()
	switch d.IntN(8) {
	case 0:
		b.tell("pass over an unchanged account")
		requests := b.wire.requests.Load()
		b.idle()
		if n := b.wire.requests.Load() - requests; n > b.account.most() {
			failf("a pass over an unchanged account made %d requests, more than %d", n, b.account.most())
		}
	case 1:
		b.expired()
		b.tell("pass over an unchanged account")
		b.idle()
	}
}

// expired makes the provider forget where the last pass ended.
func (b *bench) expired() {
	b.tell("the provider forgets the position")
	b.account.expire()
	b.outcome.relisted++
}

// interrupted makes passes that end at random moments.
func (b *bench) interrupted(d *dice) {
	for n := 1 + d.IntN(2); n > 0; n-- {
		at := 1 + d.IntN(40)
		b.tell("a pass that is interrupted at event %d", at)
		ctx, cancel := context.WithCancel(context.Background())
		b.wire.arm(at, cancel)
		err := b.account.run(ctx, b.store, b.options())
		b.wire.arm(0, nil)
		stopped := ctx.Err() != nil
		cancel()
		if err != nil && !stopped {
			failf("the pass ended with %w", err)
		}
		if stopped {
			b.outcome.interrupted++
		} else { // it came to its end before
			b.account.passed()
		}
		must(b.store.Close())
		b.open()
		if d.chance(8) {
			b.expired()
		}
	}
}

// whole makes a pass that comes to its end.
func (b *bench) whole() {
	must(b.run())
	b.account.passed()
	b.compare()
}

// idle makes a pass that has nothing to do.
func (b *bench) idle() {
	writes := b.wire.writes.Load()
	must(b.run())
	b.compare()
	if n := b.wire.writes.Load() - writes; n > 0 {
		failf("a pass over an unchanged account made %d writing requests: %s", n, b.wire.lastWrite())
	}
}

func (b *bench) run() error {
	b.outcome.passes++
	b.wire.forget()
	// A pass that hangs is a failure, not the end of the test binary.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := b.account.run(ctx, b.store, b.options()); err != nil {
		return fmt.Errorf("the pass ended with %w", err)
	}
	return nil
}

func (b *bench) options() engine.Options {
	return engine.Options{InFlight: 4, Pause: time.Millisecond, Propagate: b.propagate}
}

// compare compares the target with the model and the ledger with itself.
func (b *bench) compare() {
	var wrong []string
	tasks := value(b.store.Tasks(context.Background()))
	live := 0
	for _, t := range tasks {
		if !t.Balanced() {
			wrong = append(wrong, fmt.Sprintf("the ledger of %s does not balance: %d listed, %v", t.Collection, t.Listed, t.Counts))
		}
		for _, s := range []checkpoint.State{checkpoint.Pending, checkpoint.Writing, checkpoint.Skipped, checkpoint.Failed} {
			if n := t.Counts[s]; n > 0 {
				wrong = append(wrong, fmt.Sprintf("%d items are %v: %v", n, s, t.Reasons))
			}
		}
		live += int(t.Counts[checkpoint.Copied] + t.Counts[checkpoint.CopiedWithLosses])
	}
	// What lies in a folder that is gone need not be reported, and stays copied as long as nothing takes it away.
	if n := b.account.live(); n > live || n < live && b.propagate {
		wrong = append(wrong, fmt.Sprintf("the provider holds %d items, the ledger %d", n, live))
	}
	if wrong = append(wrong, b.account.differences()...); len(wrong) > 0 {
		panic(failure{errors.New(strings.Join(wrong, "\n"))})
	}
}
