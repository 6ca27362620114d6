package microsoft

import (
	"strconv"
	"strings"
	"time"
)

var weekdays = map[string]string{"MO": "monday", "TU": "tuesday", "WE": "wednesday", "TH": "thursday", "FR": "friday", "SA": "saturday", "SU": "sunday"}

var indexes = map[string]string{"1": "first", "2": "second", "3": "third", "4": "fourth", "-1": "last"}

// recurrenceOf turns a rule into Graph's words; ok is false for none and for what Outlook cannot express.
func recurrenceOf(g googleEvent, zone string) (recurrence object, ok bool) {
	for _, line := range g.Recurrence {
		name, value := cutLine(line)
		if name != "RRULE" {
			continue
		}
		rule := map[string]string{}
		for part := range strings.SplitSeq(value, ";") {
			k, v, _ := strings.Cut(part, "=")
			rule[k] = v
		}
		start, at := g.Start.at(zone)
		pattern, ok := patternOf(rule, start)
		if !ok {
			return nil, false
		}
		return object{"pattern": pattern, "range": rangeOf(rule, start, at, g.Start.graph(zone).text("timeZone"))}, true
	}
	return nil, false
}

func patternOf(rule map[string]string, start time.Time) (object, bool) {
	interval, err := strconv.Atoi(rule["INTERVAL"])
	if err != nil {
		interval = 1
	}
	p := object{"interval": interval, "month": 0, "dayOfMonth": 0, "firstDayOfWeek": "monday", "index": "first"}
	days, index := daysOf(rule)
	switch rule["FREQ"] {
	case "DAILY":
		p["type"] = "daily"
	case "WEEKLY":
		if len(days) == 0 {
			days = []string{strings.ToLower(start.Weekday().String())}
		}
		p["type"], p["daysOfWeek"] = "weekly", days
	case "MONTHLY":
		return inMonth(p, rule, start, days, index, "Monthly")
	case "YEARLY":
		p["month"] = int(start.Month())
		return inMonth(p, rule, start, days, index, "Yearly")
	default:
		return nil, false
	}
	return p, true
}

// inMonth completes monthly and yearly patterns. The last day of a month is the 31st, which Outlook clamps.
func inMonth(p object, rule map[string]string, start time.Time, days []string, index, kind string) (object, bool) {
	if len(days) > 0 {
		if index == "" {
			return nil, false
		}
		p["type"], p["daysOfWeek"], p["index"] = "relative"+kind, days, index
		return p, true
	}
	p["type"], p["dayOfMonth"] = "absolute"+kind, start.Day()
	switch day := rule["BYMONTHDAY"]; day {
	case "", strconv.Itoa(start.Day()):
	case "-1":
		p["dayOfMonth"] = 31
	default:
		return nil, false
	}
	return p, true
}

// daysOf reads BYDAY and the place in the month that all of its days have.
func daysOf(rule map[string]string) (days []string, index string) {
	if rule["BYDAY"] == "" {
		return nil, ""
	}
	index = indexes[rule["BYSETPOS"]]
	for part := range strings.SplitSeq(rule["BYDAY"], ",") {
		at := max(0, len(part)-2)
		days = append(days, weekdays[part[at:]])
		if part[:at] != "" {
			index = indexes[strings.TrimPrefix(part[:at], "+")]
		}
	}
	return days, index
}

func rangeOf(rule map[string]string, start time.Time, zone, name string) object {
	r := object{"type": "noEnd", "startDate": start.Format(time.DateOnly), "endDate": "0001-01-01", "numberOfOccurrences": 0, "recurrenceTimeZone": name}
	if n, err := strconv.Atoi(rule["COUNT"]); err == nil {
		r["type"], r["numberOfOccurrences"] = "numbered", n
	}
	if until := rule["UNTIL"]; until != "" {
		r["type"], r["endDate"] = "endDate", lastDay(until, zone)
	}
	return r
}

// lastDay is the day of UNTIL in the zone of the series.
func lastDay(until, zone string) string {
	if at, err := time.Parse("20060102T150405Z", until); err == nil {
		if loc, err := time.LoadLocation(zone); err == nil {
			return at.In(loc).Format(time.DateOnly)
		}
	}
	day, _ := time.Parse("20060102", until[:min(8, len(until))])
	return day.Format(time.DateOnly)
}
