package graphrecur

import (
	"fmt"
	"strconv"
	"strings"
)

// days are the names of RFC 5545 for Graph's.
var days = map[string]string{"sunday": "SU", "monday": "MO", "tuesday": "TU", "wednesday": "WE", "thursday": "TH", "friday": "FR", "saturday": "SA"}

// positions are the places within a month.
var positions = map[string]int{"": 1, "first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}

// lengths are the least days of each month.
var lengths = [13]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// parts returns the parts of the rule that say where it falls.
func (p Pattern) parts() ([]string, error) {
	interval := "INTERVAL=" + strconv.Itoa(p.Interval)
	switch p.Type {
	case "daily":
		return []string{"FREQ=DAILY", interval}, nil
	case "weekly":
		return p.weekly(interval)
	case "absoluteMonthly":
		day, err := p.monthDay(lengths[2])
		return append([]string{"FREQ=MONTHLY", interval}, day...), err
	case "relativeMonthly":
		day, err := p.relativeDay()
		return append([]string{"FREQ=MONTHLY", interval}, day...), err
	case "absoluteYearly", "relativeYearly":
		return p.yearly(interval)
	}
	return nil, fmt.Errorf("%w: the pattern is %.30q", ErrInvalid, p.Type)
}

func (p Pattern) weekly(interval string) ([]string, error) {
	list, err := p.dayList()
	if err != nil {
		return nil, err
	}
	first := days[strings.ToLower(p.FirstDayOfWeek)]
	if first == "" {
		if p.FirstDayOfWeek != "" {
			return nil, fmt.Errorf("%w: the first day of the week is %.20q", ErrInvalid, p.FirstDayOfWeek)
		}
		first = "SU"
	}
	return []string{"FREQ=WEEKLY", interval, "BYDAY=" + strings.Join(list, ","), "WKST=" + first}, nil
}

func (p Pattern) yearly(interval string) ([]string, error) {
	if p.Month < 1 || p.Month > 12 {
		return nil, fmt.Errorf("%w: the month is %d", ErrInvalid, p.Month)
	}
	day, err := p.relativeDay()
	if p.Type == "absoluteYearly" {
		day, err = p.monthDay(lengths[p.Month])
	}
	return append([]string{"FREQ=YEARLY", interval, "BYMONTH=" + strconv.Itoa(p.Month)}, day...), err
}

// monthDay returns the day of a month that has least days or more. Where a month is too short, Outlook takes its last day and
// RFC 5545 none, so that all days from the shortest month's last one on are named, and the last of them that exists is taken.
func (p Pattern) monthDay(least int) ([]string, error) {
	switch {
	case p.DayOfMonth < 1 || p.DayOfMonth > 31:
		return nil, fmt.Errorf("%w: the day of the month is %d", ErrInvalid, p.DayOfMonth)
	case p.DayOfMonth <= least:
		return []string{"BYMONTHDAY=" + strconv.Itoa(p.DayOfMonth)}, nil
	}
	var list []string
	for day := least; day <= p.DayOfMonth; day++ {
		list = append(list, strconv.Itoa(day))
	}
	return []string{"BYMONTHDAY=" + strings.Join(list, ","), "BYSETPOS=-1"}, nil
}

// relativeDay returns the first, second and so on of one weekday in a month, or of the days that are one of several.
func (p Pattern) relativeDay() ([]string, error) {
	list, err := p.dayList()
	if err != nil {
		return nil, err
	}
	position, ok := positions[strings.ToLower(p.Index)]
	if !ok {
		return nil, fmt.Errorf("%w: the index is %.20q", ErrInvalid, p.Index)
	}
	if len(list) == 1 {
		return []string{"BYDAY=" + strconv.Itoa(position) + list[0]}, nil
	}
	return []string{"BYDAY=" + strings.Join(list, ","), "BYSETPOS=" + strconv.Itoa(position)}, nil
}

// dayList returns the days of the week, each once.
func (p Pattern) dayList() ([]string, error) {
	var list []string
	seen := map[string]bool{}
	for _, name := range p.DaysOfWeek {
		day := days[strings.ToLower(name)]
		if day == "" {
			return nil, fmt.Errorf("%w: a day of the week is %.20q", ErrInvalid, name)
		}
		if !seen[day] {
			list, seen[day] = append(list, day), true
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: no day of the week", ErrInvalid)
	}
	return list, nil
}
