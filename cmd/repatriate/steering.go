package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/metrics"
	"codeberg.org/repatriate/repatriate/internal/pace"
	"codeberg.org/repatriate/repatriate/internal/plan"
	"codeberg.org/repatriate/repatriate/internal/progress"
	"codeberg.org/repatriate/repatriate/internal/runner"
	"codeberg.org/repatriate/repatriate/internal/windows"
)

// steering says when and how fast a pass runs, over which part of a wave plan, and who may watch it.
type steering struct {
	until, bandwidth, metrics string
	wave, waves               string
	// waveKinds are what the wave moves of each of its accounts.
	waveKinds map[string][]string
	// now works outside of the job's windows, too.
	now bool
}

func (s *steering) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.until, "until", "", "end at this time, as 06:00 or 2026-12-01T06:00:00+01:00")
	f.BoolVar(&s.now, "now", false, "work at once, whatever the time windows of the job file")
	f.StringVar(&s.bandwidth, "bandwidth", "", "at most so many bytes per second in each direction, as 50M or 400Mbit")
	f.StringVar(&s.wave, "wave", "", "only the accounts of this wave of the wave plan")
	f.StringVar(&s.waves, "waves", "", "the wave plan, CSV (default: JOB-waves.csv beside the job file)")
	f.StringVar(&s.metrics, "metrics", "", "serve metrics for Prometheus at this address, as 127.0.0.1:9090")
}

// errUntil ends a pass whose time is up.
var errUntil = errors.New("the time that --until named has come")

// schedule is what the steering of a pass means.
type schedule struct {
	windows windows.Windows
	until   time.Time // zero: no end
	// in bounds what comes from the provider, out the bodies that go to the target: each byte of a body counts once in both.
	in, out *pace.Pace
	board   *progress.Board
	// drain is closed when the window ends in which the pass is working.
	drain <-chan struct{}
}

// schedule reads the steering at a moment.
func (s steering) schedule(job *config.Job, now time.Time) (*schedule, error) {
	out := &schedule{}
	if !s.now {
		out.windows = job.Open
	}
	bytes := job.Pace
	var err error
	if s.until != "" {
		if out.until, err = parseUntil(s.until, now); err != nil {
			return nil, err
		}
	}
	if s.bandwidth != "" {
		if bytes, err = pace.Parse(s.bandwidth); err != nil {
			return nil, fmt.Errorf("--bandwidth: %w", err)
		}
	}
	out.in, out.out = pace.New(bytes), pace.New(bytes)
	return out, out.useful(now)
}

// useful refuses to wait for a window that opens only when the pass has to end.
func (s *schedule) useful(now time.Time) error {
	open, change := s.windows.At(now)
	if open || s.until.IsZero() || change.Before(s.until) {
		return nil
	}
	const form = "Mon 2 Jan 15:04"
	return fmt.Errorf("the job's time windows open %s, and --until ends the run before, %s: nothing would be moved. --now works at once",
		change.Local().Format(form), s.until.Local().Format(form))
}

// parseUntil reads a time of day, which is the next moment at which the clock of this machine shows it, or a moment as RFC 3339.
func parseUntil(text string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		if !t.After(now) {
			return t, fmt.Errorf("--until %s is over", text)
		}
		return t, nil
	}
	clock, err := time.Parse("15:04", text)
	if err != nil {
		return clock, fmt.Errorf("--until %q is no time: write 06:00, or 2026-12-01T06:00:00+01:00", text)
	}
	now = now.Local()
	for day := now.Day(); ; day++ {
		t := time.Date(now.Year(), now.Month(), day, clock.Hour(), clock.Minute(), 0, 0, now.Location())
		if t.After(now) {
			return t, nil
		}
	}
}

// selected returns the pass with the accounts and kinds of its wave.
func (p pass) selected(job *config.Job) (pass, error) {
	switch {
	case p.wave == "" && p.waves != "":
		return p, errors.New("--waves goes with --wave")
	case p.wave == "":
		return p, nil
	case len(p.accounts) > 0:
		return p, errors.New("--wave and --account exclude one another")
	}
	path := p.waves
	if path == "" {
		path = job.WavesPath()
	}
	moved, err := job.Wave(path, p.wave)
	p.waveKinds = make(map[string][]string, len(moved))
	for _, a := range moved {
		p.accounts = append(p.accounts, a.Source)
		p.waveKinds[a.Source] = a.Kinds
	}
	return p, err
}

