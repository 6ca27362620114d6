package deltamodel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/embedded"
	"codeberg.org/repatriate/repatriate/sources"
)

// object is one thing at the source: what a person sees of it, and the provider's own JSON.
type object struct{ facts, raw string }

// objects are those of a collection by the UID that they have on the target.
type objects map[string]object

// holdings are what an account at a provider has of a kind whose things have UIDs.
type holdings interface {
	edit(d *dice) string
	// expire makes the provider forget the positions that it has handed out.
	expire()
	// truth is what the account holds, by collection.
	truth() map[string]objects
}

// repeater are holdings whose provider may tell of one change in two steps: again is how often it may have since the last call.
type repeater interface{ again() int }

// expectation is what is known of an object on the target.
type expectation struct {
	// must says that it lies there, and facts are what it may say.
	must  bool
	facts map[string]bool
}

// shelf is a target for things that have UIDs, with what must lie there.
type shelf struct {
	holdings
	b      *bench
	read   func(body []byte) (facts string, err error)
	lists  func(owner string) ([]embedded.StoredCollection, error)
	target *embedded.Calendar
	// forget is after how many calls a source forgets its cursor; below zero: never.
	forget int
	// expected is what must or may lie on the target: by its collection there, by UID.
	expected map[string]map[string]*expectation
	before   map[string]objects // at the source, when the last pass came to its end
	dirty    bool               // a pass was broken off since
	names    map[string]string  // of collections on the target, by their id at the source
	excess   []string           // what was written too often
}

// shelve opens a target for holdings. move moves one collection, and read says what an object on the target shows.
func shelve[S sources.Content](b *bench, kind string, h holdings, open opener[S],
	move func(context.Context, *shelf, opened[S], checkpoint.Ledger) error, read func([]byte) (string, error)) world {
	s := &shelf{holdings: h, b: b, read: read, forget: -1, expected: map[string]map[string]*expectation{}, names: map[string]string{}}
	s.target = value(embedded.StartCalendar(filepath.Join(b.dir, "target"), []embedded.User{{Name: owner, Password: password}}))
	b.atEnd(func() { _ = s.target.Close() })
	s.lists = s.target.Calendars
	if kind == "contacts" {
		s.lists = s.target.AddressBooks
	}
	pass := passOver(b, kind, open, func(ctx context.Context, c opened[S], l checkpoint.Ledger) error {
		if s.names[c.ID] = collectionName(c.ID); kind == "contacts" && c.Primary {
			s.names[c.ID] = "contacts" // which every home has
		}
		c.source = forgetful[S]{c.source, &s.forget}
		return move(ctx, s, c, l)
	})
	return world{account: s, model: s, pass: pass, lenient: true}
}

// forgetful is a source that forgets its cursor once after it was told to, for providers that forget nothing by themselves.
type forgetful[S sources.Content] struct {
	sources.Source[S]
	forget *int
}

func (f forgetful[S]) Changes(ctx context.Context, after sources.Cursor) (sources.Page[S], error) {
	if after != "" && *f.forget >= 0 {
		if *f.forget--; *f.forget < 0 {
			return sources.Page[S]{}, fmt.Errorf("forgotten: %w", sources.ErrCursorExpired)
		}
	}
	return f.Source.Changes(ctx, after)
}

// expire implements account: at once, in the middle of a pass, or both.
func (s *shelf) expire(d *dice) {
	how := d.IntN(3)
	if how != 1 {
		s.holdings.expire()
	}
	if how != 0 {
		s.forget = d.IntN(3)
		s.b.tell("a cursor is forgotten after %d calls", s.forget)
	}
}

func (s *shelf) live() map[string]int {
	n := map[string]int{}
	for id, there := range s.truth() {
		n[id] = len(there)
	}
	return n
}

// most: a token for each of what is read, the list of collections, and some for each of them.
func (s *shelf) most() int {
	if s.b.pageSize > 0 {
		return math.MaxInt
	}
	return 5*len(s.truth()) + 5
}

// collectionName is what a collection of the source is called on the target.
func collectionName(id string) string {
	sum := sha256.Sum256([]byte(id))
	return "repatriate-" + hex.EncodeToString(sum[:8])
}

// name is that of a collection on the target, of one that was never moved as well.
func (s *shelf) name(id string) string {
	if name := s.names[id]; name != "" {
		return name
	}
	return collectionName(id)
}

func (s *shelf) expect(collection, uid string) *expectation {
	if s.expected[collection] == nil {
		s.expected[collection] = map[string]*expectation{}
	}
	e := s.expected[collection][uid]
	if e == nil {
		e = &expectation{facts: map[string]bool{}}
		s.expected[collection][uid] = e
	}
	return e
}

