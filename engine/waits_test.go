package engine

import (
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
)

// TestWaitNamesLeaveRoom beside them for the time until which it is waited, in half a terminal of 80 columns.
func TestWaitNamesLeaveRoom(t *testing.T) {
	for _, reason := range []fault.Reason{
		fault.SourceUnavailable, fault.TargetUnavailable, fault.TargetThrottled, fault.SourceBadAnswer, fault.TargetLocked, fault.LocalDisk,
	} {
		if name := waitName(reason) + ": until 21:04:32"; len(name) > 48 || name[0] == ':' {
			t.Errorf("%s is called %q", reason, name)
		}
	}
}
