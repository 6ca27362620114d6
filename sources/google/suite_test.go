package google

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/sourcetest"
	"codeberg.org/repatriate/repatriate/sources/sourcetest/simtest"
)

// provider is a simulated provider under the control of the suite.
type provider struct {
	data   *sim.Data
	server *sim.Server
	root   string
	next   int
	simtest.Control
}

func newProvider(t testing.TB, strict bool) *provider {
	t.Helper()
	p := &provider{data: tenantData(t)}
	o := sim.Options{PageSize: 4, Behaviour: cloudsim.Behaviour{Hook: p.Hook, SlowPause: time.Hour}}
	if strict {
		var err error
		o.Strict, err = schema()
		must(t, err)
	}
	p.server = sim.New(p.data, o)
	h := httptest.NewServer(p.server)
	p.root = h.URL
	t.Cleanup(func() {
		_ = p.server.Close()
		h.Close()
		for _, problem := range p.server.Problems() {
			t.Error("the simulated provider complains:", problem)
		}
	})
	return p
}

func (p *provider) client(t testing.TB) *Client {
	t.Helper()
	transport := httpx.NewTransport()
	t.Cleanup(transport.CloseIdleConnections)
	c, err := New(t.Context(), Options{Credentials: p.server.KeyFile(p.root), Admin: alice, Endpoint: p.root, Tier: "unlimited", Transport: transport})
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

func (p *provider) addMail(tb testing.TB) string {
	p.next++
	raw := mailOf(p.next)
	return p.Hold(added(tb)(p.data.ImportMail(alice, raw, "INBOX")), raw)
}

func TestMailPassesTheSuite(t *testing.T) {
	openMail := func(c *Client) sources.Source[sources.Message] { return Mail(c, alice, MailOptions{}) }
	sourcetest.Run(t, sourcetest.Harness[sources.Message]{
		Open: func(tb testing.TB) sourcetest.Collection[sources.Message] {
			p := newProvider(tb, true)
			for range 10 {
				p.addMail(tb)
			}
			added(tb)(p.data.ImportMail(alice, mailOf(99), "SPAM"))
			c := simulatedCollection(tb, p, openMail)
			c.Add = p.addMail
			c.Change = func(tb testing.TB, id string) {
				must(tb, p.data.Relabel(alice, id, []string{"Later"}, []string{"INBOX"}))
			}
			c.Delete = func(tb testing.TB, id string) {
				must(tb, p.data.DeleteMessage(alice, id))
				p.Drop(id)
			}
			c.Expire = func(testing.TB) {
				p.data.ExpirePageTokens()
				p.data.ExpireHistory(alice)
			}
			return c
		},
		Refusals: refusals(),
		Big: func(tb testing.TB, size int64, watch func(io.Reader) io.Reader) sourcetest.Collection[sources.Message] {
			p := newProvider(tb, false)
			added(tb)(p.data.AddMessage(alice, sim.Message{Raw: simtest.Big(size, watch), Labels: []string{"INBOX"}, Date: time.Unix(1e9, 0)}))
			return simulatedCollection(tb, p, openMail)
		},
		BigSize: 64 << 20,
	})
}

// refusals are those of all of Google's services.
func refusals() []sourcetest.Refusal {
	answer := func(reason string) sourcetest.Fault { return sourcetest.Fault{Kind: "403", Reason: reason} }
	return []sourcetest.Refusal{
		{Fault: answer("userRateLimitExceeded"), Action: fault.Retry, Reason: fault.SourceThrottled},
		{Fault: answer("rateLimitExceeded"), Action: fault.Retry, Reason: fault.SourceThrottled},
		{Fault: answer("dailyLimitExceeded"), Action: fault.FailTask, Reason: fault.SourceDailyLimit},
		{Fault: answer("insufficientPermissions"), Action: fault.FailTask, Reason: fault.SourceScopeMissing},
		{Fault: answer("accessNotConfigured"), Action: fault.FailTask, Reason: fault.SourceScopeMissing},
		{Fault: answer("domainPolicy"), Action: fault.FailTask, Reason: fault.SourceServiceOff},
		{Fault: answer("forbidden"), Action: fault.FailItem, Reason: fault.SourceForbidden},
	}
}

func (p *provider) addFile(tb testing.TB) string {
	p.next++
	raw := fmt.Appendf(nil, "%d %s", p.next, strings.Repeat("file ", 100))
	return p.Hold(added(tb)(p.data.AddFile(alice, sim.File{Name: fmt.Sprint("file ", p.next), Content: cloudsim.Bytes(raw)})), raw)
}

func TestDrivePassesTheSuite(t *testing.T) {
	openDrive := func(c *Client) sources.Source[sources.File] { return Drive(c, alice, DriveOptions{}) }
	sourcetest.Run(t, sourcetest.Harness[sources.File]{
		Open: func(tb testing.TB) sourcetest.Collection[sources.File] {
			p := newProvider(tb, true)
			for range 9 {
				p.addFile(tb)
			}
			p.Hold(added(tb)(p.data.AddFile(alice, sim.File{Name: "folder"})), nil)
			c := simulatedCollection(tb, p, openDrive)
			c.Add = p.addFile
			c.Change = func(tb testing.TB, id string) { must(tb, p.data.Rename(id, "renamed")) }
			c.Delete = func(tb testing.TB, id string) {
				must(tb, p.data.Delete(id))
				p.Drop(id)
			}
			c.Expire = func(testing.TB) {
				p.data.ExpirePageTokens()
				p.data.ExpireChanges(alice)
			}
			return c
		},
		Refusals: refusals(),
		Big: func(tb testing.TB, size int64, watch func(io.Reader) io.Reader) sourcetest.Collection[sources.File] {
			p := newProvider(tb, false)
			added(tb)(p.data.AddFile(alice, sim.File{Name: "big", Content: simtest.Big(size, watch), NoChecksums: true}))
			return simulatedCollection(tb, p, openDrive)
		},
	})
}

func (p *provider) addEvent(tb testing.TB) string {
	p.next++
	id := added(tb)(p.data.AddEvent(alice, alice, json.RawMessage(fmt.Sprintf(
		`{"summary": "event %d", "start": {"date": "2026-05-04"}, "end": {"date": "2026-05-05"}}`, p.next))))
	p.Hold(id, nil)
	return id
}

func TestCalendarPassesTheSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness[sources.Event]{
		Open: func(tb testing.TB) sourcetest.Collection[sources.Event] {
			p := newProvider(tb, true)
			for range 10 {
				p.addEvent(tb)
			}
			c := simulatedCollection(tb, p, func(c *Client) sources.Source[sources.Event] { return Calendar(c, alice, alice) })
			c.Add = p.addEvent
			c.Change = func(tb testing.TB, id string) {
				must(tb, p.data.UpdateEvent(alice, alice, id, json.RawMessage(`{"summary": "changed"}`)))
			}
			c.Delete = func(tb testing.TB, id string) {
				must(tb, p.data.CancelEvent(alice, alice, id))
				p.Drop(id)
			}
			c.Expire = func(tb testing.TB) {
				p.data.ExpirePageTokens()
				must(tb, p.data.ExpireSyncTokens(alice, alice))
			}
			return c
		},
		Refusals: refusals(),
	})
}

