package microsoft

import (
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	mailreader "github.com/emersion/go-message/mail"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/sourcetest"
	"codeberg.org/repatriate/repatriate/sources/sourcetest/simtest"
)

const alice = "alice@example.org"

// provider is a simulated tenant under the control of the suite.
type provider struct {
	data   *sim.Data
	server *sim.Server
	root   string
	next   int
	simtest.Control
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// added returns the id of what was added.
func added(t testing.TB) func(string, error) string {
	return func(id string, err error) string {
		t.Helper()
		must(t, err)
		return id
	}
}

func newProvider(t testing.TB) *provider {
	t.Helper()
	p := &provider{data: sim.NewData("example.org"), Control: simtest.Control{Unannounced: "message.value"}}
	must(t, p.data.AddUser(sim.User{Email: alice, GivenName: "Alice", FamilyName: "Adams"}))
	o := sim.Options{PageSize: 4, Behaviour: cloudsim.Behaviour{Hook: p.Hook, SlowPause: time.Hour}, Strict: graphSchema(t)}
	p.serve(t, o)
	return p
}

// serve starts the tenant, or starts it anew with other options.
func (p *provider) serve(t testing.TB, o sim.Options) {
	server := sim.New(p.data, o)
	h := httptest.NewServer(server)
	p.server, p.root = server, h.URL
	t.Cleanup(func() {
		_ = server.Close()
		h.Close()
		for _, problem := range server.Problems() {
			t.Error("the simulated provider complains:", problem)
		}
	})
}

func (p *provider) client(t testing.TB) *Client {
	t.Helper()
	transport := httpx.NewTransport()
	t.Cleanup(transport.CloseIdleConnections)
	c, err := New(Options{Tenant: "example.org", ClientID: sim.ClientID, Secret: sim.Secret, Endpoint: p.root, Login: p.root, Unlimited: true, Transport: transport})
	must(t, err)
	return c
}

// simulatedCollection completes what all kinds have in common.
func simulatedCollection[T sources.Content](t testing.TB, p *provider, open func(*Client) sources.Source[T]) sourcetest.Collection[T] {
	return sourcetest.Collection[T]{
		Source: open(p.client(t)),
		Reopen: func(tb testing.TB) sources.Source[T] { return open(p.client(tb)) },
		Held:   func(testing.TB) map[string]string { return p.Control.Held() },
		Inject: p.Control.Inject,
	}
}

// refusals are those of all of Graph's services.
func refusals() []sourcetest.Refusal {
	answer := func(status, code string) sourcetest.Fault { return sourcetest.Fault{Kind: status, Reason: code} }
	return []sourcetest.Refusal{
		{Fault: answer("429", "ApplicationThrottled"), Action: fault.Retry, Reason: fault.SourceThrottled},
		{Fault: answer("503", "activityLimitReached"), Action: fault.Retry, Reason: fault.SourceThrottled},
		{Fault: answer("403", "Authorization_RequestDenied"), Action: fault.FailTask, Reason: fault.SourceScopeMissing},
		{Fault: answer("403", "ErrorAccessDenied"), Action: fault.FailTask, Reason: fault.SourceScopeMissing},
		{Fault: answer("403", "notAllowed"), Action: fault.FailTask, Reason: fault.SourceForbidden},
		{Fault: answer("404", "MailboxNotEnabledForRESTAPI"), Action: fault.FailTask, Reason: fault.SourceServiceOff},
		{Fault: answer("503", "ErrorMailboxMoveInProgress"), Action: fault.FailTask, Reason: fault.SourceUnavailable},
	}
}

func mailOf(n int) []byte {
	return fmt.Appendf(nil, "Subject: message %d\r\nFrom: <bob@example.org>\r\nMessage-ID: <%d@example.org>\r\nDate: Mon, 4 May 2026 10:00:00 +0000\r\n\r\n%s",
		n, n, strings.Repeat("text ", 100))
}

func (p *provider) addMail(tb testing.TB) string {
	p.next++
	raw := mailOf(p.next)
	folder := []string{"inbox", "archive", "Projects/Alpha"}[p.next%3]
	id := added(tb)(p.data.Folder(alice, folder))
	return p.Hold(added(tb)(p.data.AddMessage(alice, id, sim.Message{Raw: cloudsim.Bytes(raw)})), raw)
}

func TestMailPassesTheSuite(t *testing.T) {
	openMail := func(c *Client) sources.Source[sources.Message] { return Mail(c, alice, MailOptions{}) }
	sourcetest.Run(t, sourcetest.Harness[sources.Message]{
		Open: func(tb testing.TB) sourcetest.Collection[sources.Message] {
			p := newProvider(tb)
			for range 16 {
				p.addMail(tb)
			}
			added(tb)(p.data.AddMessage(alice, "junkemail", sim.Message{Raw: cloudsim.Bytes(mailOf(99))}))
			c := simulatedCollection(tb, p, openMail)
			c.Add = p.addMail
			c.Change = func(tb testing.TB, id string) {
				must(tb, p.data.ChangeMessage(alice, id, func(m *sim.Message) { m.Flagged = !m.Flagged }))
			}
			c.Delete = func(tb testing.TB, id string) {
				must(tb, p.data.DeleteMessage(alice, id))
				p.Drop(id)
			}
			c.Expire = func(tb testing.TB) {
				p.data.ExpireTokens()
				must(tb, p.data.ExpireMailDeltas(alice))
			}
			return c
		},
		Refusals: refusals(),
		Big: func(tb testing.TB, size int64, watch func(io.Reader) io.Reader) sourcetest.Collection[sources.Message] {
			p := newProvider(tb)
			added(tb)(p.data.AddMessage(alice, "inbox", sim.Message{Raw: simtest.Big(size, watch), Received: time.Unix(1e9, 0)}))
			return simulatedCollection(tb, p, openMail)
		},
		BigSize: 64 << 20,
	})
}

func (p *provider) addFile(tb testing.TB) string {
	p.next++
	raw := fmt.Appendf(nil, "%d %s", p.next, strings.Repeat("file ", 100))
	return p.Hold(added(tb)(p.data.AddFile(p.data.DriveID(alice), sim.File{Name: fmt.Sprint("file ", p.next), Content: cloudsim.Bytes(raw)})), raw)
}

func TestDrivePassesTheSuite(t *testing.T) {
	openDrive := func(c *Client) sources.Source[sources.File] { return Drive(c, alice) }
	sourcetest.Run(t, sourcetest.Harness[sources.File]{
		Open: func(tb testing.TB) sourcetest.Collection[sources.File] {
			p := newProvider(tb)
			drive := p.data.DriveID(alice)
			for range 12 {
				p.addFile(tb)
			}
			p.Hold(added(tb)(p.data.AddFile(drive, sim.File{Name: "folder"})), nil)
			c := simulatedCollection(tb, p, openDrive)
			c.Add = p.addFile
			c.Change = func(tb testing.TB, id string) { must(tb, p.data.Rename(drive, id, "renamed")) }
			c.Delete = func(tb testing.TB, id string) {
				must(tb, p.data.Delete(drive, id))
				p.Drop(id)
			}
			c.Expire = func(testing.TB) {
				p.data.ExpireTokens()
				p.data.ExpireDelta(drive)
			}
			return c
		},
		Refusals: refusals(),
		Big: func(tb testing.TB, size int64, watch func(io.Reader) io.Reader) sourcetest.Collection[sources.File] {
			p := newProvider(tb)
			added(tb)(p.data.AddFile(p.data.DriveID(alice), sim.File{Name: "big", Content: simtest.Big(size, watch), NoHash: true}))
			return simulatedCollection(tb, p, openDrive)
		},
	})
}

func (p *provider) addEvent(tb testing.TB) string {
	p.next++
	recurrence := ""
	if p.next%3 == 0 {
		recurrence = `, "recurrence": {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "sunday"},
			"range": {"type": "numbered", "startDate": "2026-05-04", "numberOfOccurrences": 5, "recurrenceTimeZone": "Romance Standard Time"}}`
	}
	id := added(tb)(p.data.AddEvent(alice, "", fmt.Appendf(nil, `{"subject": "event %d"%s,
		"start": {"dateTime": "2026-05-04T09:00:00", "timeZone": "Romance Standard Time"}, "end": {"dateTime": "2026-05-04T10:00:00", "timeZone": "Romance Standard Time"}}`,
		p.next, recurrence)))
	if p.next%3 == 0 {
		must(tb, p.data.ChangeOccurrence(alice, id, "2026-05-11", []byte(`{"subject": "another"}`)))
		must(tb, p.data.CancelOccurrence(alice, id, "2026-05-18"))
		must(tb, p.data.AddAttachment(alice, id, sim.Attachment{Name: "plan.pdf", MimeType: "application/pdf", Content: []byte("plan")}))
	}
	p.Hold(id, nil)
	return id
}

func TestCalendarPassesTheSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness[sources.Event]{
		Open: func(tb testing.TB) sourcetest.Collection[sources.Event] {
			p := newProvider(tb)
			for range 10 {
				p.addEvent(tb)
			}
			main := p.data.Calendars(alice)[0]
			c := simulatedCollection(tb, p, func(c *Client) sources.Source[sources.Event] { return Calendar(c, alice, main) })
			c.Add = p.addEvent
			c.Change = func(tb testing.TB, id string) {
				must(tb, p.data.ChangeEvent(alice, id, []byte(`{"subject": "changed"}`)))
			}
			c.Delete = func(tb testing.TB, id string) {
				must(tb, p.data.DeleteEvent(alice, id))
				p.Drop(id)
			}
			return c
		},
		Refusals: refusals(),
	})
}

