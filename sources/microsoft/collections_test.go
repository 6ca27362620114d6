package microsoft

import (
	"slices"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/sources"
)

// namesOf are the names of collections, the main ones marked.
func namesOf(list []sources.Collection) (names []string) {
	for _, c := range list {
		if c.Primary {
			c.Name = "*" + c.Name
		}
		names = append(names, c.Name)
	}
	return names
}

// TestTaskListsAreTheUsersOwn: flagged mails are no tasks, and what others share moves with its owner.
func TestTaskListsAreTheUsersOwn(t *testing.T) {
	p := newProvider(t)
	p.serve(t, sim.Options{PageSize: 2, Strict: graphSchema(t)})
	added(t)(p.data.AddTaskList(alice, sim.TaskList{Name: "Shopping"}))
	added(t)(p.data.AddTaskList(alice, sim.TaskList{Name: "Of the team", Shared: true}))
	added(t)(p.data.AddTaskList(alice, sim.TaskList{Name: "Of somebody else", Shared: true, Foreign: true}))
	lists, err := TaskLists(t.Context(), p.client(t), alice)
	must(t, err)
	if got := namesOf(lists); len(got) != 3 || got[0][0] != '*' || !slices.Equal(got[1:], []string{"Shopping", "Of the team"}) {
		t.Errorf("the lists are %q", got)
	}
	var known []string
	for _, l := range p.data.TaskLists(alice) {
		if l.Known == "flaggedEmails" {
			known = append(known, l.ID)
		}
	}
	for _, l := range lists {
		if len(known) != 1 || slices.Contains(known, l.ID) || l.TimeZone == "" {
			t.Errorf("%+v, where the list of flagged mails is %q", l, known)
		}
	}
}

// TestContactFoldersAreNamedByWhatHoldsThem, the default one before all others.
func TestContactFoldersAreNamedByWhatHoldsThem(t *testing.T) {
	p := newProvider(t)
	p.serve(t, sim.Options{PageSize: 2, Strict: graphSchema(t)})
	for _, path := range []string{"Work/Suppliers", "Private"} {
		added(t)(p.data.ContactFolder(alice, path))
	}
	folders, err := ContactFolders(t.Context(), p.client(t), alice)
	must(t, err)
	if got := namesOf(folders); len(got) != 4 || got[0][0] != '*' || !slices.Equal(got[1:], []string{"Work", "Work / Suppliers", "Private"}) {
		t.Errorf("the folders are %q", got)
	}
}
