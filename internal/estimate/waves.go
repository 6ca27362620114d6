package estimate

import (
	"iter"
	"math"
	"slices"
	"time"

	"codeberg.org/repatriate/repatriate/internal/price"
)

// Wave is what is moved in one window.
type Wave struct {
	// Number counts from 1.
	Number int
	Window
	Accounts []WaveAccount
	// Takes is how long it likely takes at most, in whatever order the accounts are moved.
	Takes time.Duration
}

// WaveAccount is an account in a wave.
type WaveAccount struct {
	AccountTime
	// Part is the number of the wave among the Parts that the account goes over; 1 of 1 for nearly all.
	Part, Parts int
}

// resource is something that all accounts draw on: units per second and per day; zero: no limit.
type resource struct {
	perSecond, perDay float64
}

// The first resources; those of the provider's budgets follow by their numbers.
const (
	line         = iota // bytes
	connectionOf        // seconds of connections to the targets
	budgetsFrom
)

// sharedResources are in the order of AccountTime.shared.
func (m *model) sharedResources() []resource {
	all := make([]resource, budgetsFrom+len(m.scopes.all))
	all[line].perSecond, all[connectionOf].perSecond = m.o.BytesPerSecond, float64(m.o.TargetConnections)
	for i, c := range m.scopes.all {
		if m.scopes.shared(i, price.Likely) {
			all[budgetsFrom+i] = resource{scenarios[price.Likely].rate(c.Limit), c.PerDay}
		}
	}
	return all
}

// mostRefusals is how many accounts, that an empty window would take, a window may refuse before it counts as full.
const mostRefusals = 256

// mostParts bounds over how many windows an account may go.
const mostParts = 1000

// Waves packs the accounts into windows, as many at once as the estimate supposes. They keep their order as far as there is room: what
// stands together goes together. Shared drives and document libraries go first: they are the largest, everybody needs them on the
// first day on the target, and what changes in them meanwhile comes with every later pass.
//
// An account that is too large for a night goes into a weekend, and one that is too large for that too goes over several windows, one
// place of which it takes. A window is full when its accounts might not be done in time in whatever order they are moved, or when what
// all accounts share, such as the project's quota of the day, is used up.
func Waves(e Estimate, o WaveOptions) []Wave {
	p := newPacker(e, o.withDefaults())
	defer p.stop()
	for _, drives := range []bool{true, false} {
		for _, a := range e.Accounts {
			if a.SharedDrive() == drives {
				p.place(a)
			}
		}
	}
	return p.waves()
}

// packer fills windows.
type packer struct {
	resources []resource
	together  int
	fill      float64
	windows   []*filled
	from      int // windows before it are full
	next      func() (Window, bool)
	stop      func()
}

// filled is a window with what is in it.
type filled struct {
	Window
	accounts []WaveAccount
	sum, max float64 // seconds of those accounts that are in no other window
	spans    int     // accounts that go over several windows
	units    []float64
	refused  int
}

func newPacker(e Estimate, o WaveOptions) *packer {
	p := &packer{resources: e.resources, together: max(1, e.options.Accounts), fill: o.Fill}
	p.next, p.stop = iter.Pull(o.Windows)
	return p
}

// window returns a window by its number from 0; nil where there are no more.
func (p *packer) window(i int) *filled {
	for len(p.windows) <= i {
		w, ok := p.next()
		if !ok {
			return nil
		}
		p.windows = append(p.windows, &filled{Window: w, units: make([]float64, len(p.resources))})
	}
	return p.windows[i]
}

// week is more than the windows of one: a weekend is among them.
const week = 7

// place finds a window for an account.
func (p *packer) place(a AccountTime) {
	for p.from < len(p.windows) && p.windows[p.from].refused >= mostRefusals {
		p.from++
	}
	for i, end := p.from, max(p.from, len(p.windows))+week; i < end; i++ {
		w := p.window(i)
		switch {
		case w == nil:
			p.spread(a)
			return
		case w.refused >= mostRefusals:
		case p.fits(w, a):
			p.add(w, a, WaveAccount{a, 1, 1}, 1)
			return
		case a.Likely.Seconds() <= w.seconds()*p.fill:
			w.refused++
		}
	}
	p.spread(a)
}

