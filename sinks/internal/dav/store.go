// Package dav is what CalDAV (RFC 4791) and CardDAV (RFC 6352) have in common: collections of objects that have a UID, each written
// by one conditional request.
//
// Every write may be repeated. An object carries a digest of what was written, so that an object which nobody changed since is told
// from one that its user edited, whatever happened to ETags and to this program's own state.
package dav

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// Format is what one kind of objects is like.
type Format struct {
	// Noun names an object, as in "event".
	Noun string
	// Kept and Rewritten are the reasons of the losses that only the writing shows: the target had the object already, and the server
	// stored another one than it was given.
	Kept, Rewritten string
	// Renamed and Aside are the reasons of the losses where the user of the target has the item's place: the item has another UID, or what
	// the user has there has one.
	Renamed, Aside string
	// Joined is the reason of the loss where names of categories have another letter in the place of a comma.
	Joined string
	// MediaType is the Content-Type of an object, and Extension what the names of new ones end with.
	MediaType, Extension string
	// Read learns what is compared of an object.
	Read func(data []byte) (Object, error)
	// Times returns a digest of when an object takes place, by nothing but what stands in it; empty if that cannot be told. nil for objects
	// that take no time. WithTimes adds the one to what was written that it is to be.
	Times func(data []byte) string
	// Stamp returns data with the digest in it.
	Stamp func(data []byte, digest string) []byte
	// Copy returns an object as another one: with another UID, nothing of this program's own, and nothing by which a server would tell
	// people of it.
	Copy func(data []byte, uid string) ([]byte, error)
	// Join returns an object whose names of categories have no commas.
	Join func(data []byte) ([]byte, error)
	// Multiget returns the body of a REPORT for the elements href that it is given, and Query of one for a UID, which servers may take
	// for a part of one.
	Multiget, Query func(part string) string
	// Data returns the object of a response to these.
	Data func(p Prop) string
}

// Object is what is compared of an object.
type Object struct {
	UID string
	// Echo asks the server to return what it stored: Cyrus gives no ETag for an event with guests otherwise.
	Echo bool
	// Full is a digest of all that a user can change, without what servers rewrite. Core is one of what makes a person take two objects
	// for the same.
	Full, Core string
	// Meaning is a digest of what the object says to its user, which survives all that servers rewrite, in order and in notation. What
	// Full tells apart may mean the same.
	Meaning string
	// Names is CategoryNames, which Full does not tell apart.
	Names string
	// Title is what the user calls it.
	Title string
	// Written is Full as it was when this program wrote the object; empty if it did not.
	Written string
	// Scheduled says that the server may tell others when the object changes.
	Scheduled bool
}

// Untouched reports whether the object is as this program wrote it.
func (o Object) Untouched() bool { return o.Written != "" && o.Written == o.Full }

// Store writes into one collection.
type Store struct {
	Client *Client
	Format Format
	// Path is the collection's, with a trailing slash.
	Path string
}

// Item is one object to be written.
type Item struct {
	// ID is the item's at the source, and Again says that an earlier Put may have reached the target without an answer.
	ID    string
	Again bool
	Data  []byte
	// Version tells whether an item is the one that was written; empty: a digest of Data.
	Version string
	// Losses are those that making Data showed.
	Losses []sinks.Loss
}

// Kept is the Receipt.State of an object that lay on the target before and is not ours to change.
const Kept = "kept"

// Found is the Receipt.State of an object that lay on the target with the item's content and without this program's digest: somebody else
// wrote it, and Remove leaves it. A later version of the item is written over it, which ends that.
const Found = "found"

// foreign reports whether the object of a receipt was not written by this program.
func foreign(r sinks.Receipt) bool { return r.State == Kept || r.State == Found }

// write is one Put on its way.
type write struct {
	item Item
	prev sinks.Receipt
	data []byte // with the digest
	want Object
	// joined says that names of categories are other ones than the item's.
	joined bool
}

// stamped is what lies on the target if the server stores what it was given.
func (w write) stamped() Object {
	o := w.want
	o.Written = o.Full
	return o
}

