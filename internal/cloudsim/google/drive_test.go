package google_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"google.golang.org/api/drive/v3"
	"google.golang.org/api/googleapi"
)

const (
	anna  = "anna.keller@example.org"
	ben   = "ben.osei@example.org"
	carla = "carla.nunes@example.org"
	david = "david.lind@example.org"
	eva   = "eva.horn@example.org"
)

const everyFileField = "nextPageToken,files(id,name,mimeType,parents,size,md5Checksum,sha1Checksum,sha256Checksum,createdTime,modifiedTime,trashed,explicitlyTrashed,ownedByMe,owners(emailAddress),shared,shortcutDetails,exportLinks,capabilities(canDownload,canReadRevisions),clientEncryptionDetails/encryptionState,downloadRestrictions,starred,description,version,headRevisionId,driveId,permissions,webViewLink)"

// allFiles lists by several pages.
func allFiles(t *testing.T, c clients, q string) []*drive.File {
	t.Helper()
	var out []*drive.File
	err := c.drive.Files.List().Q(q).PageSize(7).Fields(everyFileField).Pages(t.Context(), func(l *drive.FileList) error {
		out = append(out, l.Files...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func named(t *testing.T, files []*drive.File, name string) *drive.File {
	t.Helper()
	i := slices.IndexFunc(files, func(f *drive.File) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("no file %q", name)
	}
	return files[i]
}

// wantReason checks the status and reason of an error.
func wantReason(t *testing.T, err error, code int, reason string) {
	t.Helper()
	var api *googleapi.Error
	if !errors.As(err, &api) || api.Code != code || len(api.Errors) != 1 || api.Errors[0].Reason != reason {
		t.Errorf("error %v, want %d %s", err, code, reason)
	}
}

func TestDriveListing(t *testing.T) {
	s, h := start(t, exampleData(t), sim.Options{})
	c := connect(t, s, h, anna)
	files := allFiles(t, c, "'me' in owners and trashed = false")
	if !slices.IsSortedFunc(files, func(a, b *drive.File) int { return strings.Compare(b.ModifiedTime, a.ModifiedTime) }) {
		t.Error("files are not listed most recently modified first")
	}
	root, err := c.drive.Files.Get("root").Fields("id,name,mimeType,parents").Do()
	if err != nil || root.Id == "root" || len(root.Parents) != 0 {
		t.Fatalf("root: %v %+v", err, root)
	}
	if office := named(t, files, "Office"); !slices.Equal(office.Parents, []string{root.Id}) || !office.Shared {
		t.Errorf("Office: parents %v, shared %v", office.Parents, office.Shared)
	}
	if lost := named(t, files, "lost.txt"); len(lost.Parents) != 0 {
		t.Errorf("an orphan with parents %v", lost.Parents)
	}
	if f := named(t, files, "before-2018.bin"); f.Md5Checksum == "" || f.Sha256Checksum != "" || f.Size != 20<<10 {
		t.Errorf("before-2018.bin: %+v", f)
	}
	if f := named(t, files, "no-checksums.bin"); f.Md5Checksum != "" {
		t.Errorf("no-checksums.bin has MD5 %s", f.Md5Checksum)
	}
	if f := named(t, files, "Shortcut to the minutes"); f.ShortcutDetails.TargetMimeType != sim.MimeDocument {
		t.Errorf("shortcut to %+v", f.ShortcutDetails)
	}
	for _, f := range files {
		if f.Trashed || f.Name == "My Drive" || f.Name == "ben-in-annas-folder.txt" {
			t.Errorf("%s does not belong in the listing", f.Name)
		}
	}
	if twins := slices.DeleteFunc(slices.Clone(files), func(f *drive.File) bool { return f.Name != "invoice.txt" }); len(twins) != 2 {
		t.Errorf("%d files invoice.txt, want 2", len(twins))
	}
	trashed := allFiles(t, c, "trashed=true")
	if f := named(t, trashed, "trashed with its folder.txt"); !f.Trashed || f.ExplicitlyTrashed {
		t.Errorf("a file in a trashed folder: %+v", f)
	}
	inOffice := allFiles(t, c, "'"+named(t, files, "Office").Id+"' in parents and mimeType != 'application/vnd.google-apps.folder'")
	named(t, inOffice, "ben-in-annas-folder.txt")
}

func TestFilesOfOthers(t *testing.T) {
	s, h := start(t, exampleData(t), sim.Options{})
	c := connect(t, s, h, ben)
	mine := named(t, allFiles(t, c, "'me' in owners"), "ben-in-annas-folder.txt")
	if len(mine.Parents) != 1 || !mine.OwnedByMe {
		t.Errorf("a file in a folder of somebody else: %+v", mine)
	}
	shared := allFiles(t, c, "sharedWithMe")
	if len(shared) != 1 || shared[0].Name != "Office" || shared[0].OwnedByMe {
		t.Errorf("shared with Ben: %d files", len(shared))
	}
	forCarla := connect(t, s, h, carla)
	blocked := named(t, allFiles(t, forCarla, "sharedWithMe = true"), "for-carla.txt")
	if blocked.Capabilities.CanDownload || len(blocked.Permissions) != 0 {
		t.Errorf("a restricted file: %+v", blocked.Capabilities)
	}
	_, err := forCarla.drive.Files.Get(blocked.Id).Download()
	wantReason(t, err, 403, "cannotDownloadFile")
	_, err = forCarla.drive.Files.Get(mine.Id).Do()
	wantReason(t, err, 404, "notFound")
	_, err = forCarla.drive.Permissions.List(blocked.Id).Do()
	wantReason(t, err, 403, "insufficientFilePermissions")
}

func TestDownloadErrors(t *testing.T) {
	s, h := start(t, exampleData(t), sim.Options{})
	c := connect(t, s, h, anna)
	files := allFiles(t, c, "'me' in owners")
	for name, reason := range map[string]string{"flagged.exe": "cannotDownloadAbusiveFile", "confidential.pdf": "cannotDownloadFile",
		"popular.zip": "downloadQuotaExceeded", "not-downloadable.bin": "fileNotDownloadable", "Minutes": "fileNotDownloadable"} {
		_, err := c.drive.Files.Get(named(t, files, name).Id).Download()
		wantReason(t, err, 403, reason)
	}
	resp, err := c.drive.Files.Get(named(t, files, "flagged.exe").Id).AcknowledgeAbuse(true).Download()
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	call := c.drive.Files.Get(named(t, files, "empty.txt").Id)
	call.Header().Set("Range", "bytes=0-")
	_, err = call.Download()
	var api *googleapi.Error
	if !errors.As(err, &api) || api.Code != http.StatusRequestedRangeNotSatisfiable || api.Header.Get("Content-Range") != "bytes */0" {
		t.Errorf("range of an empty file: %v", err)
	}
}

// TestQuotaOfTheNextDay: what was refused for its download quota is given once the day is over that its first refusal began.
func TestQuotaOfTheNextDay(t *testing.T) {
	data := exampleData(t)
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	data.QuotaDay, data.Now = time.Minute, func() time.Time { return now }
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, anna)
	id := named(t, allFiles(t, c, "'me' in owners"), "popular.zip").Id
	for range 2 {
		_, err := c.drive.Files.Get(id).Download()
		wantReason(t, err, 403, "downloadQuotaExceeded")
		now = now.Add(59 * time.Second)
	}
	resp, err := c.drive.Files.Get(id).Download()
	if err != nil {
		t.Fatalf("on the next day: %v", err)
	}
	resp.Body.Close()
}

func TestExport(t *testing.T) {
	s, h := start(t, exampleData(t), sim.Options{})
	c := connect(t, s, h, anna)
	about, err := c.drive.About.Get().Fields("exportFormats,user,storageQuota").Do()
	if err != nil || !slices.Contains(about.ExportFormats[sim.MimeDocument], "application/pdf") || about.User.EmailAddress != anna {
		t.Fatalf("about: %v", err)
	}
	files := allFiles(t, c, "'me' in owners")
	const docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	resp, err := c.drive.Files.Export(named(t, files, "Minutes").Id, docx).Download()
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if !strings.HasPrefix(string(body), "PK") {
		t.Errorf("a docx that begins with %q", body[:4])
	}
	handbook := named(t, files, "Handbook")
	_, err = c.drive.Files.Export(handbook.Id, docx).Download()
	wantReason(t, err, 403, "exportSizeLimitExceeded")
	_, err = c.drive.Files.Export(handbook.Id, "image/png").Download()
	wantReason(t, err, 400, "badRequest")
	_, err = c.drive.Files.Export(named(t, files, "Lunch survey").Id, "application/pdf").Download()
	wantReason(t, err, 400, "badRequest")
	if resp, err = c.http.Get(handbook.ExportLinks[docx]); err != nil {
		t.Fatal(err)
	}
	n, _ := io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 200 || n != 12<<20 {
		t.Errorf("exportLinks: status %d, %d bytes", resp.StatusCode, n)
	}
	if resp, err = h.Client().Get(handbook.ExportLinks[docx]); err != nil || resp.StatusCode != 401 {
		t.Errorf("exportLinks without a token: %v, status %d", err, resp.StatusCode)
	}
	resp.Body.Close()
}

func TestSharedDrives(t *testing.T) {
	s, h := start(t, exampleData(t), sim.Options{})
	c := connect(t, s, h, anna)
	drives, err := c.drive.Drives.List().UseDomainAdminAccess(true).PageSize(100).Do()
	if err != nil || len(drives.Drives) != 1 {
		t.Fatalf("drives: %v", err)
	}
	id := drives.Drives[0].Id
	perms, err := c.drive.Permissions.List(id).UseDomainAdminAccess(true).SupportsAllDrives(true).Fields("permissions(emailAddress,role,type)").Do()
	if err != nil || len(perms.Permissions) != 3 || perms.Permissions[0].Role != "organizer" {
		t.Fatalf("members: %v %+v", err, perms)
	}
	if one, err := c.drive.Drives.Get(id).Do(); err != nil || one.Name != "Workshop" {
		t.Errorf("drive: %v", err)
	}
	list := func(c clients) (*drive.FileList, error) {
		return c.drive.Files.List().Corpora("drive").DriveId(id).IncludeItemsFromAllDrives(true).SupportsAllDrives(true).Q("trashed=false").Fields(everyFileField).Do()
	}
	files, err := list(c)
	if err != nil || len(files.Files) != 7 {
		t.Fatalf("files: %v, %+v", err, files)
	}
	if plans := named(t, files.Files, "Plans"); !slices.Equal(plans.Parents, []string{id}) || len(plans.Owners) != 0 || plans.DriveId != id {
		t.Errorf("Plans: %+v", plans)
	}
	_, err = list(connect(t, s, h, eva))
	wantReason(t, err, 404, "notFound")
	_, err = connect(t, s, h, ben).drive.Drives.List().UseDomainAdminAccess(true).Do()
	wantReason(t, err, 403, "forbidden")
	resp, err := c.drive.Files.Get(named(t, files.Files, "flagged.bin").Id).SupportsAllDrives(true).AcknowledgeAbuse(true).Download()
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	_, err = c.drive.Files.Get(named(t, files.Files, "rack.svg").Id).Do()
	wantReason(t, err, 404, "notFound")
	token, err := c.drive.Changes.GetStartPageToken().DriveId(id).SupportsAllDrives(true).Do()
	if err != nil || token.StartPageToken == "" {
		t.Error(err)
	}
}
