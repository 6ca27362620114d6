package fault_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"codeberg.org/repatriate/repatriate/fault"
)

func TestTextIsBounded(t *testing.T) {
	if got := fault.Text(errors.New("short")); got != "short" {
		t.Errorf("%q", got)
	}
	got := fault.Text(errors.New(strings.Repeat("ä", 1_000_000)))
	if len(got) > 2010 || !utf8.ValidString(got) || !strings.HasSuffix(got, "ä…") {
		t.Errorf("%d bytes, ending in %q", len(got), got[len(got)-10:])
	}
}
