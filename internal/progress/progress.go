// Package progress shows how far a run has come: as a bar on a terminal, as a line every ten seconds elsewhere.
package progress

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/meter"
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
		if screen.terminal {
			p.bar(ctx, screen)
		} else {
			p.lines(ctx, screen)
		}
	}()
	return func() { cancel(); <-done }
}

func (p Progress) bar(ctx context.Context, screen *Screen) {
	defer screen.clear()
	frame := new(bytes.Buffer)
	bar := progressbar.NewOptions64(1, progressbar.OptionSetWriter(frame), progressbar.OptionSetWidth(16),
		progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionShowDescriptionAtLineEnd())
	rate, begin := p.rate(), time.Now()
	for tick(ctx, redraw) {
		s := p.now()
		// A bar that was full once is never drawn again, and more may be listed yet.
		bar.ChangeMax64(s.listed + 1)
		_ = bar.Set64(min(s.done, s.listed))
		bar.Describe(fmt.Sprintf("%d of %d items, %s%s", s.done, s.listed, left(time.Since(begin), s.done, s.listed), s.text(rate(), time.Now())))
		screen.draw(lastLine(frame.String()))
		frame.Reset()
	}
}

// lastLine returns the last of several pictures of a bar.
func lastLine(s string) string { return s[strings.LastIndexByte(s, '\r')+1:] }

// left says how long the items that are listed so far will take, as soon as that can be guessed.
func left(since time.Duration, done, listed int64) string {
	if since < 5*time.Second || done <= 0 || done >= listed {
		return ""
	}
	d := time.Duration(float64(since) / float64(done) * float64(listed-done))
	return fmt.Sprintf("%s left, ", d.Round(time.Second))
}

func (p Progress) lines(ctx context.Context, out io.Writer) {
	rate := p.rate()
	for tick(ctx, Every) {
		s := p.now()
		text := s.text(rate(), time.Now())
		if p.Log != nil {
			p.Log.Info("progress", "listed", s.listed, "done", s.done, "failed", s.failed, "stopped", s.stopped, "moved", text)
			continue
		}
		fmt.Fprintf(out, "%s  %d of %d items, %s\n", time.Now().Format(time.TimeOnly), s.done, s.listed, text)
	}
}

// state is a moment of a run.
type state struct {
	listed, done, failed, stopped, bytes int64
	throttled                            []throttled
}

// throttled is a side that asked for a pause.
type throttled struct {
	side  string
	until time.Time
}

func (p Progress) now() state {
	s := state{
		listed: p.Counters.Listed.Load(), done: p.Counters.Done.Load(), failed: p.Counters.Failed.Load(), bytes: p.Counters.Flowed.Load(),
		throttled: []throttled{{"provider", p.Source.ThrottledUntil()}, {"target", p.Target.ThrottledUntil()}},
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
		text += fmt.Sprintf(", %d tasks stopped", s.stopped)
	}
	for _, t := range s.throttled {
		if t.until.After(now) {
			text += fmt.Sprintf(", %s throttled until %s", t.side, t.until.Local().Format(time.TimeOnly))
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

// tick reports whether d passed before ctx ended.
func tick(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
