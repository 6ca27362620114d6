package statefile_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/checkpoint/sqlite"
	"codeberg.org/repatriate/repatriate/internal/statefile"
)

func newStore(t testing.TB) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{Job: "pilot"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// exported is an export with two tasks, three records and two nodes.
func exported(t testing.TB) string {
	t.Helper()
	s := newStore(t)
	for _, kind := range []string{"files", "mail"} {
		l, err := s.Begin(context.Background(), checkpoint.Task{Account: "ada", Kind: kind}, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Enlist(context.Background(), 1, []checkpoint.Entry{{ID: "a"}, {ID: "b"}, {ID: "c"}}); err != nil {
			t.Fatal(err)
		}
		if err := l.Advance(context.Background(), checkpoint.Position{Cursor: "next", Generation: 1}); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"a", "b"} {
			r := checkpoint.Reservation{Node: checkpoint.Node{ID: id, Wanted: id, ParentID: "dir"}, Names: numbered(id)}
			if _, err := l.Reserve(context.Background(), r); err != nil {
				t.Fatal(err)
			}
		}
	}
	var b strings.Builder
	if err := statefile.Export(context.Background(), &b, "pilot", s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func numbered(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := 1; yield(fmt.Sprint(name, i)); i++ {
		}
	}
}

// signed puts the digest at the end right again after a change.
func signed(text string) string {
	lines := strings.SplitAfter(text, "\n")
	last := len(lines) - 2
	sum := sha256.Sum256([]byte(strings.Join(lines[:last], "")))
	at := strings.Index(lines[last], `"sha256":"`) + len(`"sha256":"`)
	return strings.Join(lines[:last], "") + lines[last][:at] + hex.EncodeToString(sum[:]) + lines[last][at+64:]
}

func TestImport(t *testing.T) {
	text := exported(t)
	if signed(text) != text {
		t.Fatalf("the digest is not that of all lines above: %s", text)
	}
	s := newStore(t)
	if n, err := statefile.Import(t.Context(), strings.NewReader(text), "pilot", takesAll{}); err != nil || n.Nodes != 4 {
		t.Errorf("%+v, %v", n, err)
	}
	n, err := statefile.Import(t.Context(), iotest.OneByteReader(strings.NewReader(text)), "pilot", s)
	if err != nil || n != (statefile.Counts{Tasks: 2, Records: 6, Nodes: 4}) {
		t.Errorf("%+v, %v", n, err)
	}
	var again strings.Builder
	if err := statefile.Export(t.Context(), &again, "pilot", s); err != nil || again.String() != text {
		t.Errorf("%v\n%s\nwant\n%s", err, again.String(), text)
	}
}

// TestPartsAreRefused: no part of an export is taken for the whole.
func TestPartsAreRefused(t *testing.T) {
	text := exported(t)
	for n := 0; n < len(text); n++ {
		refusedBy(t, takesAll{}, fmt.Sprintf("the first %d bytes", n), text[:n], "")
	}
	lines := strings.SplitAfter(text, "\n")
	for i := range lines[:len(lines)-1] {
		refusedBy(t, takesAll{}, fmt.Sprintf("without line %d", i+1), strings.Join(slices.Delete(slices.Clone(lines), i, i+1), ""), "")
		if i > 0 && i < len(lines)-2 {
			less, more := slices.Delete(slices.Clone(lines), i, i+1), slices.Insert(slices.Clone(lines), i, lines[i])
			refusedBy(t, takesAll{}, fmt.Sprintf("without line %d, but signed", i+1), signed(strings.Join(less, "")), "")
			refusedBy(t, takesAll{}, fmt.Sprintf("with line %d twice, and signed", i+1), signed(strings.Join(more, "")), "")
		}
	}
	for n := range len(text) {
		changed := []byte(text)
		changed[n] ^= 1
		refusedBy(t, takesAll{}, fmt.Sprintf("with another byte %d", n), string(changed), "")
	}
}

func TestForeignFilesAreRefused(t *testing.T) {
	text := exported(t)
	change := func(old, replacement string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("%q does not stand in the export", old)
		}
		return signed(strings.Replace(text, old, replacement, 1))
	}
	for name, c := range map[string]struct{ text, says string }{
		"empty":             {"", "'repatriate state export' makes them"},
		"words":             {"job: pilot\n", "'repatriate state export' makes them"},
		"another format":    {change("repatriate-state", "other"), "'repatriate state export' makes them"},
		"a database":        {"SQLite format 3\x00" + strings.Repeat("\x00", 5000), "'repatriate state export' makes them"},
		"an endless line":   {strings.Repeat("{", 17<<20), "'repatriate state export' makes them"},
		"newer":             {change(`"version":1`, `"version":2,"more":{}`), "newer release (version 2"},
		"no version":        {change(`"version":1`, `"version":0`), "no version"},
		"another job's":     {change(`"job":"pilot"`, `"job":"other"`), `the job "other", not to "pilot"`},
		"cut off":           {text[:len(text)-20], "breaks off at line 14"},
		"two ends":          {text + text, "follows after its end"},
		"unknown field":     {change(`"id":"a"`, `"id":"a","hidden":1`), "unknown field"},
		"unknown state":     {change("pending", "lost"), `line 3: not an export that can be used: it has the state "lost"`},
		"two things a line": {change(`{"record":{"id":"a"`, `{"record":{"id":"0","state":"pending"}}{"record":{"id":"a"`), "follows"},
		"nothing in a line": {change(`{"record":{"id":"a","state":"pending","generation":1}}`, `{}`), "no line of an export"},
		"does not balance":  {change(`"listed":3`, `"listed":4`), "4 were listed, and it has 3 records"},
		"place taken twice": {change(`"name":"b1"`, `"name":"A1"`), `the place of the node "b" is taken`},
		"no id":             {change(`"id":"a"`, `"id":""`), "order"},
		"a node nowhere":    {change(`,"reserved":{"parent":"dir","name":"a1","wanted":"a"}`, ``), "has no place"},
		"numbers at end":    {change(`"nodes":4`, `"nodes":5`), "4 nodes, and should have 2, 6 and 5"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, name, c.text, c.says) })
	}
}

