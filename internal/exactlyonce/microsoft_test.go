package exactlyonce

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/microsoft"
)

// microsoftAccount is an account in Microsoft 365.
type microsoftAccount struct {
	data        *sim.Data
	kind, drive string
	ids         map[string]string // of what will be changed, by what it is called here
}

func newMicrosoft(t *testing.T, kind string) account {
	t.Helper()
	a := &microsoftAccount{data: sim.NewData("example.org"), kind: kind, ids: map[string]string{}}
	must(t, a.data.AddUser(sim.User{Email: account0, GivenName: "Dora", FamilyName: "Example", TimeZone: "W. Europe Standard Time"}))
	a.drive = a.data.DriveID(account0)
	map[string]func(*testing.T){"files": a.addFiles, "mail": a.addMail, "calendar": a.addEvents, "contacts": a.addContacts, "tasks": a.addTasks}[kind](t)
	return a
}

func (a *microsoftAccount) serve(b cloudsim.Behaviour) (http.Handler, *cloudsim.Front) {
	s := sim.New(a.data, sim.Options{Behaviour: b})
	return s, s.Front
}

func (a *microsoftAccount) open(root string, transport http.RoundTripper) (reader, error) {
	c, err := microsoft.New(microsoft.Options{
		Tenant: a.data.Domain(), ClientID: sim.ClientID, Secret: sim.Secret, Endpoint: root, Login: root, Unlimited: true, Transport: transport,
	})
	if err != nil {
		return reader{}, err
	}
	return reader{
		files:     microsoft.Drive(c, account0),
		mail:      microsoft.Mail(c, account0, microsoft.MailOptions{}),
		calendars: func(ctx context.Context) ([]sources.Collection, error) { return microsoft.Calendars(ctx, c, account0) },
		calendar:  func(id string) sources.Source[sources.Event] { return microsoft.Calendar(c, account0, id) },
		books: func(ctx context.Context) ([]sources.Collection, error) {
			return microsoft.ContactFolders(ctx, c, account0)
		},
		contacts: func(id string) sources.Source[sources.Contact] { return microsoft.Contacts(c, account0, id) },
		lists:    func(ctx context.Context) ([]sources.Collection, error) { return microsoft.TaskLists(ctx, c, account0) },
		tasks: func(l sources.Collection) sources.Source[sources.Task] {
			return microsoft.Tasks(c, account0, l.ID, l.TimeZone)
		},
	}, nil
}

func (a *microsoftAccount) change(t *testing.T) {
	t.Helper()
	map[string]func(*testing.T){"files": a.changeFiles, "mail": a.changeMail, "calendar": a.changeEvents, "contacts": a.changeContacts, "tasks": a.changeTasks}[a.kind](t)
}

func (a *microsoftAccount) addFiles(t *testing.T) {
	t.Helper()
	add := func(f sim.File) string {
		t.Helper()
		f.Modified = written2020
		return value(a.data.AddFile(a.drive, f))(t)
	}
	a.ids["big"] = add(sim.File{Name: "Big"})
	sub := add(sim.File{Name: "Sub", Parent: a.ids["big"]})
	a.ids["moved"] = add(sim.File{Name: "moved.txt", Parent: sub, Content: text("moved")})
	add(sim.File{Name: "stays.txt", Parent: sub, Content: text("stays")})
	a.ids["empty"] = add(sim.File{Name: "Empty"})
	a.ids["edited"] = add(sim.File{Name: "edited.txt", Content: text("edited 1")})
	a.ids["rewritten"] = add(sim.File{Name: "rewritten.docx", Content: text("rewritten"), Rewritten: true})
	a.ids["deleted"] = add(sim.File{Name: "deleted.txt", Content: text("deleted")})
}

// changeFiles swaps names too: what lay at a name goes elsewhere, and something else comes there.
func (a *microsoftAccount) changeFiles(t *testing.T) {
	t.Helper()
	must(t, a.data.Rename(a.drive, a.ids["big"], "Renamed"))
	must(t, a.data.Rename(a.drive, a.ids["empty"], "Big"))
	must(t, a.data.Move(a.drive, a.ids["moved"], a.ids["empty"]))
	must(t, a.data.Edit(a.drive, a.ids["edited"], text("edited 2")))
	must(t, a.data.Delete(a.drive, a.ids["deleted"]))
	value(a.data.AddFile(a.drive, sim.File{Name: "new.txt", Parent: a.ids["big"], Content: text("new")}))(t)
}

func (a *microsoftAccount) addMail(t *testing.T) {
	t.Helper()
	add := func(folder string, raw []byte, unread bool) string {
		t.Helper()
		id := value(a.data.Folder(account0, folder))(t)
		return value(a.data.AddMessage(account0, id, sim.Message{Raw: cloudsim.Bytes(raw), Unread: unread}))(t)
	}
	a.ids["moved"] = add("inbox", mailText("moved"), true)
	a.ids["read"] = add("inbox", mailText("read"), true)
	a.ids["deleted"] = add("inbox", mailText("deleted"), false)
	add("sentitems", mailText("sent"), false)
	add("inbox", mailText("twin"), false)
	add("inbox", mailText("twin"), false)
	add("Projects", []byte(nameless), false)
}