// Put writes an object under the conditions of sinks.Sink.
func (s *Store) Put(ctx context.Context, item Item, prev sinks.Receipt) (sinks.Written, error) {
	w := write{item: item, prev: prev}
	if w.item.Version == "" {
		w.item.Version = DigestOf(item.Data)
	}
	if s.Current(w.item.Version, prev) {
		return s.Standing(prev), nil
	}
	if err := s.prepare(&w); err != nil {
		return sinks.Written{}, fault.New(fault.FailItem, fault.MappingInvalid, "put %s: %w", s.Format.Noun, err)
	}
	out, err := s.putWrite(ctx, w)
	if err != nil {
		return out, err
	}
	out.Losses = append(out.Losses, item.Losses...)
	out.Receipt.BodyVersion = noted(out.Receipt.BodyVersion, out.Losses)
	if _, other := otherUID(prev); other && out.Receipt.State == "" {
		out.Receipt.State = prev.State
	}
	out.Losses = append(out.Losses, s.standingLosses(out.Receipt)...)
	return out, nil
}

// lossMark stands in Receipt.BodyVersion before the reason of each loss that only the writing showed: an object that is not written again has
// lost no less.
const lossMark = "+"

func noted(version string, losses []sinks.Loss) string {
	for _, l := range losses {
		version += lossMark + l.Reason
	}
	return version
}

// prepare makes what is sent.
func (s *Store) prepare(w *write) (err error) {
	data := w.item.Data
	if uid, other := otherUID(w.prev); other {
		if data, err = s.Format.Copy(data, uid); err != nil {
			return err
		}
	}
	if w.want, err = s.Format.Read(data); err != nil {
		return err
	}
	if w.want.Names != "" && s.Client.partsNames.Load() {
		w.joined = true
		if data, err = s.Format.Join(data); err != nil {
			return err
		}
		if w.want, err = s.Format.Read(data); err != nil {
			return err
		}
	}
	w.data = s.Format.Stamp(data, s.Client.stamp(w.want.Full))
	return nil
}

func (s *Store) putWrite(ctx context.Context, w write) (sinks.Written, error) {
	switch prev := w.prev; {
	case prev.State == Kept:
		return s.putKept(ctx, w)
	case prev.IsZero():
		return s.put(ctx, w, s.Path+s.Format.ObjectName(w.item.ID), http.Header{"If-None-Match": {"*"}})
	case isPlanned(prev):
		return s.put(ctx, w, prev.Location, http.Header{"If-None-Match": {"*"}})
	case prev.Version == "":
		return s.occupied(ctx, w, prev.Location)
	default:
		return s.put(ctx, w, prev.Location, http.Header{"If-Match": {prev.Version}})
	}
}

// Standing is the outcome of a Put of what stands on the target already.
func (s *Store) Standing(prev sinks.Receipt) sinks.Written {
	out := sinks.Written{Receipt: prev, Unchanged: true}
	for i, reason := range strings.Split(prev.BodyVersion, lossMark) {
		if i > 0 {
			out.Losses = append(out.Losses, sinks.Loss{Reason: reason})
		}
	}
	out.Losses = append(out.Losses, s.standingLosses(prev)...)
	return out
}

// Current reports whether the version is the one that was written.
func (s *Store) Current(version string, prev sinks.Receipt) bool {
	written, _, _ := strings.Cut(prev.BodyVersion, lossMark)
	return !prev.IsZero() && written == version
}

// DigestProperty holds the digest of an object as this program wrote it.
const DigestProperty = "X-REPATRIATE-DIGEST"

// Digest is one of lines in whatever order they came.
func Digest(lines []string) string {
	slices.Sort(lines)
	return DigestOf([]byte(strings.Join(lines, "\x00")))
}

// DigestOf is the version of an object that has no other.
func DigestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

// put writes to href under a condition and sees to it when that does not hold.
func (s *Store) put(ctx context.Context, w write, href string, condition http.Header) (sinks.Written, error) {
	answer, err := s.send(ctx, w, href, condition)
	if err != nil {
		return sinks.Written{}, err
	}
	switch {
	case answer.OK():
		return s.written(ctx, w, href, answer)
	case answer.uidConflict():
		return s.twin(ctx, w, answer)
	case answer.Status == http.StatusPreconditionFailed:
		return s.occupied(ctx, w, href)
	}
	return sinks.Written{}, s.Client.putFault(answer)
}

func (s *Store) send(ctx context.Context, w write, href string, condition http.Header) (*Answer, error) {
	h := http.Header{"Content-Type": {s.Format.MediaType}}
	if w.want.Echo {
		h.Set("Prefer", "return=representation") // RFC 8144 §3.2
		h.Set("Accept-Encoding", "identity")     // compressing it takes longer than sending it
	}
	for name, values := range condition {
		h[name] = values
	}
	return s.Client.Do(ctx, http.MethodPut, href, h, w.data)
}

