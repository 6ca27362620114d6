package dav

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// errGone says that nothing lies at an href.
var errGone = errors.New("nothing lies there")

func isGone(err error) bool { return errors.Is(err, errGone) }

// occupied decides when the condition of a write does not hold because of what lies at href: the item itself is adopted,
// an object as this program wrote it is replaced, and everything else belongs to the user.
func (s *Store) occupied(ctx context.Context, w write, href string) (sinks.Written, error) {
	current, etag, err := s.get(ctx, href)
	switch {
	case isGone(err) && !w.prev.IsZero():
		return sinks.Written{}, s.conflict("put", "it was removed on the target since it was written")
	case isGone(err):
		return sinks.Written{}, fault.New(fault.Retry, fault.TargetUnavailable, "put %s: what lay there went away meanwhile", s.Format.Noun)
	case err != nil:
		return sinks.Written{}, err
	case w.same(current) && w.want.Names == current.Names:
		return s.adopted(w, current, href, etag), nil
	case current.Untouched() && etag != "":
		return s.replace(ctx, w, href, etag)
	case w.same(current):
		return s.adopted(w, current, href, etag), nil
	case w.prev.IsZero():
		return sinks.Written{}, s.conflict("put", "another object lies in its place")
	}
	return sinks.Written{}, s.conflict("put", "it was changed on the target since it was written")
}

// replace writes over an object that nobody changed.
func (s *Store) replace(ctx context.Context, w write, href, etag string) (sinks.Written, error) {
	answer, err := s.send(ctx, w, href, http.Header{"If-Match": {etag}})
	switch {
	case err != nil:
		return sinks.Written{}, err
	case answer.OK():
		return s.written(ctx, w, href, answer)
	case answer.uidConflict():
		return sinks.Written{}, s.uidConflict("the object in its place has another UID, and the server keeps that")
	case answer.Status == http.StatusPreconditionFailed:
		return sinks.Written{}, s.conflict("put", "it is being changed on the target")
	}
	return sinks.Written{}, s.Client.putFault(answer)
}

// same reports whether an object on the target has the content.
func (w write) same(current Object) bool { return current.Full == w.want.Full && w.want.Full != "" }

// adopted is the outcome of a write of what lies there already. Without a digest in it somebody else wrote it, or the server drops what it
// does not know: then nobody can tell, and it stays.
func (s *Store) adopted(w write, current Object, href, etag string) sinks.Written {
	r := sinks.Receipt{Location: href, Version: etag, BodyVersion: w.item.Version}
	if w.prev.State == Found || w.prev.IsZero() && current.Written == "" {
		r.State = Found
	}
	return sinks.Written{Receipt: r, Unchanged: true, Digest: current.digest(), Losses: s.nameLosses(w, current)}
}

// twin decides when the server refuses a second object of the same UID, for instance of an event that an invitation or an
// import brought before:
//
//   - The same content in our calendar is adopted; see adopted.
//   - Our own object that nobody touched is replaced, if an earlier Put of this item may have written it.
//   - An object with the same times and the same title stays as it is, wherever it lies, and stands for the item: the
//     user sees the event, once. Such a receipt is never written over nor removed.
//   - Everything else is a conflict.
func (s *Store) twin(ctx context.Context, w write, a *Answer) (sinks.Written, error) {
	href, err := s.twinHref(ctx, w, a)
	if err != nil {
		return sinks.Written{}, err
	}
	current, etag, err := s.get(ctx, href)
	own := strings.HasPrefix(href, s.Path)
	switch {
	case isGone(err):
		return sinks.Written{}, s.uidConflict("the server names an object that is not there; it may lie in a trash bin")
	case err != nil:
		return sinks.Written{}, err
	case current.UID != w.want.UID:
		return sinks.Written{}, s.uidConflict("the server names an object of another UID")
	case own && w.item.Again && current.Untouched() && etag != "" && (!w.same(current) || w.want.Names != current.Names):
		return s.replace(ctx, w, href, etag)
	case own && w.same(current):
		return s.adopted(w, current, href, etag), nil
	case current.Core == w.want.Core:
		return s.keep(w, current, href, etag), nil
	}
	return sinks.Written{}, &sinks.TakenError{Location: href, Err: s.uidConflict(fmt.Sprintf("it differs from what lies at %s", href))}
}

func (s *Store) uidConflict(why string) error {
	return fault.New(fault.FailItem, fault.TargetUIDConflict, "put %s: the target holds an object of the same UID: %s", s.Format.Noun, why)
}

// keep lets an object that lay on the target stand for the item.
func (s *Store) keep(w write, current Object, href, etag string) sinks.Written {
	r := sinks.Receipt{Location: href, Version: etag, BodyVersion: w.item.Version, State: Kept}
	return sinks.Written{Receipt: r, Unchanged: true, Digest: current.keptDigest()}
}

// standingLosses are the losses of an item for as long as it stands on the target by this receipt.
func (s *Store) standingLosses(r sinks.Receipt) []sinks.Loss {
	if r.State == Kept {
		return []sinks.Loss{{Reason: s.Format.Kept, Detail: "the target had this " + s.Format.Noun + " at " + r.Location + "; that one stays as it is"}}
	}
	if _, other := otherUID(r); other {
		return []sinks.Loss{{Reason: s.Format.Renamed,
			Detail: "the user of the target has another " + s.Format.Noun + " in its place; this one lies beside it at " + r.Location}}
	}
	return nil
}

// putKept puts an item for which an object of somebody else stood.
func (s *Store) putKept(ctx context.Context, w write) (sinks.Written, error) {
	current, etag, err := s.get(ctx, w.prev.Location)
	switch {
	case isGone(err):
		w.prev = sinks.Receipt{}
		return s.put(ctx, w, s.Path+s.Format.ObjectName(w.item.ID), http.Header{"If-None-Match": {"*"}})
	case err != nil:
		return sinks.Written{}, err
	case current.Core == w.want.Core:
		return s.keep(w, current, w.prev.Location, etag), nil
	}
	return sinks.Written{}, s.uidConflict("it differs from what lies at " + w.prev.Location)
}

// twinHref returns where the object of the same UID lies: as the server says, or as it answers when asked.
func (s *Store) twinHref(ctx context.Context, w write, a *Answer) (string, error) {
	for _, href := range a.XML.conflicts {
		if path, err := s.Client.Path(href); err == nil {
			return path, nil
		}
	}
	found, err := s.FindUID(ctx, s.Path, w.want.UID)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", s.uidConflict("the server does not say where")
	}
	return found[0], nil
}

// get reads what is compared of an object; errGone if nothing lies there.
func (s *Store) get(ctx context.Context, href string) (Object, string, error) {
	_, o, etag, err := s.fetch(ctx, href)
	return o, etag, err
}

// fetch reads an object; errGone if nothing lies there.
func (s *Store) fetch(ctx context.Context, href string) (data []byte, o Object, etag string, err error) {
	answer, err := s.Client.Do(ctx, http.MethodGet, href, nil, nil)
	switch {
	case err != nil:
		return nil, o, "", err
	case answer.Gone():
		return nil, o, "", fmt.Errorf("get %s: %w", href, errGone)
	case !answer.OK():
		return nil, o, "", s.Client.Fault(answer)
	}
	if o, err = s.Format.Read(answer.Body); err != nil {
		o = Object{} // equal to nothing
	}
	return answer.Body, o, answer.etag(), nil
}