// peopleRefusals are those of an interface that knows the reasons of google.rpc.ErrorInfo alone.
func peopleRefusals() []sourcetest.Refusal {
	return slices.DeleteFunc(refusals(), func(r sourcetest.Refusal) bool {
		return r.Fault.Reason == "dailyLimitExceeded" || r.Fault.Reason == "domainPolicy"
	})
}

func (p *provider) addContact(tb testing.TB) string {
	p.next++
	id := added(tb)(p.data.AddContact(alice, json.RawMessage(fmt.Sprintf(`{"names": [{"givenName": "Contact", "familyName": "%d"}]}`, p.next))))
	p.Hold(id, nil)
	return id
}

func TestContactsPassTheSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness[sources.Contact]{
		Open: func(tb testing.TB) sourcetest.Collection[sources.Contact] {
			p := newProvider(tb, true)
			for range 10 {
				p.addContact(tb)
			}
			c := simulatedCollection(tb, p, func(c *Client) sources.Source[sources.Contact] { return Contacts(c, alice, "contacts") })
			c.Add = p.addContact
			c.Change = func(tb testing.TB, id string) {
				must(tb, p.data.UpdateContact(alice, id, json.RawMessage(`{"biographies": [{"value": "changed"}]}`)))
			}
			c.Delete = func(tb testing.TB, id string) {
				must(tb, p.data.DeleteContact(alice, id))
				p.Drop(id)
			}
			c.Expire = func(tb testing.TB) {
				p.data.ExpirePageTokens()
				must(tb, p.data.ExpireContactTokens(alice))
			}
			return c
		},
		Refusals: peopleRefusals(),
	})
}

func (p *provider) addTask(tb testing.TB) string {
	p.next++
	id := added(tb)(p.data.AddTask(alice, "", json.RawMessage(fmt.Sprintf(`{"title": "task %d"}`, p.next))))
	p.Hold(id, nil)
	return id
}

// stopClock has the provider's clock go on with each tick alone: a cursor of tasks holds the second in which its reading began.
func (p *provider) stopClock() (tick func()) {
	var at atomic.Int64
	at.Store(time.Now().Unix())
	p.data.Now = func() time.Time { return time.Unix(at.Load(), 0) }
	return func() { at.Add(1) }
}

func TestTasksPassTheSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness[sources.Task]{
		Open: func(tb testing.TB) sourcetest.Collection[sources.Task] {
			p := newProvider(tb, true)
			tick := p.stopClock()
			for range 10 {
				p.addTask(tb)
			}
			lists, err := TaskLists(tb.Context(), p.client(tb), alice)
			must(tb, err)
			c := simulatedCollection(tb, p, func(c *Client) sources.Source[sources.Task] { return Tasks(c, alice, lists[0].ID) })
			c.Add = func(tb testing.TB) string {
				tick()
				return p.addTask(tb)
			}
			c.Change = func(tb testing.TB, id string) {
				tick()
				must(tb, p.data.UpdateTask(alice, lists[0].ID, id, json.RawMessage(`{"notes": "changed"}`)))
			}
			c.Delete = func(tb testing.TB, id string) {
				tick()
				must(tb, p.data.DeleteTask(alice, lists[0].ID, id))
				p.Drop(id)
			}
			return c
		},
		Refusals: refusals(),
	})
}
