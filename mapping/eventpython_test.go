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
	// Debian's interpreter has Debian's libraries, whatever else is in PATH.
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import icalendar, vobject, dateutil").Run(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("python3-icalendar and python3-vobject are needed: %v", err)
		}
		t.Skip("python3-icalendar and python3-vobject are not installed")
	}
	names, objects := goldenObjects(t)
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
	var read []struct {
		UID       string
		Summaries []string
		Starts    []string
	}
	if err := json.Unmarshal(output, &read); err != nil || len(read) != len(objects) {
		t.Fatalf("%d objects, %v", len(read), err)
	}
	for i, r := range read {
		own, err := icalendar.Parse([]byte(objects[i]))
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := own.Children("VEVENT")[0].Get("UID")
		summary, _ := own.Children("VEVENT")[0].Get("SUMMARY")
		if r.UID != uid.Text() || r.Summaries[0] != summary.Text() {
			t.Errorf("%s: %q, %q", names[i], r.UID, r.Summaries)
		}
		if want := starts(expandTarget(t, []byte(objects[i]))); !slices.Equal(r.Starts, want) {
			t.Errorf("%s: python has %d instants, we %d: %q, %q", names[i], len(r.Starts), len(want), r.Starts[:min(5, len(r.Starts))], want[:min(5, len(want))])
		}
	}
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
	var all []string
	first, _ := time.Parse(time.RFC3339, list[0].start)
	for _, i := range list {
		if at, err := time.Parse(time.RFC3339, i.start); err == nil && at.Before(first.AddDate(0, 0, 365*expandYears)) {
			all = append(all, i.start)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
