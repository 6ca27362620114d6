package deltamodel

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/checkpoint/sqlite"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// setting is what holds for a whole plan.
type setting struct {
	seed      uint64
	propagate bool
	noisy     bool // pages repeat and reorder what they list
	pageSize  int  // of the provider; 0: as large as it allows
	inFlight  int
}

// settingOf returns that of a plan. Plans of any four seeds that follow one another have all that is decided once for all kinds.
func settingOf(seed uint64, d *dice) setting {
	return setting{seed: seed, propagate: seed%2 == 0, noisy: seed/2%2 == 1, pageSize: pick(d, []int{0, 0, 3, 9}), inFlight: 1 + d.IntN(8)}
}

func (s setting) String() string {
	return fmt.Sprintf("propagate %v, noisy %v, %d in a page, %d at once", s.propagate, s.noisy, s.pageSize, s.inFlight)
}

// bench is where a plan is played.
type bench struct {
	setting
	dir      string
	store    *sqlite.Store
	http     *http.Transport
	wire     wire
	noise    *noise
	world    world
	ends     []func()          // what is to be called at the end, the last first
	problems []func() []string // of the simulated provider
	outcome  outcome
}

// play plays a plan on the world that open makes.
func play(p plan, open func(*bench, *dice) world) (o outcome) {
	d := newDice(p.seed ^ 1<<63)
	b := &bench{setting: settingOf(p.seed, d), http: httpx.NewTransport(), noise: &noise{d: newDice(p.seed), before: map[string][]any{}}}
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
	b.dir = value(os.MkdirTemp("", "deltamodel"))
	b.tell("%v", b.setting)
	b.world = open(b, d)
	b.open()
	for _, s := range p.steps {
		if d := newDice(s.seed); s.pass {
			b.pass(d)
		} else {
			b.edit(d)
		}
	}
	return o
}

func (b *bench) tell(format string, args ...any) {
	b.outcome.story = append(b.outcome.story, fmt.Sprintf(format, args...))
}

// atEnd has something called when the plan was played.
func (b *bench) atEnd(f func()) { b.ends = append(b.ends, f) }

func (b *bench) open() {
	b.store = value(sqlite.Open(context.Background(), filepath.Join(b.dir, "state.db"), sqlite.Options{}))
}

func (b *bench) close() {
	if b.store != nil {
		_ = b.store.Close()
	}
	b.http.CloseIdleConnections()
	for i := len(b.ends) - 1; i >= 0; i-- {
		b.ends[i]()
	}
	_ = os.RemoveAll(b.dir)
}

// clock is the provider's: each look at it is a little later, and sometimes much.
func (b *bench) clock() func() time.Time {
	r := rand.New(rand.NewPCG(b.seed, 99))
	now := time.Date(2024, 1, 8, 9, 0, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(time.Duration(1+r.IntN(400)) * time.Millisecond)
		if r.IntN(20) == 0 {
			now = now.Add(time.Duration(r.IntN(20)) * time.Minute)
		}
		return now
	}
}

// toProvider is the way of a client to the provider.
func (b *bench) toProvider() http.RoundTripper {
	if way := b.wire.around(b.http); b.noisy {
		return b.noise.over(way)
	} else {
		return way
	}
}

// toTarget is the way of a sink to its target.
func (b *bench) toTarget() http.RoundTripper { return b.wire.toTarget(b.http) }

func (b *bench) options() engine.Options {
	return engine.Options{InFlight: b.inFlight, Attempts: 2, Pause: time.Millisecond, Propagate: b.propagate}
}

func (b *bench) edit(d *dice) {
	b.noise.forget()
	if did := b.world.edit(d); did != "" {
		b.outcome.edits++
		b.tell("%s", did)
	}
}

