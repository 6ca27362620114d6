// Package checkpointtest is the suite that every checkpoint.Store passes: nothing that was acknowledged is lost, nothing
// is done by halves, and the ledger balances at every moment.
package checkpointtest

import (
	"context"
	"os"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// Backend is the implementation under test.
type Backend struct {
	// Place returns where a new, empty store of this test may be: a file, a database.
	Place func(t testing.TB) string
	// Open opens the store at a place for writing, and makes it if there is none.
	Open func(ctx context.Context, place string) (checkpoint.Store, error)
	// View opens the store at a place for reading alone.
	View func(ctx context.Context, place string) (checkpoint.Store, error)
	// Exclusive says that one process at a time may open a place for writing.
	Exclusive bool
}

// Run runs the suite. The tests' main function must be Main.
func Run(t *testing.T, b Backend) {
	for name, test := range map[string]func(*testing.T, Backend){
		"RandomOperations":    randomOperations,
		"RandomPlaces":        randomPlaces,
		"SameNames":           sameNames,
		"SwappedNames":        swappedNames,
		"NeverListed":         neverListed,
		"NoID":                noID,
		"LossesWithoutNames":  lossesWithoutNames,
		"RecordsComeBack":     recordsComeBack,
		"PagesOfRecords":      pagesOfRecords,
		"Position":            position,
		"Fencing":             fencing,
		"ConcurrentSavers":    concurrentSavers,
		"AllOrNothing":        allOrNothing,
		"FailureStaysAlone":   failureStaysAlone,
		"CancelledBefore":     cancelledBefore,
		"WriteWhileReading":   writeWhileReading,
		"Killed":              killed,
		"Exclusive":           exclusive,
		"View":                view,
		"Twins":               twins,
		"ReserveAgain":        reserveAgain,
		"RenameAndMove":       renameAndMove,
		"Anew":                anew,
		"CaseOnlyRename":      caseOnlyRename,
		"FolderMovesChildren": folderMovesChildren,
		"ChildBeforeParent":   childBeforeParent,
		"FoldersInOneAnother": foldersInOneAnother,
		"ManyChildren":        manyChildren,
		"TasksAreApart":       tasksAreApart,
		"Nodes":               nodes,
		"Sealed":              sealed,
		"Aimed":               aimed,
		"ExportAndImport":     exportAndImport,
		"RandomExports":       randomExports,
		"CheckFinds":          checkFinds,
	} {
		t.Run(name, func(t *testing.T) { test(t, b) })
	}
}

// Main is the main function of the tests of a Store: the suite starts the test program again as the process that is
// killed while it writes.
func Main(m *testing.M, b Backend) {
	if place := os.Getenv(childPlace); place != "" {
		os.Exit(child(b, place))
	}
	os.Exit(m.Run())
}

var mailTask = checkpoint.Task{Account: "ada@example.org", Kind: "mail", Collection: ""}

// bench is an open store with the ledger of one task.
type bench struct {
	testing.TB
	Backend
	place string
	store checkpoint.Store
	l     checkpoint.Ledger
}

func newBench(t testing.TB, b Backend) *bench {
	t.Helper()
	s := &bench{TB: t, Backend: b, place: b.Place(t)}
	s.open()
	t.Cleanup(func() {
		if err := s.store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func (b *bench) open() {
	b.Helper()
	var err error
	if b.store, err = b.Open(context.Background(), b.place); err != nil {
		b.Fatalf("open: %v", err)
	}
	b.l = b.begin(mailTask)
}

func (b *bench) reopen() {
	b.Helper()
	if err := b.store.Close(); err != nil {
		b.Fatalf("close: %v", err)
	}
	b.open()
}

func (b *bench) begin(task checkpoint.Task) checkpoint.Ledger {
	b.Helper()
	l, err := b.store.Begin(context.Background(), task, "Name")
	if err != nil {
		b.Fatalf("begin: %v", err)
	}
	return l
}

// enlist notes ids in generation 1.
func (b *bench) enlist(ids ...string) []checkpoint.Record {
	b.Helper()
	entries := make([]checkpoint.Entry, 0, len(ids))
	for _, id := range ids {
		entries = append(entries, checkpoint.Entry{ID: id, Title: "title of " + id})
	}
	records, err := b.l.Enlist(context.Background(), 1, entries)
	if err != nil {
		b.Fatalf("enlist: %v", err)
	}
	return records
}

func (b *bench) save(records ...checkpoint.Record) {
	b.Helper()
	if err := b.l.Save(context.Background(), records...); err != nil {
		b.Fatalf("save: %v", err)
	}
}

func (b *bench) status() checkpoint.Status { b.Helper(); return statusOf(b, b.store, mailTask) }

// statusOf returns the status of one task as any reader sees it.
func statusOf(t testing.TB, s checkpoint.Store, task checkpoint.Task) checkpoint.Status {
	t.Helper()
	all, err := s.Tasks(context.Background())
	if err != nil {
		t.Fatalf("tasks: %v", err)
	}
	for _, st := range all {
		if st.Task == task {
			return st
		}
	}
	t.Fatalf("no task %v among %d", task, len(all))
	return checkpoint.Status{}
}

// all returns the records of a task in the given states.
func (b *bench) all(task checkpoint.Task, states ...checkpoint.State) (records []checkpoint.Record) {
	b.Helper()
	for r, err := range b.store.Records(context.Background(), task, states...) {
		if err != nil {
			b.Fatalf("records: %v", err)
		}
		records = append(records, r)
	}
	return records
}
