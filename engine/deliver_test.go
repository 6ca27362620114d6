package engine_test

import (
	"context"
	"testing"

	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// replacingSink replaces a message by another one, as IMAP has it, and takes for its own what an interrupted attempt may have left.
type replacingSink struct{ *appendSink }

func (s replacingSink) Put(ctx context.Context, it sinks.Item[sinks.Message], prev sinks.Receipt) (sinks.Written, error) {
	if prev.IsZero() || prev.BodyVersion == it.Content.Body.Version {
		return s.appendSink.Put(ctx, it, prev)
	}
	if it.Again {
		found, err := s.Find(ctx, it)
		if err != nil {
			return sinks.Written{}, err
		}
		for _, r := range found {
			if r.Location != prev.Location {
				return sinks.Written{Receipt: r}, s.Remove(ctx, prev)
			}
		}
	}
	w, err := s.appendSink.Put(ctx, it, sinks.Receipt{})
	if err != nil {
		return w, err
	}
	return w, s.Remove(ctx, prev)
}

// rewritten is the message "draft" with other bytes.
func rewritten(mid string) sources.Item[sources.Message] {
	it := message("draft", mid, "final")
	it.Version, it.Content.Body.Version = "2", "2"
	return it
}

// A message that gets other bytes does not take another one for its own that has the same bytes.
func TestReplacedMessageLeavesItsTwinAlone(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := newFakeSource(c, message("draft", "d@x", "draft"), message("twin", "t@x", "final")), replacingSink{newAppendSink(c)}
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	src.set(rewritten("t@x"))
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if got := dst.state(); len(got) != 2 || got[0] != got[1] {
		t.Errorf("the target holds %q, want both", got)
	}
	if r := b.records(); r["draft"].Location == r["twin"].Location {
		t.Errorf("both lie at %q", r["draft"].Location)
	}
}

// An interruption while a message is replaced leaves neither both nor none.
func TestReplacedOnceWhateverIsCut(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n, hit := 1, true; hit; n++ {
			b, c := newBench(t), new(calls)
			src, dst := newFakeSource(c, message("draft", "d@x", "draft")), replacingSink{newAppendSink(c)}
			must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
			src.set(rewritten("d@x"))
			run := func(ctx context.Context) error { return mailEngine(src, dst, quick).Run(ctx, b.ledger(c)) }
			hit = cutAt(t, c, n, after, run)
			must(t, run(t.Context()))
			if got := dst.state(); len(got) != 1 || got[0] != "final" {
				t.Errorf("cut at call %d: the target holds %q", n, got)
			}
		}
	}
}
