package exactlyonce

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/google"
)

const admin = "admin@example.org"

// googleAccount is an account in Google Workspace.
type googleAccount struct {
	data   *sim.Data
	server *sim.Server
	kind   string
	ids    map[string]string // of what will be changed, by what it is called here
}

func newGoogle(t *testing.T, kind string) account {
	t.Helper()
	a := &googleAccount{data: sim.NewData("example.org"), kind: kind, ids: map[string]string{}}
	must(t, a.data.AddUser(sim.User{Email: admin, GivenName: "Admin", FamilyName: "Example", Admin: true}))
	must(t, a.data.AddUser(sim.User{Email: account0, GivenName: "Dora", FamilyName: "Example"}))
	map[string]func(*testing.T){"files": a.addFiles, "mail": a.addMail, "calendar": a.addEvents, "contacts": a.addContacts, "tasks": a.addTasks}[kind](t)
	return a
}

func (a *googleAccount) serve(b cloudsim.Behaviour) (http.Handler, *cloudsim.Front) {
	a.server = sim.New(a.data, sim.Options{Behaviour: b})
	return a.server, a.server.Front
}

func (a *googleAccount) open(root string, transport http.RoundTripper) (reader, error) {
	c, err := google.New(context.Background(), google.Options{
		Credentials: a.server.KeyFile(root), Admin: admin, Endpoint: root, Tier: "unlimited", Transport: transport,
	})
	if err != nil {
		return reader{}, err
	}
	return reader{
		files:     google.Drive(c, account0, google.DriveOptions{}),
		mail:      google.Mail(c, account0, google.MailOptions{}),
		calendars: func(ctx context.Context) ([]sources.Collection, error) { return google.Calendars(ctx, c, account0) },
		calendar:  func(id string) sources.Source[sources.Event] { return google.Calendar(c, account0, id) },
		books:     func(context.Context) ([]sources.Collection, error) { return google.ContactCollections(false), nil },
		contacts:  func(id string) sources.Source[sources.Contact] { return google.Contacts(c, account0, id) },
		lists:     func(ctx context.Context) ([]sources.Collection, error) { return google.TaskLists(ctx, c, account0) },
		tasks:     func(l sources.Collection) sources.Source[sources.Task] { return google.Tasks(c, account0, l.ID) },
	}, nil
}

func (a *googleAccount) change(t *testing.T) {
	t.Helper()
	map[string]func(*testing.T){"files": a.changeFiles, "mail": a.changeMail, "calendar": a.changeEvents, "contacts": a.changeContacts, "tasks": a.changeTasks}[a.kind](t)
}

func text(s string) cloudsim.Content { return cloudsim.Bytes([]byte(s + "\n")) }

func (a *googleAccount) addFiles(t *testing.T) {
	t.Helper()
	add := func(f sim.File) string {
		t.Helper()
		f.Modified = written2020
		return value(a.data.AddFile(account0, f))(t)
	}
	a.ids["big"] = add(sim.File{Name: "Big"})
	sub := add(sim.File{Name: "Sub", Parent: a.ids["big"]})
	a.ids["moved"] = add(sim.File{Name: "moved.txt", Parent: sub, Content: text("moved")})
	add(sim.File{Name: "twin.txt", Parent: sub, Content: text("one")})
	add(sim.File{Name: "twin.txt", Parent: sub, Content: text("two")})
	a.ids["empty"] = add(sim.File{Name: "Empty"})
	a.ids["document"] = add(sim.File{Name: "Report", MimeType: sim.MimeDocument, Exports: map[string]cloudsim.Content{docx: text("report 1")}})
	a.ids["edited"] = add(sim.File{Name: "edited.txt", Content: text("edited 1")})
	a.ids["trashed"] = add(sim.File{Name: "trashed.txt", Content: text("trashed")})
}

const docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

// changeFiles swaps names too: what lay at a name goes elsewhere, and something else comes there.
func (a *googleAccount) changeFiles(t *testing.T) {
	t.Helper()
	must(t, a.data.Rename(a.ids["big"], "Renamed"))
	must(t, a.data.Rename(a.ids["empty"], "Big"))
	must(t, a.data.Move(a.ids["moved"], a.ids["empty"]))
	must(t, a.data.EditDocument(a.ids["document"], map[string]cloudsim.Content{docx: text("report 2")}))
	must(t, a.data.Edit(a.ids["edited"], text("edited 2")))
	must(t, a.data.Trash(a.ids["trashed"]))
	value(a.data.AddFile(account0, sim.File{Name: "new.txt", Parent: a.ids["big"], Content: text("new")}))(t)
}

// mailText is a message; one that is alike to another has the same.
func mailText(what string) []byte {
	return fmt.Appendf(nil, "From: dora@example.org\r\nTo: ben@example.org\r\nSubject: %s\r\nMessage-ID: <%s@example.org>\r\n"+
		"Date: Mon, 18 Mar 2024 09:00:00 +0100\r\n\r\nThe text of %s.\r\n", what, what, what)
}

// nameless is a message without a Message-ID.
const nameless = "From: dora@example.org\r\nSubject: nameless\r\nDate: Mon, 18 Mar 2024 10:00:00 +0100\r\n\r\nNo id.\r\n"

