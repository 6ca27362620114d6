package google

import (
	"fmt"
	"slices"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/sources"
)

func held(t *testing.T, s sources.Source[sources.File], folders []string) []string {
	t.Helper()
	var ids []string
	for id, err := range s.(sources.Holder).Holds(t.Context(), folders) {
		must(t, err)
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func TestDriveHolds(t *testing.T) {
	d := tenantData(t)
	add := func(owner, name, parent string) string {
		return added(t)(d.AddFile(owner, sim.File{Name: name, Parent: parent, Content: cloudsim.Bytes(nil)}))
	}
	var folders, want []string
	for i := range 2*foldersAtOnce + 1 { // queries of several folders, and a page that is not the last
		folders = append(folders, added(t)(d.AddFile(alice, sim.File{Name: fmt.Sprint("folder ", i)})))
		want = append(want, add(alice, "a", folders[i]), add(alice, "b", folders[i]))
	}
	trashed := add(alice, "trashed", folders[0])
	must(t, d.Trash(trashed))
	must(t, d.Share(folders[1], sim.Permission{Type: "user", Role: "writer", Email: bob}))
	add(bob, "of somebody else", folders[1])
	inner := added(t)(d.AddFile(alice, sim.File{Name: "inner", Parent: folders[2]}))
	add(alice, "deeper", inner)
	want = append(want, inner)
	slices.Sort(want)
	c, _ := simulated(t, d, sim.Options{PageSize: 30})
	if got := held(t, Drive(c, alice, DriveOptions{}), folders); !slices.Equal(got, want) {
		t.Errorf("the folders hold %d items, want %d", len(got), len(want))
	}
	team := d.AddSharedDrive("Team", sim.Permission{Type: "user", Role: "organizer", Email: alice})
	in := added(t)(d.AddDriveFile(team, sim.File{Name: "folder"}))
	file := added(t)(d.AddDriveFile(team, sim.File{Name: "file", Parent: in, Content: cloudsim.Bytes(nil)}))
	if got := held(t, SharedDrive(c, team, DriveOptions{}), []string{in}); !slices.Equal(got, []string{file}) {
		t.Errorf("in the shared drive: %q", got)
	}
}
