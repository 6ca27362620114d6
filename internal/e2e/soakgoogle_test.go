package e2e

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
)

// soakGoogle is an organisation in Google Workspace that its users change.
type soakGoogle struct {
	*chance
	data   *sim.Data
	user   string
	series map[string]int // occurrences that were touched, by the ids of series that were made here
	second map[string]string
}

func newSoakGoogle(t *testing.T, c *chance, spec organisation.Spec) *soakGoogle {
	t.Helper()
	g := &soakGoogle{chance: c, data: sim.Generate(spec), series: map[string]int{}, second: map[string]string{}}
	g.data.Now = c.now
	for _, u := range g.data.Users() {
		g.second[u.Email] = value(g.data.AddCalendar(u.Email, sim.Calendar{Summary: "Second", TimeZone: "Europe/Berlin"}))(t)
		g.user = u.Email
		for range 2 {
			g.addSeries(t)
		}
	}
	return g
}

func (g *soakGoogle) world(t *testing.T, targets urls, people []person) *world {
	return newWorld(t, g.data, sim.Options{}, targets, people...)
}

func (g *soakGoogle) users() (list []string) {
	for _, u := range g.data.Users() {
		list = append(list, u.Email)
	}
	return list
}

// edits are what a user may do; each reports whether there was anything to do it with.
func (g *soakGoogle) edits(user string) []func(*testing.T) bool {
	g.user = user
	return []func(*testing.T) bool{
		g.addFile, g.editFile, g.renameFile, g.moveFile, g.trashFile, g.deleteFile, g.addFolder, g.renameFolder, g.deleteFolder,
		g.addMail, g.relabel, g.trashMail, g.deleteMail,
		g.addEvent, g.addSeries, g.changeEvent, g.moveEvent, g.cancelEvent, g.changeOccurrence, g.cancelOccurrence,
		g.addContact, g.changeContact, g.deleteContact, g.addTask, g.changeTask, g.deleteTask,
	}
}

