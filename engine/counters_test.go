package engine_test

import (
	"reflect"
	"testing"

	"codeberg.org/repatriate/repatriate/engine"
)

// TestChildCountsForItsParents adds a number of its own to each count of a grandchild, so that none can be mixed up with another.
func TestChildCountsForItsParents(t *testing.T) {
	var total engine.Counters
	kind := total.Child()
	one := kind.Child()
	add := func(c *engine.Counters, factor int64) {
		v := reflect.ValueOf(c).Elem()
		for i := range v.NumField() {
			v.Field(i).Addr().Interface().(*engine.Count).Add(factor * int64(i+1))
		}
	}
	add(one, 1)
	add(kind.Child(), 10)
	for name, c := range map[string]struct {
		of     *engine.Counters
		factor int64
	}{"its own": {one, 1}, "the parent's": {kind, 11}, "all": {&total, 11}} {
		v := reflect.ValueOf(c.of).Elem()
		for i := range v.NumField() {
			if got, want := v.Field(i).Addr().Interface().(*engine.Count).Load(), c.factor*int64(i+1); got != want {
				t.Errorf("%s: %s is %d, want %d", name, v.Type().Field(i).Name, got, want)
			}
		}
	}
}
