package exactlyonce

import (
	"bytes"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/faultnet"
)

// network is the way to one server: a proxy whose hook finds the points, and whoever else has something to say about what passes.
type network struct {
	*faultnet.Proxy
	side   string
	points *points
	turns  map[int]*turn // by connection; the hook alone uses it
	spoil  atomic.Pointer[spoil]
}

// spoil decides about what no cut has taken. It is called for one piece of data at a time.
type spoil func(name string, p faultnet.Passage, firstOfAnswer bool) faultnet.Verdict

// setSpoil replaces the one that is asked; nil: nobody is.
func (n *network) setSpoil(f spoil) {
	if f == nil {
		n.spoil.Store(nil)
		return
	}
	n.spoil.Store(&f)
}

// turn is what a client asked last on a connection.
type turn struct {
	name     string
	answered bool
}

// startNetwork puts a network before the server of a URL and returns the URL that leads through it.
func startNetwork(t *testing.T, side, raw string, p *points) (*network, string) {
	t.Helper()
	u := value(url.Parse(raw))(t)
	n := &network{side: side, points: p, turns: map[int]*turn{}}
	n.Proxy = value(faultnet.Start(u.Host, faultnet.Options{Hook: n.hook}))(t)
	t.Cleanup(func() { must(t, n.Close()) })
	return n, strings.Replace(raw, u.Host, n.Addr(), 1)
}

// hook has up to four points for each request: before it, within what comes of it in its first piece and in each further
// one, and when its answer comes, before it and within it.
func (n *network) hook(p faultnet.Passage) faultnet.Verdict {
	lost := func(keep int) faultnet.Verdict { return faultnet.Verdict{Action: faultnet.Swallow, Keep: keep} }
	if n.points.dead.Load() {
		return lost(0)
	}
	t := n.turns[p.Connection]
	if t == nil {
		t = &turn{name: "greeting"}
		n.turns[p.Connection] = t
	}
	if p.Direction == faultnet.ToServer {
		if p.Begins {
			*t = turn{name: nameOf(p.Data)}
			if n.points.pass(n.side + ": before " + t.name) {
				return lost(0)
			}
		}
		if n.side == target && n.points.pass(n.side+": within "+t.name) {
			return lost(len(p.Data) / 2)
		}
		return n.ask(t.name, p, false)
	}
	first := !t.answered
	t.answered = true
	if first && n.points.pass(n.side+": answer lost to "+t.name) {
		return lost(0)
	}
	if n.side == source && first && n.points.pass(n.side+": within the answer to "+t.name) {
		return lost(len(p.Data) / 2)
	}
	return n.ask(t.name, p, first)
}

func (n *network) ask(name string, p faultnet.Passage, firstOfAnswer bool) faultnet.Verdict {
	if f := n.spoil.Load(); f != nil {
		return (*f)(name, p, firstOfAnswer)
	}
	return faultnet.Verdict{}
}

// The sides of a network.
const (
	source = "source"
	target = "target"
)

// nameOf is the HTTP method or the IMAP command with which a turn begins; "data" for the literal of a command.
func nameOf(data []byte) string {
	line, _, _ := bytes.Cut(data, []byte("\r\n"))
	words := strings.Fields(string(line))
	switch {
	case len(words) == 3 && strings.HasPrefix(words[2], "HTTP/1."):
		return words[0]
	case len(words) > 2 && words[1] == "UID":
		return "UID " + words[2]
	case len(words) > 1 && words[1] == strings.ToUpper(words[1]) && len(words[0]) < 12:
		return words[1]
	}
	return "data"
}
