package e2e

import (
	"io/fs"
	"os"
	"syscall"
	"testing"
)

// sameOwner gives a file the owner of another one.
func sameOwner(tb testing.TB, of fs.FileInfo, path string) {
	tb.Helper()
	if st, ok := of.Sys().(*syscall.Stat_t); ok {
		must(tb, os.Chown(path, int(st.Uid), int(st.Gid)))
	}
}
