package progress

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/meter"
)

func newProgress() (Progress, *engine.Counters) {
	c := new(engine.Counters)
	return Progress{Counters: c, Source: new(meter.Meter), Target: new(meter.Meter)}, c
}

// locked is a buffer that one goroutine writes and another reads.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// taken returns what was written since it was last called.
func (l *locked) taken() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.b.Reset()
	return l.b.String()
}

func TestLinesOffATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out locked
		p, c := newProgress()
		p.Stopped = func() int64 { return 2 }
		stop := p.Show(t.Context(), &Screen{out: &out})
		synctest.Wait()
		c.Listed.Add(10)
		c.Done.Add(4)
		c.Failed.Add(1)
		c.Flowed.Add(5_000_000)
		p.Target.Throttle("WebDAV", time.Now(), time.Hour)
		time.Sleep(Every - time.Nanosecond)
		synctest.Wait()
		if text := out.taken(); text != "" {
			t.Errorf("before its time: %q", text)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		want := "4 of 10 items, 5.0 MB, 500.0 kB/s, 1 failed, 2 stopped, target throttled until "
		if text := out.taken(); !strings.Contains(text, want) || strings.ContainsAny(text, "\r\x1b") || strings.Count(text, "\n") != 1 {
			t.Errorf("a line is %q, want %q", text, want)
		}
		// Nothing flows any more: the rate is that of the last ten seconds.
		time.Sleep(Every)
		synctest.Wait()
		stop()
		if text := out.taken(); strings.Count(text, "\n") != 1 || !strings.Contains(text, " 0 B/s") {
			t.Errorf("after that: %q", text)
		}
	})
}

func TestLinesInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out, log bytes.Buffer
		p, c := newProgress()
		p.Board = NewBoard(c)
		p.Log = slog.New(slog.NewJSONHandler(&log, nil))
		c.Listed.Add(3)
		p.Board.Failed("ada@example.org", "mail", "a secret subject", "source.malware")
		p.Board.Stopped("ada@example.org", "files", fault.New(fault.FailTask, fault.TargetQuota, "full"), time.Time{})
		stop := p.Show(t.Context(), &Screen{out: &out})
		time.Sleep(Every)
		synctest.Wait()
		stop()
		for _, want := range []string{`"listed":3`, `"msg":"item failed","account":"ada@example.org","kind":"mail","reason":"source.malware"`, `"reason":"target.quota"`} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("no %s in the log %s", want, log.String())
			}
		}
		if out.Len() > 0 || strings.Contains(log.String(), "secret") {
			t.Errorf("screen %q, log %q", out.String(), log.String())
		}
	})
}

// TestFailuresOffATerminal has more failures than anybody can read, and hostile names.
func TestFailuresOffATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out locked
		p, c := newProgress()
		p.Board = NewBoard(c)
		stop := p.Show(t.Context(), &Screen{out: &out})
		for i := range 500 {
			p.Board.Failed("ada@example.org", "files", fmt.Sprintf("\x1b[2Jname\n%d", i), "source.gone")
		}
		p.Board.Stopped("bob@example.org", "mail", errors.New("the day's \x1b]0;quota is used up"), time.Now().Add(time.Minute))
		time.Sleep(time.Second)
		synctest.Wait()
		text := out.taken()
		lines := strings.Split(strings.TrimSpace(text), "\n")
		if len(lines) != 7 || strings.ContainsAny(text, "\x1b\r") {
			t.Errorf("%d lines: %q", len(lines), lines)
		}
		for i, want := range []string{
			0: "  failed: ada@example.org, files: �[2Jname 0: source.gone",
			5: "  stopped: bob@example.org, mail: the day's �]0;quota is used up; parked until " + clock(time.Now().Add(59*time.Second), time.Now()),
			6: "  … and 495 other failures; the summary has them",
		} {
			if !strings.HasSuffix(lines[i], want) {
				t.Errorf("line %d is %q, want %q", i, lines[i], want)
			}
		}
		p.Board.Call("drive:0AX", "Projects")
		p.Board.Failed("drive:0AX", "files", "", "source.gone")
		p.Board.Hold("outside of the time windows: going on Monday")
		time.Sleep(time.Hour)
		synctest.Wait()
		stop()
		if text := out.taken(); strings.Count(text, "\n") != 2 || !strings.Contains(text, "outside of the time windows") || !strings.Contains(text, "failed: Projects (drive), files: an item") {
			t.Errorf("an hour of waiting says %q", text)
		}
	})
}