// entries are the live files, or folders, of the user's drive.
func (g *soakGoogle) entries(t *testing.T, folders bool) (ids []string) {
	t.Helper()
	for _, f := range value(g.data.Files(g.user))(t) {
		if !f.Trashed && (f.MimeType == sim.MimeFolder) == folders {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

func (g *soakGoogle) addFile(t *testing.T) bool {
	value(g.data.AddFile(g.user, sim.File{Name: g.name("file") + ".txt", Parent: g.pick(g.entries(t, true)), Content: g.content()}))(t)
	return true
}

func (g *soakGoogle) addFolder(t *testing.T) bool {
	id := value(g.data.AddFile(g.user, sim.File{Name: g.name("folder"), MimeType: sim.MimeFolder, Parent: g.pick(g.entries(t, true))}))(t)
	value(g.data.AddFile(g.user, sim.File{Name: g.name("file") + ".txt", Parent: id, Content: g.content()}))(t)
	return true
}

func (g *soakGoogle) editFile(t *testing.T) bool {
	return g.with(t, g.entries(t, false), func(id string) error { return g.data.Edit(id, g.content()) })
}

func (g *soakGoogle) renameFile(t *testing.T) bool {
	return g.with(t, g.entries(t, false), func(id string) error { return g.data.Rename(id, g.name("renamed")+".txt") })
}

func (g *soakGoogle) moveFile(t *testing.T) bool {
	return g.with(t, g.entries(t, false), func(id string) error { return g.data.Move(id, g.pick(g.entries(t, true))) })
}

func (g *soakGoogle) trashFile(t *testing.T) bool {
	return g.with(t, g.entries(t, false), g.data.Trash)
}

func (g *soakGoogle) deleteFile(t *testing.T) bool {
	return g.with(t, g.entries(t, false), g.data.Delete)
}

func (g *soakGoogle) renameFolder(t *testing.T) bool {
	return g.with(t, g.entries(t, true), func(id string) error { return g.data.Rename(id, g.name("folder")) })
}

func (g *soakGoogle) deleteFolder(t *testing.T) bool {
	folders := g.entries(t, true)
	if len(folders) < 3 {
		return false
	}
	return g.with(t, folders, g.data.Trash)
}

func (g *soakGoogle) messages() (ids []string) {
	for _, m := range g.data.Messages(g.user) {
		ids = append(ids, m.ID)
	}
	return ids
}

func (g *soakGoogle) addMail(t *testing.T) bool {
	value(g.data.ImportMail(g.user, g.mail(), g.pick([]string{"INBOX", "SENT", "Projects/Alpha", "New label"})))(t)
	return true
}

func (g *soakGoogle) relabel(t *testing.T) bool {
	labels := []string{"INBOX", "UNREAD", "STARRED", "Projects/Alpha", "Receipts"}
	return g.with(t, g.messages(), func(id string) error {
		return g.data.Relabel(g.user, id, []string{g.pick(labels)}, []string{g.pick(labels)})
	})
}

func (g *soakGoogle) trashMail(t *testing.T) bool {
	return g.with(t, g.messages(), func(id string) error { return g.data.Relabel(g.user, id, []string{"TRASH"}, []string{"INBOX"}) })
}

func (g *soakGoogle) deleteMail(t *testing.T) bool {
	return g.with(t, g.messages(), func(id string) error { return g.data.DeleteMessage(g.user, id) })
}

// events are the events and series of a calendar, without what is an occurrence.
func (g *soakGoogle) events(t *testing.T, calendar string) (ids []string) {
	t.Helper()
	for _, raw := range g.data.Events(g.user, calendar) {
		var e struct{ ID, RecurringEventID string }
		must(t, json.Unmarshal(raw, &e))
		if e.RecurringEventID == "" {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// eventTimes are start and end of all events that are made here.
const eventTimes = `"start": {"dateTime": "2024-03-18T09:00:00+01:00", "timeZone": "Europe/Berlin"}, "end": {"dateTime": "2024-03-18T10:00:00+01:00", "timeZone": "Europe/Berlin"}`

func (g *soakGoogle) addEvent(t *testing.T) bool {
	calendar := g.pick([]string{"", g.second[g.user]})
	value(g.data.AddEvent(g.user, calendar, fmt.Appendf(nil, `{"summary": %q, %s}`, g.name("event"), eventTimes)))(t)
	return true
}

func (g *soakGoogle) addSeries(t *testing.T) bool {
	id := value(g.data.AddEvent(g.user, "", fmt.Appendf(nil, `{"summary": %q, %s, "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=30"]}`, g.name("series"), eventTimes)))(t)
	g.series[id] = 0
	return true
}

func (g *soakGoogle) changeEvent(t *testing.T) bool {
	return g.with(t, g.events(t, ""), func(id string) error {
		return g.data.UpdateEvent(g.user, "", id, fmt.Appendf(nil, `{"location": %q}`, g.name("place")))
	})
}

// moveEvent leaves series alone whose occurrences are touched here.
func (g *soakGoogle) moveEvent(t *testing.T) bool {
	return g.with(t, g.without(g.events(t, ""), g.series), func(id string) error { return g.data.MoveEvent(g.user, "", id, g.second[g.user]) })
}

func (g *soakGoogle) cancelEvent(t *testing.T) bool {
	return g.with(t, g.events(t, ""), func(id string) error { return g.data.CancelEvent(g.user, "", id) })
}

// occurrence is the start of the next occurrence of a series that nobody touched.
func (g *soakGoogle) occurrence(t *testing.T, id string) string {
	t.Helper()
	berlin := value(time.LoadLocation("Europe/Berlin"))(t)
	g.series[id]++
	return time.Date(2024, 3, 18+7*(g.series[id]%30), 9, 0, 0, 0, berlin).Format(time.RFC3339)
}

func (g *soakGoogle) changeOccurrence(t *testing.T) bool {
	return g.with(t, g.among(g.events(t, ""), g.series), func(id string) error {
		return g.data.ChangeOccurrence(g.user, "", id, g.occurrence(t, id), fmt.Appendf(nil, `{"summary": %q}`, g.name("changed")))
	})
}

func (g *soakGoogle) cancelOccurrence(t *testing.T) bool {
	return g.with(t, g.among(g.events(t, ""), g.series), func(id string) error { return g.data.CancelOccurrence(g.user, "", id, g.occurrence(t, id)) })
}

func (g *soakGoogle) contacts(t *testing.T) (ids []string) {
	t.Helper()
	for _, raw := range g.data.Contacts(g.user) {
		var c struct{ ResourceName string }
		must(t, json.Unmarshal(raw, &c))
		ids = append(ids, c.ResourceName)
	}
	return ids
}

func (g *soakGoogle) addContact(t *testing.T) bool {
	value(g.data.AddContact(g.user, fmt.Appendf(nil, `{"names": [{"givenName": %q}], "photos": [{"url": "generate:9KB"}]}`, g.name("Person"))))(t)
	return true
}

func (g *soakGoogle) changeContact(t *testing.T) bool {
	return g.with(t, g.contacts(t), func(id string) error {
		return g.data.UpdateContact(g.user, id, fmt.Appendf(nil, `{"biographies": [{"value": %q}]}`, g.name("since")))
	})
}

func (g *soakGoogle) deleteContact(t *testing.T) bool {
	return g.with(t, g.contacts(t), func(id string) error { return g.data.DeleteContact(g.user, id) })
}

// todos are the tasks of a list.
func (g *soakGoogle) todos(t *testing.T, list string) (ids []string) {
	t.Helper()
	for _, raw := range g.data.Tasks(g.user, list) {
		var task struct{ ID string }
		must(t, json.Unmarshal(raw, &task))
		ids = append(ids, task.ID)
	}
	return ids
}

func (g *soakGoogle) addTask(t *testing.T) bool {
	list := g.pick(g.data.TaskLists(g.user))
	value(g.data.AddTask(g.user, list, fmt.Appendf(nil, `{"title": %q, "notes": "new"}`, g.name("task"))))(t)
	return true
}

func (g *soakGoogle) changeTask(t *testing.T) bool {
	list := g.pick(g.data.TaskLists(g.user))
	return g.with(t, g.todos(t, list), func(id string) error {
		return g.data.UpdateTask(g.user, list, id, fmt.Appendf(nil, `{"notes": %q, "status": %q}`, g.name("since"), g.pick([]string{"completed", "needsAction"})))
	})
}

func (g *soakGoogle) deleteTask(t *testing.T) bool {
	list := g.pick(g.data.TaskLists(g.user))
	return g.with(t, g.todos(t, list), func(id string) error { return g.data.DeleteTask(g.user, list, id) })
}

// content is the body of a file.
func (c *chance) content() cloudsim.Content {
	return cloudsim.Generated(c.random.Uint64(), 100+c.random.Int64N(20_000))
}
