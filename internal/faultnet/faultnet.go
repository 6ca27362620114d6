// Package faultnet is a TCP proxy that makes a good network a bad one, for tests
// and benchmarks: it delays and throttles what passes, cuts connections at a
// chosen byte or request, and swallows answers.
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
	"net"
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
	defer p.mutex.Unlock()
	delete(p.links, l)
}

// open registers a connection; nil when the proxy is closed.
func (p *Proxy) open(client, server net.Conn) *link {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.closed {
		return nil
	}
	p.count++
	l := &link{proxy: p, number: p.count, ended: make(chan struct{}), last: ToClient}
	l.ends[ToServer], l.ends[ToClient] = server, client
	p.links[l] = struct{}{}
	return l
}

// link is a client's connection and the one to the server that belongs to it.
type link struct {
	proxy  *Proxy
	number int
	ends   [2]net.Conn // by the direction that leads to them
	ended  chan struct{}
	once   sync.Once

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
	end  bool // the connection is to be cut after it
}

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
			if c.end {
				return
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				l.cut()
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
		if _, err := to.Write(c.data); err != nil || c.end {
			l.cut()
			return
		}
	}
	if tcp, ok := to.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
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
