package httpx

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestNoNulls(t *testing.T) {
	for in, want := range map[string]string{
		`[null]`:                         `[{}  ]`,
		`{"a": null, "b": [null,null]}`:  `{"a": null, "b": [{}  ,{}  ]}`,
		`["null", "\"null", {"c":null}]`: `["null", "\"null", {"c":null}]`,
		`[[null], "[", null]`:            `[[{}  ], "[", {}  ]`,
		`null`:                           `null`,
		`[nul`:                           `[nul`,
		`[nil, null]`:                    `[nil, {}  ]`,
		`]]}}[null`:                      `]]}}[{}  `,
		``:                               ``,
	} {
		for name, r := range map[string]io.Reader{
			"at once": strings.NewReader(in), "byte by byte": iotest.OneByteReader(strings.NewReader(in)), "with its end": iotest.DataErrReader(strings.NewReader(in)),
		} {
			if got, err := io.ReadAll(NoNulls(r)); err != nil || string(got) != want {
				t.Errorf("%s, %s: %s, %v; want %s", in, name, got, err, want)
			}
		}
	}
	if got, err := io.ReadAll(NoNulls(io.MultiReader(strings.NewReader("[nu"), iotest.ErrReader(ErrStalled)))); string(got) != "[nu" || !errors.Is(err, ErrStalled) {
		t.Errorf("%q, %v", got, err)
	}
}

// FuzzNoNulls: what is JSON stays JSON and keeps its meaning but for nulls in lists; what is none stays none.
func FuzzNoNulls(f *testing.F) {
	f.Add(`[null,{"a":[null]},"null\\\""]`)
	f.Add(`[nullnull]`)
	f.Add(`{"a":"[null`)
	f.Fuzz(func(t *testing.T, in string) {
		got, err := io.ReadAll(NoNulls(iotest.HalfReader(strings.NewReader(in))))
		if err != nil || len(got) != len(in) {
			t.Fatalf("%q became %q, %v", in, got, err)
		}
		if json.Valid([]byte(in)) != json.Valid(got) {
			t.Fatalf("%q became %q", in, got)
		}
		var v any
		if json.Unmarshal(got, &v) == nil && holdsNull(v) {
			t.Errorf("a null is left in %q", got)
		}
	})
}

func holdsNull(v any) bool {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if e == nil || holdsNull(e) {
				return true
			}
		}
	case map[string]any:
		for _, e := range v {
			if holdsNull(e) {
				return true
			}
		}
	}
	return false
}
