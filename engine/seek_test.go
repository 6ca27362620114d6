package engine_test

import (
	"context"
	"slices"
	"testing"

	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/sinks"
)

// seekingSink is an appendSink whose objects a user can move.
type seekingSink struct{ *appendSink }

func (s seekingSink) Seek(ctx context.Context, it sinks.Item[sinks.Message], _ sinks.Receipt) ([]sinks.Receipt, sinks.Loss, error) {
	found, err := s.Find(ctx, it)
	return found, sinks.Loss{Reason: "mail.conflict_reset"}, err
}

// moveAll gives each object another place, as the user does.
func (s seekingSink) moveAll() {
	for at, o := range s.objects {
		delete(s.objects, at)
		s.objects["moved-"+at] = o
	}
}

// What the user moved is brought back, and what the user deleted is written again, wherever the pass is cut off; what belongs to another item
// is left alone.
func TestSourceWinsOverWhatTheUserMoved(t *testing.T) {
	for name, disturb := range map[string]func(dst seekingSink){
		"moved":   func(dst seekingSink) { dst.moveAll() },
		"deleted": func(dst seekingSink) { clear(dst.objects) },
		"one of two": func(dst seekingSink) {
			for at, o := range dst.objects {
				if o.text == "one" {
					delete(dst.objects, at)
				}
			}
		},
	} {
		for _, after := range []bool{false, true} {
			for n, hit := 0, true; hit; n++ {
				b, c := newBench(t), new(calls)
				mid := "n@x"
				if name == "one of two" {
					mid = "m@x" // another item that cannot be told from the one that is sought, but for its owner
				}
				src, dst := newFakeSource(c, message("m", "m@x", "one"), message("n", mid, "two")), seekingSink{newAppendSink(c)}
				must(t, mailEngine(src, dst, withPolicy(engine.SourceWins)).Run(t.Context(), b.ledger(c)))
				disturb(dst)
				changed := message("m", "m@x", "one")
				changed.Version, changed.Content.Categories = "2", []string{"read"}
				src.set(changed)
				if name != "one of two" {
					changed = message("n", mid, "two")
					changed.Version = "2"
					src.set(changed)
				}
				run := func(ctx context.Context) error {
					return mailEngine(src, dst, withPolicy(engine.SourceWins)).Run(ctx, b.ledger(c))
				}
				hit = n > 0 && cutAt(t, c, n, after, run) || n == 0
				for range 2 {
					must(t, run(t.Context()))
				}
				want := []string{"oneread", "two"}
				if got := dst.state(); !slices.Equal(got, want) {
					t.Errorf("%s, cut at call %d (after: %v): target holds %q, want %q", name, n, after, got, want)
				}
				b.status()
			}
		}
	}
}
