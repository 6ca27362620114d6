package htmlreport

import (
	"slices"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/report"
)

// TestLeftBehind: a job in which nothing failed is not green while accounts would leave something behind.
func TestLeftBehind(t *testing.T) {
	for _, c := range []struct {
		state        string
		looked, left int64
		want         string
		notes        []string
	}{
		{report.Complete, 0, 0, report.Complete, nil},
		{report.Complete, 2, 0, report.Complete, []string{"To be looked at before the provider's accounts end: 2 accounts of grade C, below."}},
		{report.Complete, 1, 1, report.Incomplete, []string{"To be looked at before the provider's accounts end: 1 account of grade D and 1 account of grade C, below."}},
		{report.Stopped, 0, 1, report.Stopped, []string{"To be looked at before the provider's accounts end: 1 account of grade D, below."}},
	} {
		s := summary{State: c.state}
		s.leftBehind(c.looked, c.left)
		if s.State != c.want || !slices.Equal(s.Notes, c.notes) {
			t.Errorf("%s with %d and %d: %s, %q", c.state, c.looked, c.left, s.State, s.Notes)
		}
	}
}