// fits reports whether the window has room for an account as a whole.
func (p *packer) fits(w *filled, a AccountTime) bool {
	t := a.Likely.Seconds()
	places := p.together - w.spans
	if places < 1 || atMost(w.sum+t, max(w.max, t), places) > w.seconds()*p.fill {
		return false
	}
	for i, units := range a.shared {
		if units > 0 && w.units[i]+units > p.resources[i].in(w.Window, p.fill) {
			return false
		}
	}
	return true
}

// atMost is how long accounts take at most, whatever their order, when each place takes the next one as it becomes free (Graham, 1966):
// when the last one begins, every place has been busy with the others.
func atMost(sum, longest float64, places int) float64 {
	n := float64(places)
	return sum/n + (1-1/n)*longest
}

// in is how many units a window has.
func (r resource) in(w Window, fill float64) float64 {
	units := math.Inf(1)
	if r.perSecond > 0 {
		units = r.perSecond * w.seconds() * fill
	}
	if r.perDay > 0 {
		units = min(units, r.perDay*max(1, math.Floor(w.seconds()/day.Seconds())))
	}
	return units
}

func (p *packer) add(w *filled, a AccountTime, in WaveAccount, share float64) {
	w.accounts = append(w.accounts, in)
	if in.Parts == 1 {
		w.sum += a.Likely.Seconds()
		w.max = max(w.max, a.Likely.Seconds())
	} else {
		w.spans++
	}
	for i, units := range a.shared {
		w.units[i] += units * share
	}
}

// spread puts an account into windows that follow one another, each of which has a place for it, until it is done. Where windows come to
// an end, the last one takes what has none.
func (p *packer) spread(a AccountTime) {
	for first := p.from; ; first++ {
		windows, done := p.run(a, first)
		if !done && p.window(first) != nil {
			continue
		}
		if len(windows) == 0 {
			windows = []*filled{p.last()}
		}
		for k, w := range windows {
			p.add(w, a, WaveAccount{a, k + 1, len(windows)}, 1/float64(len(windows)))
		}
		return
	}
}

func (p *packer) last() *filled {
	if len(p.windows) == 0 {
		p.windows = append(p.windows, &filled{units: make([]float64, len(p.resources))})
	}
	return p.windows[len(p.windows)-1]
}

// run returns the windows from a number on that an account fills. It is false if one of them has no place.
func (p *packer) run(a AccountTime, first int) (run []*filled, done bool) {
	left := 1.0 // the part of the account
	for i := first; (left > 1e-9 || len(run) < a.Days) && len(run) < mostParts; i++ {
		w := p.window(i)
		if w == nil {
			return run, len(run) > 0
		}
		part := p.part(w, a)
		if part <= 0 {
			return nil, false
		}
		left -= part
		run = append(run, w)
	}
	return run, true
}

// part is how much of an account one place of the window takes; zero if there is none.
func (p *packer) part(w *filled, a AccountTime) float64 {
	places := p.together - w.spans - 1
	if places < 0 || places == 0 && w.sum > 0 || places > 0 && atMost(w.sum, w.max, places) > w.seconds()*p.fill {
		return 0
	}
	part := w.seconds() * p.fill / max(1, a.Likely.Seconds())
	for i, units := range a.shared {
		if units > 0 {
			part = min(part, max(0, p.resources[i].in(w.Window, p.fill)-w.units[i])/units)
		}
	}
	return part
}

// waves are the windows that are used.
func (p *packer) waves() []Wave {
	var out []Wave
	for _, w := range p.windows {
		if len(w.accounts) > 0 {
			out = append(out, Wave{Number: len(out) + 1, Window: w.Window, Accounts: slices.Clip(w.accounts), Takes: p.takes(w)})
		}
	}
	return out
}

// takes is how long a window is used.
func (p *packer) takes(w *filled) time.Duration {
	if w.spans > 0 {
		return seconds(w.seconds() * p.fill)
	}
	t := min(w.sum, atMost(w.sum, w.max, p.together))
	for i, units := range w.units {
		if r := p.resources[i].perSecond; r > 0 {
			t = max(t, units/r)
		}
	}
	return seconds(t)
}
