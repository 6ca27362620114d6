package caldav

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/recur"
)

// series returns when a component that is no exception takes place: each occurrence, and the rule where that goes on beyond them.
func series(c *icalendar.Component, z zones, start moment, moved map[string]bool) []string {
	set := map[string]bool{start.String(): true}
	out, lines := map[string]bool{}, []string{}
	last, all := start.at, true // until when everything is expanded, if anything
	expand := func(name string, into map[string]bool) {
		for _, p := range c.All(name) {
			list, whole := z.occurrences(p.Value, start)
			all = all && (whole || len(list) > 0)
			for _, m := range list {
				into[m.String()] = true
				last = maxTime(last, m.at)
			}
			if !whole {
				lines = append(lines, name+"="+normal(p, start))
			}
		}
	}
	expand("RRULE", set)
	expand("EXRULE", out)
	single := func(name string, take func(moment)) {
		for _, p := range c.All(name) {
			for _, v := range values(p) {
				v, length, _ := strings.Cut(v, "/")
				m := z.moment(p, v)
				m.text += strings.ToUpper(length)
				take(m)
			}
		}
	}
	single("RDATE", func(m moment) { set[m.String()] = true })
	single("EXDATE", func(m moment) {
		out[m.String()] = true
		if !all || m.at.After(last) || m.kind != start.kind {
			lines = append(lines, "without="+m.String())
		}
	})
	for s := range set {
		if !out[s] && !moved[s] {
			lines = append(lines, "at="+s)
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// occurrences expands a rule within the bounds of recur; what comes later is compared by the rule. whole says that there are no others.
func (z zones) occurrences(value string, start moment) (list []moment, whole bool) {
	r, err := icalendar.ParseRule(value)
	if err != nil || start.kind == "" || *z.rules == 0 {
		return nil, false
	}
	walls, ok := recur.Walls(r, icalendar.WallClock(start.at.In(start.loc)))
	if !ok {
		return nil, false
	}
	*z.rules--
	limit, whole := start.at.AddDate(recur.HorizonYears, 0, 0), false
	if until, ok := end(r, start); ok && until.Before(limit) {
		limit, whole = until, true
	}
	for w := range walls {
		m := start
		if start.kind == kindInstant {
			m.at = icalendar.Instant(w, start.loc)
		} else {
			m.at = w
		}
		if m.at.After(limit) || len(list) == recur.MaxOccurrences {
			return list, whole && m.at.After(limit)
		}
		list = append(list, m)
	}
	return list, true
}

// end returns the last instant of a rule with UNTIL, in whatever form that is.
func end(r icalendar.Rule, start moment) (time.Time, bool) {
	until, err := icalendar.ParseMoment(r.Get("UNTIL"))
	if err != nil {
		return time.Time{}, false
	}
	if until.Date && start.kind != kindDate {
		until.Wall = until.Wall.Add(24*time.Hour - time.Second)
	}
	if start.kind != kindInstant {
		return until.Wall, true
	}
	return until.In(start.loc), true
}

// normal returns a rule in one notation: its parts in order, without those that are meant anyway.
func normal(p icalendar.Property, start moment) string {
	r, err := icalendar.ParseRule(p.Value)
	if err != nil {
		return rule(p)
	}
	wall := start.at.In(start.loc)
	weekday := strings.ToUpper(wall.Weekday().String()[:2])
	dropped := map[string]string{"INTERVAL": "1", "WKST": "MO"}
	switch r.Get("FREQ") {
	case "WEEKLY":
		dropped["BYDAY"] = weekday
	case "MONTHLY":
		dropped["BYMONTHDAY"] = fmt.Sprint(wall.Day())
	case "YEARLY":
		if r.Get("BYMONTHDAY") == fmt.Sprint(wall.Day()) && r.Get("BYMONTH") == fmt.Sprint(int(wall.Month())) && r.Get("BYDAY") == "" {
			r = r.With("BYMONTHDAY", "").With("BYMONTH", "")
		}
	}
	for name, value := range dropped {
		if r.Get(name) == value {
			r = r.With(name, "")
		}
	}
	if until, ok := end(r, start); ok {
		r = r.With("UNTIL", icalendar.FormatUTC(until))
	}
	parts := strings.Split(r.String(), ";")
	for i, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		list := strings.Split(value, ",")
		slices.Sort(list)
		parts[i] = name + "=" + strings.Join(list, ",")
	}
	slices.Sort(parts)
	return strings.Join(parts, ";")
}

// locations are those that were found, by TZID. A stranger's names are not kept.
var locations sync.Map

// location returns a zone of the machine's database; nil if it has none of the name. Some programs write a path before the name.
func location(id string) *time.Location {
	if loc, ok := locations.Load(id); ok {
		return loc.(*time.Location)
	}
	const longest = 50
	name := strings.TrimPrefix(id, "/")
	for range 8 {
		if name == "" || name == "Local" || len(name) > longest {
			break
		}
		if loc, err := time.LoadLocation(name); err == nil {
			if name == id {
				locations.Store(id, loc)
			}
			return loc
		}
		_, name, _ = strings.Cut(name, "/")
	}
	return nil
}
