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

// seconds is how long it is.
func (w Window) seconds() float64 { return w.End.Sub(w.Begin).Seconds() }

// WaveOptions say when accounts may be moved. The zero Options, with a Start, are nights from 20:00 to 06:00 and whole weekends.
type WaveOptions struct {
	// Start is the first moment that may be used. Its location is the zone in which the clock is read.
	Start time.Time
	// NightFrom and NightTo are when a night begins and ends, after midnight; both zero: 20:00 and 06:00. A weekend lasts from the
	// beginning of the first night after Friday's work to the end of the last one before Monday's.
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
			rest := o.weekend(w.Begin.Weekday())
			if rest >= 0 {
				w.Weekend, w.End = true, o.night(d+rest).End
			}
			if w.Begin.Before(o.Start) {
				continue
			}
			if !yield(w) {
				return
			}
			d += max(0, rest)
		}
	}
}

// weekend says how many nights of a weekend follow the one of that day; -1: it is none of them. Nights that begin in the evening are those
// of Friday to Sunday, and others those of Saturday to Monday, so that no working day is taken.
func (o WaveOptions) weekend(d time.Weekday) int {
	if o.NoWeekends {
		return -1
	}
	last := time.Sunday
	if o.NightTo > o.NightFrom {
		last = time.Monday
	}
	if rest := int(last+7-d) % 7; rest <= 2 {
		return rest
	}
	return -1
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
