package engine

import "errors"

// ErrDrained says that a task was left before its end because Options.Drain asked for it. All that was begun is finished, and the
// next run goes on from there, as after an interruption.
var ErrDrained = errors.New("no new work is taken up")

// drains reports whether nothing new may be begun. Who asks leaves something undone: its page may not be passed.
func (p *pass[S, T]) drains() bool {
	select {
	case <-p.o.Drain:
		p.drained.Store(true)
		return true
	default:
		return false
	}
}

func (p *pass[S, T]) drainedErr() error {
	if p.drained.Load() {
		return ErrDrained
	}
	return nil
}
