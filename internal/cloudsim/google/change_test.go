package google_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
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
	data := exampleData(t)
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
	added, err := data.AddFile(anna, sim.File{Name: "new.txt", Content: cloudsim.Bytes([]byte("new"))})
	must(err)
	must(data.Edit(added, cloudsim.Bytes([]byte("newer"))))

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
	data := exampleData(t)
	loop, err := data.FileID(anna, "Loop")
	if err != nil {
		t.Fatal(err)
	}
	if err := data.Move(loop, loop); err == nil {
		t.Error("a folder was moved into itself")
	}
}

func TestListingWhileItChanges(t *testing.T) {
	data := sim.Generate(organisation.Spec{Users: 1, Files: 60, Seed: 1})
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, "user0001@example.org")
	seen := map[string]bool{}
	n := 0
	err := c.drive.Files.List().Q("'me' in owners").PageSize(10).Pages(t.Context(), func(l *drive.FileList) error {
		for _, f := range l.Files {
			seen[f.Name] = true
		}
		n++
		_, err := data.AddFile("user0001@example.org", sim.File{Name: fmt.Sprint("added ", n), Content: cloudsim.Bytes(nil)})
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
	data := sim.Generate(organisation.Spec{Users: 1, Files: 30, Mail: 30, Seed: 1})
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

func TestChangesOfAFolder(t *testing.T) {
	for _, announce := range []bool{false, true} {
		data := exampleData(t)
		data.AnnounceDescendants = announce
		s, h := start(t, data, sim.Options{})
		c := connect(t, s, h, anna)
		folder, err := data.FileID(anna, "Office")
		if err != nil {
			t.Fatal(err)
		}
		inside, err := data.FileID(anna, "Office", "Minutes")
		if err != nil {
			t.Fatal(err)
		}
		first, err := c.drive.Changes.GetStartPageToken().Do()
		if err != nil {
			t.Fatal(err)
		}
		if err := data.Trash(folder); err != nil {
			t.Fatal(err)
		}
		if got, err := c.drive.Files.Get(inside).Fields("trashed,explicitlyTrashed").Do(); err != nil || !got.Trashed || got.ExplicitlyTrashed {
			t.Errorf("a document in a trashed folder: %v %+v", err, got)
		}
		got, next := changes(t, c, first.StartPageToken, false)
		if want := map[bool]int{false: 1, true: 13}[announce]; len(got) != want {
			t.Errorf("trashing with announcement %v: %d changes, want %d: %v", announce, len(got), want, got)
		}
		if err := data.Restore(folder); err != nil {
			t.Fatal(err)
		}
		forBen := connect(t, s, h, ben)
		bens := named(t, allFiles(t, forBen, "'me' in owners"), "ben-in-annas-folder.txt")
		if err := data.Delete(folder); err != nil {
			t.Fatal(err)
		}
		got, _ = changes(t, c, next, false)
		if want := map[bool]int{false: 2, true: 13}[announce]; len(got) != want || !slices.Contains(got, "-"+folder) || !slices.Contains(got, "-"+bens.Id) {
			t.Errorf("deleting with announcement %v: %v", announce, got)
		}
		_, err = c.drive.Files.Get(inside).Do()
		wantReason(t, err, 404, "notFound")
		if left, err := forBen.drive.Files.Get(bens.Id).Fields("parents").Do(); err != nil || len(left.Parents) != 0 {
			t.Errorf("what Ben owned in the deleted folder: %v, %+v", err, left)
		}
		for _, f := range allFiles(t, c, "'me' in owners") {
			if f.Id == inside {
				t.Error("a deleted document is listed")
			}
		}
	}
}

func TestChangesOfASharedDrive(t *testing.T) {
	data := exampleData(t)
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, anna)
	id := data.SharedDrives()[0]
	first, err := c.drive.Changes.GetStartPageToken().DriveId(id).SupportsAllDrives(true).Do()
	if err != nil {
		t.Fatal(err)
	}
	readme, err := data.FileID(id, "readme.txt")
	if err != nil {
		t.Fatal(err)
	}
	if err := data.Rename(readme, "read me.txt"); err != nil {
		t.Fatal(err)
	}
	if _, err := data.AddDriveFile(id, sim.File{Name: "added", Content: cloudsim.Bytes(nil)}); err != nil {
		t.Fatal(err)
	}
	page, err := c.drive.Changes.List(first.StartPageToken).DriveId(id).SupportsAllDrives(true).IncludeItemsFromAllDrives(true).Do()
	if err != nil || len(page.Changes) != 2 || page.Changes[0].File.Name != "read me.txt" {
		t.Fatalf("changes: %v, %+v", err, page)
	}
	data.ExpireChanges(id)
	_, err = c.drive.Changes.List(page.NewStartPageToken).DriveId(id).SupportsAllDrives(true).IncludeItemsFromAllDrives(true).Do()
	wantReason(t, err, 400, "invalid")
	if err := data.SetMembers(id); err != nil {
		t.Fatal(err)
	}
	_, err = c.drive.Drives.Get(id).Do()
	wantReason(t, err, 404, "notFound")
}

func TestEditsOfFiles(t *testing.T) {
	data := emptyOrganisation(t)
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, ben)
	id, err := data.ImportFile(ben, "a/b/c.txt", cloudsim.Bytes([]byte("one")), time.Unix(1_600_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	get := func() *drive.File {
		t.Helper()
		f, err := c.drive.Files.Get(id).Fields("md5Checksum,modifiedTime,version,name,size,capabilities").Do()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	before := get()
	if err := data.Edit(id, cloudsim.Bytes([]byte("three"))); err != nil {
		t.Fatal(err)
	}
	after := get()
	if after.Md5Checksum == before.Md5Checksum || after.Size != 5 || after.ModifiedTime <= before.ModifiedTime || after.Version <= before.Version {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if err := data.Rename(id, "d.txt"); err != nil {
		t.Fatal(err)
	}
	if renamed := get(); renamed.ModifiedTime != after.ModifiedTime || renamed.Name != "d.txt" || renamed.Version <= after.Version {
		t.Errorf("renamed: %+v", renamed)
	}
	if err := data.SetFile(id, func(f *sim.File) { f.OwnerBlocked = true }); err != nil {
		t.Fatal(err)
	}
	if blocked := get(); blocked.Capabilities.CanDownload {
		t.Error("a blocked file can be downloaded")
	}
}

// TestMovedIntoWhatIsDeleted moves a file into a folder that is deleted with all it holds: its last change says that it is gone.
func TestMovedIntoWhatIsDeleted(t *testing.T) {
	data := exampleData(t)
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, anna)
	folder, err := data.FileID(anna, "Office")
	if err != nil {
		t.Fatal(err)
	}
	first, err := c.drive.Changes.GetStartPageToken().Do()
	if err != nil {
		t.Fatal(err)
	}
	id, err := data.AddFile(anna, sim.File{Name: "new"})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{data.Move(id, folder), data.Delete(folder)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := changes(t, c, first.StartPageToken, false); !slices.Contains(got, "-"+id) {
		t.Errorf("the file went with its folder, and the changes say %v", got)
	}
}
