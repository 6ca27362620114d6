package progress

import (
	"io"
	"os"
	"sync"

	"golang.org/x/term"
)

// Screen is where a run's progress and its log are shown together: a line of the log takes the place of the bar, which
// is drawn anew beneath it. It is safe for concurrent use.
type Screen struct {
	mu       sync.Mutex
	out      io.Writer
	terminal bool
	drawn    bool // the bar stands on the last line
}

// NewScreen returns the screen of a file, such as standard error.
func NewScreen(out *os.File) *Screen {
	return &Screen{out: out, terminal: term.IsTerminal(int(out.Fd()))}
}

// clearLine goes to the beginning of the line and erases it (ECMA-48 §8.3.41).
const clearLine = "\r\x1b[2K"

// Write writes whole lines.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	return s.out.Write(p)
}

// clear takes the bar away.
func (s *Screen) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
}

func (s *Screen) erase() {
	if s.drawn {
		_, _ = io.WriteString(s.out, clearLine)
		s.drawn = false
	}
}

// draw shows one line, cut to the terminal's width, in the place of the one before.
func (s *Screen) draw(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drawn = true
	if r := []rune(line); len(r) >= s.width() {
		line = string(r[:s.width()-1])
	}
	_, _ = io.WriteString(s.out, "\r"+line+"\x1b[K")
}

// width returns how many columns the terminal has.
func (s *Screen) width() int {
	if f, ok := s.out.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 1 {
			return w
		}
	}
	return 80
}
