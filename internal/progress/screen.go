package progress

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// Screen is where a run's progress, its log and its messages are shown together. On a terminal the progress is a block of lines that
// is drawn anew in its place; what is written beside it stands above. It is safe for concurrent use.
//
// The cursor rests at the block's first column: a terminal that wraps lines anew when its width changes keeps it there, so that the
// next picture covers all that is left of the last one.
type Screen struct {
	mu       sync.Mutex
	out      io.Writer
	terminal bool
	colour   bool
	size     func() (columns, rows int)
	block    []Line // what stands below the cursor
}

// NewScreen returns the screen of a file, such as standard error. A terminal that can do nothing (TERM=dumb) counts as none, and
// NO_COLOR (no-color.org) is respected.
func NewScreen(out *os.File) *Screen {
	s := &Screen{out: out}
	s.terminal, s.colour = abilities(term.IsTerminal(int(out.Fd())), os.Getenv)
	s.size = func() (int, int) {
		if w, h, err := term.GetSize(int(out.Fd())); err == nil && w > 1 && h > 1 {
			return w, h
		}
		return defaultColumns, defaultRows
	}
	return s
}

func abilities(isTerminal bool, env func(string) string) (terminal, colour bool) {
	terminal = isTerminal && env("TERM") != "dumb"
	return terminal, terminal && env("NO_COLOR") == ""
}

// What a terminal has that does not tell its size.
const (
	defaultColumns = 80
	defaultRows    = 24
)

// Terminal reports whether blocks can be drawn.
func (s *Screen) Terminal() bool { return s.terminal }

// Size returns the terminal's size as it is now.
func (s *Screen) Size() (columns, rows int) {
	if s.size == nil {
		return defaultColumns, defaultRows
	}
	return s.size()
}

// Control sequences of ECMA-48 (§8.3.41, §8.3.39, §8.3.22, §8.3.117).
const (
	clearRight = "\x1b[K"
	clearBelow = "\x1b[J"
	cursorUp   = "\x1b[%dA"
	rendition  = "\x1b[%dm"
)

// Write writes whole lines above the block.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.block) == 0 {
		return s.out.Write(p)
	}
	var b bytes.Buffer
	columns, _ := s.Size()
	for line := range bytes.Lines(p) {
		text := bytes.TrimSuffix(line, []byte("\n"))
		b.WriteString("\r" + clearRight)
		b.Write(text)
		if w := width(string(text)); w == 0 || w%columns != 0 { // or the cursor still stands on the last character
			b.WriteString(clearRight)
		}
		b.WriteString("\r\n")
	}
	s.picture(&b)
	if _, err := s.out.Write(b.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Draw shows a block in the place of the one before, with one write. Lines are cut to the terminal's width, and those left out that
// would scroll.
func (s *Screen) Draw(block []Line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.terminal || len(block) == 0 {
		return
	}
	s.block = block
	var b bytes.Buffer
	s.picture(&b)
	_, _ = s.out.Write(b.Bytes())
}

func (s *Screen) picture(b *bytes.Buffer) {
	columns, rows := s.Size()
	lines := s.block[:min(len(s.block), max(1, rows-1))]
	b.WriteString("\r")
	for i, l := range lines {
		if i > 0 {
			b.WriteString(clearRight + "\r\n")
		}
		l.write(b, columns-1, s.colour) // in the last column the cursor would wrap
	}
	b.WriteString(clearBelow)
	if len(lines) > 1 {
		fmt.Fprintf(b, cursorUp, len(lines)-1)
	}
	b.WriteString("\r")
}

// Clear takes the block away. It is for the end, also a sudden one: while somebody writes, it does nothing.
func (s *Screen) Clear() {
	if !s.mu.TryLock() {
		return
	}
	defer s.mu.Unlock()
	if len(s.block) > 0 {
		_, _ = io.WriteString(s.out, erasing(len(s.block)))
		s.block = nil
	}
}

// erasing clears a block. What is below is not cleared from the first line on, since some terminals keep what they show when all of it is
// cleared, and show it again.
func erasing(lines int) string {
	if lines == 1 {
		return "\r" + clearRight + clearBelow
	}
	return "\r" + clearRight + "\r\n" + clearBelow + fmt.Sprintf(cursorUp, 1) + "\r"
}

// Leave goes below the block, which stays.
func (s *Screen) Leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.block) > 0 {
		_, rows := s.Size()
		var b bytes.Buffer
		s.picture(&b) // the terminal may have echoed a key over it
		b.WriteString(strings.Repeat("\n", min(len(s.block), max(1, rows-1))))
		_, _ = s.out.Write(b.Bytes())
		s.block = nil
	}
}

// Line is a line of a block.
type Line []Span

// Span is a part of a line in one colour.
type Span struct {
	Text   string
	Colour Colour
}

// Colour is one of the terminal's own by its number in ECMA-48 §8.3.117; zero for the usual one.
type Colour int

// The colours in use.
const (
	Red    Colour = 31
	Yellow Colour = 33
)

// Text is a line without colour.
func Text(s string) Line { return Line{{Text: s}} }

func (l Line) write(b *bytes.Buffer, columns int, colour bool) {
	for _, s := range l {
		text := cut(s.Text, columns)
		columns -= width(text)
		if colour && s.Colour != 0 && text != "" {
			fmt.Fprintf(b, rendition+"%s"+rendition, s.Colour, text, 0)
		} else {
			b.WriteString(text)
		}
		if text != s.Text {
			return
		}
	}
}
