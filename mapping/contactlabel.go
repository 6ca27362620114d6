package mapping

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// knownTypes are the labels of providers that vCards have a TYPE for (RFC 2426 §3.2.1 and §3.3.1, RFC 6350 §6.4.1).
var knownTypes = map[string][]string{
	"home": {"HOME"}, "work": {"WORK"}, "business": {"WORK"}, "other": {}, "main": nil, "mobile": {"CELL"}, "workmobile": {"WORK", "CELL"},
	"homefax": {"HOME", "FAX"}, "workfax": {"WORK", "FAX"}, "otherfax": {"FAX"}, "pager": {"PAGER"}, "workpager": {"WORK", "PAGER"},
	"car": {"CAR"}, "isdn": {"ISDN"}, "video": {"VIDEO"}, "school": nil, "current": {}, "past": nil,
}

// types returns the TYPE of a label. A label that has none is the user's own.
func (m *contactMapper) types(label string) (params []icalendar.Param, own string) {
	key := strings.ToLower(strings.ReplaceAll(label, " ", ""))
	types, known := knownTypes[key]
	switch {
	case label == "":
		return nil, ""
	case !known || types == nil:
		return nil, label
	case len(types) == 0:
		return nil, ""
	}
	if m.v4 {
		types = slices.Clone(types)
		for i := range types {
			types[i] = strings.ToLower(types[i])
		}
	}
	return []icalendar.Param{{Name: "TYPE", Values: types}}, ""
}

// preferred marks the first among several.
func (m *contactMapper) preferred(primary bool) []icalendar.Param {
	switch {
	case !primary:
		return nil
	case m.v4:
		return []icalendar.Param{icalendar.P("PREF", "1")}
	}
	return []icalendar.Param{icalendar.P("TYPE", "PREF")}
}

// labelled writes a value with its label. usual is the TYPE that RFC 2426 gives such values.
func (m *contactMapper) labelled(name string, v sources.Labelled, usual string) {
	if v.Value == "" {
		return
	}
	params, own := m.types(v.Label)
	if usual != "" && !m.v4 {
		params = append([]icalendar.Param{icalendar.P("TYPE", usual)}, params...)
	}
	params = append(params, m.preferred(v.Primary)...)
	p := icalendar.Text(name, v.Value, params...)
	if name == "URL" || name == "IMPP" || name == "CALURI" || name == "FBURL" {
		p = icalendar.Raw(name, uriEscaper.Replace(v.Value), params...)
	}
	if v.Protocol != "" {
		p.Params = append(p.Params, icalendar.P("X-SERVICE-TYPE", v.Protocol))
	}
	group := m.groupFor(own)
	m.addIn(group, p)
	m.ownLabel(group, own, true)
}

// uriEscaper escapes what Radicale takes for the end of a value, although a URI is no text (RFC 6350 §4.2).
var uriEscaper = strings.NewReplacer(",", "%2C", ";", "%3B")

// imURI returns the address of a messenger as a URI (RFC 4770): with the messenger's name as the scheme where it has none.
func imURI(im sources.Labelled) string {
	scheme := map[string]string{"googletalk": "xmpp", "jabber": "xmpp", "xmpp": "xmpp", "skype": "skype", "aim": "aim", "sip": "sip", "yahoo": "ymsgr",
		"msn": "msnim", "icq": "icq", "qq": "x-qq"}[strings.ToLower(im.Protocol)]
	if strings.Contains(im.Value, ":") || im.Value == "" {
		return im.Value
	}
	if word := strings.ToLower(im.Protocol); scheme == "" && word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") == "" {
		scheme = word
	}
	return cmp.Or(scheme, "x-apple") + ":" + url.PathEscape(im.Value)
}

func (m *contactMapper) group() string {
	m.groups++
	return fmt.Sprintf("item%d", m.groups)
}

func (m *contactMapper) groupFor(ownLabel string) string {
	if ownLabel == "" {
		return ""
	}
	return m.group()
}

func (m *contactMapper) addIn(group string, p icalendar.Property) {
	p.Group = group
	m.card.Add(p)
}

