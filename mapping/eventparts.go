package mapping

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sources"
)

// component maps what the master and the exceptions have alike. Its start, end and recurrence are added by finish.
func (m *eventMapper) component(o, master sources.Occurrence) *icalendar.Component {
	c := icalendar.New("VEVENT")
	c.Add(icalendar.Text("UID", m.uid))
	// DTSTAMP is the last change (RFC 5545 §3.8.7.2): an object that is made again must be the same object.
	stamp := latest(o.Updated, o.Created, master.Updated, master.Created, time.Unix(0, 0))
	c.Add(icalendar.Raw("DTSTAMP", icalendar.FormatUTC(stamp)))
	if writable(o.Created) {
		c.Add(icalendar.Raw("CREATED", icalendar.FormatUTC(o.Created)))
	}
	if writable(o.Updated) {
		c.Add(icalendar.Raw("LAST-MODIFIED", icalendar.FormatUTC(o.Updated)))
	}
	if o.Sequence > 0 {
		c.Add(icalendar.Raw("SEQUENCE", fmt.Sprint(o.Sequence)))
	}
	return c
}

// latest returns the first of the times that can be written.
func latest(times ...time.Time) time.Time {
	i := slices.IndexFunc(times, writable)
	return times[i]
}

// finish adds start, end and all that people see.
func (m *eventMapper) finish(c *icalendar.Component, o sources.Occurrence, s recurrence) error {
	if err := m.times(c, o, s); err != nil {
		return err
	}
	addText(c, "SUMMARY", o.Summary)
	m.description(c, o)
	location := o.Location
	if o.Type == "workingLocation" && location == "" {
		location = o.TypeDetail
	}
	addText(c, "LOCATION", location)
	m.state(c, o)
	m.kind(c, o)
	m.people(c, o)
	m.links(c, o)
	m.reminders(c, o)
	return nil
}

func addText(c *icalendar.Component, name, text string) {
	if text != "" {
		c.Add(icalendar.Text(name, text))
	}
}

// times adds DTSTART and DTEND.
func (m *eventMapper) times(c *icalendar.Component, o sources.Occurrence, s recurrence) error {
	form, err := m.formOf(o.Start, false)
	if len(s.rules)+len(s.dates)+len(s.excluded) > 0 {
		form = m.form
	}
	if err != nil {
		return err
	}
	start := eventInstant(o.Start)
	c.Add(form.property("DTSTART", form.write(start)))
	last := start
	if end, endForm, ok := m.end(o, form); ok {
		if ambiguous(form, start) || ambiguous(endForm, end) {
			// DTEND would be read as an hour earlier, even before the start, or DTSTART is; a duration in hours is exact.
			c.Add(icalendar.Raw("DURATION", fmt.Sprintf("PT%dS", int64(end.Sub(start)/time.Second))))
		} else {
			c.Add(endForm.property("DTEND", endForm.write(end)))
			m.use(endForm, start, end)
		}
		last = end
	}
	c.Add(s.properties(m.form)...)
	if s.until.After(last) {
		last = s.until
	}
	for d := range s.dates {
		if t := m.form.read(d); t.After(last) {
			last = t
		}
	}
	m.use(form, start, last)
	if s.infinite {
		m.forever()
	}
	return nil
}

// ambiguous reports whether a time is read as an earlier one by what a form writes of it.
func ambiguous(f timeForm, t time.Time) bool {
	return f.loc != nil && icalendar.Ambiguous(t.In(f.loc))
}

// shortest is how long an event lasts that would take no time: RFC 5545 §3.6.1 would write it without an end, but Cyrus
// refuses that, and clients that cut off seconds would make one of a second so again.
const shortest = time.Minute

