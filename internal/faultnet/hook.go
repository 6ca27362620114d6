package faultnet

import (
	"math/rand/v2"
	"slices"
)

// Direction is where data goes.
type Direction int

// The directions.
const (
	ToServer Direction = iota
	ToClient
)

func (d Direction) opposite() Direction { return 1 - d }

func (d Direction) String() string { return [...]string{"to server", "to client"}[d] }

// Passage is data that is about to pass.
type Passage struct {
	// Connection counts connections from 1.
	Connection int
	Direction  Direction
	// Turn is the connection's turn and TotalTurn its number among all turns of
	// the proxy, both from 1; 0 while only the server has spoken.
	Turn, TotalTurn int
	// Begins says that the turn begins with this data.
	Begins bool
	// Offset and TotalOffset are how many bytes passed before in this direction,
	// on this connection and on all.
	Offset, TotalOffset int64
	// Data must not be changed or kept.
	Data []byte
}

// Action is what is done with data.
type Action int

const (
	// Pass forwards the data.
	Pass Action = iota
	// Cut forwards the first bytes and then resets the connection on both sides.
	Cut
	// Swallow forwards the first bytes and loses everything after them in this
	// direction, while the connection stays open: a server that hangs.
	Swallow
	// End forwards the first bytes and then closes the connection on both sides in good order: the client finds an end
	// where there should be more, and no error.
	End
	// Repeat forwards the data twice.
	Repeat
)

// Verdict is a hook's decision.
type Verdict struct {
	Action Action
	// Keep is how many bytes of the data are forwarded with Cut, Swallow and End.
	Keep int
	// Instead is what is forwarded in the place of the data, with any action; nil: the data.
	Instead []byte
}

// Hook decides about data. It is called for one piece of data at a time, over
// all connections, and must not call the proxy.
type Hook func(Passage) Verdict

// decide asks the hook and keeps count.
func (l *link) decide(direction Direction, data []byte) chunk {
	p := l.proxy
	p.mutex.Lock()
	defer p.mutex.Unlock()
	begins := direction == ToServer && l.last == ToClient
	if begins {
		l.turn++
		p.turns++
		l.totalTurn = p.turns
	}
	l.last = direction
	verdict := Verdict{}
	if p.hook != nil {
		verdict = p.hook(Passage{
			Connection: l.number, Direction: direction, Turn: l.turn, TotalTurn: l.totalTurn, Begins: begins,
			Offset: l.passed[direction], TotalOffset: p.passed[direction], Data: data,
		})
	}
	if l.swallowed[direction] {
		verdict = Verdict{Action: Swallow}
	}
	if verdict.Instead != nil {
		data, verdict.Keep = verdict.Instead, len(verdict.Instead)
	}
	switch verdict.Action {
	case Cut, Swallow, End:
		data = data[:min(max(verdict.Keep, 0), len(data))]
	case Repeat:
		data = slices.Concat(data, data)
	}
	l.swallowed[direction] = verdict.Action == Swallow
	if verdict.Action == Cut || verdict.Action == End { // what passes reaches the server before the cut does: its answer would slip through
		l.swallowed[direction.opposite()] = true
	}
	l.passed[direction] += int64(len(data))
	p.passed[direction] += int64(len(data))
	return chunk{data: data, then: verdict.Action}
}

// CutAfter cuts once, when that many bytes have passed in the direction, over
// all connections.
func CutAfter(direction Direction, bytes int64) Hook {
	done := false
	return func(p Passage) Verdict {
		if done || p.Direction != direction || p.TotalOffset+int64(len(p.Data)) < bytes {
			return Verdict{}
		}
		done = true
		return Verdict{Action: Cut, Keep: int(bytes - p.TotalOffset)}
	}
}

// CutTurn cuts at the beginning of the n-th turn: nothing of it arrives.
func CutTurn(n int) Hook {
	return func(p Passage) Verdict {
		if p.Begins && p.TotalTurn == n {
			return Verdict{Action: Cut}
		}
		return Verdict{}
	}
}

// DropAnswer lets the n-th turn reach the server and cuts when the server
// answers: the client never learns what became of it.
func DropAnswer(n int) Hook { return onAnswer(n, Verdict{Action: Cut}) }

// HangAnswer lets the n-th turn reach the server, and loses the answer and
// everything after it while the connection stays open.
func HangAnswer(n int) Hook { return onAnswer(n, Verdict{Action: Swallow}) }

// TruncateAnswer forwards that many bytes of the answer to the n-th turn, and then closes the connection in good order.
func TruncateAnswer(n, keep int) Hook { return onAnswer(n, Verdict{Action: End, Keep: keep}) }

// RepeatAnswer delivers the answer to the n-th turn twice, if it comes in one piece; otherwise each piece of it.
func RepeatAnswer(n int) Hook { return onAnswer(n, Verdict{Action: Repeat}) }

func onAnswer(n int, verdict Verdict) Hook {
	return func(p Passage) Verdict {
		if p.Direction == ToClient && p.TotalTurn == n {
			return verdict
		}
		return Verdict{}
	}
}

// CutRandomly cuts again and again, each time after a random number of bytes in
// both directions together, of that mean. The same seed cuts at the same bytes
// if the same bytes pass in the same order.
func CutRandomly(seed uint64, mean int64) Hook {
	random := rand.New(rand.NewPCG(seed, 0))
	next := func() int64 { return int64(random.ExpFloat64() * float64(mean)) }
	left := next()
	return func(p Passage) Verdict {
		size := int64(len(p.Data))
		if left > size {
			left -= size
			return Verdict{}
		}
		keep := int(left)
		left = next()
		return Verdict{Action: Cut, Keep: keep}
	}
}

// Chain asks the hooks in turn; the first that does not let pass decides. Those
// after it do not see the data.
func Chain(hooks ...Hook) Hook {
	return func(p Passage) Verdict {
		for _, hook := range hooks {
			if verdict := hook(p); verdict.Action != Pass {
				return verdict
			}
		}
		return Verdict{}
	}
}
