package engine

import (
	"context"
	"sync"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// saver writes final records to the ledger in the background, as many at once as have come together. A record that a
// crash takes away before it is saved is no harm: the item is found unfinished and looked at again.
type saver struct {
	ledger checkpoint.Ledger
	queue  chan checkpoint.Record
	done   chan struct{}
	close  func() error

	mu   sync.Mutex
	cond *sync.Cond
	open int // records queued and not yet written
	err  error
}

// saveTogether bounds the records of one transaction.
const saveTogether = 256

func newSaver(l checkpoint.Ledger) *saver {
	s := &saver{ledger: l, queue: make(chan checkpoint.Record, saveTogether), done: make(chan struct{})}
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
	s.mu.Lock()
	s.open++
	err := s.err
	s.mu.Unlock()
	s.queue <- r
	return ledgerError(err)
}

// flush waits until everything queued so far is in the ledger.
func (s *saver) flush(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.cond.Broadcast()
	})
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.open > 0 && ctx.Err() == nil {
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
	for r := range s.queue {
		records := s.gather(r)
		// What is done is done: the records are written although the run may have been cancelled.
		err := s.ledger.Save(context.Background(), records...)
		s.mu.Lock()
		if s.err == nil {
			s.err = err
		}
		s.open -= len(records)
		s.cond.Broadcast()
		s.mu.Unlock()
	}
}

// gather takes what else is queued, without waiting for more.
func (s *saver) gather(r checkpoint.Record) []checkpoint.Record {
	records := []checkpoint.Record{r}
	for len(records) < saveTogether {
		select {
		case r, ok := <-s.queue:
			if !ok {
				return records
			}
			records = append(records, r)
		default:
			return records
		}
	}
	return records
}