// end returns the end of an occurrence, repaired where RFC 5545 §3.8.2.2 does not allow it; ok is false for whole days
// whose end nobody told: they last one day (RFC 5545 §3.6.1).
func (m *eventMapper) end(o sources.Occurrence, form timeForm) (end time.Time, endForm timeForm, ok bool) {
	start := eventInstant(o.Start)
	end, endForm = eventInstant(o.End), form
	if o.EndUnspecified {
		m.lose(EventEndUnspecified, "no end was set; the provider's own stays")
	}
	switch {
	case o.End.IsZero():
		m.lose(EventEndRepaired, "it had no end")
		return start.Add(shortest), form, !form.date
	case form.date && o.End.Date == "":
		m.lose(EventEndRepaired, "a whole day ended at a time of day")
		loc, _ := m.lookUp(cmp.Or(o.End.Zone, m.rules.Zone))
		wall := o.End.Time.In(loc)
		end = time.Date(wall.Year(), wall.Month(), wall.Day(), 0, 0, 0, 0, time.UTC)
		if h, min, sec := wall.Clock(); h+min+sec > 0 {
			end = end.AddDate(0, 0, 1)
		}
	case !form.date && o.End.Date != "":
		m.lose(EventEndRepaired, "it began at a time of day and ended with a whole day")
		if form.loc != nil {
			end = icalendar.Instant(end, form.loc)
		}
	case !form.date && !form.floating && o.End.Zone != "" && o.End.Zone != sources.Floating:
		if f, err := m.formOf(o.End, form.loc != time.UTC); err == nil {
			endForm = f
		}
	}
	switch {
	case writable(end) && end.After(start):
		return end, endForm, true
	case end.Equal(start) && !form.date:
		m.lose(EventEndRepaired, "it took no time; now it takes a minute")
	default:
		m.lose(EventEndRepaired, "it ended before it began")
	}
	return start.Add(shortest), form, !form.date
}

// state adds what the event is to others.
func (m *eventMapper) state(c *icalendar.Component, o sources.Occurrence) {
	if s := strings.ToUpper(o.Status); s == "CONFIRMED" || s == "TENTATIVE" || s == "CANCELLED" {
		c.Add(icalendar.Raw("STATUS", s))
	}
	if v := strings.ToUpper(o.Visibility); v == "PUBLIC" || v == "PRIVATE" || v == "CONFIDENTIAL" {
		c.Add(icalendar.Raw("CLASS", v))
	}
	transparency := "OPAQUE"
	if o.Free {
		transparency = "TRANSPARENT"
	}
	c.Add(icalendar.Raw("TRANSP", transparency))
	addPriority(c, o.Importance)
	if g := o.Geo; g != nil && math.Abs(g.Latitude) <= 90 && math.Abs(g.Longitude) <= 180 {
		c.Add(icalendar.Raw("GEO", fmt.Sprintf("%.6f;%.6f", g.Latitude, g.Longitude)))
	}
}

// addPriority writes what is of more or less importance than usual (RFC 5545 §3.8.1.9).
func addPriority(c *icalendar.Component, importance string) {
	if p, ok := map[string]string{"high": "1", "low": "9"}[importance]; ok {
		c.Add(icalendar.Raw("PRIORITY", p))
	}
}

// eventKinds are the provider's own kinds of event: the category that shows them, and what of them has no counterpart.
var eventKinds = map[string]struct{ category, busy, loss string }{
	"birthday":        {"Birthday", "", ""},
	"focusTime":       {"Focus time", "", "focus time: muting of chats and declining of invitations"},
	"outOfOffice":     {"Out of office", "OOF", "out of office: declining of invitations"},
	"workingLocation": {"Working location", "WORKINGELSEWHERE", "working location: the display as a place of work"},
}

// busyStates are the values of X-MICROSOFT-CDO-BUSYSTATUS that TRANSP does not tell.
var busyStates = map[string]string{"tentative": "TENTATIVE", "oof": "OOF", "workingElsewhere": "WORKINGELSEWHERE"}

// kind keeps the user's categories and the provider's kind of event, which becomes one more. X-MICROSOFT-CDO-BUSYSTATUS (MS-OXCICAL §2.1.3.1.1.20.31) is
// known by many clients.
func (m *eventMapper) kind(c *icalendar.Component, o sources.Occurrence) {
	k := eventKinds[o.Type]
	categories := slices.Clone(o.Categories)
	if k.category != "" {
		categories = append(categories, k.category)
	}
	if len(categories) > 0 {
		c.Add(icalendar.TextList("CATEGORIES", categories))
	}
	if busy := cmp.Or(k.busy, busyStates[o.Busy]); busy != "" {
		c.Add(icalendar.Raw("X-MICROSOFT-CDO-BUSYSTATUS", busy))
	}
	if k.loss != "" {
		m.lose(EventKind, k.loss)
	}
}