// passed implements model.
func (s *shelf) passed(whole bool) {
	truth := s.truth()
	if !whole {
		s.loosen(truth)
		s.dirty = true
		return
	}
	changed, gone := s.learn(truth)
	if put, removed := s.b.wire.count("PUT"), s.b.wire.count("DELETE"); !s.dirty && (put > changed || removed > gone) {
		s.excess = append(s.excess, fmt.Sprintf("%d changed and %d gone at the source, but the target got %d PUT and %d DELETE", changed, gone, put, removed))
	}
	s.before, s.dirty, s.forget = truth, false, -1
}

// loosen notes what a pass that was broken off may have done.
func (s *shelf) loosen(truth map[string]objects) {
	for id, there := range truth {
		for uid, o := range there {
			s.expect(s.name(id), uid).facts[o.facts] = true
		}
		for uid, e := range s.expected[s.name(id)] {
			if _, live := there[uid]; !live && s.b.propagate {
				e.must = false
			}
		}
	}
}

// learn updates what is expected and returns how many objects may be written and removed.
func (s *shelf) learn(truth map[string]objects) (changed, gone int) {
	for id, there := range truth {
		at := s.name(id)
		for uid, o := range there {
			if s.before[id][uid].raw != o.raw {
				changed++
			}
			e := s.expect(at, uid)
			e.must, e.facts = true, map[string]bool{o.facts: true}
		}
		for uid := range s.expected[at] {
			if _, live := there[uid]; !live && s.b.propagate {
				gone++
				delete(s.expected[at], uid)
			}
		}
	}
	if again, ok := s.holdings.(repeater); ok {
		n := again.again()
		changed, gone = changed+n, gone+n
	}
	return changed, gone
}

// differences demands that the target holds what is expected and nothing else.
func (s *shelf) differences() (wrong []string) {
	wrong, s.excess = s.excess, nil
	there := s.stored(&wrong)
	for name, here := range there {
		for uid, facts := range here {
			switch e := s.expected[name][uid]; {
			case e == nil:
				wrong = append(wrong, fmt.Sprintf("%s holds %s, which must not be there:\n%s", name, uid, facts))
			case !e.facts[facts]:
				wrong = append(wrong, fmt.Sprintf("%s in %s says\n%s\nwant\n%s", uid, name, facts, lines(slices.Sorted(maps.Keys(e.facts)))))
			}
		}
	}
	for name, wanted := range s.expected {
		for uid, e := range wanted {
			if _, found := there[name][uid]; e.must && !found {
				wrong = append(wrong, fmt.Sprintf("%s is not in %s:\n%s", uid, name, lines(slices.Sorted(maps.Keys(e.facts)))))
			}
		}
	}
	slices.Sort(wrong)
	return wrong
}

// stored reads the whole target, by collection and UID.
func (s *shelf) stored(wrong *[]string) map[string]map[string]string {
	out := map[string]map[string]string{}
	for _, c := range value(s.lists(owner)) {
		out[c.Name] = map[string]string{}
		for _, o := range c.Objects {
			facts, err := s.read(o.Body)
			if err != nil {
				*wrong = append(*wrong, fmt.Sprintf("%s: %v in\n%s", o.Name, err, o.Body))
			}
			if _, twice := out[c.Name][o.UID]; twice {
				*wrong = append(*wrong, fmt.Sprintf("%s lies twice in %s", o.UID, c.Name))
			}
			out[c.Name][o.UID] = facts
		}
	}
	return out
}

// uid is how the program names what has no UID at the provider.
func uid(kind, id string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(kind + " " + id)))
	return "repatriate-" + hex.EncodeToString(sum[:16])
}

// editCollection makes a collection, or deletes or renames one of an account's own.
func editCollection(d *dice, what string, own []string, add func(name string) (string, error), remove func(id string) error, rename func(id, name string) error) string {
	n := d.IntN(4)
	if len(own) < 2 || n == 0 && len(own) < 4 {
		return "new " + what + " " + value(add(word(d)))
	}
	id, name := pick(d, own), word(d)
	if n == 1 && len(own) > 2 {
		must(remove(id))
		return what + " deleted " + id
	}
	must(rename(id, name))
	return what + " renamed " + id + " to " + name
}

// word is a title that nothing else has, with what formats have to escape.
func word(d *dice) string {
	return fmt.Sprintf("%s %d", pick(d, []string{"Plan", "Größe; Maß, Zahl", `back\slash`, "naïve 日本", "a, b; c", "Zeile"}), d.IntN(1e6))
}

// lines joins facts to be compared.
func lines(list []string) string { return strings.Join(list, "\n") }
