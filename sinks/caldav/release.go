package caldav

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/pause"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

// Released says what Release found in an account.
type Released struct {
	// Events are those from which the suppression was taken, and Changed those that somebody changed since and that were left alone.
	Events, Changed int
}

// agent is the parameter that keeps a server from inviting by itself (RFC 6638 §7.1).
const agent = "SCHEDULE-AGENT"

// Release takes the SCHEDULE-AGENT parameters from all events of the account that are as this program wrote them, so that the server
// invites and answers again when their organizers or guests change them. The writing itself is as silent as all of this package's; a
// server that would tell guests all the same is for ReleaseCanary to find. With dryRun nothing is written. A later pass that writes such
// an event anew suppresses again.
func Release(ctx context.Context, o Options, dryRun bool) (out Released, err error) {
	c, err := o.client()
	if err != nil {
		return out, err
	}
	defer c.Close()
	h, err := c.list(ctx)
	if err != nil {
		return out, err
	}
	for _, found := range h.calendars {
		if !found.takes("VEVENT") {
			continue
		}
		s := dav.Store{Client: c.Client, Format: format("event", "VEVENT", LossKept, LossRewritten), Path: found.path}
		for object, err := range s.Objects(ctx) {
			if err != nil {
				return out, err
			}
			if err := out.object(ctx, c, object, dryRun); err != nil {
				return out, fmt.Errorf("release %s: %w", object.Receipt.Location, err)
			}
		}
	}
	return out, nil
}

// object releases one event.
func (r *Released) object(ctx context.Context, c *client, o dav.Stored, dryRun bool) error {
	data, ours := released(o.Data)
	switch {
	case !ours || data == nil:
		return nil
	case !o.Untouched:
		r.Changed++
		return nil
	case dryRun:
		r.Events++
		return nil
	}
	h := http.Header{"Content-Type": {"text/calendar; charset=utf-8"}, "If-Match": {o.Receipt.Version}}
	a, err := c.Do(ctx, http.MethodPut, o.Receipt.Location, h, data)
	switch {
	case err != nil:
		return err
	case a.OK():
		r.Events++
		return nil
	case a.Status == http.StatusPreconditionFailed || a.Gone():
		r.Changed++ // just now
		return nil
	}
	return c.Fault(a)
}

// released returns an object without what suppresses scheduling; nil if nothing does. ours says that this program wrote it.
func released(data []byte) (out []byte, ours bool) {
	calendar, err := icalendar.Parse(data)
	if err != nil || calendar.Value(copyProperty) != "" {
		return nil, false
	}
	found := false
	for _, component := range calendar.Components {
		for i, p := range component.Properties {
			if !isPerson(p) || strings.HasPrefix(strings.ToLower(p.Value), "invalid:") { // somebody without an address, whom no server can ask
				continue
			}
			kept := slices.DeleteFunc(slices.Clone(p.Params), func(q icalendar.Param) bool {
				return q.Name == agent && len(q.Values) == 1 && strings.EqualFold(q.Values[0], "CLIENT")
			})
			found = found || len(kept) < len(p.Params)
			component.Properties[i].Params = kept
		}
	}
	if !found {
		return nil, calendar.Value(dav.DigestProperty) != ""
	}
	return calendar.Bytes(), calendar.Value(dav.DigestProperty) != ""
}

// ReleaseCanary proves that a guest does not hear of a release, as Canary does for an import: it writes an event, releases it, and looks
// for it at the guest. The fault target.heard says that the server tells guests whatever a request asks for.
func ReleaseCanary(ctx context.Context, organizer, guest Options) error {
	p, err := newCanary(ctx, organizer, guest)
	if err != nil || p == nil {
		return err
	}
	defer p.close()
	return p.runRelease(ctx)
}

// Schedules reports whether the account's server invites guests by itself (RFC 6638 §2).
func Schedules(ctx context.Context, o Options) (bool, error) {
	c, err := o.client()
	if err != nil {
		return false, err
	}
	defer c.Close()
	h, err := c.list(ctx)
	if err != nil {
		return false, err
	}
	return c.schedules(ctx, h)
}

func (p *canary) runRelease(ctx context.Context) (err error) {
	var at sinks.Receipt
	defer func() {
		if cleanErr := p.clean(ctx, at); err == nil {
			err = cleanErr
		}
	}()
	written, err := p.sink.Put(ctx, sinks.Item[sinks.Event]{ID: strings.ToLower(p.uid), Content: sinks.Event{UID: p.uid, Data: p.event(0)}}, at)
	if err != nil {
		return fmt.Errorf("canary: %w", err)
	}
	at = written.Receipt
	var done Released
	answer, err := p.sink.client.Do(ctx, http.MethodGet, at.Location, nil, nil)
	if err != nil {
		return fmt.Errorf("canary: %w", err)
	}
	read, err := readObject(answer.Body)
	if err == nil {
		err = done.object(ctx, p.sink.client, dav.Stored{Receipt: at, Data: answer.Body, Untouched: read.Untouched()}, false)
	}
	if err != nil {
		return fmt.Errorf("canary: %w", err)
	}
	if done.Events != 1 {
		return fault.New(fault.FailTask, fault.TargetBadAnswer, "canary: the server does not keep an event as it was written, so that none can be released")
	}
	at.Version = "" // the release gave it another
	if err := pause.For(ctx, canaryPause); err != nil {
		return err
	}
	return p.listen(ctx, "releasing an event")
}
