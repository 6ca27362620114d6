package progress

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"codeberg.org/repatriate/repatriate/internal/report"
)

// mostRows bounds the lines beneath the bar, and spareRows is what a terminal keeps for other lines.
const (
	mostRows  = 8
	spareRows = 3
)

// worthTelling is the shortest wait that is shown: a budget that spreads its units makes many short ones.
const worthTelling = 2 * time.Second

// frames draws the pictures of a run.
type frames struct {
	p     Progress
	bar   *progressbar.ProgressBar
	drawn *bytes.Buffer // by the bar
	begin time.Time
	rate  speed
}

func (p Progress) frames() *frames {
	f := &frames{p: p, drawn: new(bytes.Buffer), begin: time.Now()}
	f.rate.measure(p.Counters.Flowed.Load(), f.begin)
	f.bar = progressbar.NewOptions64(1, progressbar.OptionSetWriter(f.drawn), progressbar.OptionSetWidth(10),
		progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionShowDescriptionAtLineEnd())
	return f
}

// next returns the picture of now for a terminal of the given size.
func (f *frames) next(columns, rows int, now time.Time) []Line {
	lines := []Line{f.headline(columns, now)}
	if f.p.Board == nil {
		return lines
	}
	if held := f.p.Board.Held(); held != "" {
		lines = append(lines, Line{{Text: "  "}, {held, Yellow}})
	}
	shown, others := f.p.Board.look(min(mostRows, rows-spareRows), now)
	names := 0
	for _, m := range shown {
		names = max(names, width(name(m)))
	}
	names = min(names, columns*3/10)
	for _, m := range shown {
		lines = append(lines, row(m, names, columns, now))
	}
	if others > 0 {
		lines = append(lines, Text("  … and "+report.Plural(int64(others), "other account")))
	}
	return lines
}

// headline is the line for all: the bar, and as much of the numbers as there is room for.
func (f *frames) headline(columns int, now time.Time) Line {
	s := f.p.now()
	// A bar that was full once is never drawn again, and more may be listed yet.
	f.bar.ChangeMax64(s.listed + 1)
	_ = f.bar.Set64(min(s.done, s.listed))
	f.bar.Describe("") // or it draws nothing as long as the percentage stays
	bar := lastLine(f.drawn.String())
	f.drawn.Reset()
	f.rate.measure(s.bytes, now)
	if f.p.waiting() && f.p.Left == nil { // the share of what is listed is that of nothing
		bar = ""
	}
	line := Line{{Text: strings.TrimRight(bar, " ") + " "}}
	free := columns - 1 - width(line[0].Text)
	separator := " "
	for _, part := range f.parts(s, now) {
		part.Text = separator + part.Text
		if w := width(part.Text); part.Text != separator && w <= free {
			line, free, separator = append(line, part), free-w, ", "
		}
	}
	return line
}

// parts are the numbers of the headline, the most important ones first.
func (f *frames) parts(s state, now time.Time) []Span {
	parts := []Span{
		{Text: fmt.Sprintf("%d of %d items", s.done, s.listed)},
		{Text: report.Size(int64(f.rate.bytesPerSecond)) + "/s"},
	}
	if f.p.Board == nil || f.p.Board.Held() == "" {
		parts = append(parts, Span{Text: f.left(now.Sub(f.begin), s)})
	}
	if s.failed > 0 {
		parts = append(parts, Span{fmt.Sprintf("%d failed", s.failed), Red})
	}
	if s.stopped > 0 {
		parts = append(parts, Span{fmt.Sprintf("%d stopped", s.stopped), Red})
	}
	if d := min(s.throttledFor, now.Sub(f.begin)).Round(time.Second); d > 0 {
		parts = append(parts, Span{"throttled " + d.String(), Yellow})
	}
	if f.p.Board != nil {
		if _, ended, all := f.p.Board.Accounts(); all > 1 {
			parts = append(parts, Span{Text: fmt.Sprintf("%d of %d accounts", ended, all)})
		}
	}
	return append(parts, Span{Text: report.Size(s.bytes)})
}

// waiting reports whether accounts have not begun, so that nobody knows yet how much there is.
func (p Progress) waiting() bool {
	if p.Board == nil {
		return false
	}
	running, ended, all := p.Board.Accounts()
	return running+ended < all
}

func name(m moment) string { return report.Clean(m.name, 200) }

// row is the line of one account. What it waits for stands in the place of its rate.
func row(m moment, names, columns int, now time.Time) Line {
	end := Span{Text: report.Size(int64(m.bytesPerSecond)) + "/s"}
	if m.until.Sub(now) >= worthTelling {
		end = Span{fmt.Sprintf("%s: until %s", m.waitsFor, clock(m.until, now)), Yellow}
	}
	line := Line{{Text: "  " + pad(middle(name(m), names), names) + "  "}}
	free := columns - 1 - width(line[0].Text)
	var kinds []string
	for _, k := range m.kinds {
		kinds = append(kinds, fmt.Sprintf("%s %d/%d", k.kind, k.done, k.listed))
	}
	text := strings.Join(kinds, ", ")
	end.Text = cut(end.Text, max(10, free-2-min(width(text), 16)))
	line = append(line, Span{Text: cut(text, free-2-width(end.Text))}, Span{Text: "  "}, end)
	return line
}

// left says how long the rest will take: by a plan if there is one, which knows of what is not listed yet.
func (f *frames) left(since time.Duration, s state) string {
	if f.p.Left != nil {
		if d := f.p.Left(s.written, s.bytes, since); d > 0 {
			return d.Round(time.Second).String() + " left"
		}
	}
	if f.p.waiting() {
		return ""
	}
	return left(since, s.done, s.listed)
}

// left says how long the items that are listed so far will take, as soon as that can be guessed.
func left(since time.Duration, done, listed int64) string {
	if since < 5*time.Second || done <= 0 || done >= listed {
		return ""
	}
	d := time.Duration(float64(since) / float64(done) * float64(listed-done))
	return d.Round(time.Second).String() + " left"
}

// lastLine returns the last of several pictures of a bar.
func lastLine(s string) string { return s[strings.LastIndexByte(s, '\r')+1:] }

// speed is a rate that calms down over some seconds.
type speed struct {
	bytesPerSecond float64
	last           int64
	at             time.Time
}

// calm is the time in which a change shows by two thirds.
const calm = 3 * time.Second

// measure takes note of the bytes so far.
func (s *speed) measure(bytes int64, now time.Time) {
	if d := now.Sub(s.at).Seconds(); !s.at.IsZero() && d > 0 {
		s.bytesPerSecond += (float64(bytes-s.last)/d - s.bytesPerSecond) * (1 - math.Exp(-d/calm.Seconds()))
		if s.bytesPerSecond < 1 {
			s.bytesPerSecond = 0
		}
	}
	s.last, s.at = bytes, now
}
