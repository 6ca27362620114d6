package engine

import "codeberg.org/repatriate/repatriate/checkpoint"

// What a pass does to an item.
const (
	Added   = "new"
	Updated = "updated"
	Removed = "removed"
	Kept    = "gone at the source, kept"
	Broken  = "failed"
)

// Change is what a pass did to one item.
type Change struct {
	// What is Added, Updated, Removed from the target, Kept there although it is gone at the source, or Broken.
	What string `json:"what"`
	// Title, Link and Location are the record's.
	Title    string `json:"title"`
	Link     string `json:"link,omitempty"`
	Location string `json:"location,omitempty"`
	// Reason is why a Broken item failed, such as "source.malware".
	Reason string `json:"reason,omitempty"`
	// Again says that a Broken item failed before for the same reason: nothing changed.
	Again bool `json:"again,omitempty"`
}

// changed tells the options' Changed what was done to an item, whose record was another one before.
func (p *pass[S, T]) changed(what string, before, rec checkpoint.Record) {
	if p.o.Changed == nil {
		return
	}
	if what == Added && before.Location != "" {
		what = Updated
	}
	at := rec.Location
	if at == "" {
		at = before.Location
	}
	done := Change{What: what, Title: rec.Title, Link: rec.Link, Location: at}
	if what == Broken {
		done.Reason, done.Again = rec.Reason, rec.Reason != "" && rec.Reason == before.Reason
	}
	p.o.Changed(done)
}
