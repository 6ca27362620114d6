package imap

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"codeberg.org/repatriate/repatriate/sinks/imap/wire"
)

// depth is how many batches may be on their way over one connection: the server works on one while the next one travels to it,
// and the answer to the one before travels back.
const depth = 2

// batch is what a writer takes from a queue at once.
type batch struct {
	queue *queue
	jobs  []*job
	size  int // how many jobs were taken; some of them may be cancelled
	left  int // how many have no answer yet
	// stop ends the watch for the jobs' cancellation.
	stop func()
}

// flight is an APPEND of jobs of a batch whose answer is still to come.
type flight struct {
	*batch
	jobs []*job
	sent wire.Sent
}

// lane is a writer's connection with the commands that are on their way over it, in their order.
type lane struct {
	g    *gatherer
	conn *wire.Conn // nil: none yet, or lost
	lost error      // why
	sent []flight
}

// carry sends a batch, and waits for answers until there is room for another. more is false when this writer should end because the server
// does not take as many connections; then the batch waits for another one.
func (l *lane) carry(b *batch) (more bool) {
	b.jobs = dropCancelled(b.jobs)
	b.left = len(b.jobs)
	if b.left == 0 {
		l.g.done(b)
		return true
	}
	room := depth - 1
	if b.jobs[0].alone { // what may break the connection travels without company
		room = 0
		l.await(0)
	}
	ctx, stop := untilAllCancelled(l.g.ctx, b.jobs)
	b.stop = stop
	if err := l.connect(ctx); err != nil {
		if l.g.giveBack(b, err) {
			stop()
			return false
		}
		l.fail(b, b.jobs, err)
		return true
	}
	l.send(ctx, b)
	l.await(room)
	return true
}

// await reads answers until no more than so many are still to come.
func (l *lane) await(most int) {
	for len(l.sent) > most {
		l.answer()
	}
}

func (l *lane) connect(ctx context.Context) (err error) {
	if l.conn == nil {
		l.conn, err = l.g.connect(ctx)
	}
	return err
}

// send sends a batch in one command, or in one for each of its jobs where the server takes no more.
func (l *lane) send(ctx context.Context, b *batch) {
	conn, stop := l.conn, b.stop
	watch := context.AfterFunc(ctx, func() { _ = conn.Close() })
	b.stop = func() { watch(); stop() }
	if conn.Atomic() {
		l.command(b, b.jobs)
		return
	}
	l.singly(b, b.jobs)
}

// singly sends a command for each of the jobs.
func (l *lane) singly(b *batch, jobs []*job) {
	for i := range jobs {
		if l.conn == nil {
			l.fail(b, jobs[i:], l.lost)
			return
		}
		l.command(b, jobs[i:i+1])
	}
}

// command sends one command, and waits for its answer where no other may follow before.
func (l *lane) command(b *batch, jobs []*job) {
	messages := make([]wire.Message, len(jobs))
	for i, j := range jobs {
		messages[i] = j.message
	}
	before := l.conn.Commands
	sent, err := l.conn.Send(b.queue.mailbox, messages)
	l.g.sink.opts.Meter.Request(l.conn.Commands - before)
	if err != nil {
		l.drain(err)
		l.fail(b, jobs, err)
		return
	}
	l.sent = append(l.sent, flight{b, jobs, sent})
	if !l.conn.Pipelines() {
		l.answer()
	}
}

// answer reads the answer to the oldest command. A batch that is refused as a whole goes once more, each message by itself.
func (l *lane) answer() {
	f := l.sent[0]
	l.sent = l.sent[1:]
	answers, err := l.conn.Answer(f.sent)
	switch {
	case err != nil:
		l.drop(err)
		l.fail(f.batch, f.jobs, err)
	case len(f.jobs) > 1 && separable(answers[0].Err):
		l.singly(f.batch, f.jobs)
	default:
		l.settle(f.batch, f.jobs, answers)
	}
}

// drain reads what the server answered before the connection was of no use for another command, and gives it up.
func (l *lane) drain(broken error) {
	for len(l.sent) > 0 {
		f := l.sent[0]
		answers, err := l.conn.Answer(f.sent)
		if err != nil || len(f.jobs) > 1 && separable(answers[0].Err) {
			break
		}
		l.sent = l.sent[1:]
		l.settle(f.batch, f.jobs, answers)
	}
	l.drop(broken)
}

// drop gives the connection up. What became of the messages on their way is not known.
func (l *lane) drop(err error) {
	_ = l.conn.Close()
	l.conn, l.lost = nil, err
	for _, f := range l.sent {
		l.fail(f.batch, f.jobs, err)
	}
	l.sent = nil
}

func (l *lane) fail(b *batch, jobs []*job, err error) {
	l.settle(b, jobs, slices.Repeat([]wire.Answer{{Err: err}}, len(jobs)))
}

// settle gives each job its answer; the last one ends the batch.
func (l *lane) settle(b *batch, jobs []*job, answers []wire.Answer) {
	for i, j := range jobs {
		j.finish(answers[i])
	}
	if b.left -= len(jobs); b.left == 0 {
		b.stop()
		l.g.done(b)
	}
}

// close leaves the connection to the next writer.
func (l *lane) close() {
	if l.conn != nil {
		l.g.putIdle(l.conn)
	}
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

func dropCancelled(jobs []*job) []*job {
	return slices.DeleteFunc(jobs, func(j *job) bool {
		err := j.ctx.Err()
		if err != nil {
			j.finish(wire.Answer{Err: err})
		}
		return err != nil
	})
}

// untilAllCancelled returns a context that ends with ctx, or when nobody waits for the jobs any more.
func untilAllCancelled(ctx context.Context, jobs []*job) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	var waiting atomic.Int64
	waiting.Store(int64(len(jobs)))
	stops := make([]func() bool, len(jobs))
	for i, j := range jobs {
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
