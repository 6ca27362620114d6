package checkpointtest

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/statefile"
)

var filesTask = checkpoint.Task{Account: "ada@example.org", Kind: "files", Collection: "drive"}

// nodes reads all places of a tree, page after page.
func nodes(t *testing.T, b Backend) {
	s := newBench(t, b)
	reserve(t, s.l, "moving", "", "old", "old")
	settle(t, s.l, "moving")
	reserve(t, s.l, "moving", "later", "new", "new")
	reserve(t, s.l, "coming", "", "Old", "OLD (2)")
	for _, id := range ids(1234) {
		reserve(t, s.l, id, "dir", id, id)
	}
	got := s.nodes(mailTask)
	want := []checkpoint.Placement{{ID: "coming", Reserved: &checkpoint.Place{Name: "OLD (2)", Wanted: "Old"}}}
	for _, id := range ids(1234) {
		want = append(want, checkpoint.Placement{ID: id, Reserved: &checkpoint.Place{ParentID: "dir", Name: id, Wanted: id}})
	}
	want = append(want, checkpoint.Placement{ID: "moving", Lies: &checkpoint.Place{Name: "old", Wanted: "old"},
		Reserved: &checkpoint.Place{ParentID: "later", Name: "new", Wanted: "new"}})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if got := s.nodes(checkpoint.Task{Account: "nobody"}); len(got) > 0 {
		t.Errorf("nodes of an unknown task: %+v", got)
	}
}

func (b *bench) nodes(task checkpoint.Task) (all []checkpoint.Placement) {
	b.Helper()
	for n, err := range b.store.Nodes(context.Background(), task) {
		if err != nil {
			b.Fatalf("nodes: %v", err)
		}
		all = append(all, n)
	}
	return all
}

func export(t testing.TB, s checkpoint.Store) string {
	t.Helper()
	var b bytes.Buffer
	if err := statefile.Export(context.Background(), &b, "test", s); err != nil {
		t.Fatalf("export: %v", err)
	}
	return b.String()
}

// wantCopy moves what the store holds to another one and back into words: nothing may be different.
func (b *bench) wantCopy() string {
	b.Helper()
	was := export(b, b.store)
	other, err := b.Open(context.Background(), b.Place(b.TB))
	if err != nil {
		b.Fatalf("open: %v", err)
	}
	defer other.Close() //nolint:errcheck // it was read through to its end
	if _, err := statefile.Import(context.Background(), strings.NewReader(was), "test", other); err != nil {
		b.Fatalf("import: %v", err)
	}
	if diff := cmp.Diff(strings.Split(was, "\n"), strings.Split(export(b, other), "\n")); diff != "" {
		b.Errorf("it is another after export and import (-want +got):\n%s", diff)
	}
	wantSame(b.TB, b.store, other)
	return was
}

// wantSame compares two stores in what an export could have left out of both.
func wantSame(t testing.TB, a, b checkpoint.Store) {
	t.Helper()
	was, err := a.Tasks(context.Background())
	is, err2 := b.Tasks(context.Background())
	if diff := cmp.Diff(was, is); err != nil || err2 != nil || diff != "" {
		t.Errorf("tasks: %v, %v (-want +got):\n%s", err, err2, diff)
	}
	for _, st := range was {
		read := func(s checkpoint.Store) (all []any) {
			for r, err := range s.Records(context.Background(), st.Task) {
				all = append(all, r, err)
			}
			for n, err := range s.Nodes(context.Background(), st.Task) {
				all = append(all, n, err)
			}
			return all
		}
		if diff := cmp.Diff(read(a), read(b)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", st.Task, diff)
		}
	}
}

