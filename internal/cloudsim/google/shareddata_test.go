package google_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
)

// collection gives the files of a folder of real data that lies beside the repository.
func collection(t *testing.T, folder, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("../../../../shared/data", folder, pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("the collection is missing")
		}
		t.Skip("the collection is missing")
	}
	return paths
}

func emptyOrganisation(t *testing.T) *sim.Data {
	t.Helper()
	data := sim.NewData("example.org")
	if err := data.AddUser(sim.User{Email: ben}); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestImportOfRealMail(t *testing.T) {
	data := emptyOrganisation(t)
	n := 0
	for _, folder := range []string{"mail", "mail-synthetic"} {
		for _, path := range collection(t, folder, "*") {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := data.ImportMail(ben, raw, "INBOX"); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			if _, err := data.ImportFile(ben, folder+"/"+filepath.Base(path), cloudsim.Bytes(raw), time.Unix(1_700_000_000, 0)); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			n++
		}
	}
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, ben)
	ids := mustList(t, c)
	if len(ids) != n {
		t.Errorf("%d messages are listed, want %d", len(ids), n)
	}
	for _, id := range ids {
		if _, err := c.gmail.Users.Messages.Get("me", id).Format("raw").Do(); err != nil {
			t.Error(err)
		}
	}
	if files := allFiles(t, c, "'me' in owners"); len(files) != n+2 {
		t.Errorf("%d files and folders are listed, want %d", len(files), n+2)
	}
}

func TestImportOfRealCalendars(t *testing.T) {
	data := emptyOrganisation(t)
	total, left := 0, 0
	for _, path := range collection(t, "ical", "*.ics") {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		id, err := data.AddCalendar(ben, sim.Calendar{Summary: filepath.Base(path), TimeZone: "Europe/Berlin"})
		if err != nil {
			t.Fatal(err)
		}
		ids, skipped, err := data.ImportICS(ben, id, raw)
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.Count(string(raw), "BEGIN:VEVENT"); len(ids)+len(skipped) != want {
			t.Errorf("%s: %d events and %d skipped of %d", filepath.Base(path), len(ids), len(skipped), want)
		}
		total, left = total+len(ids), left+len(skipped)
	}
	t.Logf("%d events, %d skipped", total, left)
	if total < 10*left {
		t.Errorf("%d events and %d skipped", total, left)
	}
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, ben)
	for _, id := range data.Calendars(ben) {
		events(t, c, id, "")
	}
}

func TestEventsOfOfficialShape(t *testing.T) {
	data := emptyOrganisation(t)
	for _, path := range collection(t, "google-json", "*-event-*.json") {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := data.AddEvent(ben, "", json.RawMessage(raw)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	s, h := start(t, data, sim.Options{})
	got, _ := events(t, connect(t, s, h, ben), "primary", "")
	if len(got) != len(data.Events(ben, "")) {
		t.Errorf("%d events", len(got))
	}
}
