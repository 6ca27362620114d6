package engine

import "sync/atomic"

// Counters tell what a run has done so far. They may be shared by many engines. The zero Counters are ready.
type Counters struct {
	// Listed counts items that were seen, Done those that were decided or passed over. Both may go down by items that are put off.
	Listed, Done Count
	// Written counts the items that were written to the target, Removed those that were removed from it, and Bytes the
	// bodies of the written ones.
	Written, Removed, Bytes Count
	// Failed counts items that failed, Skipped those that were left out for a lasting reason.
	Failed, Skipped Count
	// Again counts items that failed in an earlier run for a passing reason, and were tried by this one: an item whose
	// try the end of the task cut short is none of them.
	Again Count
	// Flowed counts the bytes of bodies as they are read, those of attempts in vain included.
	Flowed Count
}

// Child returns counters of a part of the work: what is added to them is added to c as well.
func (c *Counters) Child() *Counters {
	return &Counters{
		Listed: Count{up: &c.Listed}, Done: Count{up: &c.Done},
		Written: Count{up: &c.Written}, Removed: Count{up: &c.Removed}, Bytes: Count{up: &c.Bytes},
		Failed: Count{up: &c.Failed}, Skipped: Count{up: &c.Skipped}, Flowed: Count{up: &c.Flowed}, Again: Count{up: &c.Again},
	}
}

// Count is a number that goes up as the work goes on. It is safe for concurrent use.
type Count struct {
	n  atomic.Int64
	up *Count // of which it is a part; may be nil
}

// Add adds n here and to everything that this is a part of.
func (c *Count) Add(n int64) {
	for ; c != nil; c = c.up {
		c.n.Add(n)
	}
}

// Load returns the number.
func (c *Count) Load() int64 { return c.n.Load() }
