package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	"codeberg.org/repatriate/repatriate/internal/faultnet"
	"codeberg.org/repatriate/repatriate/internal/realserver"
)

// calamity is something that happens at a moment of a run.
type calamity int

const (
	none      calamity = iota
	kill               // of the program, without a warning
	interrupt          // of the program, as Ctrl-C does
	dropped            // the server does what it was asked, and its answer is lost
	truncated          // an answer ends in its middle, in good order
	cut                // a connection is reset in the middle of a request
	crash              // of a server, which comes back after a while
	halt               // a server is stopped in good order, and started
	refusal            // the provider refuses some requests
)

// strike is a calamity at the moment of that number.
type strike struct {
	at   int
	what calamity
}

// weather counts what passes between the program and both sides, and lets calamities strike.
type weather struct {
	tb      testing.TB
	servers []*realserver.Server

	mu      sync.Mutex
	random  *rand.Rand
	count   int
	plan    []strike // those to come, in their order
	process *os.Process
	killed  bool // the process, by this storm
	// spoil is what happens to the next data that it fits; none: nothing. onWrite says that only the answer to a write fits.
	spoil   calamity
	onWrite bool
	// writing has the connections, by server, whose client wrote something and has no answer yet.
	writing map[[2]int]bool
	// refuse is how many requests the provider still refuses, with fault.
	refuse int
	fault  cloudsim.Fault
	// down says that a server is being ended and started.
	down    bool
	errands sync.WaitGroup

	seen [refusal + 1]int // how often each of them struck
}

// begin starts a run with calamities before it.
func (s *weather) begin(start func() *process, plan []strike) *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortFunc(plan, func(a, b strike) int { return a.at - b.at })
	s.count, s.plan, s.killed, s.spoil, s.refuse = 0, plan, false, none, 0
	s.writing = map[[2]int]bool{}
	p := start()
	s.process = p.cmd.Process
	return p
}

// end ends the storm, and returns when every server is up again. It reports whether it killed the process.
func (s *weather) end() (killed bool) {
	s.mu.Lock()
	s.plan, s.process, s.spoil, s.refuse, killed = nil, nil, none, 0, s.killed
	s.mu.Unlock()
	s.errands.Wait()
	return killed
}

// pass counts a moment. The caller holds the lock.
func (s *weather) pass() {
	s.count++
	for len(s.plan) > 0 && s.plan[0].at <= s.count {
		s.strike(s.plan[0].what)
		s.plan = s.plan[1:]
	}
}

func (s *weather) strike(what calamity) {
	s.onWrite = s.random.IntN(2) == 0
	switch what {
	case kill:
		if s.onWrite {
			s.spoil = what
			return // it counts when it finds its data
		}
		s.killed = s.process.Kill() == nil
	case interrupt:
		_ = s.process.Signal(os.Interrupt)
	case dropped, truncated, cut:
		s.spoil = what
		return
	case crash, halt:
		if s.down {
			return // one at a time
		}
		s.down = true
		server, pause := s.servers[s.random.IntN(len(s.servers))], time.Duration(s.random.IntN(2000))*time.Millisecond
		s.errands.Go(func() { s.restart(server, what, pause) })
	case refusal:
		kinds := []string{"429", "503", "500"}
		s.refuse = 1 + s.random.IntN(6) // each may be the answer to the same request, and doubles its pause
		s.fault = cloudsim.Fault{Kind: kinds[s.random.IntN(len(kinds))], RetryAfter: time.Duration(s.random.IntN(2)) * time.Second}
	}
	s.seen[what]++
}

// restart ends a server and starts it again after a pause, which is an outage and no wait for anything.
func (s *weather) restart(server *realserver.Server, what calamity, pause time.Duration) {
	end := server.Crash
	if what == halt {
		end = server.Halt
	}
	err := end()
	if err == nil {
		<-time.After(pause)
		err = server.Restart()
	}
	if err != nil {
		s.tb.Errorf("restart: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = false
}

// watch returns the hook of the network before a server.
func (s *weather) watch(server int) faultnet.Hook {
	return func(p faultnet.Passage) faultnet.Verdict {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.pass()
		connection := [2]int{server, p.Connection}
		answers := p.Direction == faultnet.ToClient && p.Turn > 0 && !bytes.HasPrefix(p.Data, []byte("+ ")) // which asks for more of an APPEND
		wrote := s.writing[connection]
		switch {
		case answers:
			delete(s.writing, connection)
		case p.Direction == faultnet.ToServer && writes.Match(p.Data):
			s.writing[connection] = true
		}
		return s.spoiled(p, answers && (wrote || !s.onWrite))
	}
}

// writes is what requests begin with, or IMAP commands hold, that change something.
var writes = regexp.MustCompile(`^(PUT|MKCOL|MKCALENDAR|MOVE|DELETE|PROPPATCH) |(?m)^\S+ (UID )?(APPEND|STORE|MOVE|COPY|EXPUNGE|CREATE) `)

// spoiled decides about data. The caller holds the lock.
func (s *weather) spoiled(p faultnet.Passage, answers bool) (verdict faultnet.Verdict) {
	switch {
	case s.spoil == kill && answers:
		s.killed = s.process.Kill() == nil
	case s.spoil == dropped && answers:
		verdict.Action = faultnet.Cut
	case s.spoil == truncated && answers:
		verdict = faultnet.Verdict{Action: faultnet.End, Keep: s.random.IntN(len(p.Data))}
	case s.spoil == cut && p.Direction == faultnet.ToServer:
		verdict = faultnet.Verdict{Action: faultnet.Cut, Keep: s.random.IntN(len(p.Data))}
	default:
		return verdict
	}
	s.seen[s.spoil]++
	s.spoil = none
	return verdict
}

// ask is the hook of the provider.
func (s *weather) ask(string) (cloudsim.Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pass()
	if s.refuse == 0 {
		return cloudsim.Fault{}, false
	}
	s.refuse--
	return s.fault, true
}

// forecast makes calamities for one run: usually one that ends it, unless it is to come to its end, and some that it has to live with.
func (s *weather) forecast(deadly bool) (plan []strike) {
	s.mu.Lock()
	defer s.mu.Unlock()
	within := []int{40, 150, 600}[s.random.IntN(3)]
	at := func() int { return 1 + s.random.IntN(within) }
	if deadly {
		what := kill
		if s.random.IntN(7) == 0 {
			what = interrupt
		}
		plan = append(plan, strike{at(), what})
	}
	for range s.random.IntN(4) {
		plan = append(plan, strike{at(), []calamity{dropped, dropped, truncated, cut, refusal, refusal, crash, halt}[s.random.IntN(8)]})
	}
	return plan
}

// restarts are how often servers were ended and started.
func (s *weather) restarts() int { return s.seen[crash] + s.seen[halt] }

func (s *weather) String() string {
	return fmt.Sprintf("%d kills and %d interrupts of the program, %d restarts of servers (%d of them after kill -9), %d answers lost and %d cut short, "+
		"%d connections cut, %d refusals of the provider", s.seen[kill], s.seen[interrupt], s.restarts(), s.seen[crash], s.seen[dropped], s.seen[truncated],
		s.seen[cut], s.seen[refusal])
}
