package imap

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"codeberg.org/repatriate/repatriate/sinks/imap/wire"
)

const (
	// batchMessages and batchBytes bound one MULTIAPPEND: beyond, nothing is gained, and a failure costs more.
	batchMessages = 64
	batchBytes    = 4 << 20
	// aloneBytes is the size from which a message is sent by itself.
	aloneBytes = 1 << 20
	// leastShare is how many messages must wait at least before a further batch is sent to a mailbox.
	leastShare = 8
)

// job is one message on its way to the server.
type job struct {
	ctx     context.Context
	mailbox string
	message wire.Message
	// alone keeps the message out of batches: an earlier attempt broke the connection, or may have.
	alone bool
	// finished is called once the message's bytes are no longer needed.
	finished func()
	done     chan wire.Answer
}

func (j *job) finish(a wire.Answer) {
	j.finished()
	j.done <- a
}

// gatherer has writers send what is waiting. Writers start when there is work and end when there is none.
type gatherer struct {
	ctx  context.Context
	sink *Sink
	wg   sync.WaitGroup

	// coming counts the Puts that read their message at the moment, and will have it sent as soon as they have it.
	coming atomic.Int64

	mu      sync.Mutex
	queues  []*queue // those with jobs or writers
	writers int
	limit   int // of writers
	idle    []*wire.Conn
	closed  bool
}

// queue holds the jobs of one mailbox in their order.
type queue struct {
	mailbox string
	jobs    []*job
	batches int // that are with the writers
	sending int // jobs in them
}

// ready reports whether a writer should take a batch of the queue, where share is what a further batch takes at least. There is no waiting
// where nobody writes to the mailbox. A writer that is busy already waits for its share, too.
func (q *queue) ready(share int, busy bool) bool {
	if q.batches == 0 && !busy {
		return len(q.jobs) > 0
	}
	return len(q.jobs) >= share
}

// share is how many messages a further batch takes at least. What a server does for each batch it does for one message as for many, and it
// locks the mailbox meanwhile: small transactions are slower than larger ones a moment later. So each takes its part of all that is to be sent
// and under way.
func (g *gatherer) share() int {
	n := 0
	for _, q := range g.queues {
		n += len(q.jobs) + q.sending
	}
	return max(leastShare, min(n/(g.limit*depth), batchMessages))
}

func newGatherer(ctx context.Context, s *Sink, limit int) *gatherer {
	return &gatherer{ctx: ctx, sink: s, limit: limit}
}

// append sends one message and waits for the answer. finished is called when the message is not needed any more, which
// may be after append has returned because its context ended.
func (g *gatherer) append(ctx context.Context, mailbox string, m wire.Message, alone bool, finished func()) (wire.Answer, error) {
	j := &job{ctx: ctx, mailbox: mailbox, message: m, alone: alone, finished: finished, done: make(chan wire.Answer, 1)}
	if !g.submit(j) {
		finished()
		return wire.Answer{}, errClosed
	}
	select {
	case a := <-j.done:
		return a, a.Err
	case <-ctx.Done():
		return wire.Answer{}, ctx.Err()
	}
}

func (g *gatherer) submit(j *job) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	q := g.queue(j.mailbox)
	q.jobs = append(q.jobs, j)
	if g.writers < g.limit && q.ready(g.share(), false) {
		g.writers++
		g.wg.Go(g.write)
	}
	return true
}

func (g *gatherer) queue(mailbox string) *queue {
	for _, q := range g.queues {
		if q.mailbox == mailbox {
			return q
		}
	}
	q := &queue{mailbox: mailbox}
	g.queues = append(g.queues, q)
	return q
}

// write takes batches until there are none left for it.
func (g *gatherer) write() {
	l := &lane{g: g}
	defer l.close()
	for {
		busy := len(l.sent) > 0
		if !busy {
			g.linger()
		}
		b := g.take(busy)
		switch {
		case b != nil:
			more := l.carry(b)
			if !more && !g.stays() {
				return
			}
		case busy:
			l.answer()
		default:
			return
		}
	}
}