func (a *googleAccount) addMail(t *testing.T) {
	t.Helper()
	add := func(raw []byte, labels ...string) string {
		t.Helper()
		return value(a.data.ImportMail(account0, raw, labels...))(t)
	}
	a.ids["relabelled"] = add(mailText("relabelled"), "INBOX", "UNREAD")
	a.ids["read"] = add(mailText("read"), "INBOX", "UNREAD", "Projects")
	a.ids["deleted"] = add(mailText("deleted"), "INBOX")
	a.ids["trashed"] = add(mailText("trashed"), "Projects")
	add(mailText("sent"), "SENT")
	add(mailText("twin"), "INBOX")
	add(mailText("twin"), "INBOX")
	add([]byte(nameless))
}

func (a *googleAccount) changeMail(t *testing.T) {
	t.Helper()
	must(t, a.data.Relabel(account0, a.ids["relabelled"], []string{"Later/On"}, []string{"INBOX"}))
	must(t, a.data.Relabel(account0, a.ids["read"], []string{"STARRED"}, []string{"UNREAD"}))
	must(t, a.data.Relabel(account0, a.ids["trashed"], []string{"TRASH"}, []string{"Projects"}))
	must(t, a.data.DeleteMessage(account0, a.ids["deleted"]))
	value(a.data.ImportMail(account0, mailText("new"), "INBOX", "UNREAD"))(t)
	value(a.data.ImportMail(account0, mailText("twin"), "INBOX"))(t)
}

func (a *googleAccount) addEvents(t *testing.T) {
	t.Helper()
	a.ids["second"] = value(a.data.AddCalendar(account0, sim.Calendar{Summary: "Second", TimeZone: "Europe/Berlin"}))(t)
	add := func(calendar, name, more string) string {
		t.Helper()
		return value(a.data.AddEvent(account0, calendar, json.RawMessage(fmt.Sprintf(`{"summary": %q%s,
			"start": {"dateTime": "2024-03-18T09:00:00+01:00", "timeZone": "Europe/Berlin"},
			"end": {"dateTime": "2024-03-18T10:00:00+01:00", "timeZone": "Europe/Berlin"}}`, name, more))))(t)
	}
	a.ids["cancelled"], a.ids["later"], a.ids["elsewhere"] = add("", "cancelled", ""), add("", "later", ""), add("", "elsewhere", "")
	a.ids["weekly"] = add("", "weekly", `, "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=10"]`)
	must(t, a.data.ChangeOccurrence(account0, "", a.ids["weekly"], "2024-03-25T09:00:00+01:00", json.RawMessage(`{"summary": "another title"}`)))
	add(a.ids["second"], "second", "")
}

func (a *googleAccount) changeEvents(t *testing.T) {
	t.Helper()
	must(t, a.data.CancelEvent(account0, "", a.ids["cancelled"]))
	must(t, a.data.UpdateEvent(account0, "", a.ids["later"], json.RawMessage(`{"location": "elsewhere"}`)))
	must(t, a.data.MoveEvent(account0, "", a.ids["elsewhere"], a.ids["second"]))
	must(t, a.data.CancelOccurrence(account0, "", a.ids["weekly"], "2024-04-08T09:00:00+02:00"))
	value(a.data.AddEvent(account0, a.ids["second"], json.RawMessage(`{"summary": "new", "start": {"date": "2024-05-01"}, "end": {"date": "2024-05-02"}}`)))(t)
}

func (a *googleAccount) addContacts(t *testing.T) {
	t.Helper()
	add := func(resource string) string {
		t.Helper()
		id := value(a.data.AddContact(account0, json.RawMessage(resource)))(t)
		return id
	}
	a.ids["edited"] = add(`{"names": [{"givenName": "Edited", "familyName": "One"}], "emailAddresses": [{"value": "edited@example.org"}]}`)
	a.ids["deleted"] = add(`{"names": [{"givenName": "Deleted"}]}`)
	add(`{"names": [{"givenName": "With", "familyName": "Photo"}], "photos": [{"url": "generate:20KB"}]}`)
	add(`{"names": [{"givenName": "Twin"}]}`)
	add(`{"names": [{"givenName": "Twin"}]}`)
}

func (a *googleAccount) changeContacts(t *testing.T) {
	t.Helper()
	must(t, a.data.UpdateContact(account0, a.ids["edited"], json.RawMessage(`{"biographies": [{"value": "edited since"}]}`)))
	must(t, a.data.DeleteContact(account0, a.ids["deleted"]))
	value(a.data.AddContact(account0, json.RawMessage(`{"names": [{"givenName": "New"}], "photos": [{"url": "generate:10KB"}]}`)))(t)
}

func (a *googleAccount) addTasks(t *testing.T) {
	t.Helper()
	a.ids["list"] = value(a.data.AddTaskList(account0, "Second"))(t)
	add := func(list, resource string) string {
		t.Helper()
		return value(a.data.AddTask(account0, list, json.RawMessage(resource)))(t)
	}
	a.ids["parent"] = add("", `{"title": "parent"}`)
	add("", fmt.Sprintf(`{"title": "child", "parent": %q}`, a.ids["parent"]))
	a.ids["deleted"] = add("", `{"title": "deleted", "notes": "for a while"}`)
	add("", `{"title": "twin"}`)
	add("", `{"title": "twin"}`)
	add(a.ids["list"], `{"title": "elsewhere", "due": "2024-06-01T00:00:00.000Z"}`)
}

func (a *googleAccount) changeTasks(t *testing.T) {
	t.Helper()
	must(t, a.data.UpdateTask(account0, "", a.ids["parent"], json.RawMessage(`{"notes": "edited since"}`)))
	must(t, a.data.DeleteTask(account0, "", a.ids["deleted"]))
	value(a.data.AddTask(account0, a.ids["list"], json.RawMessage(`{"title": "new"}`)))(t)
}
