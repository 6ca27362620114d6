package caldav

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
func (s *Sink) occupied(ctx context.Context, w write, href string) (sinks.Written, error) {
	current, etag, err := s.get(ctx, href)
	switch {
	case isGone(err) && !w.prev.IsZero():
		return sinks.Written{}, conflict("put event: it was removed on the target since it was written")
	case isGone(err):
		return sinks.Written{}, fault.New(fault.Retry, fault.TargetUnavailable, "put event: what lay there went away meanwhile")
	case err != nil:
		return sinks.Written{}, err
	case current.full == w.want.full && w.want.full != "":
		return w.adopted(href, etag), nil
	case current.untouched() && etag != "":
		return s.replace(ctx, w, href, etag)
	case w.prev.IsZero():
		return sinks.Written{}, conflict("put event: another object lies in its place")
	}
	return sinks.Written{}, conflict("put event: it was changed on the target since it was written")
}

// replace writes over an object that nobody changed.
func (s *Sink) replace(ctx context.Context, w write, href, etag string) (sinks.Written, error) {
	answer, err := s.send(ctx, w, href, http.Header{"If-Match": {etag}})
	switch {
	case err != nil:
		return sinks.Written{}, err
	case answer.ok():
		return s.written(ctx, w, href, answer)
	case answer.uidConflict():
		return sinks.Written{}, uidConflict("the object in its place has another UID, and the server keeps that")
	case answer.status == http.StatusPreconditionFailed:
		return sinks.Written{}, conflict("put event: it is being changed on the target")
	}
	return sinks.Written{}, s.client.putFault(answer)
}

func (w write) adopted(href, etag string) sinks.Written {
	return sinks.Written{Receipt: sinks.Receipt{Location: href, Version: etag, BodyVersion: w.bodyVersion()}, Unchanged: true}
}

// twin decides when the server refuses a second object of the same UID, for instance of an event that an invitation or an
// import brought before:
//
//   - The same content in our calendar is adopted.
//   - Our own object that nobody touched is replaced, if an earlier Put of this item may have written it.
//   - An object with the same times and the same title stays as it is, wherever it lies, and stands for the item: the
//     user sees the event, once. Such a receipt is never written over nor removed.
//   - Everything else is a conflict.
func (s *Sink) twin(ctx context.Context, w write, a *answer) (sinks.Written, error) {
	href, err := s.twinHref(ctx, w, a)
	if err != nil {
		return sinks.Written{}, err
	}
	current, etag, err := s.get(ctx, href)
	own := strings.HasPrefix(href, s.calendar)
	switch {
	case isGone(err):
		return sinks.Written{}, uidConflict("the server names an object that is not there; it may lie in a trash bin")
	case err != nil:
		return sinks.Written{}, err
	case current.uid != w.want.uid:
		return sinks.Written{}, uidConflict("the server names an object of another UID")
	case own && current.full == w.want.full:
		return w.adopted(href, etag), nil
	case own && w.item.Again && current.untouched() && etag != "":
		return s.replace(ctx, w, href, etag)
	case current.core == w.want.core:
		return w.keep(href, etag), nil
	}
	return sinks.Written{}, uidConflict(fmt.Sprintf("it differs from what lies at %s", href))
}

func uidConflict(why string) error {
	return fault.New(fault.FailItem, fault.TargetUIDConflict, "put event: the target holds an object of the same UID: %s", why)
}

// keep lets an object that lay on the target stand for the item.
func (w write) keep(href, etag string) sinks.Written {
	r := sinks.Receipt{Location: href, Version: etag, BodyVersion: w.bodyVersion(), State: kept}
	return sinks.Written{Receipt: r, Unchanged: true, Losses: keptLosses(r)}
}

func keptLosses(r sinks.Receipt) []sinks.Loss {
	if r.State != kept {
		return nil
	}
	return []sinks.Loss{{Reason: LossKept, Detail: "the target had this event at " + r.Location + "; that one stays as it is"}}
}

// putKept puts an item for which an object of somebody else stood.
func (s *Sink) putKept(ctx context.Context, w write) (sinks.Written, error) {
	current, etag, err := s.get(ctx, w.prev.Location)
	switch {
	case isGone(err):
		w.prev = sinks.Receipt{}
		return s.put(ctx, w, s.calendar+objectName(w.item.ID), http.Header{"If-None-Match": {"*"}})
	case err != nil:
		return sinks.Written{}, err
	case current.core == w.want.core:
		return w.keep(w.prev.Location, etag), nil
	}
	return sinks.Written{}, uidConflict("it differs from what lies at " + w.prev.Location)
}

// twinHref returns where the object of the same UID lies: as the server says, or as it answers when asked.
func (s *Sink) twinHref(ctx context.Context, w write, a *answer) (string, error) {
	for _, href := range a.xml.conflicts {
		if path, err := s.client.path(href); err == nil {
			return path, nil
		}
	}
	found, err := s.client.findUID(ctx, s.calendar, w.want.uid)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", uidConflict("the server does not say where")
	}
	return found[0], nil
}

// get reads an object; errGone if nothing lies there.
func (s *Sink) get(ctx context.Context, href string) (object, string, error) {
	answer, err := s.client.do(ctx, http.MethodGet, href, nil, nil)
	switch {
	case err != nil:
		return object{}, "", err
	case answer.gone():
		return object{}, "", fmt.Errorf("get %s: %w", href, errGone)
	case !answer.ok():
		return object{}, "", s.client.fault(answer)
	}
	o, err := readObject(answer.body)
	if err != nil {
		o = object{} // equal to nothing
	}
	return o, answer.etag(), nil
}
