package dav

import (
	"strings"

	"codeberg.org/repatriate/repatriate/sinks"
)

// The kinds of digests: "object:" with Full, Meaning and, where it is not Full, the digest that is written into the object; "kept:" with
// the Core of an object that somebody else wrote; and "raw:" with that of bytes that are no object of the format.
const (
	digestObject = "object"
	digestKept   = "kept"
	digestRaw    = "raw"
)

// stamp returns the value of DigestProperty for an object whose Full it is given. What another client wrote has another salt, even if it
// is the same object: where ETags are digests of the content, as in Radicale, one that was removed and written again would have
// its old ETag, and what an earlier process still has under way at the server would be done to it.
func (c *Client) stamp(full string) string { return full + "." + c.salt }

// WrittenDigest returns Object.Written from the value of DigestProperty.
func WrittenDigest(value string) string {
	full, _, _ := strings.Cut(strings.TrimSpace(value), ".")
	return full
}

// timesMark stands before the times in a digest; the other parts are hexadecimal.
const timesMark = "times-"

// WithTimes returns the digest of an object with one of when it takes place, or is to; neither need be known.
func WithTimes(digest, times string) string {
	if times == "" || !strings.HasPrefix(digest, digestObject+":") {
		return digest
	}
	return digest + ":" + timesMark + times
}

// digest returns sinks.Written.Digest of an object that lies on the target as o says.
func (o Object) digest() string {
	parts := []string{digestObject, o.Full, o.Meaning}
	if o.Written != o.Full {
		parts = append(parts, o.Written)
	}
	return strings.Join(parts, ":")
}

// keptDigest is sinks.Written.Digest of somebody else's object that stands for an item.
func (o Object) keptDigest() string { return digestKept + ":" + o.Core }

// known is what a digest tells.
type known struct{ kind, full, meaning, stamp, core, times string }

func readDigest(digest string) known {
	kind, rest, _ := strings.Cut(digest, ":")
	switch kind {
	case digestObject:
		rest, times, _ := strings.Cut(rest, ":"+timesMark)
		parts := strings.Split(rest, ":")
		k := known{kind: kind, full: parts[0], stamp: parts[0], times: times}
		if len(parts) > 1 {
			k.meaning = parts[1]
		}
		if len(parts) > 2 {
			k.stamp = parts[2]
		}
		return k
	case digestKept:
		return known{kind: kind, core: rest}
	}
	return known{kind: kind}
}

// Expect implements sinks.Inspector. The twin of an object is the digest that stands in it: a copy has the same, wherever it lies and
// whatever UID it has.
func Expect(p sinks.Proof) sinks.Expectation {
	if foreign(p.Receipt) {
		return sinks.Expectation{Foreign: true}
	}
	return sinks.Expectation{Twin: readDigest(p.Digest).stamp}
}

// Compare implements sinks.Inspector. What servers rewrite does not count, unless the object takes place at other times for it than its source
// says.
func Compare(o sinks.Object, p sinks.Proof) sinks.Verdict {
	sameVersion := o.Version != "" && o.Version == p.Receipt.Version
	found, want := readDigest(o.Digest), readDigest(p.Digest)
	if p.Receipt.State == Kept {
		return compareKept(o, want, sameVersion || p.Receipt.Version == "" && want.core == "")
	}
	switch {
	case found.kind == "" && sameVersion:
		return sinks.Alike
	case found.kind == "":
		return sinks.Touched
	case want.kind == "" && found.kind == digestObject && found.stamp == found.full:
		return sinks.Same // as this program wrote it, by its own digest
	case want.kind == "" && sameVersion:
		return sinks.Alike
	case found.full != "" && found.full == want.full, found.meaning != "" && found.meaning == want.meaning:
		return want.compareTimes(found, sameVersion)
	case sameVersion:
		return sinks.Differs
	}
	return sinks.Touched
}

// compareTimes judges an object that means what was written. Who changed nothing but the description of a time zone is a user's program, or
// the server when it stored the object.
func (want known) compareTimes(found known, sameVersion bool) sinks.Verdict {
	switch {
	case want.times == "" || found.times == "" || want.times == found.times:
		return sinks.Same
	case sameVersion:
		return sinks.Mistimed
	}
	return sinks.Touched
}

// compareKept judges an object of which nobody but its owner says what it is to be.
func compareKept(o sinks.Object, want known, unchanged bool) sinks.Verdict {
	if unchanged || want.core != "" && want.core == o.State {
		return sinks.Same
	}
	return sinks.Touched
}
