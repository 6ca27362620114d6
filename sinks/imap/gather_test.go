package imap

import (
	"testing"

	"codeberg.org/repatriate/repatriate/sinks/imap/wire"
)

// Writers whose connections are refused at the same moment give their batches back and end; one of them has to stay.
func TestJobsGivenBackAreTakenBySomebody(t *testing.T) {
	g := newGatherer(t.Context(), nil, 4)
	g.writers = 4
	q := g.queue("INBOX")
	for range g.writers {
		q.jobs = append(q.jobs, &job{ctx: t.Context(), mailbox: "INBOX"})
	}
	var batches [][]*job
	for range g.writers {
		batches = append(batches, []*job{q.jobs[0]})
		q.jobs = q.jobs[1:]
		q.writers++
		q.sending++
	}
	refusal := &wire.StatusError{Status: "NO", Code: "LIMIT"}
	for _, b := range batches {
		if !g.giveBack(b, refusal) {
			t.Fatal("a batch was not given back")
		}
	}
	stayed := 0
	for range batches {
		if g.goesOn(q, 1, false) {
			stayed++
		}
	}
	if stayed != 1 || g.writers != 1 {
		t.Fatalf("%d writers stayed, %d are counted", stayed, g.writers)
	}
	taken := 0
	for {
		q, batch := g.take()
		if q == nil {
			break
		}
		taken += len(batch)
		g.goesOn(q, len(batch), true)
	}
	if taken != len(batches) {
		t.Errorf("%d of %d jobs were taken", taken, len(batches))
	}
}