func refused(t *testing.T, what, text, says string) {
	t.Helper()
	refusedBy(t, newStore(t), what, text, says)
}

// takesAll is a store that takes everything, so that whatever is refused is refused by the format.
type takesAll struct{ checkpoint.Store }

func (takesAll) Begin(context.Context, checkpoint.Task, string) (checkpoint.Ledger, error) {
	return ledgerOfAll{}, nil
}

type ledgerOfAll struct{ checkpoint.Ledger }

func (ledgerOfAll) Enlist(context.Context, int64, []checkpoint.Entry) ([]checkpoint.Record, error) {
	return nil, nil
}
func (ledgerOfAll) Save(context.Context, ...checkpoint.Record) error              { return nil }
func (ledgerOfAll) Advance(context.Context, checkpoint.Position, ...string) error { return nil }
func (ledgerOfAll) Settle(context.Context, string, checkpoint.Record) error       { return nil }
func (ledgerOfAll) Reserve(_ context.Context, asked ...checkpoint.Reservation) (placed []checkpoint.Node, err error) {
	for _, r := range asked {
		placed = append(placed, r.Node)
	}
	return placed, nil
}

func refusedBy(t *testing.T, s checkpoint.Store, what, text, says string) {
	t.Helper()
	_, err := statefile.Import(t.Context(), strings.NewReader(text), "pilot", s)
	if !errors.Is(err, statefile.ErrFormat) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: %v; want it to say %q", what, err, says)
	}
}

// What cannot be read or written is no fault of the export's.
func TestBrokenReadersAndWriters(t *testing.T) {
	text, boom := exported(t), errors.New("boom")
	in := io.MultiReader(strings.NewReader(text[:len(text)/2]), iotest.ErrReader(boom))
	if _, err := statefile.Import(t.Context(), in, "pilot", newStore(t)); !errors.Is(err, boom) || errors.Is(err, statefile.ErrFormat) {
		t.Errorf("import: %v", err)
	}
	if err := statefile.Export(t.Context(), brokenWriter{boom}, "pilot", newStore(t)); !errors.Is(err, boom) {
		t.Errorf("export: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := statefile.Import(ctx, strings.NewReader(text), "pilot", newStore(t))
	if !errors.Is(err, context.Canceled) || errors.Is(err, statefile.ErrFormat) {
		t.Errorf("cancelled: %v", err)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

// FuzzImport: whatever stands in a file, nothing panics, and what is taken comes out again as it went in.
func FuzzImport(f *testing.F) {
	text := exported(f)
	f.Add(text)
	f.Add(text[:len(text)/2])
	f.Add(strings.ReplaceAll(text, "a", `\ud800`))
	f.Fuzz(func(t *testing.T, text string) {
		s := newStore(t)
		if _, err := statefile.Import(t.Context(), strings.NewReader(text), "pilot", s); err != nil {
			return
		}
		var again strings.Builder
		if err := statefile.Export(t.Context(), &again, "pilot", s); err != nil {
			t.Fatal(err)
		}
		other := newStore(t)
		if _, err := statefile.Import(t.Context(), strings.NewReader(again.String()), "pilot", other); err != nil {
			t.Errorf("%v in %s", err, again.String())
		}
	})
}
