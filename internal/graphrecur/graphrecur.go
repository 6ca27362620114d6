// Package graphrecur turns the recurrences of Microsoft Graph (learn.microsoft.com/graph/api/resources/patternedrecurrence) into rules
// of RFC 5545 §3.3.10 that give the same instants.
package graphrecur

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// Recurrence is Graph's patternedRecurrence.
type Recurrence struct {
	Pattern Pattern `json:"pattern"`
	Range   Range   `json:"range"`
}

// Pattern says on which days a series falls. Which fields count depends on Type.
type Pattern struct {
	// Type is daily, weekly, absoluteMonthly, relativeMonthly, absoluteYearly or relativeYearly.
	Type string `json:"type"`
	// Interval counts in the unit of Type, from 1 on.
	Interval int `json:"interval"`
	// Month counts from 1, for the yearly types.
	Month int `json:"month"`
	// DayOfMonth is 1 to 31, for the absolute types. Outlook takes the last day of a month that is shorter.
	DayOfMonth int `json:"dayOfMonth"`
	// DaysOfWeek are English names, for weekly and the relative types.
	DaysOfWeek []string `json:"daysOfWeek"`
	// FirstDayOfWeek is where the weeks of an interval begin; sunday if empty.
	FirstDayOfWeek string `json:"firstDayOfWeek"`
	// Index is first, second, third, fourth or last, for the relative types; first if empty.
	Index string `json:"index"`
}

// Range says when a series ends.
type Range struct {
	// Type is endDate, noEnd or numbered.
	Type string `json:"type"`
	// StartDate and EndDate have the form 2006-01-02. EndDate is the last day on which the series may fall.
	StartDate           string `json:"startDate"`
	EndDate             string `json:"endDate"`
	NumberOfOccurrences int    `json:"numberOfOccurrences"`
}

// maxInterval is the largest that Outlook takes; a rule of more is no recurrence of a calendar.
const maxInterval = 999

// ErrInvalid says that a recurrence does not follow Graph's description.
var ErrInvalid = errors.New("not a recurrence")

// Rule returns the value of an RRULE. zone is where the series repeats; allDay says that its events are dates, in which the
// rule's end has to be written then.
func Rule(r Recurrence, zone *time.Location, allDay bool) (string, error) {
	if r.Pattern.Interval < 1 || r.Pattern.Interval > maxInterval {
		return "", fmt.Errorf("%w: the interval is %d", ErrInvalid, r.Pattern.Interval)
	}
	parts, err := r.Pattern.parts()
	if err != nil {
		return "", err
	}
	end, err := r.Range.end(zone, allDay)
	if err != nil {
		return "", err
	}
	return strings.Join(append(parts, end...), ";"), nil
}

// end returns the part of the rule that ends it, if any.
func (r Range) end(zone *time.Location, allDay bool) ([]string, error) {
	switch r.Type {
	case "noEnd":
		return nil, nil
	case "numbered":
		if r.NumberOfOccurrences < 1 {
			return nil, fmt.Errorf("%w: %d occurrences", ErrInvalid, r.NumberOfOccurrences)
		}
		return []string{fmt.Sprintf("COUNT=%d", r.NumberOfOccurrences)}, nil
	case "endDate":
		day, err := time.Parse(time.DateOnly, r.EndDate)
		if err != nil {
			return nil, fmt.Errorf("%w: the end date is %.20q", ErrInvalid, r.EndDate)
		}
		return []string{"UNTIL=" + until(day, zone, allDay)}, nil
	}
	return nil, fmt.Errorf("%w: the range is %.20q", ErrInvalid, r.Type)
}

// until is the end of a day in a zone, in the form that RFC 5545 demands: UTC for times, a date for dates. Some days have no midnight, so
// that a day is one of UTC until its end is known.
func until(day time.Time, zone *time.Location, allDay bool) string {
	if allDay {
		return day.Format("20060102")
	}
	last := time.Date(day.Year(), day.Month(), day.Day(), 23, 59, 59, 0, zone)
	return last.UTC().Format("20060102T150405Z")
}

// First returns the first occurrence of a rule from a time on, and false if there is none. Graph lets a series start on a day on which
// it does not fall; by RFC 5545 §3.8.5.3 such a start has no meaning that all readers share.
func First(rule string, start time.Time) (time.Time, bool) {
	o, err := rrule.StrToROption(rule)
	if y := start.Year(); err != nil || y <= 1 || y > 9998 { // the library panics in the year 0
		return start, false
	}
	o.Dtstart = start
	r, err := rrule.NewRRule(*o)
	if err != nil {
		return start, false
	}
	first := r.After(start, true)
	return first, !first.IsZero()
}
