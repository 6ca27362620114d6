package remembered

import (
	"context"
	"errors"
	"testing"
)

// TestRenewKeepsWhatItCannotReplace, and Get asks for nothing that is known.
func TestRenewKeepsWhatItCannotReplace(t *testing.T) {
	asked, next, failed := 0, 1, errors.New("no answer")
	var err error
	ask := func(context.Context) (int, error) {
		asked++
		return next, err
	}
	r := New[int]()
	want := func(got int, e error, value, requests int, fails bool) {
		t.Helper()
		if got != value || asked != requests || fails != errors.Is(e, failed) {
			t.Errorf("got %d, %v after %d requests, want %d after %d", got, e, asked, value, requests)
		}
	}
	get := func() (int, error) { return r.Get(t.Context(), ask) }
	renew := func() (int, error) { return r.Renew(t.Context(), ask) }

	v, e := get()
	want(v, e, 1, 1, false)
	next = 2
	v, e = get()
	want(v, e, 1, 1, false)
	v, e = renew()
	want(v, e, 2, 2, false)
	next, err = 3, failed
	v, e = renew()
	want(v, e, 0, 3, true)
	v, e = get()
	want(v, e, 2, 3, false)
}
