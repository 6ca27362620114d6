package webdav

import (
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/sinks"
)

// TestUnchangedWithoutETag knows a file again by its size and by when it was written.
func TestUnchangedWithoutETag(t *testing.T) {
	const answered = 1_800_000_000
	prev := sinks.Receipt{State: state{Size: 9, Answered: answered, Took: 1}.String()}
	for _, c := range []struct {
		name  string
		size  int64
		after int64 // seconds from the server's answer to the file's time
		want  bool
	}{
		{"the same second", 9, 0, true},
		{"the next second began while Apache wrote", 9, 1, true},
		{"the answer came a second later", 9, -1, true},
		{"changed later", 9, 2, false},
		{"put back from a backup", 9, -60, false},
		{"another size", 10, 0, false},
	} {
		found := resource{size: c.size, modified: time.Unix(answered+c.after, 0)}
		if got := unchanged(found, prev); got != c.want {
			t.Errorf("%s: unchanged is %v", c.name, got)
		}
	}
}
