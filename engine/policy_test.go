package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/sources"
)

// conflictCase is something that a user of the target did between two passes, or before the first.
type conflictCase struct {
	name string
	// uncut leaves the case out of those that are cut off at each step, as others are like it.
	uncut bool
	// before is done before the first pass, between between the two.
	before, between func(src *fakeSource[sources.File], dst sharedTree)
	// want is what lies on the target at the end, by policy.
	want map[engine.Conflicts]string
	// states of the item "f" at the end, and the reasons of its losses.
	state  map[engine.Conflicts]checkpoint.State
	losses map[engine.Conflicts]string
}

var policies = []engine.Conflicts{engine.KeepTarget, engine.Rename, engine.SourceWins}

const (
	copied  = checkpoint.Copied
	lossy   = checkpoint.CopiedWithLosses
	skipped = checkpoint.Skipped
	failed  = checkpoint.Failed
)

func outcome[V any](keep, rename, wins V) map[engine.Conflicts]V {
	return map[engine.Conflicts]V{engine.KeepTarget: keep, engine.Rename: rename, engine.SourceWins: wins}
}

var conflictCases = []conflictCase{
	{
		name: "changed",
		between: func(src *fakeSource[sources.File], dst sharedTree) {
			dst.edit("f.txt", "user")
			src.set(file("f", "", "f.txt", "two"))
		},
		want:   outcome("f.txt=user", "f (source).txt=two, f.txt=user", "f.txt (target 1)=user, f.txt=two"),
		state:  outcome(skipped, lossy, lossy),
		losses: outcome("", "file.conflict_renamed", "file.conflict_aside"),
	},
	{
		name:  "removed",
		uncut: true,
		between: func(src *fakeSource[sources.File], dst sharedTree) {
			dst.remove("f.txt")
			src.set(file("f", "", "f.txt", "two"))
		},
		want:   outcome("", "f.txt=two", "f.txt=two"),
		state:  outcome(skipped, copied, copied),
		losses: outcome("", "", ""),
	},
	{
		name:    "occupied",
		uncut:   true,
		before:  func(_ *fakeSource[sources.File], dst sharedTree) { dst.edit("f.txt", "user") },
		want:    outcome("f.txt=user", "f (source).txt=one, f.txt=user", "f.txt (target 1)=user, f.txt=one"),
		state:   outcome(failed, lossy, lossy),
		losses:  outcome("", "file.conflict_renamed", "file.conflict_aside"),
		between: nil,
	},
	{
		name:  "occupied, and so are the names beside",
		uncut: true,
		before: func(_ *fakeSource[sources.File], dst sharedTree) {
			dst.edit("f.txt", "user")
			dst.edit("f (source).txt", "user too")
			dst.edit("f.txt (target 1)", "user three")
		},
		want: outcome("f (source).txt=user too, f.txt (target 1)=user three, f.txt=user",
			"f (source 2).txt=one, f (source).txt=user too, f.txt (target 1)=user three, f.txt=user",
			"f (source).txt=user too, f.txt (target 1)=user three, f.txt (target 2)=user, f.txt=one"),
		state:  outcome(failed, lossy, lossy),
		losses: outcome("", "file.conflict_renamed", "file.conflict_aside"),
	},
	{
		name:  "changed, and moved at the source",
		uncut: true,
		between: func(src *fakeSource[sources.File], dst sharedTree) {
			dst.edit("f.txt", "user")
			src.set(file("f", "", "g.txt", "one"))
		},
		want:   outcome("f.txt=user", "f.txt=user, g.txt=one", "f.txt=user, g.txt=one"),
		state:  outcome(skipped, copied, copied),
		losses: outcome("", "", ""),
	},
	{
		name:  "moved at the source to where something lies",
		uncut: true,
		between: func(src *fakeSource[sources.File], dst sharedTree) {
			dst.edit("g.txt", "user")
			src.set(file("f", "", "g.txt", "one"))
		},
		want:   outcome("f.txt=one, g.txt=user", "g (source).txt=one, g.txt=user", "g.txt (target 1)=user, g.txt=one"),
		state:  outcome(skipped, lossy, lossy),
		losses: outcome("", "file.conflict_renamed", "file.conflict_aside"),
	},
	{
		name: "changed, and moved at the source to where something lies",
		between: func(src *fakeSource[sources.File], dst sharedTree) {
			dst.edit("f.txt", "user")
			dst.edit("g.txt", "user too")
			src.set(file("f", "", "g.txt", "two"))
		},
		want: outcome("f.txt=user, g.txt=user too", "f.txt=user, g (source).txt=two, g.txt=user too",
			"f.txt=user, g.txt (target 1)=user too, g.txt=two"),
		state:  outcome(skipped, lossy, lossy),
		losses: outcome("", "file.conflict_renamed", "file.conflict_aside"),
	},
	{
		name:   "a file where a folder is to be",
		before: func(src *fakeSource[sources.File], dst sharedTree) { addFolder(src); dst.edit("d", "user") },
		want:   outcome("d=user", "d (source)/, d (source)/in=in, d=user, f.txt=one", "d (target 1)=user, d/, d/in=in, f.txt=one"),
		state:  nil,
	},
	{
		name:   "a folder that is moved at the source to where a folder lies",
		before: func(src *fakeSource[sources.File], _ sharedTree) { addFolder(src) },
		between: func(src *fakeSource[sources.File], dst sharedTree) {
			dst.edit("e", "")
			src.set(folder("d", "", "e"))
		},
		want: outcome("d/, d/in=in, e/, f.txt=one", "e (source)/, e (source)/in=in, e/, f.txt=one", "e (target 1)/, e/, e/in=in, f.txt=one"),
	},
}