// written makes the receipt of an object that the server took. Without an ETag in the answer the server may have
// stored something else than it was given (RFC 4791 §5.3.4, RFC 6352 §6.3.2.3): it is read back.
func (s *Store) written(ctx context.Context, w write, href string, a *Answer) (sinks.Written, error) {
	out := sinks.Written{Receipt: sinks.Receipt{Location: href, Version: a.etag(), BodyVersion: w.item.Version}}
	current, err := s.Format.Read(a.Body)
	switch {
	case out.Receipt.Version != "" && err != nil && !s.unproven(w): // the usual answer has no body
		out.Digest, out.Losses = w.stamped().digest(), s.nameLosses(w, w.want)
		return out, nil
	case out.Receipt.Version == "", s.unproven(w):
		current, out.Receipt.Version, err = s.get(ctx, href)
		if err != nil {
			return sinks.Written{}, err
		}
	}
	if w.want.Names != "" && current.Full != "" {
		if current.Names != w.want.Names && out.Receipt.Version != "" {
			return s.parted(ctx, w, href, out.Receipt.Version)
		}
		s.Client.keepsNames.Store(current.Names == w.want.Names)
	}
	out.Digest, out.Losses = current.digest(), s.nameLosses(w, current)
	if current.Full == "" { // what it stored cannot be read
		out.Digest = w.stamped().digest()
	}
	if current.Full != w.want.Full {
		out.Losses = append(out.Losses, sinks.Loss{Reason: s.Format.Rewritten, Detail: "the server stored another object than it was given"})
	}
	return out, nil
}

// Remove takes an object away under the conditions of sinks.Sink.
func (s *Store) Remove(ctx context.Context, prev sinks.Receipt) error {
	if prev.IsZero() {
		return nil
	}
	if foreign(prev) {
		return s.conflict("remove", "the object on the target was there before and is not removed")
	}
	if prev.Version == "" {
		return s.removeUntouched(ctx, prev.Location)
	}
	answer, err := s.Client.Do(ctx, http.MethodDelete, prev.Location, http.Header{"If-Match": {prev.Version}}, nil)
	switch {
	case err != nil:
		return err
	case answer.OK(), answer.Gone():
		return nil
	case answer.Status == http.StatusPreconditionFailed:
		return s.removeUntouched(ctx, prev.Location)
	}
	return s.Client.Fault(answer)
}

// removeUntouched removes an object whose ETag is another one than when it was written, if its content is not.
func (s *Store) removeUntouched(ctx context.Context, href string) error {
	current, etag, err := s.get(ctx, href)
	switch {
	case isGone(err):
		return nil
	case err != nil:
		return err
	case !current.Untouched() || etag == "":
		return s.conflict("remove", "it was changed on the target since it was written")
	}
	answer, err := s.Client.Do(ctx, http.MethodDelete, href, http.Header{"If-Match": {etag}}, nil)
	switch {
	case err != nil:
		return err
	case answer.OK(), answer.Gone():
		return nil
	case answer.Status == http.StatusPreconditionFailed:
		return s.conflict("remove", "it is being changed on the target")
	}
	return s.Client.Fault(answer)
}

// conflict is the fault of an act that would undo what somebody else did.
func (s *Store) conflict(act, why string) error {
	return fault.New(fault.FailItem, fault.TargetConflict, "%s %s: %s", act, s.Format.Noun, why)
}

// collectionPrefix begins the names of all collections that this program makes.
const collectionPrefix = "repatriate-"

// CollectionName returns the last segment of the path of a collection that this program makes: the same in every pass.
func CollectionName(id string) string {
	sum := sha256.Sum256([]byte(id))
	return collectionPrefix + hex.EncodeToString(sum[:8])
}

// ObjectName returns the last segment of a new object's path: the item's id where that is a plain name on every server,
// otherwise a digest of it.
func (f Format) ObjectName(id string) string {
	if len(id) > 0 && len(id) <= 100 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789_-") == "" {
		return id + f.Extension
	}
	sum := sha256.Sum256([]byte(id))
	return "x-" + hex.EncodeToString(sum[:16]) + f.Extension
}
