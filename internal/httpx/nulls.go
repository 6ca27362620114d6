package httpx

import (
	"bytes"
	"io"
)

// NoNulls reads JSON and puts {} in the place of each null that is an element of a list. The official clients make nil pointers of such
// nulls, which no API sends, so that one of them would end the process. Nothing else changes, neither the length: what is no JSON stays so.
func NoNulls(r io.Reader) io.Reader { return &noNulls{r: r} }

type noNulls struct {
	r      io.Reader
	lists  []byte // '[' or '{' for each level that is open
	quoted bool
	slash  bool // a backslash came before, within quotes
	held   int  // bytes of a null at the end of what was read, which may go on
	rest   []byte
	err    error
	space  [4 << 10]byte
}

// deepest bounds what is remembered of levels; encoding/json reads no more of them.
const deepest = 10_000

func (n *noNulls) Read(p []byte) (int, error) {
	for len(n.rest) == 0 && n.err == nil {
		n.fill()
	}
	if len(n.rest) > 0 {
		c := copy(p, n.rest)
		n.rest = n.rest[c:]
		return c, nil
	}
	return 0, n.err
}

// fill reads on; what may be the beginning of a null is held back.
func (n *noNulls) fill() {
	begin := copy(n.space[:], null[:n.held])
	n.held = 0
	c, err := n.r.Read(n.space[begin:])
	n.err = err
	text := n.space[:begin+c]
	n.scan(text, err != nil)
	n.rest = text[:len(text)-n.held]
}

var null = []byte("null")

func (n *noNulls) scan(text []byte, last bool) {
	for i := 0; i < len(text); {
		switch b := text[i]; {
		case n.quoted:
			i += n.string(text[i:])
			continue
		case b == '"':
			n.quoted = true
		case b == '[' || b == '{':
			if len(n.lists) <= deepest {
				n.lists = append(n.lists, b)
			}
		case (b == ']' || b == '}') && len(n.lists) > 0:
			n.lists = n.lists[:len(n.lists)-1]
		case b == 'n' && len(n.lists) > 0 && n.lists[len(n.lists)-1] == '[':
			rest := text[i:]
			switch {
			case bytes.HasPrefix(rest, null):
				copy(rest, "{}  ")
				i += len(null) - 1
			case !last && bytes.HasPrefix(null, rest):
				n.held = len(rest)
				return
			}
		}
		i++
	}
}

// string passes over what is quoted and returns its length, as far as it is there.
func (n *noNulls) string(text []byte) int {
	if n.slash {
		n.slash = false
		return 1
	}
	i := bytes.IndexAny(text, `"\`)
	if i < 0 {
		return len(text)
	}
	n.slash, n.quoted = text[i] == '\\', text[i] == '\\'
	return i + 1
}
