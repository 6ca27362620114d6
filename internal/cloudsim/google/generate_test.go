package google_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/mail"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"google.golang.org/api/calendar/v3"
	"google.golang.org/api/drive/v3"
	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"
)

func TestGeneratedOrganisationThroughOfficialClients(t *testing.T) {
	data := sim.Generate(organisation.Spec{Users: 2, Mail: 120, Files: 130, Events: 25, Seed: 7})
	s, h := start(t, data, sim.Options{PageSize: 50})
	ctx := context.Background()
	c := connect(t, s, h, "user0001@example.org")

	users, err := c.admin.Users.List().Customer("my_customer").Do()
	if err != nil || len(users.Users) != 2 || !users.Users[0].IsMailboxSetup {
		t.Fatalf("users: %v, %+v", err, users)
	}
	files := 0
	err = c.drive.Files.List().Q("'me' in owners and trashed = false").PageSize(1000).
		Fields("nextPageToken", "files(id,name,mimeType,parents,size,md5Checksum,sha256Checksum)").Pages(ctx, func(l *drive.FileList) error {
		for _, f := range l.Files {
			files++
			if f.Size > 0 && files%20 == 0 {
				checkDownload(t, c.drive, f)
			}
			if len(f.Parents) != 1 || f.CreatedTime != "" {
				t.Errorf("%s: parents %v, created %q", f.Name, f.Parents, f.CreatedTime)
			}
		}
		return nil
	})
	if want := 130 + 4 + 1; err != nil || files != want {
		t.Fatalf("files: %d, want %d: %v", files, want, err)
	}
	messages := 0
	err = c.gmail.Users.Messages.List("me").IncludeSpamTrash(true).MaxResults(500).Pages(ctx, func(l *gmail.ListMessagesResponse) error {
		for _, m := range l.Messages {
			messages++
			if messages%20 == 0 {
				checkMessage(t, c.gmail, m.Id)
			}
		}
		return nil
	})
	if err != nil || messages != 120 {
		t.Fatalf("messages: %d: %v", messages, err)
	}
	events := 0
	err = c.calendar.Events.List("primary").SingleEvents(false).ShowDeleted(true).MaxResults(2500).Pages(ctx, func(l *calendar.Events) error {
		events += len(l.Items)
		if (l.NextPageToken == "") == (l.NextSyncToken == "") {
			t.Errorf("page token %q and sync token %q", l.NextPageToken, l.NextSyncToken)
		}
		return nil
	})
	if want := 25 + 5*2; err != nil || events != want {
		t.Errorf("events: %d, want %d: %v", events, want, err)
	}
	if n := s.Counts()["gmail.messages.get"]; n != 6 {
		t.Errorf("counted %d messages.get, want 6", n)
	}
}

func checkDownload(t *testing.T, service *drive.Service, f *drive.File) {
	t.Helper()
	resp, err := service.Files.Get(f.Id).Download()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	m, sum := md5.Sum(body), sha256.Sum256(body)
	if int64(len(body)) != f.Size || hex.EncodeToString(m[:]) != f.Md5Checksum || hex.EncodeToString(sum[:]) != f.Sha256Checksum {
		t.Errorf("%s: the body does not match its size and checksums", f.Name)
	}
	call := service.Files.Get(f.Id)
	call.Header().Set("Range", "bytes=1000-1999")
	part, err := call.Download()
	if err != nil {
		t.Fatal(err)
	}
	defer part.Body.Close()
	got, _ := io.ReadAll(part.Body)
	if part.StatusCode != 206 || !bytes.Equal(got, body[1000:2000]) {
		t.Errorf("%s: range: status %d, %d bytes", f.Name, part.StatusCode, len(got))
	}
}

func checkMessage(t *testing.T, service *gmail.Service, id string) {
	t.Helper()
	m, err := service.Users.Messages.Get("me", id).Format("raw").Fields(googleapi.Field("raw,labelIds,internalDate,threadId,historyId")).Do()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.URLEncoding.DecodeString(m.Raw)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	date, err := parsed.Header.Date()
	if err != nil || date.UnixMilli() != m.InternalDate || m.Id != "" {
		t.Errorf("message %s: date %v, internal date %d, %v", id, date, m.InternalDate, err)
	}
}
