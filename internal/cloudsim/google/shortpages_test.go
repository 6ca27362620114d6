package google_test

import (
	"errors"
	"io"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"google.golang.org/api/calendar/v3"
	"google.golang.org/api/gmail/v1"
)

func TestShortPagesLoseNothing(t *testing.T) {
	data := sim.Generate(organisation.Spec{Users: 1, Mail: 60, Files: 60, Events: 30, Seed: 5})
	const user = "user0001@example.org"
	s, h := start(t, data, sim.Options{ShortPages: true, PageSize: 8})
	c := connect(t, s, h, user)
	first, err := c.drive.Changes.GetStartPageToken().Do()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(allFiles(t, c, "'me' in owners")); n != 63 {
		t.Errorf("%d files, want 63", n)
	}
	messages := 0
	err = c.gmail.Users.Messages.List("me").Pages(t.Context(), func(l *gmail.ListMessagesResponse) error { messages += len(l.Messages); return nil })
	if err != nil || messages != 60 {
		t.Errorf("%d messages, want 60: %v", messages, err)
	}
	found, empty := 0, 0
	err = c.calendar.Events.List("primary").Pages(t.Context(), func(l *calendar.Events) error {
		found += len(l.Items)
		if len(l.Items) == 0 {
			empty++
		}
		return nil
	})
	if err != nil || found != 30+2*6 || empty == 0 {
		t.Errorf("%d events, want 42, and %d empty pages: %v", found, empty, err)
	}
	for _, m := range []string{"a", "b", "c", "d", "e"} {
		if _, err := data.AddFile(user, sim.File{Name: m, Content: cloudsim.Bytes(nil)}); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := changes(t, c, first.StartPageToken, false); len(got) != 5 {
		t.Errorf("changes %v, want 5", got)
	}
}

// An export has no Content-Length; a cut is still seen, and a short one is not.
func TestFaultsOfExports(t *testing.T) {
	for kind, want := range map[string]error{"truncate": io.ErrUnexpectedEOF, "length": nil} {
		plan, err := cloudsim.ParseFaults("drive.files.export:" + kind + ":1")
		if err != nil {
			t.Fatal(err)
		}
		data := emptyOrganisation(t)
		id, err := data.AddFile(ben, sim.File{Name: "doc", MimeType: sim.MimeDocument, Exports: map[string]cloudsim.Content{"text/plain": cloudsim.Generated(1, 5000)}})
		if err != nil {
			t.Fatal(err)
		}
		s, h := start(t, data, sim.Options{Behaviour: cloudsim.Behaviour{Faults: plan}})
		resp, err := connect(t, s, h, ben).drive.Files.Export(id, "text/plain").Download()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if !errors.Is(err, want) || len(body) != 128 || resp.ContentLength != -1 {
			t.Errorf("%s: %d bytes of %d, %v", kind, len(body), resp.ContentLength, err)
		}
	}
}
