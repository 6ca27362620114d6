// Package caldav writes events and tasks into a CalDAV server (RFC 4791): each event with all its recurrences as one calendar
// object resource, in one request where the server answers it with an ETag.
//
// Every write is conditional and may be repeated. An object carries a digest of what was written (the property
// X-REPATRIATE-DIGEST), so that an object which nobody changed since is told from one that its user edited, whatever
// happened to ETags and to this program's own state.
//
// No write lets a server mail anybody: besides the SCHEDULE-AGENT parameters in the object, each request says
// "X-NC-Scheduling: false" (Nextcloud) and "Schedule-Reply: F" (RFC 6638 §8.1; sabre takes it for every write). Canary
// proves it.
package caldav

import (
	"context"
	"iter"
	"net/http"

	"codeberg.org/repatriate/repatriate/internal/meter"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

// Options say into which account and calendar items go.
type Options struct {
	// URL is the user's calendar home (RFC 4791 §6.2.1), such as https://cloud.example.org/remote.php/dav/calendars/anna/.
	URL string
	// User and Password log in (HTTP Basic).
	User, Password string
	// AuthorizeAs is the user to act for where User is an administrator of a Cyrus Murder; may be empty. A single Cyrus 3.6
	// refuses the header.
	AuthorizeAs string
	// RoundTripper carries the requests; nil: one of the sink's own, which Close ends.
	RoundTripper http.RoundTripper
	// Meter counts the requests; may be nil.
	Meter *meter.Meter
	// Collection is the calendar. One that is not there is made.
	Collection sinks.Collection
}

func (o Options) client() (*client, error) {
	c, err := dav.NewClient(dav.Options{
		URL: o.URL, User: o.User, Password: o.Password, AuthorizeAs: o.AuthorizeAs, RoundTripper: o.RoundTripper, Meter: o.Meter,
		Protocol: "CalDAV", Collection: "calendar",
	})
	return &client{c}, err
}

// client speaks with one server as one user.
type client struct{ *dav.Client }

// Sink writes events into one calendar. It implements sinks.Sink[sinks.Event].
type Sink struct{ calendar }

// Tasks writes tasks into one calendar. It implements sinks.Sink[sinks.Task].
type Tasks struct{ calendar }

var (
	_ sinks.Sink[sinks.Event] = (*Sink)(nil)
	_ sinks.Sink[sinks.Task]  = (*Tasks)(nil)
	_ sinks.Inspector         = (*calendar)(nil)
	_ sinks.Clearer           = (*calendar)(nil)
	_ sinks.Recoverer         = (*calendar)(nil)
)

// The losses that only the writing shows.
const (
	LossKept          = "event.kept"           // the target had the event already; that one stays as it is and stands for the item
	LossRewritten     = "event.rewritten"      // the server stored another object than it was given
	LossTaskKept      = "task.kept"            // as LossKept, of a task
	LossTaskRewritten = "task.rewritten"       // as LossRewritten, of a task
	LossJoined        = "event.category_comma" // the server parts names of categories at commas; they have another letter there
	LossTaskJoined    = "task.category_comma"  // as LossJoined, of a task
)

var joinedOf = map[string]string{"event": LossJoined, "task": LossTaskJoined}

// Open finds the calendar for events in the user's home, or makes it.
func Open(ctx context.Context, o Options) (*Sink, error) {
	c, err := openCalendar(ctx, o, format("event", "VEVENT", LossKept, LossRewritten))
	return &Sink{c}, err
}

// OpenTasks finds the calendar for tasks in the user's home, or makes it.
func OpenTasks(ctx context.Context, o Options) (*Tasks, error) {
	c, err := openCalendar(ctx, o, format("task", "VTODO", LossTaskKept, LossTaskRewritten))
	return &Tasks{c}, err
}

// calendar is one in the user's home.
type calendar struct {
	client *client
	store  dav.Store
}

func openCalendar(ctx context.Context, o Options, f dav.Format) (calendar, error) {
	c, err := o.client()
	if err != nil {
		return calendar{}, err
	}
	path, err := c.provide(ctx, o.Collection)
	if err != nil {
		c.Close()
		return calendar{}, err
	}
	return calendar{c, dav.Store{Client: c.Client, Format: f, Path: path}}, nil
}

// Calendar returns the path of the calendar on the server.
func (c *calendar) Calendar() string { return c.store.Path }

// Close ends the connections that the sink opened by itself.
func (c *calendar) Close() error {
	c.client.Close()
	return nil
}

// Put implements sinks.Sink.
func (s *Sink) Put(ctx context.Context, item sinks.Item[sinks.Event], prev sinks.Receipt) (sinks.Written, error) {
	written, err := s.store.Put(ctx, dav.Item{ID: item.ID, Again: item.Again, Data: item.Content.Data}, prev)
	written.Digest = dav.WithTimes(written.Digest, item.Content.Times)
	return written, err
}

// Put implements sinks.Sink.
func (s *Tasks) Put(ctx context.Context, item sinks.Item[sinks.Task], prev sinks.Receipt) (sinks.Written, error) {
	return s.store.Put(ctx, dav.Item{ID: item.ID, Again: item.Again, Data: item.Content.Data}, prev)
}

// Remove implements sinks.Sink.
func (c *calendar) Remove(ctx context.Context, prev sinks.Receipt) error {
	return c.store.Remove(ctx, prev)
}

// Recover implements sinks.Recoverer.
func (c *calendar) Recover(ctx context.Context, id string, p sinks.Proof) ([]sinks.Receipt, error) {
	return c.store.Recover(ctx, id, p)
}

// List implements sinks.Inspector.
func (c *calendar) List(ctx context.Context, place string) iter.Seq2[sinks.Object, error] {
	return c.store.List(ctx, place)
}

// Read implements sinks.Inspector.
func (c *calendar) Read(ctx context.Context, o sinks.Object) (sinks.Object, error) {
	return c.store.Read(ctx, o)
}

// Expect implements sinks.Inspector.
func (c *calendar) Expect(p sinks.Proof) sinks.Expectation { return dav.Expect(p) }

// Compare implements sinks.Inspector.
func (c *calendar) Compare(o sinks.Object, p sinks.Proof) sinks.Verdict { return dav.Compare(o, p) }

// Clear implements sinks.Clearer: the calendar is removed if this program made it and nothing lies in it.
func (c *calendar) Clear(ctx context.Context, _ []string) ([]string, error) {
	return c.store.Clear(ctx)
}
