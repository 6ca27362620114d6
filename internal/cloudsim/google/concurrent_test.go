package google_test

import (
	"fmt"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"google.golang.org/api/calendar/v3"
	"google.golang.org/api/drive/v3"
	"google.golang.org/api/gmail/v1"
)

// Readers that follow all pages while the organisation changes see everything that was there from the start.
func TestReadersWhileTheOrganisationChanges(t *testing.T) {
	const user = "user0001@example.org"
	data := sim.Generate(organisation.Spec{Users: 1, Mail: 100, Files: 100, Events: 40, Seed: 3})
	s, h := start(t, data, sim.Options{PageSize: 10})
	c := connect(t, s, h, user)
	var readers, writer sync.WaitGroup
	stop := make(chan struct{})
	writer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				disturb(t, data, user, i)
			}
		}
	})
	readers.Go(func() {
		n := 0
		err := c.drive.Files.List().Q("'me' in owners").PageSize(10).Pages(t.Context(), func(l *drive.FileList) error { n += len(l.Files); return nil })
		if err != nil || n < 104 {
			t.Errorf("%d files, %v", n, err)
		}
	})
	readers.Go(func() {
		n := 0
		err := c.gmail.Users.Messages.List("me").Pages(t.Context(), func(l *gmail.ListMessagesResponse) error { n += len(l.Messages); return nil })
		if err != nil || n < 100 {
			t.Errorf("%d messages, %v", n, err)
		}
	})
	readers.Go(func() {
		seen := map[string]bool{}
		err := c.calendar.Events.List("primary").Pages(t.Context(), func(l *calendar.Events) error {
			for _, e := range l.Items {
				seen[e.Id] = true
			}
			return nil
		})
		if err != nil || len(seen) < 56 {
			t.Errorf("%d events, %v", len(seen), err)
		}
	})
	readers.Wait()
	close(stop)
	writer.Wait()
}

func disturb(t *testing.T, data *sim.Data, user string, i int) {
	_, err := data.AddFile(user, sim.File{Name: fmt.Sprint("added ", i), Content: cloudsim.Generated(uint64(i), 10)})
	if err == nil {
		_, err = data.ImportMail(user, []byte("Subject: x\r\n\r\n"), "INBOX", "UNREAD")
	}
	if err == nil && i < 40 {
		err = data.UpdateEvent(user, "", fmt.Sprintf("gen%08d", i), []byte(`{"summary":"Changed"}`))
	}
	if err != nil {
		t.Error(err)
	}
}
