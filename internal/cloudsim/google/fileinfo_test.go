package google_test

import (
	"slices"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"google.golang.org/api/drive/v3"
)

func TestFiles(t *testing.T) {
	data := exampleData(t)
	s, h := start(t, data, sim.Options{})
	listed := allFiles(t, connect(t, s, h, anna), "'me' in owners")
	files, err := data.Files(anna)
	if err != nil || len(files) != len(listed) {
		t.Fatalf("%d files, %d listed: %v", len(files), len(listed), err)
	}
	for _, f := range files {
		one := listed[slices.IndexFunc(listed, func(l *drive.File) bool { return l.Id == f.ID })]
		if one.Name != f.Path[len(f.Path)-1] || one.Trashed != f.Trashed || one.MimeType != f.MimeType {
			t.Errorf("%v differs from what is listed", f.Path)
		}
	}
	if shared, err := data.Files(data.SharedDrives()[0]); err != nil || len(shared) != 7 || !slices.Equal(shared[1].Path, []string{"Plans"}) {
		t.Errorf("files of the shared drive: %v %v", err, shared)
	}
	if _, err := data.Files("nobody@example.org"); err == nil {
		t.Error("nobody has files")
	}
}
