// Package faultnet is a TCP proxy that makes a good network a bad one, for tests
// and benchmarks: it delays and throttles what passes, cuts connections at a
// chosen byte or request, and swallows, truncates and repeats answers.
//
// It knows no protocol. What it calls a request is a turn: the client speaks,
// after the server has spoken or at the beginning. For HTTP/1.1 without
// pipelining a turn is a request, unless the server speaks before it has read all
// of it, as with 100 Continue: then another turn begins. For IMAP a turn is whatever the client sends
// without waiting: a command, or many that are pipelined.
package faultnet

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options describe the network. The zero value is one without delay.
type Options struct {
	// Latency delays each direction, so that a round trip takes twice as long.
	// What is sent one after the other arrives one after the other as late as
	// the first: nothing is serialised.
	Latency time.Duration
	// Bandwidth of each direction of each connection, in bytes per second; 0
	// means unlimited.
	Bandwidth int64
	// Hook decides about everything that passes; nil lets all pass.
	Hook Hook
}

// Proxy listens on a free port of 127.0.0.1 and forwards to one address.
type Proxy struct {
	target   string
	options  Options
	listener net.Listener
	done     sync.WaitGroup

	mutex  sync.Mutex
	hook   Hook
	turns  int
	passed [2]int64 // bytes by direction
	links  map[*link]struct{}
	count  int // connections so far
	closed bool

	refusing atomic.Bool
}

// Start starts a proxy to an address of the form host:port.
func Start(target string, options Options) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{target: target, options: options, listener: listener, hook: options.Hook, links: map[*link]struct{}{}}
	p.done.Go(p.accept)
	return p, nil
}

// Addr is where clients connect to, as host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// SetHook replaces the hook, also for connections that are open.
func (p *Proxy) SetHook(hook Hook) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.hook = hook
}

// Refuse makes the proxy close new connections at once, as a server that is
// down; open ones go on.
func (p *Proxy) Refuse(refuse bool) { p.refusing.Store(refuse) }

// CutAll cuts every open connection.
func (p *Proxy) CutAll() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for l := range p.links {
		l.cut()
	}
}

// hangUpPatience bounds how long HangUp waits for a server that does not end.
const hangUpPatience = 10 * time.Second

// HangUp does to all open connections what the death of the client's process does: the client's ends are gone, nothing
// of what is still on its way to it arrives, and each server finds the end of its connection after what it was sent. It
// returns when every server has closed its own end, so that nothing that was asked before is under way any more.
func (p *Proxy) HangUp() {
	p.mutex.Lock()
	links := slices.Collect(maps.Keys(p.links))
	p.mutex.Unlock()
	for _, l := range links {
		l.hangUp()
	}
	patience := time.NewTimer(hangUpPatience)
	defer patience.Stop()
	for _, l := range links {
		select {
		case <-l.gone:
		case <-patience.C:
			p.CutAll()
			<-l.gone
		}
	}
}

// Counters are sums over all connections since the start.
type Counters struct {
	Connections, Turns int
	// ToServer and ToClient are bytes that were let pass.
	ToServer, ToClient int64
}

// Counters returns the sums so far.
func (p *Proxy) Counters() Counters {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return Counters{Connections: p.count, Turns: p.turns, ToServer: p.passed[ToServer], ToClient: p.passed[ToClient]}
}

// Close cuts all connections and ends the proxy. It returns when nothing of it
// runs any more.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.mutex.Lock()
	p.closed = true
	p.mutex.Unlock()
	p.CutAll()
	p.done.Wait()
	return err
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		if p.refusing.Load() {
			reset(client)
			continue
		}
		p.done.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		reset(client)
		return
	}
	l := p.open(client, server)
	if l == nil {
		reset(client)
		reset(server)
		return
	}
	var both sync.WaitGroup
	both.Go(func() { l.forward(ToServer) })
	both.Go(func() { l.forward(ToClient) })
	both.Wait()
	l.cut()
	p.mutex.Lock()
	delete(p.links, l)
	p.mutex.Unlock()
	close(l.gone)
}

