package report

import (
	"fmt"
	"strings"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/sources"
)

// Weighed is how many bytes a collection takes at the provider, beside those that came over.
type Weighed struct {
	By    string `json:"by"`
	Bytes int64  `json:"bytes"`
	// Copied are the bytes on the target.
	Copied int64 `json:"copied"`
}

// Weigh puts what the providers say beside what came over.
func (r *Report) Weigh(weights map[checkpoint.Task]sources.Weight) {
	for i := range r.Tasks {
		t := &r.Tasks[i]
		if w, ok := weights[checkpoint.Task{Account: t.Account, Kind: t.Kind, Collection: t.Collection}]; ok {
			t.Weighed = &Weighed{By: w.By, Bytes: w.Bytes, Copied: t.Bytes}
		}
	}
}

// Below both of these, a difference is not worth a word: versions of a document, and its size as exported, make one nearly always.
const (
	worthBytes = 10_000_000
	worthShare = 0.1
)

// lacks reports whether so much less came over than the provider counts that somebody should know why.
func (w *Weighed) lacks() bool {
	missing := w.Bytes - w.Copied
	return missing >= worthBytes && float64(missing) >= worthShare*float64(w.Bytes)
}

// writeWeighed names the drives that are much larger at the provider than what came over. Those with items still to come are not among
// them.
func (r *Report) writeWeighed(b *strings.Builder) {
	r.nameSome(b, func(t Task) string {
		if r.Simulated || t.Kind != "files" || t.Weighed == nil || !t.Weighed.lacks() || t.Pending > 0 || t.Error != "" {
			return ""
		}
		return t.Weighed.text(t.Counts)
	}, "Providers also count older versions of files, which are not moved, and documents of their own by another size.")
}

func (w *Weighed) text(c Counts) string {
	text := fmt.Sprintf("%s counts %s, and %s came over", w.By, Size(w.Bytes), Size(w.Copied))
	var left []string
	if c.Skipped > 0 {
		left = append(left, fmt.Sprintf("%d skipped", c.Skipped))
	}
	if c.Failed > 0 {
		left = append(left, fmt.Sprintf("%d failed", c.Failed))
	}
	if len(left) > 0 {
		return text + "; of the items, " + strings.Join(left, " and ") + "."
	}
	return text + ", although no item was skipped and none failed."
}