func (a *microsoftAccount) changeMail(t *testing.T) {
	t.Helper()
	must(t, a.data.MoveMessage(account0, a.ids["moved"], value(a.data.Folder(account0, "Projects"))(t)))
	must(t, a.data.ChangeMessage(account0, a.ids["read"], func(m *sim.Message) { m.Unread, m.Flagged = false, true }))
	must(t, a.data.DeleteMessage(account0, a.ids["deleted"]))
	inbox := value(a.data.Folder(account0, "inbox"))(t)
	for _, what := range []string{"new", "twin"} {
		value(a.data.AddMessage(account0, inbox, sim.Message{Raw: cloudsim.Bytes(mailText(what))}))(t)
	}
}

func (a *microsoftAccount) addEvents(t *testing.T) {
	t.Helper()
	a.ids["second"] = value(a.data.AddCalendar(account0, sim.Calendar{Name: "Second"}))(t)
	add := func(calendar, title, more string) string { return a.addEvent(t, calendar, title, more) }
	const weekly = `, "recurrence": {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday"},
		"range": {"type": "numbered", "startDate": "2024-03-18", "numberOfOccurrences": 10}}`
	a.ids["series"], a.ids["renamed"], a.ids["deleted"] = add("", "weekly", weekly), add("", "before", ""), add("", "deleted", "")
	must(t, a.data.ChangeOccurrence(account0, a.ids["series"], "2024-03-25", []byte(`{"subject": "first"}`)))
	add("", "twin", "")
	add("", "twin", "")
	add(a.ids["second"], "second", "")
}

func (a *microsoftAccount) addEvent(t *testing.T, calendar, title, more string) string {
	t.Helper()
	return value(a.data.AddEvent(account0, calendar, fmt.Appendf(nil, `{"subject": %q%s,
		"start": {"dateTime": "2024-03-18T09:00:00", "timeZone": "W. Europe Standard Time"},
		"end": {"dateTime": "2024-03-18T10:00:00", "timeZone": "W. Europe Standard Time"}}`, title, more)))(t)
}

func (a *microsoftAccount) changeEvents(t *testing.T) {
	t.Helper()
	must(t, a.data.ChangeOccurrence(account0, a.ids["series"], "2024-03-25", []byte(`{"subject": "second"}`)))
	must(t, a.data.CancelOccurrence(account0, a.ids["series"], "2024-04-08"))
	must(t, a.data.ChangeEvent(account0, a.ids["renamed"], []byte(`{"subject": "after"}`)))
	must(t, a.data.DeleteEvent(account0, a.ids["deleted"]))
	a.addEvent(t, a.ids["second"], "new", "")
}

func (a *microsoftAccount) addContacts(t *testing.T) {
	t.Helper()
	add := func(folder, resource string) string {
		t.Helper()
		return value(a.data.AddContact(account0, folder, []byte(resource)))(t)
	}
	a.ids["other"] = value(a.data.ContactFolder(account0, "Other"))(t)
	a.ids["edited"] = add("", `{"givenName": "Edited", "surname": "One"}`)
	a.ids["deleted"] = add("", `{"givenName": "Deleted"}`)
	a.ids["moved"] = add("", `{"givenName": "Moved"}`)
	a.ids["photo"] = add("", `{"givenName": "With", "surname": "Photo"}`)
	must(t, a.data.SetPhoto(account0, a.ids["photo"], sim.Photo(1, 20_000)))
	add(a.ids["other"], `{"givenName": "Twin"}`)
	add(a.ids["other"], `{"givenName": "Twin"}`)
}

func (a *microsoftAccount) changeContacts(t *testing.T) {
	t.Helper()
	must(t, a.data.ChangeContact(account0, a.ids["edited"], []byte(`{"personalNotes": "edited since"}`)))
	must(t, a.data.SetPhoto(account0, a.ids["edited"], sim.Photo(2, 10_000)))
	must(t, a.data.DeleteContact(account0, a.ids["deleted"]))
	must(t, a.data.MoveContact(account0, a.ids["moved"], a.ids["other"]))
	value(a.data.AddContact(account0, "", []byte(`{"givenName": "New"}`)))(t)
}

func (a *microsoftAccount) addTasks(t *testing.T) {
	t.Helper()
	add := func(list, resource string) string {
		t.Helper()
		return value(a.data.AddTask(account0, list, []byte(resource)))(t)
	}
	a.ids["list"] = value(a.data.AddTaskList(account0, sim.TaskList{Name: "Second"}))(t)
	a.ids["edited"] = add("", `{"title": "edited", "checklistItems": [{"displayName": "a step"}]}`)
	a.ids["deleted"] = add("", `{"title": "deleted"}`)
	add("", `{"title": "twin"}`)
	add("", `{"title": "twin"}`)
	add(a.ids["list"], `{"title": "elsewhere", "dueDateTime": {"dateTime": "2024-07-02T00:00:00.0000000", "timeZone": "W. Europe Standard Time"}}`)
}

func (a *microsoftAccount) changeTasks(t *testing.T) {
	t.Helper()
	must(t, a.data.ChangeTask(account0, a.ids["edited"], []byte(`{"status": "completed"}`)))
	must(t, a.data.DeleteTask(account0, a.ids["deleted"]))
	value(a.data.AddTask(account0, a.ids["list"], []byte(`{"title": "new"}`)))(t)
}