func addFolder(src *fakeSource[sources.File]) {
	src.items["d"], src.items["in"] = folder("d", "", "d"), file("in", "d", "in", "in")
	src.order = append(src.order, "d", "in")
}

func withPolicy(policy engine.Conflicts) engine.Options {
	o := quick
	o.Conflicts = policy
	return o
}

func TestConflictPolicies(t *testing.T) {
	for _, tc := range conflictCases {
		for _, policy := range policies {
			t.Run(tc.name+"/"+string(policy), func(t *testing.T) { tc.test(t, policy) })
		}
	}
}

// play lets the case happen, up to the pass that meets the conflict.
func (tc conflictCase) play(b *bench, c *calls, policy engine.Conflicts) (*fakeSource[sources.File], sharedTree) {
	src, dst := newFakeSource(c, file("f", "", "f.txt", "one")), sharedTree{newShared(c)}
	if tc.before != nil {
		tc.before(src, dst)
	}
	if tc.between != nil {
		must(b.t, fileEngine(src, dst, withPolicy(policy)).Run(b.t.Context(), b.ledger(c)))
		tc.between(src, dst)
	}
	return src, dst
}

func (tc conflictCase) test(t *testing.T, policy engine.Conflicts) {
	b, c := newBench(t), new(calls)
	src, dst := tc.play(b, c, policy)
	run := func() { must(t, fileEngine(src, dst, withPolicy(policy)).Run(t.Context(), b.ledger(c))) }
	run()
	want := tc.want[policy]
	if want == "d=user" {
		want = "d=user, f.txt=one" // the folder has failed, and the file in it
	}
	if got := dst.state(); got != want {
		t.Errorf("target holds %s\nwant %s", got, want)
	}
	first := b.records()
	if tc.state != nil {
		checkRecord(t, first["f"], tc.state[policy], tc.losses[policy])
	}
	b.status()

	// A second pass, and one that lists everything anew, change nothing.
	run()
	src.set(src.items["f"])
	src.expireBefore = len(src.changes)
	run()
	if got := dst.state(); got != want {
		t.Errorf("after more passes the target holds %s\nwant %s", got, want)
	}
	if policy == engine.KeepTarget {
		return
	}
	again := b.records()["f"]
	checkRecord(t, again, first["f"].State, reasons(first["f"]))

	// The item is updated where it lies now, and only there.
	name := src.items["f"].Content.Name
	src.set(file("f", "", name, "three"))
	run()
	text := first["f"].Location + "="
	if got, want := dst.state(), replaceBody(want, text, "three"); got != want {
		t.Errorf("after a change at the source the target holds %s\nwant %s", got, want)
	}
	checkRecord(t, b.records()["f"], first["f"].State, reasons(first["f"]))
}

// replaceBody returns a state with another body at a path.
func replaceBody(state, path, body string) string {
	all := strings.Split(state, ", ")
	for i, s := range all {
		if strings.HasPrefix(s, path) {
			all[i] = path + body
		}
	}
	return strings.Join(all, ", ")
}

func reasons(r checkpoint.Record) string {
	var out []string
	for _, l := range r.Losses {
		out = append(out, l.Reason)
	}
	return strings.Join(out, " ")
}

func checkRecord(t *testing.T, r checkpoint.Record, state checkpoint.State, losses string) {
	t.Helper()
	if got := reasons(r); r.State != state || state == lossy && got != losses {
		t.Errorf("%s is %v (%s %s) with losses %q, want %v with %q", r.ID, r.State, r.Reason, r.Message, r.Losses, state, losses)
	}
}

// A pass that is cut off anywhere between the steps is made good by the next: nothing is there twice, and nothing of the user's is lost.
func TestConflictCutAnywhere(t *testing.T) {
	for _, tc := range conflictCases {
		for _, policy := range policies[1:] {
			if tc.uncut {
				continue
			}
			for _, after := range []bool{false, true} {
				t.Run(tc.name+"/"+string(policy), func(t *testing.T) {
					t.Parallel()
					for n := 1; ; n++ {
						b, c := newBench(t), new(calls)
						src, dst := tc.play(b, c, policy)
						hit := cutAt(t, c, n, after, func(ctx context.Context) error {
							return fileEngine(src, dst, withPolicy(policy)).Run(ctx, b.ledger(c))
						})
						for range 2 {
							must(t, fileEngine(src, dst, withPolicy(policy)).Run(t.Context(), b.ledger(c)))
						}
						if got := dst.state(); got != tc.want[policy] {
							t.Errorf("cut at call %d (after: %v): target holds %s\nwant %s", n, after, got, tc.want[policy])
						}
						b.status()
						if !hit {
							return
						}
					}
				})
			}
		}
	}
}

