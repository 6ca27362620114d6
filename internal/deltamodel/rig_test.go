package deltamodel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/checkpoint/sqlite"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/embedded"
)

// rig moves an account to a target again and again, and knows what must lie there.
type rig struct {
	t         *testing.T
	r         *rand.Rand
	kind      string
	world     world
	target    *embedded.Calendar
	wire      *wire
	provider  *provider
	store     checkpoint.Store
	propagate bool
	inFlight  int
	counters  engine.Counters
	// forget is for sources whose provider forgets nothing by itself.
	forget int
	paged  bool

	// expected is what must or may lie on the target: by its collection there, by UID.
	expected map[string]map[string]*expectation
	before   map[string]objects // at the source, when the last pass came to its end
	dirty    bool               // a pass was broken off since
	names    map[string]string  // of collections on the target, by their id at the source
	log      []string           // what happened
	edits    int
	passes   int
}

// expectation is what is known of an object on the target.
type expectation struct {
	// must says that it lies there, and facts are what it may say.
	must  bool
	facts map[string]bool
}

func newRig(t *testing.T, kind string, seed uint64, propagate bool) *rig {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, seed))
	g := &rig{t: t, r: r, kind: kind, propagate: propagate, inFlight: 1 + r.IntN(8), wire: newWire(), forget: -1, before: map[string]objects{},
		expected: map[string]map[string]*expectation{}, names: map[string]string{}}
	dir := t.TempDir()
	var err error
	g.target, err = embedded.StartCalendar(filepath.Join(dir, "target"), []embedded.User{{Name: owner, Password: password}})
	must(t, err)
	t.Cleanup(func() { must(t, g.target.Close()) })
	g.store, err = sqlite.Open(t.Context(), filepath.Join(dir, "state.db"), sqlite.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, g.store.Close()) })
	return g
}

// note remembers what happened, to be told when something is wrong.
func (g *rig) note(format string, args ...any) { g.log = append(g.log, fmt.Sprintf(format, args...)) }

// fail tells what is wrong and how it came about.
func (g *rig) fail(format string, args ...any) {
	g.t.Helper()
	g.t.Fatalf("%s\nafter:\n%s", fmt.Sprintf(format, args...), lines(g.log[max(0, len(g.log)-14):]))
}

// run makes edits and passes until there were so many edits.
func (g *rig) run(edits int) {
	g.t.Helper()
	for g.edits < edits {
		for range 1 + g.r.IntN(8) {
			if what := g.world.edit(g.r); what != "" {
				g.edits++
				g.note("%s", what)
			}
		}
		g.provider.mangler.reset()
		g.expireNow()
		for g.r.IntN(5) == 0 {
			g.interrupted()
			if g.r.IntN(2) == 0 {
				g.note("%s", g.world.edit(g.r))
				g.provider.mangler.reset()
			}
		}
		g.whole()
		if g.r.IntN(3) == 0 {
			g.idle()
		}
	}
}

// expireNow sometimes lets the provider forget where the passes were.
func (g *rig) expireNow() {
	switch g.r.IntN(8) {
	case 0:
		g.note("cursors expire")
		g.world.expire()
	case 1:
		g.forget = g.r.IntN(3)
		g.note("a cursor is forgotten after %d calls", g.forget)
	}
}

// pass moves all collections, one after the other.
func (g *rig) pass(ctx context.Context) error {
	list, err := g.world.collections(ctx)
	if err != nil {
		return err
	}
	for _, c := range list {
		l, err := g.store.Begin(ctx, checkpoint.Task{Account: user, Kind: g.kind, Collection: c.ID}, c.Name)
		if err != nil {
			return err
		}
		if g.names[c.ID] = collectionName(c.ID); g.kind == "contacts" && c.Primary {
			g.names[c.ID] = "contacts" // which every home has
		}
		if err := g.world.move(ctx, g, c, l); err != nil {
			return err
		}
	}
	return nil
}

// collectionName is what a collection of the source is called on the target.
func collectionName(id string) string {
	sum := sha256.Sum256([]byte(id))
	return "repatriate-" + hex.EncodeToString(sum[:8])
}

// interrupted makes a pass that is broken off at some request.
func (g *rig) interrupted() {
	ctx, cancel := context.WithCancel(g.t.Context())
	defer cancel()
	at := 1 + g.r.IntN(25)
	g.note("a pass is broken off at request %d", at)
	g.wire.after(at, cancel)
	err := g.pass(ctx)
	g.wire.after(0, nil)
	if err != nil && !errors.Is(err, context.Canceled) {
		g.fail("a pass that was broken off: %v", err)
	}
	g.dirty = true
	for id, there := range g.world.truth() {
		for uid, o := range there {
			g.expect(g.name(id), uid).facts[o.facts] = true
		}
		for uid, e := range g.expected[g.name(id)] {
			if _, live := there[uid]; !live && g.propagate {
				e.must = false
			}
		}
	}
}

// name is that of a collection on the target, of one that was never moved as well.
func (g *rig) name(id string) string {
	if name := g.names[id]; name != "" {
		return name
	}
	return collectionName(id)
}

func (g *rig) expect(collection, uid string) *expectation {
	if g.expected[collection] == nil {
		g.expected[collection] = map[string]*expectation{}
	}
	e := g.expected[collection][uid]
	if e == nil {
		e = &expectation{facts: map[string]bool{}}
		g.expected[collection][uid] = e
	}
	return e
}

