package microsoft

import (
	"encoding/base64"
	"fmt"
	"slices"
	"sort"
)

// collection is a contact folder or a list of tasks: what is in it, as it came, and a log of what entered, changed and left.
type collection struct {
	id      string
	entries []*entry
	log     []entryChange
}

// entry is a contact or a task. Its body has all members but the id and what follows from where it is.
type entry struct {
	id      string // survives a move
	in      *collection
	arrival int // in its collection; grows with each
	change  int
	body    object
	photo   func() []byte       // of a contact; nil: none
	parts   map[string][]object // of a task: checklistItems and linkedResources
	files   []Attachment        // of a task
}

type entryChange struct {
	entry *entry
	left  bool
	plain string // the id that it had here
}

// plain is the id that changes when the entry is moved.
func (e *entry) plain() string {
	return "AAMkAD" + base64.URLEncoding.EncodeToString(hashOf(e.id, e.in.id))
}

func (e *entry) etag() string { return fmt.Sprintf("EQAAABYAAA%08d", e.change) }

// enter puts an entry at the end.
func (k *collection) enter(e *entry, arrival int) {
	e.in, e.arrival = k, arrival
	k.entries = append(k.entries, e)
	e.note()
}

func (e *entry) note() {
	e.change++
	e.in.log = append(e.in.log, entryChange{entry: e})
}

// leave takes the entry out of its collection.
func (e *entry) leave() {
	k := e.in
	k.entries = slices.DeleteFunc(k.entries, func(x *entry) bool { return x == e })
	k.log = append(k.log, entryChange{entry: e, left: true, plain: e.plain()})
	e.in = nil
}

// delta answers the delta of a collection: its entries as they came, and then what was changed since the first page. Size is the most
// entries of a page; with immutable, what left is named by its id that survives moves.
func (c *call) delta(k *collection, kind string, p page, size int, immutable bool, render func(e *entry, expand string) object) error {
	values, next, more := []object{}, p, false
	add := func(e *entry) {
		values = append(values, render(e, p.Expand).only(withExpanded(p.Select, p.Expand)))
	}
	if p.Change {
		to := min(p.From+size, len(k.log))
		for _, change := range k.log[p.From:to] {
			switch id := change.plain; {
			case change.left && immutable:
				values = append(values, removed(change.entry.id))
			case change.left:
				values = append(values, removed(id))
			case change.entry.in == k:
				add(change.entry)
			}
		}
		next.From, more = to, to < len(k.log)
	} else {
		first := sort.Search(len(k.entries), func(i int) bool { return k.entries[i].arrival > p.From })
		rest := k.entries[first:]
		more = len(rest) > size
		for _, e := range rest[:min(size, len(rest))] {
			add(e)
			next.From = e.arrival
		}
		if !more {
			next.From, next.Until, next.Change = p.Until, 0, true
		}
	}
	answer := object{"@odata.context": c.host() + "/v1.0/$metadata#Collection(" + kind + ")", "value": values}
	if more {
		answer["@odata.nextLink"] = c.link("$skiptoken", c.token(next))
	} else {
		answer["@odata.deltaLink"] = c.link("$deltatoken", c.token(next))
	}
	return c.reply(answer)
}

func removed(id string) object { return object{"id": id, "@removed": object{"reason": "deleted"}} }

// deltaPage reads where a delta of the collection goes on: the beginning, or where its token says. A token that is no good any more is
// SyncStateNotFound.
func (c *call) deltaPage(k *collection) (page, error) {
	token := c.query.Get("$skiptoken") + c.query.Get("$deltatoken")
	if token == "" {
		return page{Of: k.id, Until: len(k.log), Select: c.selected(), Expand: c.query.Get("$expand")}, nil
	}
	p, ok := c.place(token)
	if !ok || p.Of != k.id || p.Change && p.From > len(k.log) {
		return p, errSyncStateNotFound()
	}
	return p, nil
}
