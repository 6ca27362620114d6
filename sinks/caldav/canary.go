package caldav

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/pause"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

// Canary proves that a guest does not hear of an import: it writes an event of the organizer's account whose guest is
// another account of the same server, changes it, and removes it, each as the sink does, and looks after each step for
// the event in the guest's scheduling inbox and calendars. If it is there, the fault is target.heard, which stops the
// task. Nothing stays behind, and what an earlier one left that was killed is removed.
//
// Without scheduling on the server (no calendar-auto-schedule in the DAV header, RFC 6638 §2) nobody can hear of anything,
// and nothing is written. Canary cannot see mail that the server sends to the outside; a server that sends such mail
// delivers to its own users as well.
func Canary(ctx context.Context, organizer, guest Options) error {
	p, err := newCanary(ctx, organizer, guest)
	if err != nil || p == nil {
		return err
	}
	defer p.close()
	return p.run(ctx)
}

// canaryPrefix begins the UID of each canary, so that a later one knows what an earlier one left.
const canaryPrefix = "repatriate-canary-"

// canaryCalendar is the account's main one, or one that is made for the canary; always the same, so that a later one finds it.
var canaryCalendar = sinks.Collection{ID: "repatriate-canary", Name: "repatriate", Primary: true}

// canary is an event that nobody should hear of.
type canary struct {
	sink      *Sink
	guest     *client
	guestHome home
	uid       string
	// organizerAddress and guestAddress are calendar user addresses, as mailto URIs.
	organizerAddress, guestAddress string
	// agent is the SCHEDULE-AGENT parameter; a test leaves it out to see that it is heard then.
	agent []icalendar.Param
	// temporary says that the calendar was made for this only.
	temporary bool
}

