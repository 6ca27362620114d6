package estimate

import "time"

// Moved is what has been moved so far of the demands of an estimate.
type Moved struct{ Items, Bytes int64 }

// Done is the part of the work that is done, from 0 to 1: by bytes where the line is what holds the job up, and by items otherwise.
func (e Estimate) Done(m Moved) float64 {
	done, all := float64(m.Items), float64(e.Items)
	if e.Binding == Bandwidth {
		done, all = float64(m.Bytes), float64(e.Bytes)
	}
	if all <= 0 {
		return 1
	}
	return min(1, max(0, done/all))
}

// trusted is the part of the work after which what was measured counts alone.
const trusted = 0.25

// Left is how long the rest takes, after elapsed. At the beginning that is what the estimate says; the more is done, the more it
// is what the pace so far says, and after a quarter that alone. It is for showing: it may grow when things go slower.
func (e Estimate) Left(m Moved, elapsed time.Duration) time.Duration {
	done := e.Done(m)
	if done >= 1 {
		return 0
	}
	byModel := float64(e.Likely) * (1 - done)
	if done <= 0 {
		return seconds(time.Duration(byModel).Seconds())
	}
	byPace := float64(elapsed) / done * (1 - done)
	weight := min(1, done/trusted)
	return seconds((byModel*(1-weight) + byPace*weight) / float64(time.Second))
}
