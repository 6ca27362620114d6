package winzone

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

func TestEveryZoneOfTheTableExists(t *testing.T) {
	if len(zones()) < 130 {
		t.Fatalf("only %d zones", len(zones()))
	}
	for windows, iana := range zones() {
		if _, err := time.LoadLocation(iana); err != nil || strings.Contains(iana, " ") {
			t.Errorf("%s: %s: %v", windows, iana, err)
		}
	}
}

func TestIANA(t *testing.T) {
	for name, want := range map[string]string{
		"W. Europe Standard Time":   "Europe/Berlin",
		"w. europe standard time ":  "Europe/Berlin",
		"Pacific Standard Time":     "America/Los_Angeles",
		"UTC":                       "Etc/UTC",
		"Europe/Lisbon":             "Europe/Lisbon",
		"Customized Time Zone":      "",
		"tzone://Microsoft/Custom":  "",
		"tzone://Microsoft/Utc":     "Etc/UTC",
		"":                          "",
		"Local":                     "",
		"../../etc/passwd":          "",
		"Mars/Olympus":              "",
		strings.Repeat("A/b", 1000): "",
	} {
		if got, ok := IANA(name); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", name, got, ok, want)
		}
	}
}

func FuzzIANA(f *testing.F) {
	f.Add("UTC")
	f.Fuzz(func(t *testing.T, name string) {
		zone, ok := IANA(name)
		if _, err := time.LoadLocation(zone); ok && (err != nil || zone == "") {
			t.Errorf("%q became %q", name, zone)
		}
	})
}
