// Package progress shows how far a run has come: as a bar on a terminal, as a line every ten seconds elsewhere.
package progress

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/meter"
	"codeberg.org/repatriate/repatriate/internal/report"
)

const (
	redraw = 200 * time.Millisecond
	line   = 10 * time.Second
)

// Progress watches a run.
type Progress struct {
	Counters       *engine.Counters
	Source, Target *meter.Meter
}

// Show draws until stop is called, on out: a bar if it is a terminal, log lines otherwise. stop waits until the last
// of it is drawn.
func (p Progress) Show(ctx context.Context, out *os.File, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if term.IsTerminal(int(out.Fd())) {
			p.bar(ctx, out)
		} else {
			p.lines(ctx, log)
		}
	}()
	return func() { cancel(); <-done }
}

func (p Progress) bar(ctx context.Context, out io.Writer) {
	bar := progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(out), progressbar.OptionSetWidth(20), progressbar.OptionThrottle(redraw/2),
		progressbar.OptionShowCount(), progressbar.OptionSetItsString("items"), progressbar.OptionShowIts(),
		progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionSetElapsedTime(true))
	rate := p.rate()
	for tick(ctx, redraw) {
		bar.ChangeMax64(max(p.Counters.Listed.Load(), 1))
		bar.Describe(p.describe(rate()))
		_ = bar.Set64(min(p.Counters.Done.Load(), p.Counters.Listed.Load()))
	}
	_ = bar.Clear()
}

func (p Progress) lines(ctx context.Context, log *slog.Logger) {
	rate := p.rate()
	for tick(ctx, line) {
		log.Info("progress", "listed", p.Counters.Listed.Load(), "done", p.Counters.Done.Load(),
			"failed", p.Counters.Failed.Load(), "moved", p.describe(rate()))
	}
}

// describe says what is moving, and what is throttled until when.
func (p Progress) describe(bytesPerSecond float64) string {
	text := fmt.Sprintf("%s, %s/s", report.Size(p.Counters.Flowed.Load()), report.Size(int64(bytesPerSecond)))
	if n := p.Counters.Failed.Load(); n > 0 {
		text += fmt.Sprintf(", %d failed", n)
	}
	for side, m := range map[string]*meter.Meter{"provider": p.Source, "target": p.Target} {
		if until := m.ThrottledUntil(); until.After(time.Now()) {
			text += fmt.Sprintf(", %s throttled until %s", side, until.Local().Format("15:04:05"))
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