// pass makes a pass, with what the dice add to it, and compares.
func (b *bench) pass(d *dice) {
	if d.chance(8) {
		b.expire(d)
	}
	for n := 0; n < 3 && d.chance(3); n++ {
		b.interrupted(d)
		if d.chance(8) {
			b.expire(d)
		}
		if b.world.lenient && d.chance(2) {
			b.edit(d)
		}
	}
	b.whole()
	switch d.IntN(6) {
	case 0:
		b.idle()
		if requests, _, _ := b.wire.counts(); requests > b.world.most() {
			failf("a pass over an unchanged account took %v; at most %d requests are allowed", &b.wire, b.world.most())
		}
	case 1:
		b.expire(d)
		b.idle()
	}
}

// expire makes the provider forget where the last pass ended.
func (b *bench) expire(d *dice) {
	b.tell("the provider forgets the position")
	b.world.expire(d)
	b.outcome.relisted++
}

// interrupted makes a pass that ends at a random moment, as if the process died.
func (b *bench) interrupted(d *dice) {
	at := 1 + d.IntN(40)
	b.tell("a pass that is interrupted at event %d", at)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.wire.reset()
	b.wire.arm(at, cancel)
	err := b.world.pass(ctx)
	b.wire.arm(0, nil)
	stopped := ctx.Err() != nil
	if err != nil && !(stopped && errors.Is(err, context.Canceled)) {
		failf("the pass that was interrupted ended with %w", err)
	}
	if stopped {
		b.outcome.interrupted++
	}
	b.world.passed(!stopped)
	must(b.store.Close())
	b.open()
}

// whole makes a pass that comes to its end.
func (b *bench) whole() {
	b.run()
	b.tell("pass %d: %v", b.outcome.passes, &b.wire)
	b.world.passed(true)
	b.compare()
}

// idle makes a pass that has nothing to do.
func (b *bench) idle() {
	b.run()
	b.tell("pass %d, without edits: %v", b.outcome.passes, &b.wire)
	b.compare()
	if _, writes, last := b.wire.counts(); writes > 0 {
		failf("a pass over an unchanged account made %d writing requests: %s", writes, last)
	}
}

func (b *bench) run() {
	b.outcome.passes++
	b.wire.reset()
	// A pass that hangs is a failure, not the end of the test binary.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := b.world.pass(ctx); err != nil {
		failf("the pass ended with %w", err)
	}
}

// compare compares the target with the model, and the ledger with itself and with what the provider holds.
func (b *bench) compare() {
	var wrong []string
	live := b.world.live()
	for _, s := range value(b.store.Tasks(context.Background())) {
		if !s.Balanced() {
			wrong = append(wrong, fmt.Sprintf("the ledger of %s does not balance: %+v", s.Collection, s))
		}
		n, there := live[s.Collection]
		if !there {
			continue // deleted at the source, perhaps in the middle of a pass
		}
		wrong = append(wrong, b.unfinished(s)...)
		// What lies in a folder that is gone need not be reported, and stays copied as long as nothing takes it away.
		copied := int(s.Counts[checkpoint.Copied] + s.Counts[checkpoint.CopiedWithLosses])
		if n > copied || n < copied && b.propagate {
			wrong = append(wrong, fmt.Sprintf("the provider holds %d items of %s, the ledger %d", n, s.Collection, copied))
		}
	}
	wrong = append(wrong, b.world.differences()...)
	for _, problems := range b.problems {
		wrong = append(wrong, problems()...)
	}
	if len(wrong) > 0 {
		panic(failure{errors.New(strings.Join(wrong, "\n"))})
	}
}

// unfinished tells of a task's items that are not on the target, and of what stopped it.
func (b *bench) unfinished(s checkpoint.Status) (wrong []string) {
	if s.Error != "" {
		wrong = append(wrong, fmt.Sprintf("%s was stopped: %s", s.Collection, s.Error))
	}
	for r, err := range b.store.Records(context.Background(), s.Task, checkpoint.Pending, checkpoint.Writing, checkpoint.Failed, checkpoint.Skipped) {
		must(err)
		wrong = append(wrong, fmt.Sprintf("%s of %s is %v: %s: %s", r.ID, s.Collection, r.State, r.Reason, r.Message))
	}
	return wrong
}
