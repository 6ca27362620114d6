package main

import (
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/progress"
)

// TestLinesOfLibraries are part of the log, in its form and from its level on.
func TestLinesOfLibraries(t *testing.T) {
	screen, out, flagsOfLog := stderr, log.Writer(), log.Flags()
	t.Cleanup(func() { stderr = screen; log.SetOutput(out); log.SetFlags(flagsOfLog) })
	for _, test := range []struct {
		level string
		shown bool
	}{{"error", false}, {"warn", true}} {
		path := filepath.Join(t.TempDir(), "stderr")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		stderr = progress.NewScreen(file)
		f := flags{logLevel: test.level, logFormat: "json"}
		if _, err := f.output(); err != nil {
			t.Fatal(err)
		}
		log.Printf("Unsolicited response received on idle HTTP channel starting with %q; err=<nil>", "HTTP/1.0 500")
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil || len(text) > 0 != test.shown || test.shown && !json.Valid(text) {
			t.Errorf("--log-level %s: %q, %v", test.level, text, err)
		}
	}
}