// whole makes a pass to its end and compares.
func (g *rig) whole() {
	g.t.Helper()
	g.wire.reset()
	if err := g.pass(g.t.Context()); err != nil {
		g.fail("a pass: %v", err)
	}
	g.passes++
	g.note("pass %d: %s", g.passes, g.wire)
	truth := g.world.truth()
	changed, gone := g.learn(truth)
	g.compare()
	g.balanced()
	if g.wire.count("PUT") > changed || g.wire.count("DELETE") > gone {
		g.fail("%d changed and %d gone at the source, but the target got %s", changed, gone, g.wire)
	}
	g.before, g.dirty = truth, false
}

// learn updates what is expected and returns how many objects may be written and removed.
func (g *rig) learn(truth map[string]objects) (changed, gone int) {
	for id, there := range truth {
		at := g.name(id)
		for uid, o := range there {
			if g.before[id][uid].raw != o.raw {
				changed++
			}
			e := g.expect(at, uid)
			e.must, e.facts = true, map[string]bool{o.facts: true}
		}
		for uid := range g.expected[at] {
			if _, live := there[uid]; live {
				continue
			}
			if g.propagate {
				gone++
				delete(g.expected[at], uid)
			}
		}
	}
	if again, ok := g.world.(repeater); ok {
		n := again.again()
		changed, gone = changed+n, gone+n
	}
	if g.dirty {
		return 1 << 30, 1 << 30
	}
	return changed, gone
}

// repeater is a world whose provider may tell of one change in two steps: again is how often it may have since the last call.
type repeater interface{ again() int }

// compare demands that the target holds what is expected and nothing else.
func (g *rig) compare() {
	g.t.Helper()
	for name, there := range g.stored() {
		for uid, facts := range there {
			e := g.expected[name][uid]
			switch {
			case e == nil:
				g.fail("%s holds %s, which must not be there:\n%s", name, uid, facts)
			case !e.facts[facts]:
				g.fail("%s in %s says\n%s\nwant\n%s", uid, name, facts, lines(sorted(e.facts)))
			}
		}
		for uid, e := range g.expected[name] {
			if _, found := there[uid]; e.must && !found {
				g.fail("%s is not in %s:\n%s", uid, name, lines(sorted(e.facts)))
			}
		}
	}
}

// stored reads the whole target.
func (g *rig) stored() map[string]map[string]string {
	g.t.Helper()
	list, err := g.target.Calendars(owner)
	if g.kind == "contacts" {
		list, err = g.target.AddressBooks(owner)
	}
	must(g.t, err)
	out := map[string]map[string]string{}
	for name := range g.expected {
		out[name] = map[string]string{}
	}
	for _, c := range list {
		out[c.Name] = map[string]string{}
		for _, o := range c.Objects {
			facts, err := g.world.read(o.Body)
			if err != nil {
				g.fail("%s: %v in\n%s", o.Name, err, o.Body)
			}
			if _, twice := out[c.Name][o.UID]; twice {
				g.fail("%s lies twice in %s", o.UID, c.Name)
			}
			out[c.Name][o.UID] = facts
		}
	}
	return out
}

// balanced demands that nothing is left over in the ledger.
func (g *rig) balanced() {
	g.t.Helper()
	tasks, err := g.store.Tasks(g.t.Context())
	must(g.t, err)
	live := g.world.truth()
	for _, s := range tasks {
		if !s.Balanced() {
			g.fail("the ledger of %s does not balance: %+v", s.Collection, s)
		}
		if _, there := live[s.Collection]; !there {
			continue // deleted at the source, perhaps in the middle of a pass
		}
		if open := s.Counts[checkpoint.Pending] + s.Counts[checkpoint.Writing] + s.Counts[checkpoint.Failed] + s.Counts[checkpoint.Skipped]; open > 0 || s.Error != "" {
			g.fail("%d items of %s are open, failed or skipped: %+v\n%s", open, s.Collection, s, g.records(s.Task))
		}
	}
}

func (g *rig) records(t checkpoint.Task) string {
	var list []string
	for r, err := range g.store.Records(g.t.Context(), t, checkpoint.Pending, checkpoint.Writing, checkpoint.Failed, checkpoint.Skipped) {
		must(g.t, err)
		list = append(list, fmt.Sprintf("%s %s: %s", r.ID, r.Reason, r.Message))
	}
	return lines(list)
}

// idle makes a pass without a change before it.
func (g *rig) idle() {
	g.t.Helper()
	g.forget = -1
	relist := g.r.IntN(3) == 0
	if relist {
		g.note("cursors expire; nothing is changed")
		g.world.expire()
		g.forget = g.r.IntN(2)
	}
	g.wire.reset()
	if err := g.pass(g.t.Context()); err != nil {
		g.fail("a pass without changes: %v", err)
	}
	g.note("idle: %s", g.wire)
	if n := g.wire.writes(); n != 0 {
		g.fail("a pass without changes wrote: %s", g.wire)
	}
	if most := 5*len(g.world.truth()) + 3; !relist && !g.paged && g.wire.total() > most { // the list of collections comes in addition
		g.fail("a pass without changes took %s, at most %d are allowed", g.wire, most)
	}
	g.compare()
	g.balanced()
}

func sorted(set map[string]bool) []string {
	var list []string
	for s := range set {
		list = append(list, s)
	}
	slices.Sort(list)
	return list
}

// uid is how the program names what has no UID at the provider.
func uid(kind, id string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(kind + " " + id)))
	return "repatriate-" + hex.EncodeToString(sum[:16])
}