// TestACorruptMessageIsPutTogether from what Graph says of it, the same bytes each time.
func TestACorruptMessageIsPutTogether(t *testing.T) {
	p := newProvider(t)
	p.serve(t, sim.Options{Strict: graphSchema(t)})
	id := added(t)(p.data.AddMessage(alice, "inbox", sim.Message{Raw: cloudsim.Bytes([]byte("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nFrom: <bob@example.org>\r\nMessage-ID: <c@example.org>\r\n\r\nwhole\r\n")),
		Corrupt: true, Text: "The text.", Received: time.Unix(1e9, 0), Files: []sim.Attachment{
			{Name: "naïve\r\nX: y.pdf", MimeType: "application/pdf", Content: []byte("the file")}, {Name: "odd", MimeType: "message/rfc822", Content: []byte("Subject: inner\r\n\r\n")}}}))
	it, err := Mail(p.client(t), alice, MailOptions{}).Fetch(t.Context(), id)
	must(t, err)
	var texts []string
	for range 2 {
		r, err := it.Content.Body.Open(t.Context())
		must(t, err)
		raw, err := io.ReadAll(r)
		must(t, err)
		must(t, r.Close())
		texts = append(texts, string(raw))
	}
	if texts[0] != texts[1] || it.Content.Body.Differs() != sources.Rebuilt {
		t.Errorf("differs %q: %s\nand %s", it.Content.Body.Differs(), texts[0], texts[1])
	}
	m, err := mailreader.CreateReader(strings.NewReader(texts[0]))
	must(t, err)
	if subject, err := m.Header.Subject(); err != nil || subject != "Grüße" || m.Header.Get("Message-Id") != "<c@example.org>" || m.Header.Get("X") != "" {
		t.Errorf("subject %q, %v, in %s", subject, err, texts[0])
	}
	var parts []string
	for {
		part, err := m.NextPart()
		if err == io.EOF {
			break
		}
		must(t, err)
		body, err := io.ReadAll(part.Body)
		must(t, err)
		parts = append(parts, string(body))
	}
	if strings.Join(parts, "|") != "The text.|the file|Subject: inner\r\n\r\n" {
		t.Errorf("parts %q", parts)
	}
}