// ownLabel writes a label of the user's own in the way that Apple began and Nextcloud, Thunderbird and others read.
func (m *contactMapper) ownLabel(group, label string, used bool) {
	if label == "" || !used {
		return
	}
	if _, own := m.types(label); own == "" {
		return // an organization's: its label is none of the user's own
	}
	m.addIn(cmp.Or(group, m.group()), icalendar.Text("X-ABLabel", label))
	m.lose(ContactLabel, label)
}

// date writes a date of the card's own; false if it is no date.
func (m *contactMapper) date(name string, d sources.ContactDate) bool {
	value, params, ok := m.dateValue(d)
	if !ok {
		return false
	}
	m.card.Add(icalendar.Raw(name, value, params...))
	return true
}

// omittedYear is what Apple's products write for a day without a year where RFC 2426 has no way to: a leap year, and a note that it is none.
const omittedYear = 1604

func (m *contactMapper) dateValue(d sources.ContactDate) (string, []icalendar.Param, bool) {
	year := d.Year
	if year == 0 {
		year = omittedYear
	}
	day := time.Date(year, time.Month(d.Month), d.Day, 0, 0, 0, 0, time.UTC)
	if d.Month < 1 || day.Day() != d.Day || int(day.Month()) != d.Month || year < 1 || year > 9999 {
		return "", nil, false
	}
	switch {
	case m.v4 && d.Year == 0:
		return fmt.Sprintf("--%02d%02d", d.Month, d.Day), nil, true
	case m.v4:
		return day.Format("20060102"), nil, true
	case d.Year == 0:
		return day.Format(time.DateOnly), []icalendar.Param{icalendar.P("X-APPLE-OMIT-YEAR", strconv.Itoa(omittedYear))}, true
	}
	return day.Format(time.DateOnly), nil, true
}

// ownDate writes a date with a label.
func (m *contactMapper) ownDate(d sources.ContactDate, label string) {
	value, params, ok := m.dateValue(d)
	if !ok {
		text := d.Text
		if text == "" && (d.Year != 0 || d.Month != 0 || d.Day != 0) {
			text = fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
		}
		if text != "" {
			m.aside(label, text)
			m.lose(ContactDateInvalid, text)
		}
		return
	}
	group := m.group()
	m.addIn(group, icalendar.Raw("X-ABDATE", value, params...))
	m.addIn(group, icalendar.Text("X-ABLabel", label))
}

// relatedTypes are the relations of RFC 6350 §6.6.6 that providers have a word for.
var relatedTypes = map[string]string{
	"spouse": "spouse", "child": "child", "parent": "parent", "mother": "parent", "father": "parent", "sibling": "sibling", "brother": "sibling",
	"sister": "sibling", "friend": "friend", "partner": "sweetheart", "domesticpartner": "spouse", "assistant": "agent", "relative": "kin",
}

// relation writes a related person. The label stays where the TYPE says less.
func (m *contactMapper) relation(r sources.Labelled) {
	if r.Value == "" {
		return
	}
	if !m.v4 {
		group := m.group()
		m.addIn(group, icalendar.Text("X-ABRELATEDNAMES", r.Value))
		m.addIn(group, icalendar.Text("X-ABLabel", cmp.Or(r.Label, "related")))
		return
	}
	kind, known := relatedTypes[strings.ToLower(r.Label)]
	params := []icalendar.Param{icalendar.P("VALUE", "text")}
	if known {
		params = append([]icalendar.Param{icalendar.P("TYPE", kind)}, params...)
	}
	group := ""
	if !strings.EqualFold(kind, r.Label) && r.Label != "" {
		group = m.group()
	}
	m.addIn(group, icalendar.Text("RELATED", r.Value, params...))
	if group != "" {
		m.addIn(group, icalendar.Text("X-ABLabel", r.Label))
	}
}

// photoOpen says in the sink's words that there is no photo.
func photoOpen(open func(context.Context) (io.ReadCloser, error)) func(context.Context) (io.ReadCloser, error) {
	return func(ctx context.Context) (io.ReadCloser, error) {
		r, err := open(ctx)
		if errors.Is(err, sources.ErrGone) {
			return nil, sinks.ErrNoPhoto
		}
		return r, err
	}
}