// links adds addresses of pages: conference (RFC 7986 §5.11), attachments, and the page that the event was made from.
func (m *eventMapper) links(c *icalendar.Component, o sources.Occurrence) {
	if o.SourceURL != "" {
		var title []icalendar.Param
		if o.SourceTitle != "" {
			title = append(title, icalendar.P("X-TITLE", o.SourceTitle))
		}
		m.link(c, "URL", o.SourceURL, title...)
	}
	if o.ConferenceLink != "" {
		params := []icalendar.Param{icalendar.P("VALUE", "URI"), icalendar.P("FEATURE", "VIDEO")}
		if o.ConferenceName != "" {
			params = append(params, icalendar.P("LABEL", o.ConferenceName))
		}
		m.link(c, "CONFERENCE", noComma(o.ConferenceLink), params...)
	}
	m.ways(c, o)
	for _, a := range o.Attachments {
		if a.Data != nil {
			c.Add(inline(a))
			continue
		}
		if a.URL == "" {
			m.lose(EventAttachmentLeft, "the attachment "+strconv.Quote(a.Title)+" stays behind")
			continue
		}
		m.link(c, "ATTACH", a.URL, described(a)...)
		m.lose(EventAttachmentLink, "attachments stay where they are, as links")
	}
	if o.Color != "" {
		name, exact := cssColor(o.Color)
		if name != "" {
			c.Add(icalendar.Raw("COLOR", name))
		}
		if !exact {
			m.lose(EventColor, "the colour "+o.Color+" became the nearest named one")
		}
	}
}

// features are what a way into a conference offers (RFC 7986 §6.3). A page of further numbers is no way in, and stands in the description.
var features = map[string]string{"video": "VIDEO", "phone": "PHONE", "sip": "AUDIO"}

// ways adds the ways into the conference beside its link.
func (m *eventMapper) ways(c *icalendar.Component, o sources.Occurrence) {
	for _, w := range o.ConferenceWays {
		feature := features[w.Kind]
		if feature == "" || w.URL == o.ConferenceLink {
			continue
		}
		params := []icalendar.Param{icalendar.P("VALUE", "URI"), icalendar.P("FEATURE", feature)}
		if label := strings.Join(append([]string{cmp.Or(w.Label, wayNames[w.Kind])}, w.Codes...), ", "); label != "" {
			params = append(params, icalendar.P("LABEL", label))
		}
		address := noComma(w.URL)
		if w.Kind == "phone" {
			address, _, _ = strings.Cut(w.URL, ",") // the pause and what is typed after it are no part of a number (RFC 3966 §3)
		}
		m.link(c, "CONFERENCE", address, params...)
	}
}

// noComma escapes what Radicale takes for the end of a CONFERENCE, although a URI is no text.
func noComma(address string) string { return strings.ReplaceAll(address, ",", "%2C") }

// described are the parameters that say what a file is.
func described(a sources.Attachment) (params []icalendar.Param) {
	if a.MediaType != "" {
		params = append(params, icalendar.P("FMTTYPE", a.MediaType))
	}
	if a.Title != "" {
		params = append(params, icalendar.P("FILENAME", a.Title))
	}
	return params
}

// inline is a file within its event (RFC 5545 §3.8.1.1).
func inline(a sources.Attachment) icalendar.Property {
	params := append(described(a), icalendar.P("ENCODING", "BASE64"), icalendar.P("VALUE", "BINARY"))
	return icalendar.Raw("ATTACH", base64.StdEncoding.EncodeToString(a.Data), params...)
}

// link adds a property of type URI, if the address is one that a client may open.
func (m *eventMapper) link(c *icalendar.Component, name, address string, params ...icalendar.Param) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || !slices.Contains([]string{"http", "https", "tel", "sip", "sips", "mailto", "ftp", "cid"}, u.Scheme) {
		m.lose(EventLink, "an address for "+name+" that is none")
		return
	}
	c.Add(icalendar.Raw(name, u.String(), params...))
}

// reminders adds an alarm for each reminder (RFC 5545 §3.6.6). E-mail reminders become displayed ones, since no server
// may mail anybody for what is imported.
func (m *eventMapper) reminders(c *icalendar.Component, o sources.Occurrence) {
	seen := map[time.Duration]bool{}
	for _, r := range o.Reminders {
		if r.Method == "email" {
			m.lose(EventEmailReminder, "reminders by mail are displayed instead")
		}
		if seen[r.Before] {
			continue
		}
		seen[r.Before] = true
		alarm := icalendar.New("VALARM")
		alarm.Add(icalendar.Raw("ACTION", "DISPLAY"), icalendar.Text("DESCRIPTION", cmp.Or(o.Summary, "Reminder")),
			icalendar.Raw("TRIGGER", icalendar.FormatDuration(-r.Before)))
		c.Components = append(c.Components, alarm)
	}
}
