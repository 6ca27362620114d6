package progress

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rivo/uniseg"
)

// terminal is an emulator of one, with all that scrolled away: lines that wrap at the width, and a cursor. When the width changes, it
// wraps the lines anew, or cuts them, as terminals do either way.
type terminal struct {
	mu      sync.Mutex
	columns int
	reflows bool
	lines   [][]string // cells; that of a wide character is followed by an empty one
	line    int
	at      int // the cell of the line that the cursor is at
	writes  int
}

func newTerminal(columns int, reflows bool) *terminal {
	return &terminal{columns: columns, reflows: reflows, lines: [][]string{nil}}
}

var control = regexp.MustCompile(`^\x1b\[([0-9]*)([A-Za-z])`)

// Write interprets what a program writes. What it does not know is an error.
func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writes++
	for s := string(p); s != ""; {
		if m := control.FindStringSubmatch(s); m != nil {
			n, _ := strconv.Atoi(m[1])
			if err := t.control(m[2], n); err != nil {
				return 0, err
			}
			s = s[len(m[0]):]
			continue
		}
		cluster, rest, w, _ := uniseg.FirstGraphemeClusterInString(s, -1)
		s = rest
		switch {
		case strings.HasSuffix(cluster, "\n"):
			if cluster == "\r\n" || cluster == "\n" { // the system makes CR LF of LF
				t.at -= t.at % t.columns
			}
			t.down()
		case cluster == "\r":
			t.at -= t.at % t.columns
		case cluster[0] < ' ':
			return 0, fmt.Errorf("control character %q", cluster)
		default:
			t.put(cluster, w)
		}
	}
	return len(p), nil
}

func (t *terminal) control(command string, n int) error {
	switch command {
	case "K":
		t.clearRight()
	case "J":
		l := t.lines[t.line]
		t.lines[t.line] = l[:min(t.at, len(l))]
		t.lines = t.lines[:t.line+1]
	case "A":
		for range max(1, n) {
			t.up()
		}
	case "m":
	default:
		return fmt.Errorf("control sequence %q", command)
	}
	return nil
}

// clearRight clears the row from the cursor on. A line of which it clears the end of a row is two from then on.
func (t *terminal) clearRight() {
	l, row := t.lines[t.line], t.at-t.at%t.columns
	if t.at > len(l) {
		return
	}
	t.lines[t.line] = l[:t.at:t.at]
	if next := row + t.columns; next < len(l) {
		t.lines = slices.Insert(t.lines, t.line+1, slices.Clone(l[next:]))
	}
}

func (t *terminal) put(cluster string, w int) {
	l := t.lines[t.line]
	for len(l) < t.at {
		l = append(l, " ")
	}
	if wraps := t.at > 0 && t.at == len(l) && t.at%t.columns == 0; wraps && t.line+1 < len(t.lines) {
		// The row below is written over, and belongs to this line from now on.
		next := t.lines[t.line+1]
		row := min(len(next), t.columns)
		l = append(l[:t.at:t.at], next[:row]...)
		if t.lines[t.line+1] = next[row:]; row == len(next) {
			t.lines = slices.Delete(t.lines, t.line+1, t.line+2)
		}
	}
	cells := append([]string{cluster}, make([]string, w-1)...)
	t.lines[t.line] = append(l[:t.at:t.at], append(cells, l[min(len(l), t.at+w):]...)...)
	t.at += w
}

// down goes to the next row, which may be of the same line.
func (t *terminal) down() {
	if next := t.at - t.at%t.columns + t.columns; next < len(t.lines[t.line]) {
		t.at = next
		return
	}
	if t.line++; t.line == len(t.lines) {
		t.lines = append(t.lines, nil)
	}
	t.at = 0
}

func (t *terminal) up() {
	if t.at >= t.columns {
		t.at -= t.columns
		return
	}
	if t.line > 0 {
		t.line--
		t.at = (max(0, len(t.lines[t.line])-1) / t.columns) * t.columns
	}
}

func (t *terminal) resize(columns int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.columns = columns
	if t.reflows {
		return
	}
	for i, l := range t.lines {
		t.lines[i] = l[:min(len(l), columns)]
	}
	t.at = min(t.at, columns-1)
}

