package imap

import (
	"context"
	"errors"
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
	// sharedBatch is how many messages must wait at least before a second connection writes into a mailbox.
	sharedBatch = 8
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
	done     chan outcome
}

type outcome struct {
	wire.Answer
}

func (j *job) finish(o outcome) {
	j.finished()
	j.done <- o
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
	writers int
	sending int // jobs that are with the writers
}

// ready reports whether another writer should take a batch. Servers lock the mailbox: small transactions that fight for
// the lock are slower than larger ones a moment later. So a further writer takes no less than its share of what is under
// way, and there is no waiting where nobody writes.
func (q *queue) ready(limit int) bool {
	if q.writers == 0 {
		return len(q.jobs) > 0
	}
	return len(q.jobs) >= max(sharedBatch, min((len(q.jobs)+q.sending)/limit, batchMessages))
}

func newGatherer(ctx context.Context, s *Sink, limit int) *gatherer {
	return &gatherer{ctx: ctx, sink: s, limit: limit}
}

// append sends one message and waits for the answer. finished is called when the message is not needed any more, which
// may be after append has returned because its context ended.
func (g *gatherer) append(ctx context.Context, mailbox string, m wire.Message, alone bool, finished func()) (wire.Answer, error) {
	j := &job{ctx: ctx, mailbox: mailbox, message: m, alone: alone, finished: finished, done: make(chan outcome, 1)}
	if !g.submit(j) {
		finished()
		return wire.Answer{}, errClosed
	}
	select {
	case o := <-j.done:
		return o.Answer, o.Err
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
	if g.writers < g.limit && q.ready(g.limit) {
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
	for {
		g.linger()
		q, batch := g.take()
		if q == nil {
			return
		}
		n := len(batch)
		if more := g.run(batch); !g.goesOn(q, n, more) {
			return
		}
	}
}

// goesOn notes that a writer is done with n jobs of a queue, and reports whether it stays. The last one does in any case:
// what writers gave back at the same moment would wait for nobody.
func (g *gatherer) goesOn(q *queue, n int, more bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	q.writers--
	q.sending -= n
	if !more && g.writers > 1 {
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

// take chooses the mailbox that the fewest write into, and of those the one that waits longest.
func (g *gatherer) take() (*queue, []*job) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.queues = slices.DeleteFunc(g.queues, func(q *queue) bool { return len(q.jobs) == 0 && q.writers == 0 })
	var best *queue
	for _, q := range g.queues {
		if q.ready(g.limit) && (best == nil || q.writers < best.writers) {
			best = q
		}
	}
	if best == nil {
		g.writers--
		return nil, nil
	}
	best.writers++
	g.queues = append(slices.DeleteFunc(g.queues, func(q *queue) bool { return q == best }), best)
	batch := best.next()
	best.sending += len(batch)
	return best, batch
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
	batch := slices.Clone(q.jobs[:n])
	q.jobs = slices.Delete(q.jobs, 0, n)
	return batch
}

// run sends a batch and gives each job its outcome. more is false when this writer has to end because the server does
// not take as many connections; then the batch waits for another one.
func (g *gatherer) run(batch []*job) (more bool) {
	batch = dropCancelled(batch)
	if len(batch) == 0 {
		return true
	}
	ctx, stop := untilAllCancelled(g.ctx, batch)
	defer stop()
	conn, err := g.connect(ctx)
	if err != nil {
		if g.giveBack(batch, err) {
			return false
		}
		fail(batch, err)
		return true
	}
	before := conn.Commands
	closing := context.AfterFunc(ctx, func() { _ = conn.Close() })
	good := g.send(conn, batch)
	g.sink.opts.Meter.Request(conn.Commands - before)
	if closing() && good {
		g.putIdle(conn)
	} else {
		_ = conn.Close()
	}
	return true
}

// send appends a batch and, when the server refuses it as a whole, each message by itself.
func (g *gatherer) send(conn *wire.Conn, batch []*job) (good bool) {
	messages := make([]wire.Message, len(batch))
	for i, j := range batch {
		messages[i] = j.message
	}
	answers, err := conn.Append(batch[0].mailbox, messages, true)
	if err == nil && len(batch) > 1 && answers[0].Err != nil && answers[len(batch)-1].Err == answers[0].Err && //nolint:errorlint // one refusal of the whole batch is one value
		separable(answers[0].Err) {
		answers, err = conn.Append(batch[0].mailbox, messages, false)
	}
	for i, j := range batch {
		switch {
		case i < len(answers):
			j.finish(outcome{answers[i]})
		default:
			j.finish(outcome{wire.Answer{Err: err}})
		}
	}
	return err == nil
}

// separable reports whether a batch that was refused may hold messages that are not.
func separable(err error) bool {
	var status *wire.StatusError
	if !errors.As(err, &status) {
		return false
	}
	switch status.Code {
	case "TRYCREATE", "NONEXISTENT", "UNAVAILABLE", "INUSE", "NOPERM", "SERVERBUG":
		return false
	}
	return true
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

// giveBack puts a batch back for the other writers, when there are any: a server that refuses one more connection has
// its limit below ours.
func (g *gatherer) giveBack(batch []*job, err error) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.writers < 2 || g.closed || !refused(err) {
		return false
	}
	g.limit = max(1, g.writers-1)
	q := g.queue(batch[0].mailbox)
	q.jobs = append(batch, q.jobs...)
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

func fail(batch []*job, err error) {
	for _, j := range batch {
		j.finish(outcome{wire.Answer{Err: err}})
	}
}

func dropCancelled(batch []*job) []*job {
	return slices.DeleteFunc(batch, func(j *job) bool {
		err := j.ctx.Err()
		if err != nil {
			j.finish(outcome{wire.Answer{Err: err}})
		}
		return err != nil
	})
}

// untilAllCancelled returns a context that ends with ctx, or when nobody waits for the batch any more.
func untilAllCancelled(ctx context.Context, batch []*job) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	var waiting atomic.Int64
	waiting.Store(int64(len(batch)))
	stops := make([]func() bool, len(batch))
	for i, j := range batch {
		stops[i] = context.AfterFunc(j.ctx, func() {
			if waiting.Add(-1) == 0 {
				cancel()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}