// exportAndImport has every field and every kind of place go over.
func exportAndImport(t *testing.T, b Backend) {
	s := newBench(t, b)
	s.wantCopy()
	records := s.enlist(append(ids(2100), "x", "y\xff", "z")...)
	full := &records[len(records)-3]
	*full = checkpoint.Record{
		ID: "x", Version: "v\xfe", State: checkpoint.CopiedWithLosses, Reason: "r", Message: "m\nline \x1b[31m\u2028<&>", Title: "T\x00", Link: "https://l",
		Losses:   []checkpoint.Loss{{Reason: "a.b", Detail: "d\xc3("}, {Reason: "a.b"}},
		Location: "dir/x\xff", ReceiptVersion: "etag", BodyVersion: "body", ReceiptState: `{"more":1}`,
		Bytes: 5 << 30, Digest: "sha256:00", Attempts: 3, Generation: 4,
	}
	for i := range records[:2100] {
		records[i].State = checkpoint.States[i%len(checkpoint.States)]
	}
	s.save(records...)
	p := checkpoint.Position{Cursor: `{"page":"\u0000"}` + "\xff", Generation: 7, Complete: true, Error: "stopped", Until: time.Unix(1_900_000_000, 123)}
	if err := s.l.Advance(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	s.l = s.begin(filesTask)
	s.enlist("folder", "moved", "case")
	s.plant()
	s.begin(checkpoint.Task{Account: "zoe@example.org", Kind: "files"})
	if text := s.wantCopy(); !strings.Contains(text, `"reserved"`) {
		t.Errorf("no reserved place in %s", text)
	}
}

// plant makes a tree in which each kind of place is.
func (b *bench) plant() {
	b.Helper()
	folder := checkpoint.Reservation{Node: checkpoint.Node{ID: "folder", Wanted: "Dir", Folder: true}, Names: names("Dir")}
	if _, err := b.l.Reserve(context.Background(), folder); err != nil {
		b.Fatal(err)
	}
	settle(b, b.l, "folder")
	reserve(b, b.l, "moved", "", "a", "a")
	settle(b, b.l, "moved")
	reserve(b, b.l, "moved", "folder", "a", "a\xff")
	reserve(b, b.l, "case", "", "readme", "readme")
	settle(b, b.l, "case")
	reserve(b, b.l, "case", "", "README", "README")
	reserve(b, b.l, "coming", "nowhere yet", "a", "a (2)")
	for _, id := range ids(1100) {
		reserve(b, b.l, id, "folder", id, id)
	}
}

// randomExports moves trees of any form.
func randomExports(t *testing.T, b Backend) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newBench(shortLived{TB: t, rt: rt}, b)
		f := make(forest)
		for range rapid.IntRange(0, 12).Draw(rt, "steps") {
			switch rapid.IntRange(0, 3).Draw(rt, "what") {
			case 0, 1:
				f.reserve(rt, s)
			case 2:
				f.settle(rt, s)
			default:
				f.forget(rt, s)
			}
		}
		s.wantCopy()
		if t.Failed() {
			rt.FailNow()
		}
	})
}

// checkFinds breaks the rules that can be broken from without.
func checkFinds(t *testing.T, b Backend) {
	s := newBench(t, b)
	if err := s.l.Advance(t.Context(), checkpoint.Position{Cursor: "c", Generation: 1}); err != nil {
		t.Fatal(err)
	}
	sound := s.enlist("a", "b", "c")
	for i := range sound {
		sound[i].State, sound[i].Location = checkpoint.Copied, "at "+sound[i].ID
	}
	sound[2].State, sound[2].Location, sound[2].Reason = checkpoint.Failed, "", "target.quota"
	s.save(sound...)
	reserve(t, s.l, "a", "", "name", "name")
	settle(t, s.l, "a")
	reserve(t, s.l, "a", "", "NAME", "NAME")
	reserve(t, s.l, "b", "a", "name", "name")
	s.wantFindings()

	for what, c := range map[checkpoint.Rule]func(s *bench) []string{
		checkpoint.RuleReason:   func(s *bench) []string { return s.broken(checkpoint.Skipped, "", "") },
		checkpoint.RuleLocation: func(s *bench) []string { return s.broken(checkpoint.Copied, "", "same") },
		checkpoint.RuleListing: func(s *bench) []string {
			_, err := s.l.Enlist(t.Context(), 9, []checkpoint.Entry{{ID: "from nowhere"}})
			if err != nil {
				t.Fatal(err)
			}
			return []string{"from nowhere"}
		},
		checkpoint.RuleParent: func(s *bench) []string {
			for _, n := range [][2]string{{"ring a", "ring b"}, {"ring b", "ring a"}, {"lost", "no folder"}} {
				r := checkpoint.Reservation{Node: checkpoint.Node{ID: n[0], ParentID: n[1], Wanted: "x", Folder: true}, Names: names("x")}
				if _, err := s.l.Reserve(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				settle(t, s.l, n[0])
			}
			return []string{"ring a", "ring b", "lost"}
		},
	} {
		t.Run(string(what), func(t *testing.T) {
			s := newBench(t, b)
			if err := s.l.Advance(t.Context(), checkpoint.Position{Generation: 1}); err != nil {
				t.Fatal(err)
			}
			mentioned := c(s)
			for _, f := range s.findings() {
				if f.Rule != what || f.Task != mailTask {
					t.Errorf("it also finds %+v", f)
				}
			}
			s.wantFindings(mentioned...)
		})
	}
}

// broken saves three records in a state, of which two have the location that is given last and one has the other.
func (b *bench) broken(state checkpoint.State, one, two string) []string {
	records := b.enlist("one", "two", "twin")
	for i := range records {
		records[i].State, records[i].Location = state, two
	}
	records[0].Location = one
	b.save(records...)
	return []string{"one", "two", "twin"}
}

func (b *bench) findings() (all []checkpoint.Finding) {
	b.Helper()
	for f, err := range b.store.Check(context.Background()) {
		if err != nil {
			b.Fatalf("check: %v", err)
		}
		all = append(all, f)
	}
	return all
}

// wantFindings demands that each text stands in a finding, and that there is none if there are no texts.
func (b *bench) wantFindings(mentioned ...string) {
	b.Helper()
	all := b.findings()
	if len(mentioned) == 0 && len(all) > 0 {
		b.Errorf("a sound state: %+v", all)
	}
	for _, text := range mentioned {
		found := false
		for _, f := range all {
			found = found || strings.Contains(f.Detail, text)
		}
		if !found {
			b.Errorf("nothing is said of %q: %+v", text, all)
		}
	}
}