// open registers a connection; nil when the proxy is closed.
func (p *Proxy) open(client, server net.Conn) *link {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.closed {
		return nil
	}
	p.count++
	l := &link{proxy: p, number: p.count, ended: make(chan struct{}), gone: make(chan struct{}), last: ToClient}
	l.ends[ToServer], l.ends[ToClient] = server, client
	p.links[l] = struct{}{}
	return l
}

// link is a client's connection and the one to the server that belongs to it.
type link struct {
	proxy  *Proxy
	number int
	ends   [2]net.Conn   // by the direction that leads to them
	ended  chan struct{} // nothing passes any more
	gone   chan struct{} // both ends are closed, by the servers too
	once   sync.Once
	hungUp atomic.Bool

	// Guarded by proxy.mutex.
	last      Direction // who was spoken to last
	turn      int
	totalTurn int // the turn's number among all connections'
	passed    [2]int64
	swallowed [2]bool
}

// cut ends both connections with a reset. What was written before it arrives on
// the loopback device, which has no way on which a reset could overtake it.
func (l *link) cut() {
	l.once.Do(func() {
		close(l.ended)
		for _, end := range l.ends {
			reset(end)
		}
	})
}

// end ends both connections in good order: what was written before arrives, and then the end of the stream.
func (l *link) end() {
	l.once.Do(func() {
		close(l.ended)
		for _, end := range l.ends {
			_ = end.Close()
		}
	})
}

// hangUp closes the client's end alone.
func (l *link) hangUp() {
	l.hungUp.Store(true)
	reset(l.ends[ToClient])
}

// broken handles an error of the connections. A client that has hung up is none: the server still gets what it was sent.
func (l *link) broken() {
	if !l.hungUp.Load() {
		l.cut()
	}
}

func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// chunk is data on its way, and when it may arrive.
type chunk struct {
	data []byte
	due  time.Time
	then Action // what is done with the connection after it
}

// last says that nothing passes after the chunk.
func (c chunk) last() bool { return c.then == Cut || c.then == End }

const (
	chunkSize  = 32 << 10
	chunkCount = 1024 // so many are in flight at most, 32 MiB
)

// forward carries one direction until its end. Reading and writing are apart, so
// that a delay holds nothing up behind it.
func (l *link) forward(direction Direction) {
	way := make(chan chunk, chunkCount)
	var writer sync.WaitGroup
	writer.Go(func() { l.deliver(direction, way) })
	l.receive(direction, way)
	close(way)
	writer.Wait()
}

func (l *link) receive(direction Direction, way chan<- chunk) {
	from := l.ends[direction.opposite()]
	var free time.Time // when the line has carried everything so far
	buffer := make([]byte, chunkSize)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			c := l.decide(direction, bytes.Clone(buffer[:n]))
			c.due, free = l.proxy.options.schedule(time.Now(), free, len(c.data))
			select {
			case way <- c:
			case <-l.ended:
				return
			}
			if c.last() {
				return
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				l.broken()
			}
			return
		}
	}
}

// schedule says when data arrives, and when the line is free again.
func (o Options) schedule(now, free time.Time, size int) (due, freeAgain time.Time) {
	if o.Bandwidth > 0 {
		if free.Before(now) {
			free = now
		}
		free = free.Add(time.Duration(float64(size) / float64(o.Bandwidth) * float64(time.Second)))
		now = free
	}
	return now.Add(o.Latency), free
}

// deliver writes each chunk when it is due. A half-closed connection stays so.
func (l *link) deliver(direction Direction, way <-chan chunk) {
	to := l.ends[direction]
	for c := range way {
		if !l.waitUntil(c.due) {
			return
		}
		if !l.write(direction, c) {
			return
		}
	}
	if tcp, ok := to.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
}

// write reports whether the connection goes on.
func (l *link) write(direction Direction, c chunk) bool {
	if len(c.data) > 0 && (direction == ToServer || !l.hungUp.Load()) {
		if _, err := l.ends[direction].Write(c.data); err != nil {
			l.broken()
			return direction == ToClient && l.hungUp.Load()
		}
	}
	switch c.then {
	case Cut:
		l.cut()
	case End:
		l.end()
	}
	return !c.last()
}

func (l *link) waitUntil(due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.ended:
		return false
	}
}
