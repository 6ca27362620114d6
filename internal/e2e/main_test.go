package e2e

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// binary is the program under test.
var binary string

// full says that nothing is reduced.
var full = os.Getenv("REPATRIATE_E2E") == "full"

func TestMain(m *testing.M) {
	code, err := testMain(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func testMain(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "repatriate-e2e-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, stopServers(), os.RemoveAll(dir)) }()
	binary = filepath.Join(dir, "repatriate")
	if err := build(binary); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func build(out string) error {
	if err := dependOnSources("../.."); err != nil {
		return err
	}
	c := exec.CommandContext(context.Background(), "go", "build", "-o", out, "../../cmd/repatriate")
	if text, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build the program: %w\n%s", err, text)
	}
	return nil
}

// dependOnSources lets the go command know that the result of the tests depends on the program's sources, which no test
// imports: it notes which files a test looks at, and does not take an old result when one has changed.
func dependOnSources(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return filepath.SkipDir
		case d.IsDir() || strings.HasSuffix(path, "_test.go") || !strings.HasSuffix(path, ".go"):
			return nil
		}
		_, err = os.Stat(path)
		return err
	})
}
