package google_test

import (
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
)

func organisation(t *testing.T) *sim.Data {
	t.Helper()
	data, err := sim.Load("../../../examples/organisation")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestLoadOrganisation(t *testing.T) {
	data := organisation(t)
	if n := len(data.Users()); n != 7 {
		t.Errorf("%d users, want 7", n)
	}
	if n := len(data.Messages("anna.keller@example.org")); n != 10 {
		t.Errorf("%d messages of Anna, want 10", n)
	}
	if n := len(data.Events("anna.keller@example.org", "primary")); n != 15 {
		t.Errorf("%d events of Anna, want 15", n)
	}
	if _, err := data.FileID("anna.keller@example.org", "Office", "Empty folder"); err != nil {
		t.Error(err)
	}
}
