package readback

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/sinks"
)

// hashOf is what is kept of a text: of a million items, some megabytes.
func hashOf(s string) uint64 {
	sum := sha256.Sum256([]byte(s))
	return binary.BigEndian.Uint64(sum[:])
}

// set is a sorted list of hashes.
type set []uint64

func (s set) has(h uint64) bool {
	_, ok := slices.BinarySearch(s, h)
	return ok
}

// known is what the ledger says of a task's items.
type known struct {
	twins, digests, also set
	// ids has the items that are expected, and seen those of them that were found, by their place in ids; alsoSeen the same of also.
	ids      set
	seen     []bool
	alsoSeen []bool
}

// learn reads the ledger once.
func (v *verifier) learn(ctx context.Context) error {
	k := &v.known
	for rec, err := range v.store.Records(ctx, v.task) {
		if err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		if rec.Location == "" {
			continue
		}
		e := v.target.Expect(proof(rec, rec.Location))
		if e.Twin != "" {
			k.twins = append(k.twins, hashOf(e.Twin))
		}
		if rec.Digest != "" {
			k.digests = append(k.digests, hashOf(rec.Digest))
		}
		for _, at := range e.Also {
			k.also = append(k.also, hashOf(at))
		}
		if rec.State != checkpoint.Removed {
			k.ids = append(k.ids, hashOf(rec.ID))
		}
	}
	for _, s := range []*set{&k.twins, &k.digests, &k.also, &k.ids} {
		slices.Sort(*s)
		*s = slices.Compact(*s)
	}
	k.seen, k.alsoSeen = make([]bool, len(k.ids)), make([]bool, len(k.also))
	v.o.Counters.Listed.Add(int64(len(k.ids)))
	return nil
}

// found notes that an item was seen.
func (k *known) found(id string) {
	if i, ok := slices.BinarySearch(k.ids, hashOf(id)); ok {
		k.seen[i] = true
	}
}

// pending reports whether an item is expected and was not seen yet.
func (k *known) pending(id string) bool {
	i, ok := slices.BinarySearch(k.ids, hashOf(id))
	return ok && !k.seen[i]
}

// foundAlso reports whether a location is that of a further copy, and notes that it was seen.
func (k *known) foundAlso(location string) bool {
	i, ok := slices.BinarySearch(k.also, hashOf(location))
	if ok {
		k.alsoSeen[i] = true
	}
	return ok
}

// sawAlso reports whether a further copy was seen.
func (k *known) sawAlso(location string) bool {
	i, ok := slices.BinarySearch(k.also, hashOf(location))
	return ok && k.alsoSeen[i]
}

// identity is the same for an item and for each copy of it: the digest of its bytes, or what its object was stamped with.
func identity(digest, twin string) (uint64, bool) {
	switch {
	case ofBytes(digest):
		return hashOf(digest), true
	case twin != "" && digest != "":
		return hashOf(twin), true
	}
	return 0, false
}

// mayBeCopy reports whether an object beside those of the ledger may be a copy of one.
func (k *known) mayBeCopy(o sinks.Object) bool {
	return o.Twin != "" && k.twins.has(hashOf(o.Twin)) || o.Digest != "" && k.digests.has(hashOf(o.Digest))
}

// isCopy reports whether it is one, once its digest is known.
func (k *known) isCopy(o sinks.Object) bool {
	if ofBytes(o.Digest) {
		return k.digests.has(hashOf(o.Digest))
	}
	return k.mayBeCopy(o)
}
