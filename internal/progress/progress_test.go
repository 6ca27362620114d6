package progress

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/meter"
)

func newProgress() (Progress, *engine.Counters) {
	c := new(engine.Counters)
	return Progress{Counters: c, Source: new(meter.Meter), Target: new(meter.Meter)}, c
}

func TestLinesOffATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p, c := newProgress()
		p.Stopped = func() int64 { return 2 }
		stop := p.Show(t.Context(), &Screen{out: &out})
		synctest.Wait()
		c.Listed.Store(10)
		c.Done.Store(4)
		c.Failed.Store(1)
		c.Flowed.Store(5_000_000)
		p.Target.Throttle("WebDAV", time.Now(), time.Hour)
		time.Sleep(Every - time.Nanosecond)
		synctest.Wait()
		if out.Len() > 0 {
			t.Errorf("before its time: %q", out.String())
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		want := "4 of 10 items, 5.0 MB, 500.0 kB/s, 1 failed, 2 tasks stopped, target throttled until "
		if text := out.String(); !strings.Contains(text, want) || strings.ContainsAny(text, "\r\x1b") || strings.Count(text, "\n") != 1 {
			t.Errorf("a line is %q, want %q", text, want)
		}
		// Nothing flows any more: the rate is that of the last ten seconds.
		time.Sleep(Every)
		synctest.Wait()
		stop()
		if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); len(lines) != 2 || !strings.Contains(lines[1], " 0 B/s") {
			t.Errorf("lines: %q", lines)
		}
	})
}

func TestLinesInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out, log bytes.Buffer
		p, c := newProgress()
		p.Log = slog.New(slog.NewJSONHandler(&log, nil))
		c.Listed.Store(3)
		stop := p.Show(t.Context(), &Screen{out: &out})
		time.Sleep(Every)
		synctest.Wait()
		stop()
		if out.Len() > 0 || !strings.Contains(log.String(), `"listed":3`) {
			t.Errorf("screen %q, log %q", out.String(), log.String())
		}
	})
}

func TestBarOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		screen := &Screen{out: &out, terminal: true}
		p, c := newProgress()
		c.Listed.Store(8)
		c.Done.Store(2)
		stop := p.Show(t.Context(), screen)
		time.Sleep(redraw)
		synctest.Wait()
		if text := out.String(); !strings.HasPrefix(text, "\r") || !strings.Contains(text, "2 of 8 items") || strings.Contains(text, "\n") {
			t.Errorf("the bar is %q", text)
		}
		// A line of the log takes the bar's place; the next picture of the bar stands beneath it.
		out.Reset()
		if _, err := screen.Write([]byte("warning\n")); err != nil {
			t.Fatal(err)
		}
		c.Done.Store(8)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if text := out.String(); !strings.HasPrefix(text, clearLine+"warning\n\r") || !strings.Contains(text, "8 of 8 items") {
			t.Errorf("after a line of the log: %q", text)
		}
		// More is listed after everything was done: the bar goes on.
		out.Reset()
		c.Listed.Store(16)
		time.Sleep(redraw)
		synctest.Wait()
		if text := out.String(); !strings.Contains(text, "8 of 16 items, 10s left") {
			t.Errorf("after more was listed: %q", text)
		}
		stop()
		if text := out.String(); !strings.HasSuffix(text, clearLine) {
			t.Errorf("the bar stays: %q", text)
		}
	})
}

func TestLinesAreCutToTheScreen(t *testing.T) {
	var out bytes.Buffer
	(&Screen{out: &out, terminal: true}).draw(strings.Repeat("é", 300))
	if n := strings.Count(out.String(), "é"); n != 79 {
		t.Errorf("%d columns are used of 80", n)
	}
}
