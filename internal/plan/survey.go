package plan

import (
	"maps"
	"sync"
	"unicode/utf8"

	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// Seen is one item that a run would write.
type Seen struct {
	// ID is the item's at the source.
	ID string
	// Bytes is how large what would be sent is: 0 where the target has its body already, -1 where only reading tells.
	Bytes int64
	// Empty says that nothing is downloaded for it: it is a folder or a shortcut, or the target has its body already.
	Empty bool
	// Copies is how many further times the target would store the bytes.
	Copies int
	// Path is where a file would lie on the target; empty for what is no file.
	Path string
}

// Found is what a run would write of one kind of an account.
type Found struct {
	Collections int64 `json:"collections"`
	// Items are all, Empty those of them for which nothing is downloaded.
	Items int64 `json:"items"`
	Empty int64 `json:"empty"`
	// Bytes is what would be sent, and Needs the room that it takes on the target. Unsized items, of which only reading tells the
	// size, are in neither.
	Bytes   int64 `json:"bytes"`
	Needs   int64 `json:"needs"`
	Unsized int64 `json:"unsized"`
	// Weighs is about what the unsized items take, as the provider says of all together; 0: it does not say.
	Weighs int64 `json:"weighs,omitempty"`
	// Largest is the largest item; nil if no size is known.
	Largest *Largest `json:"largest,omitempty"`
	// Longest is the longest path of a file; nil for other kinds.
	Longest *Longest `json:"longest_path,omitempty"`
	// TooBig counts the items that are larger than the target takes.
	TooBig int64 `json:"too_big"`
}

// Largest is the largest item of a kind of an account.
type Largest struct {
	Title string `json:"title"`
	Bytes int64  `json:"bytes"`
}

// Longest is the longest path, by characters.
type Longest struct {
	Path       string `json:"path"`
	Characters int    `json:"characters"`
	// Bytes are those of the path in UTF-8.
	Bytes int `json:"bytes"`
}

// add takes in what was found in another collection.
func (f *Found) add(o Found) {
	f.Collections += o.Collections
	f.Items += o.Items
	f.Empty += o.Empty
	f.Bytes += o.Bytes
	f.Needs += o.Needs
	f.Unsized += o.Unsized
	f.Weighs += o.Weighs
	f.TooBig += o.TooBig
	if o.Largest != nil && (f.Largest == nil || o.Largest.Bytes > f.Largest.Bytes) {
		f.Largest = o.Largest
	}
	if o.Longest != nil && (f.Longest == nil || o.Longest.Characters > f.Longest.Characters) {
		f.Longest = o.Longest
	}
}

// Part is one kind of an account.
type Part struct{ Account, Kind string }

// Survey gathers what a dry run would write, and what the targets say of their room. What it holds grows with the number of accounts,
// not with that of items. It is safe for concurrent use; the zero Survey is empty.
type Survey struct {
	mu     sync.Mutex
	found  map[Part]Found
	limits map[Part]Asked
}

// Asked is what a target said when it was asked for its limits.
type Asked struct {
	preflight.Limits
	// Refused says why it could not be asked; empty if it could.
	Refused string
}

// Limit notes what the target says of a kind of an account, before it is observed.
func (s *Survey) Limit(p Part, a Asked) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limits == nil {
		s.limits = make(map[Part]Asked)
	}
	s.limits[p] = a
}

// Observe begins a collection.
func (s *Survey) Observe(p Part) *Observer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &Observer{survey: s, part: p, most: s.limits[p].Item, found: Found{Collections: 1}}
}

// Found returns what was found of a kind of an account.
func (s *Survey) Found(p Part) Found {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.found[p]
}

// Limits returns what the targets said.
func (s *Survey) Limits() map[Part]Asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.limits)
}

func (s *Survey) add(p Part, f Found) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found == nil {
		s.found = make(map[Part]Found)
	}
	sum := s.found[p]
	sum.add(f)
	s.found[p] = sum
}

// longestText bounds what is kept of a path or a title, in runes.
const longestText = 1000

// Observer watches one collection. It is safe for concurrent use; nothing is seen by a nil Observer.
type Observer struct {
	survey *Survey
	part   Part
	most   int64 // how large an item may be; 0: any size

	mu      sync.Mutex
	found   Found
	largest string // its id
}

// Saw takes note of an item.
func (o *Observer) Saw(i Seen) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	f := &o.found
	f.Items++
	if i.Empty {
		f.Empty++
	}
	if n := utf8.RuneCountInString(i.Path); n > 0 && (f.Longest == nil || n > f.Longest.Characters) {
		f.Longest = &Longest{Path: report.Clean(i.Path, longestText), Characters: n, Bytes: len(i.Path)}
	}
	if i.Bytes < 0 {
		f.Unsized++
		return
	}
	f.Bytes += i.Bytes
	f.Needs += i.Bytes * int64(1+i.Copies)
	if o.most > 0 && i.Bytes > o.most {
		f.TooBig++
	}
	if i.Bytes > 0 && (f.Largest == nil || i.Bytes > f.Largest.Bytes) {
		f.Largest = &Largest{Bytes: i.Bytes}
		o.largest = i.ID
	}
}

// End hands over what was seen of the collection, also if it was not seen to its end. title tells what a person would call an item.
func (o *Observer) End(title func(id string) string) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.found.Largest != nil {
		o.found.Largest.Title = report.Clean(title(o.largest), longestText)
	}
	o.survey.add(o.part, o.found)
	o.found, o.largest = Found{}, ""
}
