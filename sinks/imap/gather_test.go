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
	var batches []*batch
	for range g.writers {
		q.jobs, q.batches, q.sending = q.jobs[1:], q.batches+1, q.sending+1
		batches = append(batches, &batch{queue: q, jobs: []*job{{ctx: t.Context(), mailbox: "INBOX"}}, size: 1})
	}
	refusal := &wire.StatusError{Status: "NO", Code: "LIMIT"}
	for _, b := range batches {
		if !g.giveBack(b, refusal) {
			t.Fatal("a batch was not given back")
		}
	}
	stayed := 0
	for range batches {
		if g.stays() {
			stayed++
		}
	}
	if stayed != 1 || g.writers != 1 {
		t.Fatalf("%d writers stayed, %d are counted", stayed, g.writers)
	}
	taken := 0
	for b := g.take(false); b != nil; b = g.take(false) {
		taken += b.size
		g.done(b)
	}
	if taken != len(batches) {
		t.Errorf("%d of %d jobs were taken", taken, len(batches))
	}
}
