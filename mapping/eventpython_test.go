package mapping

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
)

// TestEventInPython lets the python libraries of Debian read the golden objects and expand them, and compares the instants.
func TestEventInPython(t *testing.T) {
	names, objects := goldenObjects(t)
	for i, r := range readInPython(t, objects) {
		own, err := icalendar.Parse([]byte(objects[i]))
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := own.Children("VEVENT")[0].Get("UID")
		summary, _ := own.Children("VEVENT")[0].Get("SUMMARY")
		if r.UID != uid.Text() || r.Summaries[0] != summary.Text() {
			t.Errorf("%s: %q, %q", names[i], r.UID, r.Summaries)
		}
		wantStarts(t, names[i], r.Starts, starts(expandTarget(t, []byte(objects[i]))))
	}
}

func wantStarts(t *testing.T, name string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		i := 0
		for i < min(len(got), len(want)) && got[i] == want[i] {
			i++
		}
		t.Errorf("%s: python has %d instants, we %d; from number %d on %q, %q", name, len(got), len(want), i, got[i:min(i+3, len(got))], want[i:min(i+3, len(want))])
	}
}

// pythonEvent is what python understood of an object.
type pythonEvent struct {
	UID       string
	Summaries []string
	Starts    []string
}

// readInPython gives objects to testdata/read.py. Without Debian's libraries the test is skipped, but not in CI.
func readInPython(t *testing.T, objects []string) []pythonEvent {
	t.Helper()
	// Debian's interpreter has Debian's libraries, whatever else is in PATH.
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import icalendar, vobject, dateutil").Run(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("python3-icalendar and python3-vobject are needed: %v", err)
		}
		t.Skip("python3-icalendar and python3-vobject are not installed")
	}
	input, err := json.Marshal(objects)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, filepath.Join("testdata", "read.py"))
	cmd.Stdin = bytes.NewReader(input)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var read []pythonEvent
	if err := json.Unmarshal(output, &read); err != nil || len(read) != len(objects) {
		t.Fatalf("%d objects, %v", len(read), err)
	}
	return read
}

func goldenObjects(t *testing.T) (names, objects []string) {
	files, _ := filepath.Glob("testdata/event/*.ics.txt")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, object, _ := strings.Cut("\n"+string(data), "\nBEGIN:VCALENDAR")
		names = append(names, filepath.Base(file))
		objects = append(objects, strings.ReplaceAll("BEGIN:VCALENDAR"+object, "\n", "\r\n"))
	}
	if len(objects) < 10 {
		t.Fatalf("%d golden objects", len(objects))
	}
	return names, objects
}

// starts returns the distinct starts before three times 365 days are over, as the other side counts them.
func starts(list []instance) []string {
	all := []string{}
	if len(list) == 0 {
		return all
	}
	first, _ := time.Parse(time.RFC3339, list[0].start)
	for _, i := range list {
		if at, err := time.Parse(time.RFC3339, i.start); err == nil && at.Before(first.AddDate(0, 0, 365*expandYears)) {
			all = append(all, i.start)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
