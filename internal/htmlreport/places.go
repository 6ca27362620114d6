package htmlreport

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// places says where the items of one task lie on the target. The records of a drive do not follow when a folder above
// them moves, so that the tree has the last word: its folders are held in memory, and its files pass by in the order of
// the records.
type places struct {
	kind    string
	folders map[string]checkpoint.Place
	next    func() (checkpoint.Placement, error, bool)
	stop    func()
	node    checkpoint.Placement
	more    bool
}

func newPlaces(ctx context.Context, store checkpoint.Reader, t checkpoint.Task) (*places, error) {
	p := &places{kind: t.Kind, stop: func() {}}
	if t.Kind != "files" {
		return p, nil
	}
	p.folders = make(map[string]checkpoint.Place)
	for n, err := range store.Nodes(ctx, t) {
		if err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		if n.Folder && n.Lies != nil {
			p.folders[n.ID] = checkpoint.Place{ParentID: n.Lies.ParentID, Name: n.Lies.Name}
		}
	}
	p.next, p.stop = iter.Pull2(store.Nodes(ctx, t))
	p.more = true
	return p, nil
}

func (p *places) close() { p.stop() }

// of returns where the record's item lies; empty if it lies nowhere or only its collection is known. Records come in order
// of id.
func (p *places) of(rec checkpoint.Record) (string, error) {
	switch {
	case rec.State != checkpoint.Copied && rec.State != checkpoint.CopiedWithLosses:
		return "", nil
	case p.kind == "mail":
		return mailbox(rec.Location), nil
	case p.kind != "files":
		return "", nil
	}
	for p.more && p.node.ID < rec.ID {
		var err error
		if p.node, err, p.more = p.next(); err != nil {
			return "", fmt.Errorf("read the ledger: %w", err)
		}
	}
	if p.node.ID != rec.ID || p.node.Lies == nil {
		return rec.Location, nil
	}
	return p.path(*p.node.Lies), nil
}

// maxDepth ends the way up in a tree that leads in a circle.
const maxDepth = 1000

func (p *places) path(at checkpoint.Place) string {
	parts := []string{at.Name}
	for at.ParentID != "" && len(parts) < maxDepth {
		up, ok := p.folders[at.ParentID]
		if !ok {
			break
		}
		parts = append(parts, up.Name)
		at = up
	}
	slices.Reverse(parts)
	return strings.Join(parts, "/")
}

// mailbox returns the mailbox of a place in the form of an IMAP URL's path (RFC 5092): "INBOX;UIDVALIDITY=7/;UID=42".
func mailbox(location string) string {
	box, _, ok := strings.Cut(location, ";UIDVALIDITY=")
	if !ok {
		return ""
	}
	if name, err := url.PathUnescape(box); err == nil {
		return name
	}
	return box
}
