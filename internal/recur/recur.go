// Package recur tells when an event takes place, so that what a provider describes can be compared with what lies on a target.
//
// The provider's description is expanded where it is known, with the machine's time zones; an iCalendar object by Object, with nothing but
// what stands in it. Both fill Times, whose digests are equal if all occurrences are.
package recur

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
)

// The bounds of an expansion: how many occurrences of a rule count, and how long after the first.
const (
	MaxOccurrences = 1000
	HorizonYears   = 10
)

// The kinds of times: instants, days, and wall clocks without a zone. The latter two are written as if in UTC.
const (
	Instants = "instants"
	Days     = "days"
	Floating = "floating"
)

// Times are all occurrences of an event.
type Times struct {
	kind          string
	limit         time.Time
	length        time.Duration
	by, taken     map[int64]bool
	changed       []string
	overridden    map[int64]bool
	incomplete    bool
	rulesExpanded int
}

// maxRules is how many rules of an event are expanded; it has one.
const maxRules = 8

// NewTimes returns those of an event that begins at start and takes length, and does not repeat until that is told.
func NewTimes(kind string, start time.Time, length time.Duration) *Times {
	return &Times{kind: kind, limit: start.UTC().AddDate(HorizonYears, 0, 0), length: length,
		by: map[int64]bool{start.Unix(): true}, taken: map[int64]bool{}, overridden: map[int64]bool{}}
}

// Add adds an occurrence.
func (t *Times) Add(start time.Time) { t.by[start.Unix()] = true }

// Take takes one away, whenever that is told.
func (t *Times) Take(start time.Time) { t.taken[start.Unix()] = true }

// Change puts an occurrence of its own into the place of that at original.
func (t *Times) Change(original, start time.Time, length time.Duration) {
	t.overridden[original.Unix()] = true
	t.changed = append(t.changed, fmt.Sprint(start.Unix(), " ", int64(length/time.Second)))
}

// Unknown says that something of the times cannot be told, so that there is no digest.
func (t *Times) Unknown() { t.incomplete = true }

// Series hands the occurrences of a series to each, as far as they count. They come in order.
func (t *Times) Series(starts iter.Seq[time.Time], each func(time.Time)) {
	if t.rulesExpanded++; t.rulesExpanded > maxRules {
		t.Unknown()
		return
	}
	n := 0
	for s := range starts {
		if n++; n > MaxOccurrences || !s.Before(t.limit) {
			return
		}
		each(s)
	}
}

// Digest is the same for the same occurrences; empty if something of them cannot be told.
func (t *Times) Digest() string {
	if t.incomplete {
		return ""
	}
	lines := slices.Clone(t.changed)
	for s := range t.by {
		if !t.taken[s] && !t.overridden[s] {
			lines = append(lines, fmt.Sprint(s, " ", int64(t.length/time.Second)))
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(t.kind + "\n" + strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:16])
}

// Walls yields the wall clocks of a rule from the first one on, as if in UTC and without regard to UNTIL; ok is false for a rule that cannot
// be expanded in bounded time, or not at all.
func Walls(r icalendar.Rule, first time.Time) (walls iter.Seq[time.Time], ok bool) {
	// The library panics in the year 0, which a stranger may write.
	if y := first.Year(); y <= 1 || y > 9998 || !expandable(r) {
		return nil, false
	}
	option, err := rrule.StrToROption(r.With("UNTIL", "").String())
	if err != nil {
		return nil, false
	}
	option.Dtstart = first
	rule, err := rrule.NewRRule(*option)
	if err != nil {
		return nil, false
	}
	return func(yield func(time.Time) bool) {
		var next rrule.Next
		begun := guarded(func() { next = rule.Iterator() })
		for begun {
			var w time.Time
			more := false
			if !guarded(func() { w, more = next() }) || !more || !yield(w) {
				return
			}
		}
	}, true
}

// guarded calls the library, which reads beyond its tables for some rules that are valid and make no sense, such as each 20th saturday of a
// month. It reports whether the call went well; a rule ends where it did not.
func guarded(call func()) (ok bool) {
	defer func() { ok = recover() == nil }()
	call()
	return
}

// expandable reports whether a rule can be expanded in bounded time, even if it never comes true: the library looks for an occurrence
// up to the year 9999. No event of a calendar repeats within a day.
func expandable(r icalendar.Rule) bool {
	for _, name := range []string{"BYHOUR", "BYMINUTE", "BYSECOND", "BYEASTER", "RSCALE", "SKIP"} {
		if r.Get(name) != "" {
			return false
		}
	}
	switch r.Get("FREQ") {
	case "YEARLY", "MONTHLY":
		return strings.Count(r.Get("BYSETPOS"), ",") < 31
	case "WEEKLY", "DAILY":
		return r.Get("BYMONTH")+r.Get("BYMONTHDAY")+r.Get("BYYEARDAY")+r.Get("BYSETPOS") == ""
	}
	return false
}