// ofWave leaves the accounts those kinds that the pass's wave moves, and makes the report one of these alone. Without a wave it changes
// nothing.
func (p *pass) ofWave(people []config.Account) (out []config.Account) {
	if p.wave == "" {
		return people
	}
	p.parts = map[plan.Part]bool{}
	for _, a := range people {
		a.Kinds = slices.DeleteFunc(slices.Clone(a.Kinds), func(k string) bool { return !slices.Contains(p.waveKinds[a.Source], k) })
		for _, k := range a.Kinds {
			p.parts[plan.Part{Account: a.Source, Kind: k}] = true
		}
		if len(a.Kinds) > 0 {
			out = append(out, a)
		}
	}
	return out
}

// within runs the accounts in the job's windows: it waits for one, and goes on in the next with what was left undone.
func (s *schedule) within(ctx context.Context, r *runner.Runner, accounts []runner.Account) error {
	for {
		closes, err := s.opened(ctx)
		if err != nil {
			return err
		}
		ended, cancel := context.WithCancel(ctx)
		drain := make(chan struct{})
		s.drain, r.Drain = drain, drain
		if !closes.IsZero() {
			go func() {
				if sleepUntil(ended, closes) {
					s.board.Hold("the time window has ended: finishing what is under way")
					close(drain)
				}
			}()
		}
		err = r.Run(ctx, accounts)
		cancel()
		if !errors.Is(err, engine.ErrDrained) {
			return err
		}
		accounts = r.Undone(accounts)
		s.board.Left(len(accounts))
	}
}

// opened waits for a window, and returns when that closes; the zero time if never.
func (s *schedule) opened(ctx context.Context) (closes time.Time, err error) {
	defer s.board.Hold("")
	for {
		open, change := s.windows.At(time.Now())
		if open {
			return change, ctx.Err()
		}
		s.board.Hold("outside of the job's time windows: going on " + change.Local().Format("Mon 2 Jan 15:04"))
		if !sleepUntil(ctx, change) {
			return closes, ctx.Err()
		}
	}
}

// longestSleep bounds how long a clock that was set, or a machine that was asleep, goes unnoticed.
const longestSleep = 30 * time.Second

// sleepUntil reports whether the clock came to t before ctx ended.
func sleepUntil(ctx context.Context, t time.Time) bool {
	t = t.Round(0) // by the clock on the wall
	for {
		left := t.Sub(time.Now().Round(0))
		if left <= 0 {
			return true
		}
		timer := time.NewTimer(min(left, longestSleep))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return false
		}
	}
}

// bounded returns a context that ends with errUntil when the schedule's time is up.
func (s *schedule) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if !s.until.IsZero() {
		go func() {
			if sleepUntil(ctx, s.until) {
				cancel(errUntil)
			}
		}()
	}
	return ctx, func() { cancel(nil) }
}

// paced returns a transport to the provider that keeps to the pace; nil for the source's own.
func (s *schedule) paced() http.RoundTripper {
	if s == nil || s.in == nil {
		return nil
	}
	return httpx.Paced(httpx.NewTransport(), s.in)
}

// listen takes the address of the metrics, before anything else is begun.
func (s steering) listen() (net.Listener, error) {
	if s.metrics == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", s.metrics)
	if err != nil {
		if !strings.Contains(s.metrics, ":") {
			err = fmt.Errorf("%q is no address: write 127.0.0.1:9090, or :9090 for all addresses of the machine", s.metrics)
		}
		return nil, fmt.Errorf("--metrics: %w", err)
	}
	return l, nil
}

// serve serves the metrics of a pass until stop is called.
func (w *wiring) serve(l net.Listener, r *runner.Runner) (stop func()) {
	if l == nil {
		return func() {}
	}
	return metrics.Serve(l, metrics.Run{
		Job: w.job.Job, Version: version(), Started: time.Now(), Total: &w.counters, Kinds: w.board.Kinds,
		Source: &w.source, Target: &w.target, Stopped: r.Stopped.Load, Accounts: w.board.Accounts, Held: w.board.Held,
	})
}
