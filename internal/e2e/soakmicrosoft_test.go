package e2e

import (
	"fmt"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	graph "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
)

// soakMicrosoft is a tenant of Microsoft 365 that its users change.
type soakMicrosoft struct {
	*chance
	data   *graph.Data
	user   string
	series map[string]int // occurrences that were touched, by the ids of series that were made here
	second map[string]string
}

func newSoakMicrosoft(t *testing.T, c *chance, spec organisation.Spec) *soakMicrosoft {
	t.Helper()
	m := &soakMicrosoft{chance: c, data: graph.Generate(spec), series: map[string]int{}, second: map[string]string{}}
	m.data.Now = c.now
	for _, u := range m.data.Users() {
		m.second[u.Email] = value(m.data.AddCalendar(u.Email, graph.Calendar{Name: "Second"}))(t)
		m.user = u.Email
		for range 2 {
			m.addSeries(t)
		}
	}
	return m
}

func (m *soakMicrosoft) world(t *testing.T, targets urls, people []person) *world {
	w, _ := newTenant(t, m.data, graph.Options{}, targets, people...)
	return w
}

func (m *soakMicrosoft) users() (list []string) {
	for _, u := range m.data.Users() {
		list = append(list, u.Email)
	}
	return list
}

// edits are what a user may do; each reports whether there was anything to do it with.
func (m *soakMicrosoft) edits(user string) []func(*testing.T) bool {
	m.user = user
	return []func(*testing.T) bool{
		m.addFile, m.editFile, m.renameFile, m.moveFile, m.deleteFile, m.addFolder, m.renameFolder, m.deleteFolder,
		m.addMail, m.moveMail, m.flagMail, m.deleteMail,
		m.addEvent, m.addSeries, m.changeEvent, m.moveEvent, m.deleteEvent, m.changeOccurrence, m.cancelOccurrence,
		m.addContact, m.changeContact, m.changePhoto, m.moveContact, m.deleteContact, m.addTask, m.changeTask, m.deleteTask,
	}
}

func (m *soakMicrosoft) drive() string { return m.data.DriveID(m.user) }

