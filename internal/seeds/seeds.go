// Package seeds gives fuzz targets what servers really answer: the files of the data that lies beside the repository.
package seeds

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// maxSize bounds a seed: long ones make a fuzzer slow, and it finds nothing more with them.
const maxSize = 32 << 10

// Shared calls add with the files of a folder of ../shared/data that end in ext and are not large. Where the data is missing there are
// none, which is a failure in CI.
func Shared(f testing.TB, folder, ext string, add func(data []byte)) {
	f.Helper()
	dir := filepath.Join(root(f), "..", "shared", "data", folder)
	n := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ext) {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && len(data) <= maxSize {
			n++
			add(data)
		}
		return err
	})
	if (err != nil || n == 0) && os.Getenv("CI") == "true" {
		f.Fatalf("no seeds in %s: %v", dir, err)
	}
}

// root is the folder of go.mod.
func root(f testing.TB) string {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	f.Fatal("no go.mod above the test: ", err)
	return ""
}