// atWork is a run of two accounts, one of which waits.
func atWork(t *testing.T) Progress {
	t.Helper()
	p, c := newProgress()
	b := NewBoard(c)
	p.Board = b
	b.Expect(400)
	ada := b.Began(t.Context(), "ada@example.org", []string{"files", "mail", "contacts"})
	b.KindEnded("ada@example.org", "contacts")
	files, mail := b.Counters("ada@example.org", "files"), b.Counters("ada@example.org", "mail")
	files.Listed.Add(120)
	files.Done.Add(80)
	mail.Listed.Add(3400)
	mail.Done.Add(120)
	time.Sleep(time.Second)
	b.Began(t.Context(), "山田太郎.with.a.long.name@engineering.example.org", []string{"mail"})
	other := b.Counters("山田太郎.with.a.long.name@engineering.example.org", "mail")
	other.Listed.Add(10)
	other.Failed.Add(3)
	meter.Wait(ada, "Gmail, per user", time.Now().Add(70*time.Second))
	return p
}

func TestFrames(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	defer func() { time.Local = local }()
	for columns, want := range map[int][]string{
		80: {
			"  200 of 3530 items, 3.6 MB/s, 3 failed, 0 of 400 accounts, 12.0 MB",
			"  ada@example.org           files 80/120, mai…  Gmail, per user: until 00:01:11",
			"  山田太郎.wit…example.org  mail 0/10  3.6 MB/s",
		},
		160: {
			"  200 of 3530 items, 3.6 MB/s, 3 failed, 0 of 400 accounts, 12.0 MB",
			"  ada@example.org                                   files 80/120, mail 120/3400  Gmail, per user: until 00:01:11",
			"  山田太郎.with.a.long.nam…engineering.example.org  mail 0/10  3.6 MB/s",
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := atWork(t)
			term := newTerminal(columns, true)
			screen := on(term, 24)
			stop := p.Show(t.Context(), screen)
			synctest.Wait()
			time.Sleep(redraw)
			synctest.Wait()
			p.Board.Counters("山田太郎.with.a.long.name@engineering.example.org", "mail").Flowed.Add(12_000_000)
			time.Sleep(2 * redraw) // the second picture after: the rate calms down
			synctest.Wait()
			got := term.shown()
			for i := range got {
				if w := width(got[i]); w >= columns {
					t.Errorf("%d columns of %d: %q", w, columns, got[i])
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("at %d columns:\n%s\nwant\n%s", columns, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			stop()
			if got := term.shown(); len(got) > 0 {
				t.Errorf("at the end %q stays", got)
			}
		})
	}
}

// TestNothingOfTheWholeIsSaid as long as accounts wait, of which nothing is listed, unless a plan tells it.
func TestNothingOfTheWholeIsSaid(t *testing.T) {
	for _, c := range []struct {
		name  string
		waits bool
		left  func(items, bytes int64, elapsed time.Duration) time.Duration
		want  string
	}{
		{"accounts wait", true, nil, "  90 of 100 items, 0 B/s, 0 of 3 accounts, 0 B"},
		{"all have begun", false, nil, "  89% |████████  |  90 of 100 items, 0 B/s, 7s left, 0 B"},
		{"a plan", true, func(_, _ int64, _ time.Duration) time.Duration { return time.Hour },
			"  89% |████████  |  90 of 100 items, 0 B/s, 1h0m0s left, 0 of 3 accounts, 0 B"},
		{"a plan that is over", true, func(_, _ int64, _ time.Duration) time.Duration { return 0 },
			"  89% |████████  |  90 of 100 items, 0 B/s, 0 of 3 accounts, 0 B"},
	} {
		synctest.Test(t, func(t *testing.T) {
			p, counters := newProgress()
			p.Board, p.Left = NewBoard(counters), c.left
			p.Board.Expect(1)
			if c.waits {
				p.Board.Expect(3)
			}
			p.Board.Began(t.Context(), "ada@example.org", []string{"mail"})
			f := p.frames()
			mail := p.Board.Counters("ada@example.org", "mail")
			mail.Listed.Add(100)
			mail.Done.Add(90)
			time.Sleep(time.Minute)
			got := ""
			for _, span := range f.next(80, 24, time.Now())[0] {
				got += span.Text
			}
			if got != c.want {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		})
	}
}

// TestBarGoesOn has more listed after everything was done, and a line of the log that takes the block's place.
func TestBarGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := newProgress()
		term := newTerminal(80, true)
		screen := on(term, 24)
		c.Listed.Add(8)
		c.Done.Add(8)
		stop := p.Show(t.Context(), screen)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := term.shown(); len(got) != 1 || !strings.Contains(got[0], "8 of 8 items") {
			t.Errorf("the terminal shows %q", got)
		}
		if _, err := screen.Write([]byte("warning\n")); err != nil {
			t.Fatal(err)
		}
		c.Listed.Add(8)
		time.Sleep(redraw)
		synctest.Wait()
		if got := term.shown(); len(got) != 2 || got[0] != "warning" || !strings.Contains(got[1], "47% |████      |  8 of 16 items, 0 B/s, 10s left, 0 B") {
			t.Errorf("after more was listed: %q", got)
		}
		stop()
		if got := term.shown(); !slices.Equal(got, []string{"warning"}) {
			t.Errorf("at the end %q stays", got)
		}
	})
}

