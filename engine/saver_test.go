package engine

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// savingLedger notes how many records each call saved. A Save takes a millisecond.
type savingLedger struct {
	checkpoint.Ledger
	saved []int
}

func (l *savingLedger) Save(_ context.Context, records ...checkpoint.Record) error {
	time.Sleep(time.Millisecond)
	l.saved = append(l.saved, len(records))
	return nil
}

func saveSome(t *testing.T, s *saver, n int) {
	t.Helper()
	for i := range n {
		if err := s.save(checkpoint.Record{ID: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSaverGathersWhatNobodyWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(savingLedger)
		s := newSaver(l)
		for range 10 {
			saveSome(t, s, 1)
			time.Sleep(saveWithin / 20)
		}
		time.Sleep(2 * saveWithin)
		saveSome(t, s, 1)
		if err := s.close(); err != nil {
			t.Error(err)
		}
		if fmt.Sprint(l.saved) != "[10 1]" {
			t.Errorf("saved in steps of %v, want ten at once, and the last by itself", l.saved)
		}
	})
}

func TestSaverHurriesWhenSomebodyWaits(t *testing.T) {
	waits := map[string]func(s *saver) error{
		"flush": func(s *saver) error { return s.flush(context.Background()) },
		"save":  func(s *saver) error { return s.saveNow(context.Background(), checkpoint.Record{ID: "now"}) },
		"close": func(s *saver) error { return s.close() },
	}
	for name, wait := range waits {
		synctest.Test(t, func(t *testing.T) {
			l := new(savingLedger)
			s := newSaver(l)
			saveSome(t, s, 3)
			synctest.Wait()
			start := time.Now()
			if err := wait(s); err != nil {
				t.Error(err)
			}
			if took := time.Since(start); took >= saveWithin || len(l.saved) == 0 {
				t.Errorf("%s took %v and saved %v", name, took, l.saved)
			}
			_ = s.close()
		})
	}
}