// entries are the files, or folders, of the user's drive.
func (m *soakMicrosoft) entries(folders bool) (ids []string) {
	for _, f := range m.data.Files(m.drive()) {
		if (f.Content == nil) == folders && !f.Shortcut {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

func (m *soakMicrosoft) addFile(t *testing.T) bool {
	value(m.data.AddFile(m.drive(), graph.File{Name: m.name("file") + ".txt", Parent: m.pick(m.entries(true)), Content: m.content()}))(t)
	return true
}

func (m *soakMicrosoft) addFolder(t *testing.T) bool {
	id := value(m.data.AddFile(m.drive(), graph.File{Name: m.name("folder"), Parent: m.pick(m.entries(true))}))(t)
	value(m.data.AddFile(m.drive(), graph.File{Name: m.name("file") + ".txt", Parent: id, Content: m.content()}))(t)
	return true
}

func (m *soakMicrosoft) editFile(t *testing.T) bool {
	return m.with(t, m.entries(false), func(id string) error { return m.data.Edit(m.drive(), id, m.content()) })
}

func (m *soakMicrosoft) renameFile(t *testing.T) bool {
	return m.with(t, m.entries(false), func(id string) error { return m.data.Rename(m.drive(), id, m.name("renamed")+".txt") })
}

func (m *soakMicrosoft) moveFile(t *testing.T) bool {
	return m.with(t, m.entries(false), func(id string) error { return m.data.Move(m.drive(), id, m.pick(m.entries(true))) })
}

func (m *soakMicrosoft) deleteFile(t *testing.T) bool {
	return m.with(t, m.entries(false), func(id string) error { return m.data.Delete(m.drive(), id) })
}

func (m *soakMicrosoft) renameFolder(t *testing.T) bool {
	return m.with(t, m.entries(true), func(id string) error { return m.data.Rename(m.drive(), id, m.name("folder")) })
}

func (m *soakMicrosoft) deleteFolder(t *testing.T) bool {
	folders := m.entries(true)
	if len(folders) < 3 {
		return false
	}
	return m.with(t, folders, func(id string) error { return m.data.Delete(m.drive(), id) })
}

func (m *soakMicrosoft) messages() (ids []string) {
	for _, message := range m.data.Messages(m.user) {
		ids = append(ids, message.ID)
	}
	return ids
}

// mailbox is one of some folders.
func (m *soakMicrosoft) mailbox(t *testing.T) string {
	t.Helper()
	return value(m.data.Folder(m.user, m.pick([]string{"inbox", "sentitems", "archive", "Projects/Alpha"})))(t)
}

func (m *soakMicrosoft) addMail(t *testing.T) bool {
	value(m.data.AddMessage(m.user, m.mailbox(t), graph.Message{Raw: cloudsim.Bytes(m.mail()), Unread: true}))(t)
	return true
}

func (m *soakMicrosoft) moveMail(t *testing.T) bool {
	return m.with(t, m.messages(), func(id string) error { return m.data.MoveMessage(m.user, id, m.mailbox(t)) })
}

func (m *soakMicrosoft) flagMail(t *testing.T) bool {
	return m.with(t, m.messages(), func(id string) error {
		return m.data.ChangeMessage(m.user, id, func(x *graph.Message) { x.Unread, x.Flagged = !x.Unread, !x.Flagged })
	})
}

func (m *soakMicrosoft) deleteMail(t *testing.T) bool {
	return m.with(t, m.messages(), func(id string) error { return m.data.DeleteMessage(m.user, id) })
}

func (m *soakMicrosoft) events() (ids []string) {
	for _, e := range m.data.Events(m.user, "") {
		ids = append(ids, e.ID)
	}
	return ids
}

// graphTimes are start and end of all events that are made here.
const graphTimes = `"start": {"dateTime": "2024-03-18T09:00:00", "timeZone": "W. Europe Standard Time"}, "end": {"dateTime": "2024-03-18T10:00:00", "timeZone": "W. Europe Standard Time"}`

func (m *soakMicrosoft) addEvent(t *testing.T) bool {
	calendar := m.pick([]string{"", m.second[m.user]})
	value(m.data.AddEvent(m.user, calendar, fmt.Appendf(nil, `{"subject": %q, %s}`, m.name("event"), graphTimes)))(t)
	return true
}

func (m *soakMicrosoft) addSeries(t *testing.T) bool {
	const weekly = `"recurrence": {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday"},
		"range": {"type": "numbered", "startDate": "2024-03-18", "numberOfOccurrences": 30}}`
	id := value(m.data.AddEvent(m.user, "", fmt.Appendf(nil, `{"subject": %q, %s, %s}`, m.name("series"), graphTimes, weekly)))(t)
	m.series[id] = 0
	return true
}

func (m *soakMicrosoft) changeEvent(t *testing.T) bool {
	return m.with(t, m.events(), func(id string) error {
		return m.data.ChangeEvent(m.user, id, fmt.Appendf(nil, `{"subject": %q}`, m.name("subject")))
	})
}

func (m *soakMicrosoft) moveEvent(t *testing.T) bool {
	return m.with(t, m.without(m.events(), m.series), func(id string) error { return m.data.MoveEvent(m.user, id, m.second[m.user]) })
}

func (m *soakMicrosoft) deleteEvent(t *testing.T) bool {
	return m.with(t, m.events(), func(id string) error { return m.data.DeleteEvent(m.user, id) })
}

// occurrence is the day of the next occurrence of a series that nobody touched.
func (m *soakMicrosoft) occurrence(id string) string {
	m.series[id]++
	return time.Date(2024, 3, 18+7*(m.series[id]%30), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

func (m *soakMicrosoft) changeOccurrence(t *testing.T) bool {
	return m.with(t, m.among(m.events(), m.series), func(id string) error {
		return m.data.ChangeOccurrence(m.user, id, m.occurrence(id), fmt.Appendf(nil, `{"subject": %q}`, m.name("changed")))
	})
}

func (m *soakMicrosoft) cancelOccurrence(t *testing.T) bool {
	return m.with(t, m.among(m.events(), m.series), func(id string) error { return m.data.CancelOccurrence(m.user, id, m.occurrence(id)) })
}

func (m *soakMicrosoft) contacts() (ids []string) {
	for _, c := range m.data.Contacts(m.user) {
		ids = append(ids, c.ID)
	}
	return ids
}

// folder is one of two contact folders.
func (m *soakMicrosoft) folder(t *testing.T) string {
	t.Helper()
	return m.pick([]string{"", value(m.data.ContactFolder(m.user, "Other people"))(t)})
}

func (m *soakMicrosoft) addContact(t *testing.T) bool {
	id := value(m.data.AddContact(m.user, m.folder(t), fmt.Appendf(nil, `{"givenName": %q}`, m.name("Person"))))(t)
	must(t, m.data.SetPhoto(m.user, id, graph.Photo(m.random.Uint64(), 9_000)))
	return true
}

func (m *soakMicrosoft) changeContact(t *testing.T) bool {
	return m.with(t, m.contacts(), func(id string) error {
		return m.data.ChangeContact(m.user, id, fmt.Appendf(nil, `{"personalNotes": %q}`, m.name("since")))
	})
}

func (m *soakMicrosoft) changePhoto(t *testing.T) bool {
	return m.with(t, m.contacts(), func(id string) error { return m.data.SetPhoto(m.user, id, graph.Photo(m.random.Uint64(), 9_000)) })
}

func (m *soakMicrosoft) moveContact(t *testing.T) bool {
	return m.with(t, m.contacts(), func(id string) error { return m.data.MoveContact(m.user, id, m.folder(t)) })
}

func (m *soakMicrosoft) deleteContact(t *testing.T) bool {
	return m.with(t, m.contacts(), func(id string) error { return m.data.DeleteContact(m.user, id) })
}

// list is one of the user's own lists of tasks.
func (m *soakMicrosoft) list() string {
	var ids []string
	for _, l := range m.data.TaskLists(m.user) {
		if l.Known != "flaggedEmails" && !l.Foreign {
			ids = append(ids, l.ID)
		}
	}
	return m.pick(ids)
}

func (m *soakMicrosoft) todos() (ids []string) {
	for _, task := range m.data.Tasks(m.user, m.list()) {
		ids = append(ids, task.ID)
	}
	return ids
}

func (m *soakMicrosoft) addTask(t *testing.T) bool {
	value(m.data.AddTask(m.user, m.list(), fmt.Appendf(nil, `{"title": %q, "checklistItems": [{"displayName": "a step"}]}`, m.name("task"))))(t)
	return true
}

func (m *soakMicrosoft) changeTask(t *testing.T) bool {
	return m.with(t, m.todos(), func(id string) error {
		return m.data.ChangeTask(m.user, id, fmt.Appendf(nil, `{"title": %q, "status": %q}`, m.name("task"), m.pick([]string{"completed", "notStarted"})))
	})
}

func (m *soakMicrosoft) deleteTask(t *testing.T) bool {
	return m.with(t, m.todos(), func(id string) error { return m.data.DeleteTask(m.user, id) })
}