// Who changes what was set aside gets what the source has beside it again; the earlier things stay.
func TestSecondConflict(t *testing.T) {
	for policy, want := range map[engine.Conflicts]string{
		engine.Rename:     "f (source 2).txt=three, f (source).txt=user two, f.txt=user one",
		engine.SourceWins: "f.txt (target 1)=user one, f.txt (target 2)=user two, f.txt=three",
	} {
		b, c := newBench(t), new(calls)
		src, dst := newFakeSource(c, file("f", "", "f.txt", "one")), sharedTree{newShared(c)}
		run := func() { must(t, fileEngine(src, dst, withPolicy(policy)).Run(t.Context(), b.ledger(c))) }
		run()
		for i, text := range []string{"two", "three"} {
			dst.edit(b.records()["f"].Location, []string{"user one", "user two"}[i])
			src.set(file("f", "", "f.txt", text))
			run()
		}
		if got := dst.state(); got != want {
			t.Errorf("%s: target holds %s\nwant %s", policy, got, want)
		}
		wantLosses := map[engine.Conflicts]string{engine.Rename: "file.conflict_renamed", engine.SourceWins: "file.conflict_aside file.conflict_aside"}
		checkRecord(t, b.records()["f"], lossy, wantLosses[policy])
	}
}

// Conflicts that an earlier policy left are taken up by retry.
func TestRetryUnderAnotherPolicy(t *testing.T) {
	for policy, want := range map[engine.Conflicts]string{
		engine.Rename:     "f (source).txt=two, f.txt=user, g (source).txt=one, g.txt=user",
		engine.SourceWins: "f.txt (target 1)=user, f.txt=two, g.txt (target 1)=user, g.txt=one",
	} {
		b, c := newBench(t), new(calls)
		src, dst := newFakeSource(c, file("f", "", "f.txt", "one"), file("g", "", "g.txt", "one")), sharedTree{newShared(c)}
		dst.edit("g.txt", "user")
		must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
		dst.edit("f.txt", "user")
		src.set(file("f", "", "f.txt", "two"))
		must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
		if st := b.status(); st.Counts[skipped] != 1 || st.Counts[failed] != 1 {
			t.Fatalf("counts %v", st.Counts)
		}
		must(t, fileEngine(src, dst, withPolicy(policy)).Retry(t.Context(), b.ledger(c)))
		if got := dst.state(); got != want {
			t.Errorf("%s: target holds %s\nwant %s", policy, got, want)
		}
	}
}

// Two items of one name, both of which the user has things in place of: neither takes the other's name.
func TestConflictOfTwins(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := newFakeSource(c, file("f", "", "f.txt", "one"), file("g", "", "f.txt", "other")), sharedTree{newShared(c)}
	dst.edit("f.txt", "user")
	dst.edit("f (2).txt", "user")
	for range 2 {
		must(t, fileEngine(src, dst, withPolicy(engine.Rename)).Run(t.Context(), b.ledger(c)))
	}
	bodies := strings.Count(dst.state(), "=one") + strings.Count(dst.state(), "=other") + strings.Count(dst.state(), "=user")
	if bodies != 4 || !strings.Contains(dst.state(), "f (source 2).txt=") {
		t.Errorf("target holds %s", dst.state())
	}
}

// Where there is no tree the sink finds the names.
func TestConflictPoliciesWithoutTree(t *testing.T) {
	for policy, want := range map[engine.Conflicts][3]string{
		engine.KeepTarget: {"m=user", "m=user", "m=user"},
		engine.Rename:     {"m=user, m-source-1=one", "m=user, m-source-1=user too, m-source-2=two", "m=user, m-source-1=user too, m-source-2=three"},
		engine.SourceWins: {"m=one, m-target-1=user", "m-target-1=user, m-target-2=user too, m=two", "m-target-1=user, m-target-2=user too, m=three"},
	} {
		b, c := newBench(t), new(calls)
		src, dst := newFakeSource(c, message("m", "m@x", "one")), sharedShelf{newShared(c)}
		run := func(text string) {
			m := message("m", "m@x", text)
			m.Version = text
			src.set(m)
			for range 2 {
				must(t, mailEngine(src, dst, withPolicy(policy)).Run(t.Context(), b.ledger(c)))
			}
		}
		dst.edit("m", "user")
		var got []string
		note := func() { got = append(got, dst.state()) }
		run("one")
		note()
		if at := b.records()["m"].Location; at != "" {
			dst.edit(at, "user too")
		}
		run("two")
		note()
		if at := b.records()["m"].Location; at != "" {
			dst.remove(at)
		}
		run("three")
		note()
		sorted := func(states []string) (out []string) {
			for _, s := range states {
				parts := strings.Split(s, ", ")
				slices.Sort(parts)
				out = append(out, strings.Join(parts, ", "))
			}
			return out
		}
		if !slices.Equal(sorted(got), sorted(want[:])) {
			t.Errorf("%s: the target held %q\nwant %q", policy, got, want)
		}
	}
}
