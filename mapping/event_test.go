package mapping

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/recur"
	"codeberg.org/repatriate/repatriate/sources"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldenEvent is what an input file holds.
type goldenEvent struct {
	Rules struct{ Zone string }
	Event sources.Event
}

// TestEventGolden maps each testdata/event/*.json and compares object and losses with the golden files beside it.
func TestEventGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/event/*.json")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	for _, input := range inputs {
		t.Run(strings.TrimSuffix(filepath.Base(input), ".json"), func(t *testing.T) {
			data, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			var in goldenEvent
			d := json.NewDecoder(strings.NewReader(string(data)))
			d.DisallowUnknownFields()
			if err := d.Decode(&in); err != nil {
				t.Fatal(err)
			}
			out, losses, err := EventRules{Zone: in.Rules.Zone}.Event(in.Event)
			if err != nil {
				t.Fatal(err)
			}
			again, _, _ := EventRules{Zone: in.Rules.Zone}.Event(in.Event)
			if string(again.Data) != string(out.Data) {
				t.Error("the same event was mapped to two different objects")
			}
			var b strings.Builder
			for _, l := range losses {
				b.WriteString(l.Reason + ": " + l.Detail + "\n")
			}
			b.WriteString(strings.ReplaceAll(string(out.Data), "\r\n", "\n"))
			compareGolden(t, strings.TrimSuffix(input, ".json")+".ics.txt", b.String())
			readEverywhere(t, out.Data)
		})
	}
}

func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant\n%s", file, got, want)
	}
}

func TestEventInvalid(t *testing.T) {
	start := sources.EventTime{Time: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}
	for name, e := range map[string]sources.Event{
		"nothing":        {UID: "a"},
		"no start":       {UID: "a", Master: &sources.Occurrence{}},
		"no date":        {UID: "a", Master: &sources.Occurrence{Start: sources.EventTime{Date: "2024-02-31"}}},
		"year of 5":      {UID: "a", Master: &sources.Occurrence{Start: sources.EventTime{Time: time.Date(20240, 1, 1, 0, 0, 0, 0, time.UTC)}}},
		"bad exception":  {UID: "a", Master: &sources.Occurrence{Start: start}, Exceptions: []sources.Occurrence{{OriginalStart: start}}},
		"orphan without": {UID: "a", Exceptions: []sources.Occurrence{{OriginalStart: start}, {OriginalStart: start}}},
	} {
		_, _, err := EventRules{}.Event(e)
		if f := fault.Of(err); err == nil || f.Action != fault.FailItem || f.Reason != fault.MappingInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPlainText(t *testing.T) {
	for in, want := range map[string]string{
		"<p>One</p><p>Two<br>Three</p>":                                  "One\nTwo\nThree",
		"a &amp;lt; b &lt; c":                                            "a &lt; b < c",
		`<a href="https://example.org/x">here</a>`:                       "here <https://example.org/x>",
		`<a href="https://example.org/x">https://example.org/x</a> more`: "https://example.org/x more",
		"<ul><li>x</li><li>y</li></ul>z":                                 "- x\n- y\nz",
		"<script>alert(1)</script>left<style>p{}</style>":                "left",
		"<b>open": "open",
	} {
		if got := plainText(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if markup.MatchString("a < b and c > d, <not a tag>, AT&T") {
		t.Error("plain text is taken for HTML")
	}
}

func TestCSSColor(t *testing.T) {
	for in, want := range map[string]string{"#ff0000": "red", "#7986cb": "", "#000000": "black", "#039be5": ""} {
		name, exact := cssColor(in)
		if name == "" || exact != (want != "") || exact && name != want {
			t.Errorf("%s: %s, %v", in, name, exact)
		}
	}
	for _, in := range []string{"red", "#12", "#gggggg"} {
		if name, exact := cssColor(in); name != "" || exact {
			t.Errorf("%s: %s", in, name)
		}
	}
	names := strings.Fields(cssColors)
	if n := len(names); n != 138 || !slices.IsSorted(names) {
		t.Errorf("%d names, sorted %v", n, slices.IsSorted(names))
	}
}

// FuzzEvent maps whatever JSON makes of an event: no panic, and every object can be read.
func FuzzEvent(f *testing.F) {
	inputs, _ := filepath.Glob("testdata/event/*.json")
	for _, input := range inputs {
		data, err := os.ReadFile(input)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var in goldenEvent
		if json.Unmarshal(data, &in) != nil {
			return
		}
		out, _, err := EventRules{Zone: in.Rules.Zone}.Event(in.Event)
		if err != nil {
			return
		}
		c, err := icalendar.Parse(out.Data)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range c.Children("VEVENT") {
			uid, _ := e.Get("UID")
			if len(e.All("DTSTART")) != 1 || len(e.All("UID")) != 1 || len(e.All("DTSTAMP")) != 1 || uid.Text() != out.UID {
				t.Fatalf("%s", out.Data)
			}
		}
		if got := recur.Object(out.Data); out.Times != "" && got != out.Times {
			t.Fatalf("the description has other times than the object: %q, %q\n%s", out.Times, got, out.Data)
		}
		for _, line := range strings.Split(string(out.Data), "\r\n") {
			if len(line) > 75 || strings.ContainsAny(line, "\r\n\x00") {
				t.Fatalf("%q", line)
			}
		}
	})
}
