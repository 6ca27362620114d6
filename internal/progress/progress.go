// Package progress shows how far a run has come: as a bar with a line for each account at work on a terminal, as a line every ten
// seconds elsewhere. What fails is told in lines of its own.
package progress

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/meter"
	"codeberg.org/repatriate/repatriate/internal/pause"
	"codeberg.org/repatriate/repatriate/internal/report"
)

const (
	redraw = 200 * time.Millisecond
	// Every is the time between two lines.
	Every = 10 * time.Second
)

// Progress watches a run.
type Progress struct {
	Counters       *engine.Counters
	Source, Target *meter.Meter
	// Board knows which accounts are running, and what failed; nil if only the whole is shown.
	Board *Board
	// Left tells how long the rest takes by a plan, of which so many items and bytes were written; nil: nobody planned, and the pace so far
	// has to tell.
	Left func(items, bytes int64, elapsed time.Duration) time.Duration
	// Stopped tells how many tasks have stopped before their end.
	Stopped func() int64
	// Log takes the lines where there is no terminal; nil: they are written as plain text.
	Log *slog.Logger
}

// Show draws on the screen until stop is called. stop waits until the last of it is gone.
func (p Progress) Show(ctx context.Context, screen *Screen) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if screen.Terminal() {
			p.pictures(ctx, screen)
		} else {
			p.lines(ctx, screen)
		}
		p.tell(screen)
	}()
	return func() { cancel(); <-done }
}

func (p Progress) pictures(ctx context.Context, screen *Screen) {
	defer screen.Clear()
	f := p.frames()
	for told := time.Now(); pause.For(ctx, redraw) == nil; {
		now := time.Now()
		if now.Sub(told) >= tellEvery {
			p.tell(screen)
			told = now
		}
		columns, rows := screen.Size()
		screen.Draw(f.next(columns, rows, now))
	}
}

func (p Progress) lines(ctx context.Context, screen *Screen) {
	rate := p.rate()
	for last := time.Now(); pause.For(ctx, tellEvery) == nil; {
		p.tell(screen)
		now := time.Now()
		if now.Sub(last) < Every {
			continue
		}
		last = now
		if p.Board != nil && p.Board.Held() != "" {
			continue // it was said once, and may take days
		}
		s := p.now()
		text := s.text(rate(), now)
		if p.Log != nil {
			p.Log.Info("progress", "listed", s.listed, "done", s.done, "failed", s.failed, "stopped", s.stopped, "moved", text)
			continue
		}
		fmt.Fprintf(screen, "%s  %d of %d items, %s\n", now.Format(time.TimeOnly), s.done, s.listed, text)
	}
}

// tell says what happened since it was last called.
func (p Progress) tell(screen *Screen) {
	if p.Board == nil {
		return
	}
	events, more := p.Board.takeNews()
	text := ""
	at := time.Now().Format(time.TimeOnly)
	for _, e := range events {
		if p.Log != nil {
			e.log(p.Log)
			continue
		}
		line := e.text()
		if screen.Terminal() {
			line = report.Wrap(line, len(at)+2)
		}
		text += fmt.Sprintf("%s  %s\n", at, line)
	}
	switch {
	case more > 0 && p.Log != nil:
		p.Log.Warn("more failed", "failures", more)
	case more > 0:
		text += fmt.Sprintf("%s  … and %s; the summary has them\n", at, report.Plural(int64(more), "other failure"))
	}
	if text != "" {
		fmt.Fprint(screen, text)
	}
}

// state is a moment of a run.
type state struct {
	listed, done, failed, stopped, bytes, written int64
	throttled                                     []throttled
	throttledFor                                  time.Duration // so far, of both sides
}

// throttled is a side that asked for a pause.
type throttled struct {
	side  string
	until time.Time
}

func (p Progress) now() state {
	s := state{
		listed: p.Counters.Listed.Load(), done: p.Counters.Done.Load(), failed: p.Counters.Failed.Load(), bytes: p.Counters.Flowed.Load(),
		written:      p.Counters.Written.Load(),
		throttled:    []throttled{{"provider", p.Source.ThrottledUntil()}, {"target", p.Target.ThrottledUntil()}},
		throttledFor: p.Source.Throttled() + p.Target.Throttled(),
	}
	if p.Stopped != nil {
		s.stopped = p.Stopped()
	}
	return s
}

// text says what is moving, what went wrong, and what is throttled until when.
func (s state) text(bytesPerSecond float64, now time.Time) string {
	text := fmt.Sprintf("%s, %s/s", report.Size(s.bytes), report.Size(int64(bytesPerSecond)))
	if s.failed > 0 {
		text += fmt.Sprintf(", %d failed", s.failed)
	}
	if s.stopped > 0 {
		text += fmt.Sprintf(", %d stopped", s.stopped)
	}
	for _, t := range s.throttled {
		if t.until.After(now) {
			text += fmt.Sprintf(", %s throttled until %s", t.side, clock(t.until, now))
		}
	}
	return text
}

// rate returns a function that tells the bytes per second since it was last called.
func (p Progress) rate() func() float64 {
	last, at := p.Counters.Flowed.Load(), time.Now()
	return func() float64 {
		n, now := p.Counters.Flowed.Load(), time.Now()
		r := float64(n-last) / max(now.Sub(at).Seconds(), 0.001)
		last, at = n, now
		return r
	}
}
