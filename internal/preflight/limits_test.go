package preflight_test

import (
	"testing"

	"codeberg.org/repatriate/repatriate/internal/preflight"
)

func TestLimitsNarrow(t *testing.T) {
	l := preflight.NoLimits
	for _, step := range []struct{ room, item, wantRoom, wantItem int64 }{
		{500, 0, 500, 0}, {900, 40, 500, 40}, {-7, 50, 0, 40}, {3, -1, 0, 40}, {3, 39, 0, 39},
	} {
		l.Narrow(step.room)
		l.NarrowItem(step.item)
		if l.Room != step.wantRoom || l.Item != step.wantItem {
			t.Errorf("after %d and %d: %+v", step.room, step.item, l)
		}
	}
}
