package imap

import (
	"bytes"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"

	"codeberg.org/repatriate/repatriate/sinks/imap/wire"
)

const (
	// maxAnswer is how many bytes a server may send for one step of a session, a message's body not counted. A list of
	// 50,000 mailboxes fits.
	maxAnswer = 8 << 20
	// maxNesting is how deep a server may nest parentheses. The client library reads them recursively.
	maxNesting = 64
)

// guard bounds what a server can make the session's client library read: it has no limits of its own.
type guard struct {
	net.Conn
	budget atomic.Int64

	line    []byte // the beginning of the line, as far as it tells what the line is
	tail    []byte // its last bytes
	depth   int
	quoted  bool
	escaped bool
	literal int64 // bytes of a literal still to come
}

// allow sets how many bytes may follow from now on.
func (g *guard) allow(n int64) { g.budget.Store(n) }

// Read is net.Conn's.
func (g *guard) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if g.budget.Add(int64(-n)) < 0 {
		return 0, fmt.Errorf("%w: the answer is too long", wire.ErrProtocol)
	}
	if !g.scan(p[:n]) {
		return 0, fmt.Errorf("%w: the answer is nested too deeply", wire.ErrProtocol)
	}
	return n, err
}

// scan follows the nesting of parentheses; it reports whether that is sane.
func (g *guard) scan(p []byte) bool {
	for len(p) > 0 {
		if g.literal > 0 {
			n := min(g.literal, int64(len(p)))
			g.literal -= n
			p = p[n:]
			continue
		}
		if g.step(p[0]); g.depth > maxNesting {
			return false
		}
		p = p[1:]
	}
	return true
}

func (g *guard) step(b byte) {
	if b == '\n' {
		g.endLine()
		return
	}
	if len(g.line) < 16 {
		g.line = append(g.line, b)
	}
	if len(g.tail) == 24 {
		g.tail = append(g.tail[:0], g.tail[1:]...)
	}
	g.tail = append(g.tail, b)
	switch {
	case g.escaped:
		g.escaped = false
	case g.quoted && b == '\\':
		g.escaped = true
	case b == '"':
		g.quoted = !g.quoted
	case b == '(' && !g.quoted:
		g.depth++
	case b == ')' && !g.quoted && g.depth > 0:
		g.depth--
	}
}

// endLine notes a literal that the line announces. A line of free text announces none, whatever its end looks like; then
// all that follows counts as another line.
func (g *guard) endLine() {
	tail := bytes.TrimSuffix(g.tail, []byte("\r"))
	if n, ok := literalAt(tail); ok && !freeText(g.line) {
		g.literal = n
	} else {
		g.line, g.depth = g.line[:0], 0
	}
	g.tail, g.quoted, g.escaped = g.tail[:0], false, false
}

func literalAt(tail []byte) (int64, bool) {
	open := bytes.LastIndexByte(tail, '{')
	if open < 0 || tail[len(tail)-1] != '}' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(tail[open+1:len(tail)-1]), 10, 62)
	return int64(n), err == nil
}

// freeText reports whether a line is a status response or a continuation request.
func freeText(line []byte) bool {
	rest, untagged := bytes.CutPrefix(line, []byte("* "))
	if !untagged {
		return true
	}
	for _, status := range []string{"OK", "NO", "BAD", "BYE", "PREAUTH"} {
		if len(rest) >= len(status) && bytes.EqualFold(rest[:len(status)], []byte(status)) {
			return true
		}
	}
	return false
}
