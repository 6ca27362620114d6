package google_test

import (
	"fmt"
	"slices"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"google.golang.org/api/drive/v3"
)

// changes gives what changed since a token, as "name" or "-id" for what was removed, and the next token.
func changes(t *testing.T, c clients, token string, myDrive bool) ([]string, string) {
	t.Helper()
	var out []string
	for {
		page, err := c.drive.Changes.List(token).IncludeRemoved(true).RestrictToMyDrive(myDrive).PageSize(2).
			Fields("nextPageToken,newStartPageToken,changes(removed,fileId,time,changeType,file(id,name,parents,trashed))").Do()
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range page.Changes {
			out = append(out, describe(change))
		}
		if page.NewStartPageToken != "" {
			return out, page.NewStartPageToken
		}
		token = page.NextPageToken
	}
}

func describe(c *drive.Change) string {
	switch {
	case c.Removed:
		return "-" + c.FileId
	case c.File.Trashed:
		return "trashed " + c.File.Name
	}
	return c.File.Name
}

func TestDriveChanges(t *testing.T) {
	data := organisation(t)
	s, h := start(t, data, sim.Options{})
	c, forBen := connect(t, s, h, anna), connect(t, s, h, ben)
	token := func(c clients) string {
		start, err := c.drive.Changes.GetStartPageToken().Do()
		if err != nil {
			t.Fatal(err)
		}
		return start.StartPageToken
	}
	first, bens := token(c), token(forBen)
	id := func(names ...string) string {
		t.Helper()
		found, err := data.FileID(anna, names...)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	logo, lost := id("logo.png"), id("Invoices", "Invoice.txt")
	must(data.Rename(id("Office"), "Bureau"))
	must(data.Rename(logo, "mark.png"))
	must(data.Move(logo, id("Bureau")))
	must(data.Trash(id("before-2018.bin")))
	must(data.Delete(lost))
	added, err := data.AddFile(anna, sim.File{Name: "new.txt", Content: sim.Bytes([]byte("new"))})
	must(err)
	must(data.Edit(added, sim.Bytes([]byte("newer"))))

	got, next := changes(t, c, first, false)
	if want := []string{"Bureau", "mark.png", "trashed before-2018.bin", "-" + lost, "new.txt"}; !slices.Equal(got, want) {
		t.Errorf("changes %v, want %v", got, want)
	}
	if got, _ := changes(t, c, next, false); len(got) != 0 {
		t.Errorf("changes after the last token: %v", got)
	}
	if got, _ := changes(t, forBen, bens, false); !slices.Equal(got, []string{"Bureau", "mark.png"}) {
		t.Errorf("Ben's changes %v", got)
	}
	if got, _ := changes(t, forBen, bens, true); len(got) != 0 {
		t.Errorf("changes in Ben's My Drive %v", got)
	}
	must(data.Unshare(id("Bureau"), ben))
	if got, _ := changes(t, forBen, bens, false); !slices.Contains(got, "-"+id("Bureau")) {
		t.Errorf("Ben lost access, but sees %v", got)
	}
	data.ExpireChanges(anna)
	_, err = c.drive.Changes.List(next).Do()
	wantReason(t, err, 400, "invalid")
	if got, _ := changes(t, c, token(c), false); len(got) != 0 {
		t.Errorf("changes after a new start: %v", got)
	}
}

func TestMoveIntoItselfIsRefused(t *testing.T) {
	data := organisation(t)
	loop, err := data.FileID(anna, "Loop")
	if err != nil {
		t.Fatal(err)
	}
	if err := data.Move(loop, loop); err == nil {
		t.Error("a folder was moved into itself")
	}
}

func TestListingWhileItChanges(t *testing.T) {
	data := sim.Generate(sim.Spec{Users: 1, Files: 60, Seed: 1})
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, "user0001@example.org")
	seen := map[string]bool{}
	n := 0
	err := c.drive.Files.List().Q("'me' in owners").PageSize(10).Pages(t.Context(), func(l *drive.FileList) error {
		for _, f := range l.Files {
			seen[f.Name] = true
		}
		n++
		_, err := data.AddFile("user0001@example.org", sim.File{Name: fmt.Sprint("added ", n), Content: sim.Bytes(nil)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		report, photo := fmt.Sprintf("Report %05d.pdf", i+1), fmt.Sprintf("Photo %05d.jpg", i+1)
		if !seen[report] && !seen[photo] {
			t.Errorf("file %d was missed", i+1)
		}
	}
}

func TestPageTokensExpire(t *testing.T) {
	data := sim.Generate(sim.Spec{Users: 1, Files: 30, Mail: 30, Seed: 1})
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, "user0001@example.org")
	files, err := c.drive.Files.List().PageSize(10).Fields("nextPageToken").Do()
	if err != nil {
		t.Fatal(err)
	}
	mail, err := c.gmail.Users.Messages.List("me").MaxResults(10).Do()
	if err != nil {
		t.Fatal(err)
	}
	data.ExpirePageTokens()
	_, err = c.drive.Files.List().PageToken(files.NextPageToken).Do()
	wantReason(t, err, 400, "invalid")
	_, err = c.gmail.Users.Messages.List("me").PageToken(mail.NextPageToken).Do()
	wantReason(t, err, 400, "invalid")
}
