// Package caldav writes events into a CalDAV server (RFC 4791): each event with all its recurrences as one calendar
// object resource, in one request where the server answers it with an ETag.
//
// Every write is conditional and may be repeated. An object carries a digest of what was written (the property
// X-REPATRIATE-DIGEST), so that an object which nobody changed since is told from one that its user edited, whatever
// happened to ETags and to this program's own state.
//
// No write lets a server mail anybody: besides the SCHEDULE-AGENT parameters in the object, each request says
// "X-NC-Scheduling: false" (Nextcloud) and "Schedule-Reply: F" (RFC 6638 §8.1; sabre takes it for every write). Canary
// proves it.
package caldav

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/meter"
	"codeberg.org/repatriate/repatriate/sinks"
)

// Options say into which account and calendar events go.
type Options struct {
	// URL is the user's calendar home (RFC 4791 §6.2.1), such as https://cloud.example.org/remote.php/dav/calendars/anna/.
	URL string
	// User and Password log in (HTTP Basic).
	User, Password string
	// AuthorizeAs is the user to act for where User is an administrator of a Cyrus Murder; may be empty. A single Cyrus 3.6
	// refuses the header.
	AuthorizeAs string
	// RoundTripper carries the requests; nil: one of the sink's own, which Close ends.
	RoundTripper http.RoundTripper
	// Meter counts the requests; may be nil.
	Meter *meter.Meter
	// Collection is the calendar. One that is not there is made.
	Collection sinks.Collection
}

// Sink writes into one calendar. It implements sinks.Sink[sinks.Event].
type Sink struct {
	client   *client
	calendar string // the calendar's path, with a trailing slash
}

var _ sinks.Sink[sinks.Event] = (*Sink)(nil)

// Open finds the calendar in the user's home, or makes it.
func Open(ctx context.Context, o Options) (*Sink, error) {
	c, err := newClient(o)
	if err != nil {
		return nil, err
	}
	calendar, err := c.provide(ctx, o.Collection)
	if err != nil {
		c.close()
		return nil, err
	}
	return &Sink{client: c, calendar: calendar}, nil
}

// Calendar returns the path of the calendar on the server.
func (s *Sink) Calendar() string { return s.calendar }

// Close ends the connections that the sink opened by itself.
func (s *Sink) Close() error {
	s.client.close()
	return nil
}

// The losses that only the writing shows.
const (
	LossKept      = "event.kept"      // the target had the event already; that one stays as it is and stands for the item
	LossRewritten = "event.rewritten" // the server stored another object than it was given
)

// kept is the Receipt.State of an object of the same event that lay on the target before and is not ours to change.
const kept = "kept"

// write is one Put on its way.
type write struct {
	item sinks.Item[sinks.Event]
	prev sinks.Receipt
	data []byte // with the digest
	want object
}

// Put implements sinks.Sink.
func (s *Sink) Put(ctx context.Context, item sinks.Item[sinks.Event], prev sinks.Receipt) (sinks.Written, error) {
	w := write{item: item, prev: prev}
	var err error
	if w.want, err = readObject(item.Content.Data); err != nil {
		return sinks.Written{}, fault.New(fault.FailItem, fault.MappingInvalid, "put event: %w", err)
	}
	w.data = stamp(item.Content.Data, w.want.full)
	switch {
	case !prev.IsZero() && prev.BodyVersion == w.bodyVersion():
		return sinks.Written{Receipt: prev, Unchanged: true, Losses: keptLosses(prev)}, nil
	case prev.State == kept:
		return s.putKept(ctx, w)
	case prev.IsZero():
		return s.put(ctx, w, s.calendar+objectName(item.ID), http.Header{"If-None-Match": {"*"}})
	case prev.Version == "":
		return s.occupied(ctx, w, prev.Location)
	}
	return s.put(ctx, w, prev.Location, http.Header{"If-Match": {prev.Version}})
}

// bodyVersion tells whether an item is the one that was written.
func (w write) bodyVersion() string {
	sum := sha256.Sum256(w.item.Content.Data)
	return hex.EncodeToString(sum[:16])
}