// done notes that a batch is not under way any more.
func (g *gatherer) done(b *batch) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leave(b)
}

func (g *gatherer) leave(b *batch) {
	b.queue.batches--
	b.queue.sending -= b.size
}

// stays reports whether a writer stays that has given its batch back. The last one does in any case:
// what writers gave back at the same moment would wait for nobody.
func (g *gatherer) stays() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.writers > 1 {
		g.writers--
		return false
	}
	return true
}

// lingerMost and lingerStep are how long a writer lets Puts that are reading their message catch up.
const lingerMost, lingerStep = 3 * time.Millisecond, 300 * time.Microsecond

// linger lets the Puts catch up that were set free together by the end of a batch. Otherwise the first of them would go
// alone. With no Put on its way there is nothing to wait for.
func (g *gatherer) linger() {
	for waited := time.Duration(0); waited < lingerMost && g.coming.Load() > 0; waited += lingerStep {
		time.Sleep(lingerStep)
	}
}

// take chooses the mailbox that the most messages wait for. Others wait no longer than for the rest of a page, which nothing overtakes. Who
// has nothing under way and gets nothing has ended.
func (g *gatherer) take(busy bool) *batch {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.queues = slices.DeleteFunc(g.queues, func(q *queue) bool { return len(q.jobs) == 0 && q.batches == 0 })
	share := g.share()
	var best *queue
	for _, q := range g.queues {
		if q.ready(share, busy) && (best == nil || len(q.jobs) > len(best.jobs)) {
			best = q
		}
	}
	if best == nil {
		if !busy {
			g.writers--
		}
		return nil
	}
	g.queues = append(slices.DeleteFunc(g.queues, func(q *queue) bool { return q == best }), best)
	jobs := best.next()
	best.batches++
	best.sending += len(jobs)
	return &batch{queue: best, jobs: jobs, size: len(jobs)}
}

// next takes the next batch off the queue.
func (q *queue) next() []*job {
	n, size := 0, int64(0)
	for _, j := range q.jobs {
		size += j.message.Size
		if n > 0 && (j.alone || j.message.Size >= aloneBytes || n == batchMessages || size > batchBytes) {
			break
		}
		n++
		if j.alone || j.message.Size >= aloneBytes {
			break
		}
	}
	jobs := slices.Clone(q.jobs[:n])
	q.jobs = slices.Delete(q.jobs, 0, n)
	return jobs
}

func (g *gatherer) connect(ctx context.Context) (*wire.Conn, error) {
	for {
		g.mu.Lock()
		n := len(g.idle)
		if n == 0 {
			g.mu.Unlock()
			return g.sink.dial(ctx)
		}
		conn := g.idle[n-1]
		g.idle = g.idle[:n-1]
		g.mu.Unlock()
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		alive := conn.Alive()
		if stop() && alive {
			return conn, nil
		}
		_ = conn.Close()
	}
}

func (g *gatherer) putIdle(conn *wire.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		_ = conn.Close()
		return
	}
	g.idle = append(g.idle, conn)
}

// giveBack puts the jobs of a batch back for the other writers, when there are any: a server that refuses one more connection has
// its limit below ours.
func (g *gatherer) giveBack(b *batch, err error) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.writers < 2 || g.closed || !refused(err) {
		return false
	}
	g.limit = max(1, g.writers-1)
	g.leave(b)
	q := g.queue(b.queue.mailbox)
	q.jobs = append(b.jobs, q.jobs...)
	return true
}

func (g *gatherer) close() {
	g.mu.Lock()
	g.closed = true
	idle := g.idle
	g.idle = nil
	g.mu.Unlock()
	for _, c := range idle {
		_ = c.Logout()
	}
	g.wg.Wait()
}
