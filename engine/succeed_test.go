package engine_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// uidSink is a target that takes one object of a UID, as CalDAV servers do. An object of the same title stands for an item.
type uidSink struct {
	mu      sync.Mutex
	objects map[string]string // data by UID
}

func (s *uidSink) Put(_ context.Context, it sinks.Item[sinks.Event], prev sinks.Receipt) (sinks.Written, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, uid := string(it.Content.Data), it.Content.UID
	is, there := s.objects[uid]
	at := sinks.Receipt{Location: uid, Version: data}
	switch {
	case there && is == data:
		return sinks.Written{Receipt: at, Unchanged: true}, nil
	case there && prev.IsZero() && titleOf(is) == titleOf(data):
		return sinks.Written{Receipt: at, Unchanged: true}, nil
	case there && (prev.IsZero() || prev.Version != is):
		return sinks.Written{}, &sinks.TakenError{Location: uid, Err: fault.New(fault.FailItem, fault.TargetUIDConflict, "taken")}
	case !there && !prev.IsZero():
		return sinks.Written{}, fault.New(fault.FailItem, fault.TargetConflict, "removed")
	}
	s.objects[uid] = data
	return sinks.Written{Receipt: at}, nil
}

func titleOf(data string) string { return strings.SplitN(data, "/", 2)[0] }

func (s *uidSink) Remove(_ context.Context, prev sinks.Receipt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, prev.Location)
	return nil
}

func event(id, uid, title string) sources.Item[sources.Event] {
	return sources.Item[sources.Event]{ID: id, Version: title, Title: title, Content: sources.Event{UID: uid, Master: &sources.Occurrence{Summary: title}}}
}

func mapEvent(e sources.Event) (sinks.Event, []mapping.Loss, error) {
	return sinks.Event{UID: e.UID, Data: []byte(e.Master.Summary)}, nil, nil
}

func (b *bench) moveEvents(src *fakeSource[sources.Event], dst *uidSink, propagate bool) {
	b.t.Helper()
	o := quick
	o.Propagate = propagate
	must(b.t, engine.New(src, mapEvent, dst, o).Run(b.t.Context(), b.ledger(new(calls))))
}

// TestWhatComesBackUnderAnotherID demands that the new item has the object, in whatever order both are told, on one page or on several.
func TestWhatComesBackUnderAnotherID(t *testing.T) {
	for _, propagate := range []bool{false, true} {
		for _, newFirst := range []bool{false, true} {
			for _, title := range []string{"title/1", "title/2", "other"} {
				for _, pageSize := range []int{1, 3} {
					t.Run(fmt.Sprintf("%v %v %s %d", propagate, newFirst, title, pageSize), func(t *testing.T) {
						b := newBench(t)
						src, dst := newFakeSource(new(calls), event("a", "uid", "title/1")), &uidSink{objects: map[string]string{}}
						src.pageSize = pageSize
						b.moveEvents(src, dst, propagate)
						told := []sources.Item[sources.Event]{gone[sources.Event]("a"), event("b", "uid", title)}
						if newFirst {
							told[0], told[1] = told[1], told[0]
						}
						src.set(told[0])
						src.set(told[1])
						b.moveEvents(src, dst, propagate)
						if dst.objects["uid"] != title || len(dst.objects) != 1 {
							t.Errorf("the target holds %v", dst.objects)
						}
						if st := b.status(); st.Counts[checkpoint.Copied] != 1 || st.Counts[checkpoint.Removed] != 1 {
							t.Errorf("counts %v", st.Counts)
						}
						src.set(event("b", "uid", "edited"))
						b.moveEvents(src, dst, propagate)
						if dst.objects["uid"] != "edited" {
							t.Errorf("after an edit the target holds %v", dst.objects)
						}
					})
				}
			}
		}
	}
}

// TestTwoOfAUID demands that an object which stands for another item too outlives its own, in another collection as well.
func TestTwoOfAUID(t *testing.T) {
	for _, same := range []bool{true, false} {
		t.Run(fmt.Sprint(same), func(t *testing.T) {
			b := newBench(t)
			dst := &uidSink{objects: map[string]string{}}
			first, second := newFakeSource(new(calls), event("a", "uid", "title/1")), newFakeSource(new(calls), event("b", "uid", "title/2"))
			other := *b
			b.moveEvents(first, dst, true)
			if same {
				first.set(event("b", "uid", "title/2"))
				b.moveEvents(first, dst, true)
			} else {
				other.task.Collection = "other"
				other.moveEvents(second, dst, true)
			}
			if r := other.records()["b"]; r.State != checkpoint.Copied || dst.objects["uid"] != "title/1" {
				t.Fatalf("%+v over %v", r, dst.objects)
			}
			first.set(gone[sources.Event]("a"))
			b.moveEvents(first, dst, true)
			if dst.objects["uid"] != "title/1" || b.records()["a"].State != checkpoint.Removed {
				t.Errorf("%v is on the target: %+v", dst.objects, b.records()["a"])
			}
		})
	}
}
