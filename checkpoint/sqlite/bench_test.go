package sqlite

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"sync/atomic"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

func benchLedger(b *testing.B) (*Store, checkpoint.Ledger) {
	b.Helper()
	return openBench(b, filepath.Join(b.TempDir(), "state.db"))
}

func openBench(b *testing.B, path string) (*Store, checkpoint.Ledger) {
	b.Helper()
	s, err := Open(context.Background(), path, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	l, err := s.Begin(context.Background(), checkpoint.Task{Account: "ada@example.org", Kind: "files", Collection: "drive"}, "Drive")
	if err != nil {
		b.Fatal(err)
	}
	return s, l
}

func entries(from, n int) []checkpoint.Entry {
	out := make([]checkpoint.Entry, n)
	for i := range out {
		out[i] = checkpoint.Entry{ID: fmt.Sprintf("1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs%09d", from+i), Title: "Minutes of the board.docx", Link: "https://drive.example.org/open"}
	}
	return out
}

// enlistMany fills a ledger with n records in several states.
func enlistMany(b testing.TB, l checkpoint.Ledger, n int) []checkpoint.Record {
	b.Helper()
	var all []checkpoint.Record
	for from := 0; from < n; from += 1000 {
		records, err := l.Enlist(context.Background(), 1, entries(from, min(1000, n-from)))
		if err != nil {
			b.Fatal(err)
		}
		for i := range records {
			done(&records[i], from+i)
		}
		if err := l.Save(context.Background(), records...); err != nil {
			b.Fatal(err)
		}
		all = append(all, records...)
	}
	return all
}

func done(r *checkpoint.Record, i int) {
	r.State, r.Version, r.Bytes = checkpoint.Copied, "7", 12345
	r.Location, r.ReceiptVersion = fmt.Sprintf("Projects/2026/Minutes of the board (%d).docx", i), `"0f3a"`
	r.Digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	switch i % 10 {
	case 0:
		r.State, r.Losses = checkpoint.CopiedWithLosses, []checkpoint.Loss{{Reason: "file.renamed"}, {Reason: "file.comments", Detail: "3 comments"}}
	case 1:
		r.State, r.Reason = checkpoint.Skipped, "source.malware"
	}
}

func BenchmarkSaveSingly32(b *testing.B) {
	_, l := benchLedger(b)
	records := enlistMany(b, l, 20_000)
	var next atomic.Int64
	b.SetParallelism(16) // times GOMAXPROCS, which is 2 where this is measured
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := records[int(next.Add(1))%len(records)]
			r.Attempts++
			if err := l.Save(context.Background(), r); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkSave256(b *testing.B) {
	_, l := benchLedger(b)
	records := enlistMany(b, l, 256*40)
	for i := 0; b.Loop(); i++ {
		from := i % 40 * 256
		if err := l.Save(context.Background(), records[from:from+256]...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*256/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkEnlist500(b *testing.B) {
	_, l := benchLedger(b)
	n := 0
	for b.Loop() {
		if _, err := l.Enlist(context.Background(), 1, entries(n, 500)); err != nil {
			b.Fatal(err)
		}
		n += 500
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkEnlist500Known(b *testing.B) {
	_, l := benchLedger(b)
	enlistMany(b, l, 10_000)
	for i := 0; b.Loop(); i++ {
		if _, err := l.Enlist(context.Background(), int64(i), entries(i%20*500, 500)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*500/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkMillion asks what a status page, a resumed run and a report ask of a million records.
func BenchmarkMillion(b *testing.B) {
	if testing.Short() {
		b.Skip("a million records take a while")
	}
	const n = 1_000_000
	path := filepath.Join(b.TempDir(), "state.db")
	s, l := openBench(b, path)
	enlistMany(b, l, n)
	ctx := context.Background()
	b.Run("Tasks", func(b *testing.B) {
		for b.Loop() {
			if all, err := s.Tasks(ctx); err != nil || !all[0].Balanced() || all[0].Listed != n {
				b.Fatal(all, err)
			}
		}
	})
	b.Run("InState", func(b *testing.B) {
		for b.Loop() {
			if got, err := l.InState(ctx, entries(n/2, 1)[0].ID, 500, checkpoint.Copied, checkpoint.Skipped, checkpoint.Failed); err != nil || len(got) != 500 {
				b.Fatal(len(got), err)
			}
		}
	})
	b.Run("UnseenNone", func(b *testing.B) {
		for b.Loop() {
			if got, err := l.Unseen(ctx, 1, "", 500); err != nil || len(got) != 0 {
				b.Fatal(len(got), err)
			}
		}
	})
	b.Run("Records", func(b *testing.B) {
		for b.Loop() {
			count := 0
			for _, err := range s.Records(ctx, checkpoint.Task{Account: "ada@example.org", Kind: "files", Collection: "drive"}) {
				if err != nil {
					b.Fatal(err)
				}
				count++
			}
			if count != n {
				b.Fatal(count)
			}
		}
	})
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.Run("Open", func(b *testing.B) {
		for b.Loop() {
			s, err := Open(ctx, path, Options{})
			if err != nil {
				b.Fatal(err)
			}
			_ = s.Close()
		}
	})
	b.Run("OpenCopy", func(b *testing.B) {
		for b.Loop() {
			s, err := OpenCopy(ctx, path, Options{})
			if err != nil {
				b.Fatal(err)
			}
			_ = s.Close()
		}
	})
}

// numbered yields name, "name (2)", "name (3)" and so on.
func numbered(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield(name) {
			return
		}
		for i := 2; yield(fmt.Sprintf("%s (%d)", name, i)); i++ {
		}
	}
}

func reservations(parent string, from, n int, name func(i int) string) []checkpoint.Reservation {
	out := make([]checkpoint.Reservation, n)
	for i := range out {
		node := checkpoint.Node{ID: fmt.Sprintf("%s-%d", parent, from+i), ParentID: parent, Wanted: name(from + i)}
		out[i] = checkpoint.Reservation{Node: node, Names: numbered(node.Wanted)}
	}
	return out
}

// BenchmarkReserve1000 reserves a page's places and settles them one by one, as 32 workers do.
func BenchmarkReserve1000(b *testing.B) {
	_, l := benchLedger(b)
	for i := 0; b.Loop(); i++ {
		asked := reservations("folder", i*1000, 1000, func(i int) string { return fmt.Sprintf("Minutes %d.docx", i) })
		placed, err := l.Reserve(context.Background(), asked...)
		if err != nil {
			b.Fatal(err)
		}
		settleAll(b, l, placed)
	}
}

func settleAll(b *testing.B, l checkpoint.Ledger, placed []checkpoint.Node) {
	b.Helper()
	var next atomic.Int64
	done := make(chan error)
	for range 32 {
		go func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(placed) {
					done <- nil
					return
				}
				if err := l.Settle(context.Background(), placed[i].ID, checkpoint.Record{}); err != nil {
					done <- err
					return
				}
			}
		}()
	}
	for range 32 {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReserveSameName(b *testing.B) {
	for _, n := range []int{1000, 10_000, 40_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			_, l := benchLedger(b)
			for i := 0; b.Loop(); i++ {
				for from := 0; from < n; from += 500 {
					if _, err := l.Reserve(context.Background(), reservations(fmt.Sprint("folder", i), from, 500, func(int) string { return "Untitled" })...); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N*n), "µs/node")
		})
	}
}

func BenchmarkWhereDepth5(b *testing.B) {
	_, l := benchLedger(b)
	parent := ""
	for i := range 5 {
		id := fmt.Sprint("node", i)
		r := checkpoint.Reservation{Node: checkpoint.Node{ID: id, ParentID: parent, Wanted: id, Folder: true}, Names: numbered(id)}
		if _, err := l.Reserve(context.Background(), r); err != nil {
			b.Fatal(err)
		}
		if err := l.Settle(context.Background(), id, checkpoint.Record{}); err != nil {
			b.Fatal(err)
		}
		parent = id
	}
	for b.Loop() {
		if lies, _, ok, err := l.Where(context.Background(), parent); err != nil || !ok || len(lies) != 5 {
			b.Fatal(lies, ok, err)
		}
	}
}