// newCanary returns nil if the server does no scheduling.
func newCanary(ctx context.Context, organizer, guest Options) (*canary, error) {
	c, err := organizer.client()
	if err != nil {
		return nil, err
	}
	g, err := guest.client()
	if err != nil {
		c.Close()
		return nil, err
	}
	p := &canary{sink: &Sink{calendar{c, dav.Store{Client: c.Client, Format: format("event", "VEVENT", LossKept, LossRewritten)}}}, guest: g, uid: canaryPrefix + rand.Text(), agent: []icalendar.Param{icalendar.P("SCHEDULE-AGENT", "CLIENT")}}
	if on, err := p.prepare(ctx); err != nil || !on {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *canary) close() {
	p.sink.client.Close()
	p.guest.Close()
}

// prepare learns who is who; it returns false if the server does no scheduling.
func (p *canary) prepare(ctx context.Context) (bool, error) {
	h, err := p.sink.client.list(ctx)
	if err != nil {
		return false, err
	}
	if on, err := p.sink.client.schedules(ctx, h); err != nil || !on {
		return false, err
	}
	if p.guestHome, err = p.guest.list(ctx); err != nil {
		return false, err
	}
	if p.organizerAddress, err = p.sink.client.address(ctx, &h); err != nil {
		return false, err
	}
	if p.guestAddress, err = p.guest.address(ctx, &p.guestHome); err != nil {
		return false, err
	}
	own := dav.Canonical(p.sink.client.Home) + dav.CollectionName(canaryCalendar.ID) + "/"
	var found bool
	if p.sink.store.Path, found = h.choose(own, canaryCalendar); found {
		p.temporary = p.sink.store.Path == own
		return true, p.sweep(ctx)
	}
	p.sink.store.Path, p.temporary = own, true
	return true, p.sink.client.make(ctx, own, canaryCalendar)
}

// sweep removes the canaries of runs that were killed before they could, unless somebody changed them.
func (p *canary) sweep(ctx context.Context) error {
	left, err := p.sink.store.FindPrefix(ctx, p.sink.store.Path, canaryPrefix)
	for _, o := range left {
		if err == nil && o.Untouched {
			err = p.sink.Remove(ctx, o.Receipt)
		}
	}
	if err != nil {
		return fmt.Errorf("canary: remove an earlier one: %w", err)
	}
	return nil
}

// schedules reports whether the server delivers invitations by itself.
func (c *client) schedules(ctx context.Context, h home) (bool, error) {
	paths := []string{dav.Canonical(c.Home)}
	if len(h.calendars) > 0 {
		paths = append(paths, h.calendars[0].path) // Cyrus names its abilities by the kind of collection
	}
	for _, path := range paths {
		a, err := c.Do(ctx, http.MethodOptions, path, nil, nil)
		if err != nil {
			return false, err
		}
		if strings.Contains(strings.ToLower(strings.Join(a.Header.Values("DAV"), ",")), "calendar-auto-schedul") {
			return true, nil
		}
	}
	return h.inbox != "", nil
}

const (
	principalQuery = `<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>`
	addressQuery   = `<propfind xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><C:calendar-user-address-set/><C:schedule-inbox-URL/></prop></propfind>`
)

// address returns the calendar user address of the account (RFC 6638 §2.4.1), and learns its inbox.
func (c *client) address(ctx context.Context, h *home) (string, error) {
	principal, address := "", ""
	err := c.Multistatus(ctx, "PROPFIND", dav.Canonical(c.Home), "0", principalQuery, func(r dav.Response) error {
		principal = r.Found().Principal
		return nil
	})
	if err != nil {
		return "", err
	}
	path, err := c.Path(principal)
	if err != nil || principal == "" {
		return "", fault.New(fault.FailTask, fault.TargetUnsupported, "canary: the server does not name the user's principal")
	}
	err = c.Multistatus(ctx, "PROPFIND", path, "0", addressQuery, func(r dav.Response) error {
		found := r.Found()
		i := slices.IndexFunc(found.Addresses, func(a string) bool { return strings.HasPrefix(strings.ToLower(strings.TrimSpace(a)), "mailto:") })
		if i >= 0 {
			address = strings.TrimSpace(found.Addresses[i])
		}
		if inbox, err := c.Path(found.Inbox); err == nil && found.Inbox != "" {
			h.inbox = inbox
		}
		return nil
	})
	if err == nil && address == "" {
		err = fault.New(fault.FailTask, fault.TargetUnsupported, "canary: the account %s has no mail address on the target", c.User()).
			WithHint("give the user an address on the target, so that it can be proven that nobody is mailed")
	}
	return address, err
}

// run writes, changes and removes the event, and looks each time whether the guest heard.
func (p *canary) run(ctx context.Context) (err error) {
	item := sinks.Item[sinks.Event]{ID: strings.ToLower(p.uid)}
	var at sinks.Receipt
	defer func() {
		if cleanErr := p.clean(ctx, at); err == nil {
			err = cleanErr
		}
	}()
	for sequence := range 2 {
		item.Content = sinks.Event{UID: p.uid, Data: p.event(sequence)}
		written, err := p.sink.Put(ctx, item, at)
		if err != nil {
			return fmt.Errorf("canary: %w", err)
		}
		at = written.Receipt
		if err := p.listen(ctx, []string{"writing an event", "changing an event"}[sequence]); err != nil {
			return err
		}
	}
	if err := p.sink.Remove(ctx, at); err != nil {
		return fmt.Errorf("canary: %w", err)
	}
	at = sinks.Receipt{}
	if err := pause.For(ctx, canaryPause); err != nil {
		return err
	}
	return p.listen(ctx, "removing an event")
}

// canaryPause lets a server deliver that does so after its answer.
const canaryPause = 300 * time.Millisecond

// event returns the canary. It lies in the future, since Nextcloud tells nobody of what is over.
func (p *canary) event(sequence int) []byte {
	start := time.Now().UTC().AddDate(1, 0, sequence).Truncate(time.Hour)
	c, e := icalendar.New("VCALENDAR"), icalendar.New("VEVENT")
	c.Add(icalendar.Raw("VERSION", "2.0"), icalendar.Text("PRODID", "-//repatriate//canary//EN"))
	e.Add(icalendar.Text("UID", p.uid), icalendar.Raw("DTSTAMP", icalendar.FormatUTC(time.Now())), icalendar.Raw("SEQUENCE", fmt.Sprint(sequence)),
		icalendar.Raw("DTSTART", icalendar.FormatUTC(start)), icalendar.Raw("DTEND", icalendar.FormatUTC(start.Add(time.Hour))),
		icalendar.Text("SUMMARY", "Test of a migration: please ignore"),
		icalendar.Raw("ORGANIZER", p.organizerAddress, p.agent...),
		icalendar.Raw("ATTENDEE", p.organizerAddress, append([]icalendar.Param{icalendar.P("PARTSTAT", "ACCEPTED")}, p.agent...)...),
		icalendar.Raw("ATTENDEE", p.guestAddress, append([]icalendar.Param{icalendar.P("PARTSTAT", "NEEDS-ACTION")}, p.agent...)...))
	c.Components = append(c.Components, e)
	return c.Bytes()
}

// listen returns target.heard if the guest has the event.
func (p *canary) listen(ctx context.Context, what string) error {
	found, err := p.heard(ctx)
	if err != nil {
		return fmt.Errorf("canary: %w", err)
	}
	if len(found) == 0 {
		return nil
	}
	return fault.New(fault.FailTask, fault.TargetHeard, "canary: a guest heard of %s on the target", what).
		WithHint("the server ignores what keeps it from inviting guests: turn its scheduling off for the time of the migration")
}

// heard returns where the guest has the event.
func (p *canary) heard(ctx context.Context) ([]string, error) {
	var found []string
	for _, c := range p.guestHome.calendars {
		if !c.takes("VEVENT") {
			continue
		}
		paths, err := p.guestStore().FindUID(ctx, c.path, p.uid)
		if err != nil {
			return nil, err
		}
		found = append(found, paths...)
	}
	if p.guestHome.inbox == "" {
		return found, nil
	}
	paths, err := p.inInbox(ctx)
	return append(found, paths...), err
}

// guestStore asks as the guest.
func (p *canary) guestStore() *dav.Store {
	return &dav.Store{Client: p.guest.Client, Format: p.sink.store.Format}
}

// inInbox returns the messages of the guest's inbox about the event. Not every server answers a query there, and an inbox
// holds little.
func (p *canary) inInbox(ctx context.Context) ([]string, error) {
	hrefs, err := p.guest.Hrefs(ctx, p.guestHome.inbox)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, href := range hrefs {
		a, err := p.guest.Do(ctx, http.MethodGet, href, nil, nil)
		if err != nil {
			return nil, err
		}
		if o, err := readObject(a.Body); err == nil && o.UID == p.uid {
			found = append(found, href)
		}
	}
	return found, nil
}

// clean removes all that the canary left, also after a cancellation.
func (p *canary) clean(ctx context.Context, at sinks.Receipt) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := p.sink.Remove(ctx, at); err != nil {
		return fmt.Errorf("canary: %w", err)
	}
	found, err := p.heard(ctx)
	for _, href := range found {
		if _, doErr := p.guest.Do(ctx, http.MethodDelete, href, nil, nil); err == nil {
			err = doErr
		}
	}
	if p.temporary {
		if _, doErr := p.sink.client.Do(ctx, http.MethodDelete, p.sink.store.Path, nil, nil); err == nil {
			err = doErr
		}
	}
	if err != nil {
		return fmt.Errorf("canary: %w", err)
	}
	return nil
}
