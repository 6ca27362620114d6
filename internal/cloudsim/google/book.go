package google

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// book holds resources of one kind and remembers in which order they changed last. What is deleted stays as a tombstone.
type book struct {
	serial int
	oldest int // sync tokens below have expired
	items  map[string]*bookItem
	log    []bookChange
}

// bookChange names an item at the time of a change; only the entry of its latest change counts.
type bookChange struct {
	number int
	item   *bookItem
}

type bookItem struct {
	id      string // resource name
	number  int    // of its latest change
	body    object
	deleted bool
}

func newBook() *book { return &book{items: map[string]*bookItem{}} }

// put stores the resource as it is now; its tag and time must be set already.
func (b *book) put(id string, body object, deleted bool) {
	b.serial++
	item := b.items[id]
	if item == nil {
		item = &bookItem{id: id}
		b.items[id] = item
	}
	item.body, item.deleted, item.number = body, deleted, b.serial
	b.log = append(b.log, bookChange{b.serial, item})
}

// expire makes every sync token that was handed out so far invalid.
func (b *book) expire() {
	b.serial++
	b.oldest = b.serial
}

// live gives what is not deleted, in the order of the latest changes.
func (b *book) live() []*bookItem {
	var out []*bookItem
	for _, change := range b.log {
		if item := change.item; item.number == change.number && !item.deleted {
			out = append(out, item)
		}
	}
	return out
}

// get gives the item unless it is absent or deleted.
func (b *book) get(id string) (*bookItem, error) {
	if item := b.items[id]; item != nil && !item.deleted {
		return item, nil
	}
	return nil, fmt.Errorf("no %s", id)
}

// page gives up to size items that changed after a number, in the order of their latest changes; more says whether there are further
// ones after the last.
func (b *book) page(after, size int, deleted bool) (items []*bookItem, last int, more bool) {
	last = after
	at := sort.Search(len(b.log), func(i int) bool { return b.log[i].number > after })
	for _, change := range b.log[at:] {
		if change.item.number != change.number || change.item.deleted && !deleted {
			continue
		}
		if len(items) == size {
			return items, last, true
		}
		items, last = append(items, change.item), change.number
	}
	return items, last, false
}

// byName gives the live items in the order of a text that each has.
func (b *book) byName(text func(object) string) []*bookItem {
	items := b.live()
	slices.SortStableFunc(items, func(x, y *bookItem) int { return strings.Compare(text(x.body), text(y.body)) })
	return items
}