// TestManyAccounts has more accounts than there is room for: those that run longest are shown.
func TestManyAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := newProgress()
		p.Board = NewBoard(c)
		for i := range 20 {
			p.Board.Began(t.Context(), fmt.Sprintf("user%d@example.org", i), []string{"mail"})
			time.Sleep(time.Second)
		}
		p.Board.Ended("user0@example.org")
		f := p.frames()
		for rows, most := range map[int]int{24: 8, 6: 3, 4: 1, 2: 1} {
			lines := f.next(80, rows, time.Now())
			if len(lines) != most+1 || !strings.Contains(lines[len(lines)-1][0].Text, fmt.Sprintf("%d other accounts", 20-most)) {
				t.Errorf("on %d rows: %v", rows, lines)
			}
			if most > 1 && !strings.Contains(lines[1][0].Text, "user1@") {
				t.Errorf("on %d rows the first account is %v", rows, lines[1])
			}
		}
		if running, ended, all := p.Board.Accounts(); running != 19 || ended != 1 || all != 0 {
			t.Errorf("%d run, %d ended, of %d", running, ended, all)
		}
	})
}

func TestColourAndDumbTerminals(t *testing.T) {
	for _, c := range []struct {
		terminal           bool
		term, no           string
		isTerminal, colour bool
	}{
		{true, "xterm-256color", "", true, true},
		{true, "xterm-256color", "1", true, false},
		{true, "dumb", "", false, false},
		{false, "xterm-256color", "", false, false},
	} {
		terminal, colour := abilities(c.terminal, func(name string) string { return map[string]string{"TERM": c.term, "NO_COLOR": c.no}[name] })
		if terminal != c.isTerminal || colour != c.colour {
			t.Errorf("%+v: terminal %v, colour %v", c, terminal, colour)
		}
	}
	for _, colour := range []bool{true, false} {
		var out bytes.Buffer
		(&Screen{out: &out, terminal: true, colour: colour}).Draw([]Line{{{"bad", Red}}})
		if got := strings.Contains(out.String(), "\x1b[31mbad\x1b[0m"); got != colour || strings.Contains(out.String(), "m") != colour {
			t.Errorf("colour %v: %q", colour, out.String())
		}
	}
}

func TestWidths(t *testing.T) {
	for _, c := range []struct {
		text        string
		n           int
		cut, middle string
	}{
		{"short", 10, "short", "short"},
		{"a long name", 6, "a lon…", "a l…me"},
		{"日本語の名前", 6, "日本…", "日…前"},
		{"e\u0301e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301…", "e\u0301…e\u0301"},
		{"abc", 1, "…", "…"},
		{"abc", 0, "", ""},
		{"👩‍👩‍👧👩‍👩‍👧", 3, "👩‍👩‍👧…", "…👩‍👩‍👧"},
	} {
		if got := cut(c.text, c.n); got != c.cut || width(got) > c.n {
			t.Errorf("cut(%q, %d) = %q", c.text, c.n, got)
		}
		if got := middle(c.text, c.n); got != c.middle || width(got) > c.n {
			t.Errorf("middle(%q, %d) = %q", c.text, c.n, got)
		}
	}
}
