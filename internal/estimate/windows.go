package estimate

import (
	"iter"
	"time"
)

// Window is a stretch of time in which accounts are moved.
type Window struct {
	Begin, End time.Time
	Weekend    bool
}

// hours is how long it is.
func (w Window) seconds() float64 { return w.End.Sub(w.Begin).Seconds() }

// WaveOptions say when accounts may be moved. The zero Options, with a Start, are nights from 20:00 to 06:00 and whole weekends.
type WaveOptions struct {
	// Start is the first moment that may be used. Its location is the zone in which the clock is read.
	Start time.Time
	// NightFrom and NightTo are when a night begins and ends, after midnight; both zero: 20:00 and 06:00. The night that begins on a
	// Friday is the beginning of the weekend, which ends when the night of Sunday does.
	NightFrom, NightTo time.Duration
	// NoWeekends cuts weekends into nights as well.
	NoWeekends bool
	// Fill is the part of a window that is planned for; zero: 0.8. What is left is for what goes slower than is likely.
	Fill float64
	// Windows replaces nights and weekends, if not nil. They must be in order and not overlap.
	Windows iter.Seq[Window]
}

func (o WaveOptions) withDefaults() WaveOptions {
	if o.NightFrom == 0 && o.NightTo == 0 {
		o.NightFrom, o.NightTo = 20*time.Hour, 6*time.Hour
	}
	if o.Fill <= 0 || o.Fill > 1 {
		o.Fill = 0.8
	}
	if o.Windows == nil {
		o.Windows = o.nights()
	}
	return o
}

// nights yields nights and weekends without end.
func (o WaveOptions) nights() iter.Seq[Window] {
	return func(yield func(Window) bool) {
		for d := 0; ; d++ {
			w := o.night(d)
			if !o.NoWeekends && (w.Begin.Weekday() == time.Saturday || w.Begin.Weekday() == time.Sunday) {
				continue // within the weekend
			}
			if !o.NoWeekends && w.Begin.Weekday() == time.Friday {
				w.Weekend, w.End = true, o.night(d+2).End
			}
			if !w.Begin.Before(o.Start) && !yield(w) {
				return
			}
		}
	}
}

// night returns the night that begins so many days after the start, by the clock on the wall, also where that is put forward or back.
func (o WaveOptions) night(days int) Window {
	y, m, d := o.Start.Date()
	at := func(d int, clock time.Duration) time.Time {
		return time.Date(y, m, d, int(clock.Hours()), int(clock.Minutes())%60, 0, 0, o.Start.Location())
	}
	w := Window{Begin: at(d+days, o.NightFrom), End: at(d+days, o.NightTo)}
	if !w.End.After(w.Begin) {
		w.End = at(d+days+1, o.NightTo)
	}
	return w
}
