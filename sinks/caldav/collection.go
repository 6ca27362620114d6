package caldav

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

// listed is a calendar of the user's home.
type listed struct {
	path       string
	components []string
}

// takes reports whether the calendar holds such components; one that does not say takes all (RFC 4791 §5.2.3).
func (c listed) takes(component string) bool {
	return len(c.components) == 0 || slices.Contains(c.components, component)
}

// home is what the user's home holds.
type home struct {
	calendars []listed
	// preferred is the path of the calendar that the server puts invitations into (RFC 6638 §9.2); may be empty.
	preferred string
	inbox     string // of scheduling (RFC 6638 §2.2); may be empty
	// limits has the smallest of the calendars' max-resource-size (RFC 4791 §5.2.5).
	limits preflight.Limits
}

const homeProperties = `<propfind xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><resourcetype/><displayname/>` +
	`<C:supported-calendar-component-set/><C:schedule-default-calendar-URL/><C:max-resource-size/></prop></propfind>`

// provide returns the path of the calendar for a collection, and makes it if it is not there.
func (c *client) provide(ctx context.Context, wanted sinks.Collection) (string, error) {
	h, err := c.list(ctx)
	if err != nil {
		return "", err
	}
	name := dav.CollectionName(wanted.ID)
	own := dav.Canonical(c.Home) + name + "/"
	if path, ok := h.choose(own, wanted); ok {
		return path, nil
	}
	return own, c.make(ctx, own, wanted)
}

// choose returns the calendar for a collection: what an earlier pass made, or for the main calendar the default one
// of the target: as the server says, or by the names of Nextcloud and Cyrus.
func (h home) choose(own string, wanted sinks.Collection) (string, bool) {
	fits := func(path string) bool {
		return slices.ContainsFunc(h.calendars, func(c listed) bool { return c.path == path && c.takes(component(wanted)) })
	}
	if fits(own) {
		return own, true
	}
	if !wanted.Primary {
		return "", false
	}
	if fits(h.preferred) {
		return h.preferred, true
	}
	for _, name := range []string{"/personal/", "/Default/"} {
		for _, c := range h.calendars {
			if strings.HasSuffix(c.path, name) && c.takes(component(wanted)) {
				return c.path, true
			}
		}
	}
	return "", false
}

// component is what the collection is for.
func component(wanted sinks.Collection) string {
	if len(wanted.Components) > 0 {
		return wanted.Components[0]
	}
	return "VEVENT"
}

// list reads the user's home. A redirect within the server is followed, as from /.well-known/caldav.
func (c *client) list(ctx context.Context) (home, error) {
	h, err := c.listHere(ctx)
	for hops := 0; dav.Status(err)/100 == 3 && hops < 5; hops++ {
		location := dav.AnswerOf(err).Header.Get("Location")
		target, resolveErr := c.Resolve(location)
		if location == "" || resolveErr != nil {
			return home{}, err
		}
		if !strings.HasSuffix(target.Path, "/") {
			target = target.JoinPath("/")
		}
		c.Home = target
		h, err = c.listHere(ctx)
	}
	if absent := dav.Absent(err, "calendar home", "target.calendar.caldav (or target.tasks.caldav)"); absent != nil {
		return home{}, absent
	}
	return h, err
}

func (c *client) listHere(ctx context.Context) (home, error) {
	h := home{limits: preflight.NoLimits}
	err := c.Multistatus(ctx, "PROPFIND", c.Home.EscapedPath(), "1", homeProperties, func(r dav.Response) error {
		p := r.Found()
		path, err := c.Path(r.Href)
		if err != nil {
			return nil // one strange href does not hide the others
		}
		path = strings.TrimSuffix(path, "/") + "/"
		if p.Default != "" {
			if preferred, err := c.Path(p.Default); err == nil {
				h.preferred = strings.TrimSuffix(preferred, "/") + "/"
			}
		}
		switch {
		case p.ResourceType.Inbox != nil:
			h.inbox = path
		case p.ResourceType.Calendar != nil && p.ResourceType.Outbox == nil:
			found := listed{path: path}
			most, _ := strconv.ParseInt(strings.TrimSpace(p.MaxCalendar), 10, 64)
			h.limits.NarrowItem(most)
			for _, component := range p.Components {
				found.components = append(found.components, component.Name)
			}
			h.calendars = append(h.calendars, found)
		}
		return nil
	})
	return h, err
}

