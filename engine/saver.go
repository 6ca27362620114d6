package engine

import (
	"context"
	"sync"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// saver writes records to the ledger in the background, as many at once as have come together: what one transaction costs
// is its fsync, not its rows.
//
// A final record that a crash takes away before it is saved is no harm: the item is found unfinished and looked at
// again. So it may wait a moment for others. A record that must be on disk before something else happens is waited for, and
// takes along what is queued.
type saver struct {
	ledger checkpoint.Ledger
	queue  chan entry
	hurry  chan struct{} // somebody waits for what is queued
	done   chan struct{}
	close  func() error

	mu   sync.Mutex
	cond *sync.Cond
	// queued and saved count records since the beginning; they are saved in the order of the queue.
	queued, saved int64
	err           error
}

// entry is a record on its way to the ledger.
type entry struct {
	record checkpoint.Record
	// saved is told how it went; nil where nobody waits.
	saved chan<- error
}

const (
	// saveTogether bounds the records of one transaction.
	saveTogether = 256
	// saveWithin bounds how long a record waits for others: a slow target would otherwise cost one fsync for each item.
	saveWithin = 50 * time.Millisecond
	// saveSoon bounds it for a record that somebody waits for: many are on their way at once, and what they wait for
	// together is one fsync.
	saveSoon = 3 * time.Millisecond
)

func newSaver(l checkpoint.Ledger) *saver {
	s := &saver{ledger: l, queue: make(chan entry, saveTogether), hurry: make(chan struct{}, 1), done: make(chan struct{})}
	s.cond = sync.NewCond(&s.mu)
	s.close = sync.OnceValue(func() error {
		close(s.queue)
		<-s.done
		return s.failed()
	})
	go s.run()
	return s
}

// save queues a record. Its error is that of an earlier write.
func (s *saver) save(r checkpoint.Record) error {
	return s.add(entry{record: r})
}

// saveNow returns when the record is in the ledger.
func (s *saver) saveNow(ctx context.Context, r checkpoint.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	saved := make(chan error, 1)
	if err := s.add(entry{r, saved}); err != nil {
		return err
	}
	return ledgerError(<-saved)
}

func (s *saver) add(e entry) error {
	s.mu.Lock()
	s.queued++
	err := s.err
	s.mu.Unlock()
	s.queue <- e
	return ledgerError(err)
}

// flush waits until everything that was queued before it was called is in the ledger; others may go on queueing.
func (s *saver) flush(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.cond.Broadcast()
	})
	defer stop()
	select {
	case s.hurry <- struct{}{}:
	default: // somebody else was as quick
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for upTo := s.queued; s.saved < upTo && ctx.Err() == nil; {
		s.cond.Wait()
	}
	if s.err != nil {
		return ledgerError(s.err)
	}
	return ctx.Err()
}

func (s *saver) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return ledgerError(s.err)
}

func (s *saver) run() {
	defer close(s.done)
	for e := range s.queue {
		entries := s.gather(e)
		records := make([]checkpoint.Record, len(entries))
		for i, e := range entries {
			records[i] = e.record
		}
		// What is done is done: the records are written although the run may have been cancelled.
		err := s.ledger.Save(context.Background(), records...)
		for _, e := range entries {
			if e.saved != nil {
				e.saved <- err
			}
		}
		s.mu.Lock()
		if s.err == nil {
			s.err = err
		}
		s.saved += int64(len(entries))
		s.cond.Broadcast()
		s.mu.Unlock()
	}
}

// gather takes what else is queued, and waits a moment for more: a shorter one when somebody is waiting.
func (s *saver) gather(e entry) []entry {
	entries := []entry{e}
	enough := time.NewTimer(patience(e))
	defer enough.Stop()
	for hurried := e.saved != nil; len(entries) < saveTogether; {
		e, ok := s.next(enough.C)
		if !ok {
			break
		}
		entries = append(entries, e)
		if e.saved != nil && !hurried {
			hurried = true
			enough.Reset(patience(e))
		}
	}
	return entries
}

// patience is how long a record may wait for others.
func patience(e entry) time.Duration {
	if e.saved != nil {
		return saveSoon
	}
	return saveWithin
}

// next returns the next entry; not ok when there is none, or none that is worth waiting for.
func (s *saver) next(enough <-chan time.Time) (e entry, ok bool) {
	select {
	case e, ok = <-s.queue:
		return e, ok
	default:
	}
	select {
	case e, ok = <-s.queue:
		return e, ok
	case <-s.hurry:
	case <-enough:
	}
	return e, false
}
