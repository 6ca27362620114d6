package webdav

import (
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/sinks"
)

// TestWhatCameAfterTheTrace: only the server's own times tell an interrupted write from what was there before.
func TestWhatCameAfterTheTrace(t *testing.T) {
	const mtime = 1_600_000_000
	since := time.Unix(1_700_000_000, 0)
	for _, c := range []struct {
		name  string
		found resource
		since int64
		ours  bool
	}{
		{"nothing is stated", resource{}, since.Unix(), false},
		{"the item's own time", resource{modified: time.Unix(mtime, 0)}, since.Unix(), false},
		{"the server's time", resource{modified: since}, since.Unix(), true},
		{"an earlier time of the server", resource{modified: since.Add(-time.Second)}, since.Unix(), false},
		{"made since", resource{modified: time.Unix(mtime, 0), created: since.Add(time.Second)}, since.Unix(), true},
		{"uploaded since", resource{modified: time.Unix(mtime, 0), uploaded: since}, since.Unix(), true},
		{"uploaded before", resource{modified: time.Unix(mtime, 0), uploaded: since.Add(-time.Hour)}, since.Unix(), false},
		{"no clock", resource{modified: since, created: since}, 0, false},
	} {
		tr := &trace{Modified: mtime, Since: c.since}
		if got := tr.writtenSince(c.found); got != c.ours {
			t.Errorf("%s: it counts as written since: %v", c.name, got)
		}
	}
}

// TestTraceKeepsItsTime: the earliest note of an item counts, until it is to be another one.
func TestTraceKeepsItsTime(t *testing.T) {
	s := &Sink{dav: &client{}}
	s.dav.clock.Store(100)
	file := sinks.File{Path: []string{"a.txt"}, Body: sinks.Body{Version: "1", Size: 3}}
	first := s.Trace(file, "")
	s.dav.clock.Store(200)
	if again := s.Trace(file, first); again != first {
		t.Errorf("%s became %s", first, again)
	}
	file.Body.Version = "2"
	if other := receiptState(sinks.Receipt{State: s.Trace(file, first)}).Trace; other.Since != 200 || other.Body != "2" {
		t.Errorf("%+v", other)
	}
}