func (t *terminal) shown() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []string
	for _, l := range t.lines {
		out = append(out, strings.TrimRight(strings.Join(l, ""), " "))
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// on returns a screen that is shown by an emulator of so many rows.
func on(t *terminal, rows int) *Screen {
	return &Screen{out: t, terminal: true, size: func() (int, int) {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.columns, rows
	}}
}

// texts have what takes other widths than it has bytes, and all widths up to beyond the terminal's.
var texts = []string{"plain", "日本語のファイル名.docx", "e\u0301te\u0301 2026", "👩‍👩‍👧 family", "", strings.Repeat("long ", 50), strings.Repeat("広", 90), "한국어"}

// TestScreenKeepsItsPlace draws blocks of changing height, writes lines and changes the width, in any order: in the end the terminal
// has the lines that were written, and the last block, and nothing else.
func TestScreenKeepsItsPlace(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		term := newTerminal(80, true)
		s := on(term, 12)
		var written []string
		var block []Line
		var steps []string
		for range 30 {
			switch random.IntN(4) {
			case 0:
				line := fmt.Sprint("line ", len(written), strings.Repeat(" long", random.IntN(2)*random.IntN(60)))
				written = append(written, line)
				if _, err := s.Write([]byte(line + "\n")); err != nil {
					t.Fatal(err)
				}
				steps = append(steps, "write")
			case 1:
				term.resize(20 + random.IntN(160))
				steps = append(steps, fmt.Sprint("resize ", term.columns))
			default:
				block = nil
				for range 1 + random.IntN(14) {
					block = append(block, Text(texts[random.IntN(len(texts))]))
				}
				s.Draw(block)
				steps = append(steps, fmt.Sprintf("draw %d", len(block)))
			}
		}
		s.Draw(append(block, Text("end"))) // of the last width
		want := slices.Clone(written)
		for _, l := range s.block[:min(len(s.block), 11)] {
			want = append(want, strings.TrimRight(cut(l[0].Text, term.columns-1), " "))
		}
		for len(want) > 0 && want[len(want)-1] == "" {
			want = want[:len(want)-1]
		}
		if got := term.shown(); !slices.Equal(got, want) {
			t.Fatalf("seed %d, %s:\n%s\nwant\n%s", seed, strings.Join(steps, ", "), strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		s.Clear()
		if got := term.shown(); !slices.Equal(got, written) {
			t.Fatalf("seed %d: cleared, the terminal shows %q", seed, got)
		}
	}
}

// TestScreenOnATerminalThatCutsLines makes the terminal narrower and wider: nothing above the block is lost.
func TestScreenOnATerminalThatCutsLines(t *testing.T) {
	term := newTerminal(80, false)
	s := on(term, 24)
	if _, err := s.Write([]byte("before\n")); err != nil {
		t.Fatal(err)
	}
	for _, columns := range []int{80, 40, 160, 30, 80} {
		term.resize(columns)
		s.Draw([]Line{Text(strings.Repeat("a", 100)), Text(strings.Repeat("b", 100)), Text("c")})
	}
	want := []string{"before", strings.Repeat("a", 78) + "…", strings.Repeat("b", 78) + "…", "c"}
	if got := term.shown(); !slices.Equal(got, want) {
		t.Errorf("the terminal shows %q", got)
	}
	s.Leave()
	if _, err := s.Write([]byte("after\n")); err != nil {
		t.Fatal(err)
	}
	if got := term.shown(); !slices.Equal(got, append(want, "after")) {
		t.Errorf("after it was left the terminal shows %q", got)
	}
}

func TestOneWriteForEachPicture(t *testing.T) {
	term := newTerminal(80, true)
	s := on(term, 24)
	for range 5 {
		s.Draw([]Line{Text("a"), Text("b"), {{"c", Red}, {" d", 0}}})
	}
	if _, err := s.Write([]byte("line\n")); err != nil {
		t.Fatal(err)
	}
	if term.writes != 6 {
		t.Errorf("five pictures and a line are %d writes", term.writes)
	}
}
