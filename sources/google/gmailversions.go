package google

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"sync"

	"google.golang.org/api/gmail/v1"
)

// A version is the combination of a message's labels, which are all that changes of it: 48 bits made of their ids and names.

// mark is what a label adds to a version.
func (t labelTable) mark(id string) uint64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q%q", id, t[id].Path))
	return binary.BigEndian.Uint64(sum[:]) >> 16
}

// version returns the version of a message that has the labels.
func (t labelTable) version(ids []string) string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	var v uint64
	for _, id := range slices.Compact(ids) {
		v ^= t.mark(id)
	}
	return versionText(v)
}

func versionText(v uint64) string { return fmt.Sprintf("%012x", v) }

// maxGathered bounds how many messages a gathering takes, some 25 bytes for each. No mailbox is known to hold as many; beyond it, the
// listing goes on without versions.
const maxGathered = 4 << 20

// gathering collects the versions of all messages label by label, 500 messages with each request, where asking for each message would cost a
// request and four times the units of a whole page. An error leaves it where it is, to go on from there. Its zero value is ready.
type gathering struct {
	mu    sync.Mutex
	table labelTable // nil before the begin
	left  []string   // the labels that are still to be gone through, the current one first
	page  string
	seed  maphash.Seed
	// versions are kept by the hash of an id, with the number of labels that were left when one was added in the last 16 bits, so that a
	// message that is listed twice under one label has it once.
	versions map[uint64]uint64
}

// gather gathers what is missing.
func (g *gathering) gather(ctx context.Context, s *mailSource) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.table == nil {
		table, err := s.labels.current(ctx, s)
		if err != nil {
			return err
		}
		g.begin(table)
	}
	for len(g.left) > 0 {
		found, err := s.underLabel(ctx, g.page, mailPage, g.left[0])
		if err != nil {
			return err
		}
		g.add(found)
	}
	return nil
}

func (g *gathering) begin(table labelTable) {
	g.table, g.left = table, slices.Sorted(maps.Keys(table))
	g.left = slices.DeleteFunc(g.left, func(id string) bool { return id == "CHAT" })
	g.page, g.seed, g.versions = "", maphash.MakeSeed(), map[uint64]uint64{}
}

// add takes a page of the current label.
func (g *gathering) add(found *gmail.ListMessagesResponse) {
	const ordinal = 1<<16 - 1
	n, mark := uint64(len(g.left))&ordinal, g.table.mark(g.left[0])<<16
	for _, m := range found.Messages {
		key := maphash.String(g.seed, m.Id)
		if v, ok := g.versions[key]; !ok || v&ordinal != n {
			g.versions[key] = (v^mark)&^ordinal | n
		}
	}
	if g.page = found.NextPageToken; g.page == "" {
		g.left = g.left[1:]
	}
	if len(g.versions) > maxGathered {
		g.left, g.versions = nil, nil
	}
}

// version returns the version of a message after gather; empty if there were too many.
func (g *gathering) version(id string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.versions == nil {
		return ""
	}
	return versionText(g.versions[maphash.String(g.seed, id)] >> 16)
}

// end forgets everything.
func (g *gathering) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.table, g.left, g.versions = nil, nil, nil
}