// put writes to href under a condition and sees to it when that does not hold.
func (s *Sink) put(ctx context.Context, w write, href string, condition http.Header) (sinks.Written, error) {
	answer, err := s.send(ctx, w, href, condition)
	if err != nil {
		return sinks.Written{}, err
	}
	switch {
	case answer.ok():
		return s.written(ctx, w, href, answer)
	case answer.uidConflict():
		return s.twin(ctx, w, answer)
	case answer.status == http.StatusPreconditionFailed:
		return s.occupied(ctx, w, href)
	}
	return sinks.Written{}, s.client.putFault(answer)
}

func (s *Sink) send(ctx context.Context, w write, href string, condition http.Header) (*answer, error) {
	h := http.Header{"Content-Type": {"text/calendar; charset=utf-8"}}
	if w.want.people {
		// Cyrus gives no ETag for an object with guests, unless it is to return the object itself (RFC 8144 §3.2).
		h.Set("Prefer", "return=representation")
		h.Set("Accept-Encoding", "identity") // compressing it takes longer than sending it
	}
	for name, values := range condition {
		h[name] = values
	}
	return s.client.do(ctx, http.MethodPut, href, h, w.data)
}

// written makes the receipt of an object that the server took. Without an ETag in the answer the server may have
// stored something else than it was given (RFC 4791 §5.3.4): it is read back.
func (s *Sink) written(ctx context.Context, w write, href string, a *answer) (sinks.Written, error) {
	out := sinks.Written{Receipt: sinks.Receipt{Location: href, Version: a.etag(), BodyVersion: w.bodyVersion()}}
	current, err := readObject(a.body)
	switch {
	case out.Receipt.Version != "" && err != nil: // the usual answer has no body
		return out, nil
	case out.Receipt.Version == "":
		current, out.Receipt.Version, err = s.get(ctx, href)
		if err != nil {
			return sinks.Written{}, err
		}
	}
	if current.full != w.want.full {
		out.Losses = append(out.Losses, sinks.Loss{Reason: LossRewritten, Detail: "the server stored another object than it was given"})
	}
	return out, nil
}

// Remove implements sinks.Sink.
func (s *Sink) Remove(ctx context.Context, prev sinks.Receipt) error {
	if prev.IsZero() {
		return nil
	}
	if prev.State == kept {
		return conflict("remove event: the object on the target was there before and is not removed")
	}
	if prev.Version == "" {
		return s.removeUntouched(ctx, prev.Location)
	}
	answer, err := s.client.do(ctx, http.MethodDelete, prev.Location, http.Header{"If-Match": {prev.Version}}, nil)
	switch {
	case err != nil:
		return err
	case answer.ok(), answer.gone():
		return nil
	case answer.status == http.StatusPreconditionFailed:
		return s.removeUntouched(ctx, prev.Location)
	}
	return s.client.fault(answer)
}

// removeUntouched removes an object whose ETag is another one than when it was written, if its content is not.
func (s *Sink) removeUntouched(ctx context.Context, href string) error {
	current, etag, err := s.get(ctx, href)
	switch {
	case isGone(err):
		return nil
	case err != nil:
		return err
	case !current.untouched() || etag == "":
		return conflict("remove event: it was changed on the target since it was written")
	}
	answer, err := s.client.do(ctx, http.MethodDelete, href, http.Header{"If-Match": {etag}}, nil)
	switch {
	case err != nil:
		return err
	case answer.ok(), answer.gone():
		return nil
	case answer.status == http.StatusPreconditionFailed:
		return conflict("remove event: it is being changed on the target")
	}
	return s.client.fault(answer)
}

func conflict(format string, args ...any) error {
	return fault.New(fault.FailItem, fault.TargetConflict, format, args...)
}

// objectName returns the last segment of a new object's path: the item's id where that is a plain name on every server,
// otherwise a digest of it.
func objectName(id string) string {
	if len(id) > 0 && len(id) <= 100 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789_-") == "" {
		return id + ".ics"
	}
	sum := sha256.Sum256([]byte(id))
	return "x-" + hex.EncodeToString(sum[:16]) + ".ics"
}
