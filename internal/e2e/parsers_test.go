package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	ics "github.com/arran4/golang-ical"
	goical "github.com/emersion/go-ical"
)

// parseByOthers returns how many events an object holds, as two parsers that are not ours agree.
func parseByOthers(t *testing.T, name string, body []byte) int {
	t.Helper()
	first, err := ics.ParseCalendar(bytes.NewReader(body))
	if err != nil {
		t.Errorf("%s: golang-ical: %v", name, err)
		return 0
	}
	second, err := goical.NewDecoder(bytes.NewReader(body)).Decode()
	if err != nil {
		t.Errorf("%s: go-ical: %v", name, err)
		return 0
	}
	n := len(first.Events())
	if m := len(second.Events()); n != m {
		t.Errorf("%s: golang-ical reads %d events, go-ical %d", name, n, m)
	}
	for _, e := range second.Events() {
		if _, err := e.DateTimeStart(nil); err != nil {
			t.Errorf("%s: go-ical: %v", name, err)
		}
	}
	return n
}

// countInPython parses each file of a folder with the package icalendar, and prints the number of events, and what is
// wrong with any.
const countInPython = `
import icalendar, json, pathlib, sys
events, wrong = 0, []
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        calendar = icalendar.Calendar.from_ical(path.read_bytes())
        for event in calendar.walk("VEVENT"):
            events += 1
            event.decoded("dtstart")
            wrong += [path.name + ": " + property for property, _ in event.errors]
    except Exception as e:
        wrong.append(path.name + ": " + type(e).__name__)
json.dump({"events": events, "wrong": wrong}, sys.stdout)
`

// python is Debian's interpreter, which has Debian's modules.
const python = "/usr/bin/python3"

// parseByPython demands that a parser in another language reads as many events.
func parseByPython(t *testing.T, calendars map[string]map[string][]byte, want int) {
	t.Helper()
	if err := exec.Command(python, "-c", "import icalendar").Run(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("python3-icalendar: %v", err)
		}
		t.Skip("python3-icalendar is not installed (scripts/install-test-deps.sh installs it)")
	}
	dir := t.TempDir()
	n := 0
	for _, objects := range calendars {
		for _, body := range objects {
			n++
			must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.ics", n)), body, 0o600))
		}
	}
	out, err := exec.Command(python, "-c", countInPython, dir).Output()
	must(t, err)
	var got struct {
		Events int
		Wrong  []string
	}
	must(t, json.Unmarshal(out, &got))
	if got.Events != want || len(got.Wrong) > 0 {
		t.Errorf("python reads %d events, want %d; wrong: %s", got.Events, want, strings.Join(got.Wrong, "; "))
	}
}
