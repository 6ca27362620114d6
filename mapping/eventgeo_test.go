package mapping

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/sources"
)

// TestImportanceAndPlace come along, and coordinates that are none do not.
func TestImportanceAndPlace(t *testing.T) {
	at := sources.EventTime{Time: time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC), Zone: "UTC"}
	for name, test := range map[string]struct {
		in   sources.Occurrence
		want []string
	}{
		"important, west": {sources.Occurrence{Importance: "high", Geo: &sources.Geo{Latitude: 52.5, Longitude: -13.25}}, []string{"PRIORITY:1", "GEO:52.500000;-13.250000"}},
		"unimportant":     {sources.Occurrence{Importance: "low"}, []string{"PRIORITY:9"}},
		"normal, nowhere": {sources.Occurrence{Importance: "normal", Geo: &sources.Geo{Latitude: 91, Longitude: 0}}, nil},
	} {
		test.in.Start, test.in.End = at, sources.EventTime{Time: at.Time.Add(time.Hour), Zone: "UTC"}
		out, _, err := EventRules{}.Event(sources.Event{UID: "u", Master: &test.in})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.SplitSeq(string(out.Data), "\r\n") {
			if strings.HasPrefix(line, "PRIORITY") || strings.HasPrefix(line, "GEO") {
				got = append(got, line)
			}
		}
		if strings.Join(got, " ") != strings.Join(test.want, " ") {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
