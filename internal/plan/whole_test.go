package plan_test

import (
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/plan"
)

// TestWholeLeft: at the beginning the plan counts, after a quarter the pace.
func TestWholeLeft(t *testing.T) {
	w := plan.Whole{Seconds: 3600, Items: 1000}
	if got := w.Left(0, 0, time.Minute); got != time.Hour {
		t.Errorf("%v before anything was written", got)
	}
	if got := w.Left(500, 0, 2*time.Hour); got != 2*time.Hour {
		t.Errorf("%v when half took two hours", got)
	}
	if got := w.Left(1000, 0, time.Hour); got != 0 {
		t.Errorf("%v when all is written", got)
	}
}
