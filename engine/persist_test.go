package engine_test

import (
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
)

// A server may ask for a pause of a day; nobody waits for that.
func TestLongPauseParksTheTask(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := newFakeSource(c, someMail()...), newAppendSink(c)
	c.disturb = func(_ int, name string, after bool) error {
		if name == "put" && !after {
			return fault.New(fault.Retry, fault.TargetThrottled, "tomorrow").WithAfter(24 * time.Hour)
		}
		return nil
	}
	err := mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c))
	if f := fault.Of(err); f.Action != fault.FailTask || f.Reason != fault.TargetThrottled || f.After != 24*time.Hour {
		t.Fatalf("got %v", err)
	}
	st := b.status()
	if time.Until(st.Until) < time.Hour || st.Counts[checkpoint.Failed] != 0 {
		t.Errorf("status %+v", st)
	}
	c.disturb = nil
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if n := b.status().Counts[checkpoint.Copied]; n != 8 {
		t.Errorf("%d items are copied, want 8", n)
	}
}
