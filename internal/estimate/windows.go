package estimate

import (
	"iter"
	"time"

	"codeberg.org/repatriate/repatriate/internal/windows"
)

// Window is a stretch of time in which accounts are moved.
type Window struct {
	Begin, End time.Time
	Weekend    bool
}

// seconds is how long it is.
func (w Window) seconds() float64 { return w.End.Sub(w.Begin).Seconds() }

// WaveOptions say when accounts may be moved.
type WaveOptions struct {
	// Start is the first moment that may be used. Its location is the zone in which the clock is read.
	Start time.Time
	// Fill is the part of a window that is planned for; zero: 0.8. What is left is for what goes slower than is likely.
	Fill float64
	// Windows must be in order and not overlap; nil: nights from 20:00 to 06:00 and whole weekends.
	Windows iter.Seq[Window]
}

func (o WaveOptions) withDefaults() WaveOptions {
	if o.Fill <= 0 || o.Fill > 1 {
		o.Fill = 0.8
	}
	if o.Windows == nil {
		o.Windows = Openings(Nights(o.Start.Location()), o.Start)
	}
	return o
}

// Nights are those between working days, and the weekend from Friday's to Monday's.
func Nights(zone *time.Location) windows.Windows {
	w, err := windows.Parse([]string{"mon-fri 20:00-06:00", "sat-sun", "sun 20:00-06:00"}, "")
	if err != nil {
		panic(err) // no input comes here
	}
	return w.In(zone)
}

// Openings are the windows from a moment on, one after the other; none if they never close.
func Openings(w windows.Windows, from time.Time) iter.Seq[Window] {
	return func(yield func(Window) bool) {
		for begin, end := range w.From(from) {
			if !yield(Window{Begin: begin, End: end, Weekend: atWeekend(begin, end)}) {
				return
			}
		}
	}
}

// atWeekend reports whether the noon of a Saturday or Sunday lies within.
func atWeekend(begin, end time.Time) bool {
	y, m, d := begin.Date()
	for noon := time.Date(y, m, d, 12, 0, 0, 0, begin.Location()); noon.Before(end); noon = noon.AddDate(0, 0, 1) {
		if day := noon.Weekday(); (day == time.Saturday || day == time.Sunday) && noon.After(begin) {
			return true
		}
	}
	return false
}