// make makes a calendar, with as many of its properties as the server takes.
func (c *client) make(ctx context.Context, path string, wanted sinks.Collection) error {
	var last *dav.Answer
	for _, body := range []string{mkcalendar(wanted, true), mkcalendar(wanted, false), ""} {
		a, err := c.Do(ctx, "MKCALENDAR", path, xmlHeader(body), []byte(body))
		if err != nil {
			return err
		}
		switch s := a.Status; {
		case a.OK():
			return nil
		case s == http.StatusMethodNotAllowed, a.XML.Has("resource-must-be-null"):
			return c.adopt(ctx, path, a)
		case s == http.StatusTooManyRequests, s == http.StatusUnauthorized, passing(s), s >= 500, limited(a):
			return c.makeFault(a)
		}
		last = a
	}
	if last.Status == http.StatusMultiStatus || last.Status == http.StatusConflict {
		return c.adopt(ctx, path, last)
	}
	return c.makeFault(last)
}

// passing reports whether a refusal says nothing of the properties: with the same ones it may work a moment later.
func passing(status int) bool {
	return status == http.StatusLocked || status == http.StatusRequestTimeout || status == http.StatusTooEarly
}

func xmlHeader(body string) http.Header {
	if body == "" {
		return nil
	}
	return http.Header{"Content-Type": {"application/xml; charset=utf-8"}}
}

// adopt makes sure that what the server says is there is a calendar.
func (c *client) adopt(ctx context.Context, path string, a *dav.Answer) error {
	h, err := c.listHere(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(h.calendars, func(found listed) bool { return found.path == path }) {
		return nil
	}
	return fault.New(fault.FailTask, fault.TargetConflict, "make calendar: %w", a.Plain()).
		WithHint("something that is no calendar has its name, or it lies in the trash bin of the target: empty that")
}

// limited reports whether the server has as many calendars as it allows.
func limited(a *dav.Answer) bool {
	message := strings.ToLower(a.XML.Message)
	return a.Status == http.StatusForbidden && (strings.Contains(message, "limit") || strings.Contains(message, "too many"))
}

// creationPause is how long Nextcloud counts the calendars that a user makes.
const creationPause = time.Hour

// makeFault is the meaning of a refused calendar.
func (c *client) makeFault(a *dav.Answer) error {
	const hint = "on Nextcloud: occ config:app:set dav rateLimitCalendarCreation and maximumCalendarsSubscriptions, for the time of the migration"
	f := fault.Of(c.Fault(a)).WithHint("")
	f.Err = fmt.Errorf("make calendar: %w", f.Err)
	switch {
	case a.Status == http.StatusTooManyRequests:
		f.Action, f.Reason, f.After, f.Hint = fault.FailTask, fault.TargetThrottled, max(f.After, creationPause), hint
	case limited(a):
		f.Action, f.Reason, f.Hint = fault.FailTask, fault.TargetLimit, hint
	case f.Action != fault.Retry:
		f.Action = fault.FailTask
	}
	return f
}

var hexColor = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

// mkcalendar returns the body of MKCALENDAR (RFC 4791 §5.3.1); calendar-color is Apple's.
func mkcalendar(wanted sinks.Collection, all bool) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="http://apple.com/ns/ical/"><D:set><D:prop>`)
	if wanted.Name != "" {
		b.WriteString("<D:displayname>" + dav.Escaped(wanted.Name) + "</D:displayname>")
	}
	components := wanted.Components
	if len(components) == 0 {
		components = []string{"VEVENT"}
	}
	b.WriteString("<C:supported-calendar-component-set>")
	for _, c := range components {
		b.WriteString(`<C:comp name="` + dav.Escaped(c) + `"/>`)
	}
	b.WriteString("</C:supported-calendar-component-set>")
	if all {
		if wanted.Description != "" {
			b.WriteString("<C:calendar-description>" + dav.Escaped(wanted.Description) + "</C:calendar-description>")
		}
		if hexColor.MatchString(wanted.Color) {
			b.WriteString("<A:calendar-color>" + strings.ToUpper(wanted.Color) + "FF</A:calendar-color>")
		}
		if zone := calendarZone(wanted.TimeZone); zone != "" {
			b.WriteString("<C:calendar-timezone>" + dav.Escaped(zone) + "</C:calendar-timezone>")
		}
	}
	b.WriteString("</D:prop></D:set></C:mkcalendar>")
	return b.String()
}

// calendarZone returns the iCalendar object of CALDAV:calendar-timezone (RFC 4791 §5.2.2); empty if there is no such zone.
func calendarZone(name string) string {
	loc, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return ""
	}
	c := icalendar.New("VCALENDAR")
	c.Add(icalendar.Raw("VERSION", "2.0"), icalendar.Text("PRODID", "-//repatriate//repatriate//EN"))
	c.Components = append(c.Components, icalendar.Timezone(loc, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Time{}))
	return string(c.Bytes())
}
