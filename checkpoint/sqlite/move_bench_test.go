package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/statefile"
)

// peak watches the heap while something is read or written, now and then.
type peak struct {
	io.Writer
	io.Reader
	calls atomic.Int64
	heap  uint64
}

func (p *peak) look() {
	if p.calls.Add(1)%1000 != 1 {
		return
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	p.heap = max(p.heap, m.HeapInuse)
}

func (p *peak) Write(b []byte) (int, error) { p.look(); return p.Writer.Write(b) }
func (p *peak) Read(b []byte) (int, error)  { p.look(); return p.Reader.Read(b) }

// BenchmarkMillionMoved checks, exports and imports a million records, a fifth of which are nodes.
func BenchmarkMillionMoved(b *testing.B) {
	n := 1_000_000
	if testing.Short() {
		n = 100_000
	}
	path := filepath.Join(b.TempDir(), "state.db")
	s, l := openBench(b, path)
	if err := l.Advance(context.Background(), checkpoint.Position{Cursor: "c", Generation: 1, Complete: true}); err != nil {
		b.Fatal(err)
	}
	enlistMany(b, l, n)
	for i := range n / 5 / 1000 {
		name := func(i int) string { return fmt.Sprintf("Minutes %d.docx", i) }
		placed, err := l.Reserve(context.Background(), reservations("", i*1000, 1000, name)...)
		if err != nil {
			b.Fatal(err)
		}
		settleAll(b, l, placed)
	}
	export := filepath.Join(b.TempDir(), "state.jsonl")
	b.Run("Check", func(b *testing.B) {
		for b.Loop() {
			if found := checkOf(b, s); len(found) > 0 {
				b.Fatal(found)
			}
		}
	})
	b.Run("Export", func(b *testing.B) {
		for b.Loop() {
			exportTo(b, s, export)
		}
	})
	b.Run("Import", func(b *testing.B) {
		for b.Loop() {
			importFrom(b, export)
		}
	})
}

func exportTo(b *testing.B, s *Store, path string) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	p := &peak{Writer: f}
	if err := statefile.Export(context.Background(), p, "bench", s); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(p.heap)/(1<<20), "MiB-heap")
}

func importFrom(b *testing.B, path string) {
	b.Helper()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	p := &peak{Reader: bufio.NewReader(f)}
	err = Create(context.Background(), filepath.Join(b.TempDir(), "copy.db"), Options{}, func(s checkpoint.Store) error {
		_, err := statefile.Import(context.Background(), p, "bench", s)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(p.heap)/(1<<20), "MiB-heap")
}