func (p *provider) addContact(tb testing.TB) string {
	p.next++
	id := added(tb)(p.data.AddContact(alice, "", fmt.Appendf(nil, `{"givenName": "Contact", "surname": "%d"}`, p.next)))
	p.Hold(id, nil)
	return id
}

func TestContactsPassTheSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness[sources.Contact]{
		Open: func(tb testing.TB) sourcetest.Collection[sources.Contact] {
			p := newProvider(tb)
			for range 10 {
				p.addContact(tb)
			}
			folders, err := ContactFolders(tb.Context(), p.client(tb), alice)
			must(tb, err)
			c := simulatedCollection(tb, p, func(c *Client) sources.Source[sources.Contact] { return Contacts(c, alice, folders[0].ID) })
			c.Add = p.addContact
			c.Change = func(tb testing.TB, id string) {
				must(tb, p.data.ChangeContact(alice, id, []byte(`{"personalNotes": "changed"}`)))
			}
			c.Delete = func(tb testing.TB, id string) {
				must(tb, p.data.DeleteContact(alice, id))
				p.Drop(id)
			}
			c.Expire = func(testing.TB) { p.data.ExpireTokens() }
			return c
		},
		Refusals: refusals(),
	})
}

func (p *provider) addTask(tb testing.TB) string {
	p.next++
	id := added(tb)(p.data.AddTask(alice, "", fmt.Appendf(nil, `{"title": "task %d"}`, p.next)))
	p.Hold(id, nil)
	return id
}

func TestTasksPassTheSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness[sources.Task]{
		Open: func(tb testing.TB) sourcetest.Collection[sources.Task] {
			p := newProvider(tb)
			for range 10 {
				p.addTask(tb)
			}
			lists, err := TaskLists(tb.Context(), p.client(tb), alice)
			must(tb, err)
			c := simulatedCollection(tb, p, func(c *Client) sources.Source[sources.Task] { return Tasks(c, alice, lists[0].ID, "Europe/Berlin") })
			c.Add = p.addTask
			c.Change = func(tb testing.TB, id string) { must(tb, p.data.ChangeTask(alice, id, []byte(`{"title": "changed"}`))) }
			c.Delete = func(tb testing.TB, id string) {
				must(tb, p.data.DeleteTask(alice, id))
				p.Drop(id)
			}
			c.Expire = func(testing.TB) { p.data.ExpireTokens() }
			return c
		},
		Refusals: refusals(),
	})
}
