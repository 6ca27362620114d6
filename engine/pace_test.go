package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/pace"
)

// TestBodiesKeepToThePace moves a megabyte at 100 kB/s, by a clock of its own.
func TestBodiesKeepToThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := newBench(t), new(calls)
		src := newFakeSource(c, message("a", "a@x", strings.Repeat("a", 500_000)), message("b", "b@x", strings.Repeat("b", 500_000)))
		dst := newAppendSink(c)
		o := quick
		o.Pace = pace.New(100_000)
		begin := time.Now()
		must(t, mailEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
		if took := time.Since(begin); took < 9900*time.Millisecond || took > 11*time.Second {
			t.Errorf("a megabyte took %v", took)
		}
		if st := b.status(); st.Counts[checkpoint.Copied] != 2 {
			t.Errorf("%+v", st)
		}
	})
}
