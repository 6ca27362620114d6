package deltamodel

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// step is one edit, or a pass with what befalls it. What it does depends on its own seed and on the account alone, so that a plan
// may lose other steps and still do much the same.
type step struct {
	seed uint64
	pass bool
}

// plan is what befalls one account.
type plan struct {
	seed  uint64 // of the setting
	steps []step
}

// dice decide what a step does.
type dice struct{ *rand.Rand }

func newDice(seed uint64) *dice { return &dice{rand.New(rand.NewPCG(seed, 0))} }

// chance reports true once in n times.
func (d *dice) chance(n int) bool { return d.IntN(n) == 0 }

// pick returns one of a list that is not empty.
func pick[V any](d *dice, list []V) V { return list[d.IntN(len(list))] }

// pickAny is pick for lists that may be empty, which ok denies.
func pickAny[V any](d *dice, list []V) (v V, ok bool) {
	if len(list) == 0 {
		return v, false
	}
	return pick(d, list), true
}

const (
	// everyDay is how many edits of each kind at each provider are made where nobody asks for more.
	everyDay = 160
	// lifetime is how many edits one account is to see. Some of them find nothing that they could change.
	lifetime = 72
)

// planOf returns the plan of a seed, with one to eight edits between two passes.
func planOf(seed uint64) plan {
	d := newDice(seed)
	p := plan{seed: seed}
	for edits := lifetime; edits > 0; {
		for n := min(edits, 1+d.IntN(8)); n > 0; n-- {
			p.steps = append(p.steps, step{seed: d.Uint64()})
			edits--
		}
		p.steps = append(p.steps, step{seed: d.Uint64(), pass: true})
	}
	return p
}

// outcome is what came of a plan.
type outcome struct {
	edits, passes, interrupted, relisted int
	story                                []string
	err                                  error
}

func (o *outcome) add(other outcome) {
	o.edits += other.edits
	o.passes += other.passes
	o.interrupted += other.interrupted
	o.relisted += other.relisted
}

// shortened leaves out steps while the plan goes on to fail, in no more than the given number of attempts.
func shortened(p plan, attempts int, play func(plan) outcome) (plan, outcome) {
	last := play(p)
	if last.err == nil {
		return p, last // another time it does not fail
	}
	for size := len(p.steps) / 2; size > 0 && attempts > 0; {
		cut := false
		for at := 0; at < len(p.steps) && attempts > 0; {
			q := plan{seed: p.seed}
			q.steps = append(append(q.steps, p.steps[:at]...), p.steps[min(at+size, len(p.steps)):]...)
			attempts--
			if o := play(q); o.err != nil {
				p, last, cut = q, o, true
				continue
			}
			at += size
		}
		if !cut || size > 1 {
			size /= 2
		}
	}
	return p, last
}

// number reads a number of the environment; other is what holds without one.
func number(t *testing.T, name string, other func() uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return other()
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// tryPlans plays plans until there were enough edits: those of every day, or as many as REPATRIATE_EDITS demands.
func tryPlans(t *testing.T, open func(*bench, *dice) world) {
	t.Helper()
	t.Parallel()
	edits := int(number(t, "REPATRIATE_EDITS", func() uint64 { return everyDay }))
	seed := number(t, "REPATRIATE_SEED", func() uint64 {
		if edits == everyDay {
			return 1
		}
		return rand.Uint64N(1 << 53) // what is read easily
	})
	again := func(p plan) outcome { return play(p, open) }
	var all outcome
	for ; all.edits < edits; seed++ {
		p := planOf(seed)
		o := again(p)
		all.add(o)
		if o.err == nil {
			continue
		}
		t.Errorf("REPATRIATE_SEED=%d: %v", seed, o.err)
		q, last := shortened(p, 150, again)
		if last.err == nil {
			t.Fatalf("another time it did not fail; the first time:\n%s", strings.Join(o.story, "\n"))
		}
		t.Fatalf("%d of %d steps fail as well: %v\n%s", len(q.steps), len(p.steps), last.err, strings.Join(last.story, "\n"))
	}
	t.Logf("%d edits, %d passes (%d interrupted before, %d that listed anew)", all.edits, all.passes, all.interrupted, all.relisted)
}

// failure is what must and failf end a play with.
type failure struct{ error }

// must ends the play unless err is nil.
func must(err error) {
	if err != nil {
		panic(failure{err})
	}
}

func failf(format string, args ...any) { panic(failure{fmt.Errorf(format, args...)}) }

// value ends the play unless err is nil.
func value[V any](v V, err error) V {
	must(err)
	return v
}
