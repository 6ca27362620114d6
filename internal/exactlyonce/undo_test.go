package exactlyonce

import (
	"context"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/checkpoint/sqlite"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	"codeberg.org/repatriate/repatriate/internal/undo"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/caldav"
	"codeberg.org/repatriate/repatriate/sinks/carddav"
	"codeberg.org/repatriate/repatriate/sinks/imap"
	"codeberg.org/repatriate/repatriate/sinks/webdav"
)

// TestCutsBeforeUndo ends the process at points of a pass over an account that holds data of its own, some of it just like what is moved, and
// undoes it before any other run. The account is then as it was: what was there before to the version by which the server knows it, and
// nothing else, unless the undo names it: of a first pass only what may have been there before, of a later one also what was being replaced.
func TestCutsBeforeUndo(t *testing.T) {
	var points, cuts, left atomic.Int64
	step := every(t)
	scenes(t, func(t *testing.T, s scene) {
		calm := s.calm(t)
		points.Add(int64(len(calm.points)))
		cuts.Add(eachPoint(t, calm.points, step, func(t *testing.T, at point) bool {
			died, named := s.cutAndUndone(t, at)
			left.Add(int64(named))
			return died
		}))
	})
	t.Logf("%d points, every %d-th was cut: %d cuts, and %d things of interrupted writes were left and named", points.Load(), step, cuts.Load(), left.Load())
}

// cutAndUndone reports whether the run met the point, and how many things were left and named that an interrupted write may have left.
func (s scene) cutAndUndone(t *testing.T, at point) (died bool, named int) {
	t.Helper()
	w := newWorld(t, s.kind, s.account(t, s.kind), cloudsim.Behaviour{})
	w.before(t, !s.later)
	before := w.state(t, true)
	if s.later {
		w.finish(t)
		w.account.change(t)
	}
	o := w.run(t, at, false)
	foretold := w.undo(t, true)
	done := w.undo(t, false)
	if !s.later && (foretold.Removed != done.Removed || foretold.Stayed != done.Stayed) {
		t.Errorf("the dry run says %d and %d, and undo took %d away and left %d", foretold.Removed, foretold.Stayed, done.Removed, done.Stayed)
	}
	after := w.state(t, true)
	for _, l := range done.Left {
		if s.later || strings.Contains(l.Detail, "interrupted") {
			named++
			after = after.without(l.Location, before)
		}
	}
	if s.later { // a mailbox whose first message was deleted meanwhile stays
		after, before = after.contents(), before.contents()
	}
	if d := differences(after, before); d != "" {
		t.Errorf("after the undo:\n%s\n%+v\n%s", d, done.Left, w.troubles(t))
	}
	return o.died, named
}

// without returns a state without a file or folder, as far as it was not there before.
func (s state) without(location string, before state) state {
	out := state{}
	for thing, n := range s {
		if before[thing] > 0 || !strings.Contains(thing, " "+location+",") && thing != "folder "+location {
			out[thing] = n
		}
	}
	return out
}

// before gives the account on the target what it holds before the job; alike says that some of it is just like what is moved. A later pass
// brings that up to date, so that it is not what it was.
func (w *world) before(t *testing.T, alike bool) {
	t.Helper()
	long := time.Date(2019, 5, 1, 12, 0, 0, 0, time.UTC)
	switch w.kind {
	case "files":
		at := func(name string) string { return filepath.Join(w.files.Dir(user), name) }
		write := func(name, text string, modified time.Time) {
			must(t, os.WriteFile(at(name), []byte(text), 0o644))
			must(t, os.Chtimes(at(name), modified, modified))
		}
		write("own.txt", "own", long)
		if alike {
			write("edited.txt", "edited 1\n", written2020)
			must(t, os.Mkdir(at("Empty"), 0o755))
			must(t, os.Chtimes(at("Empty"), long, long))
		}
	case "mail":
		client := value(imapclient.DialInsecure(strings.TrimPrefix(w.mail.URL, "imap://"), nil))(t)
		defer func() { _ = client.Close() }()
		must(t, client.Login(user, password).Wait())
		for _, raw := range [][]byte{mailText("twin"), mailText("own")} {
			c := client.Append("INBOX", int64(len(raw)), &goimap.AppendOptions{Flags: []goimap.Flag{goimap.FlagSeen}, Time: long})
			value(c.Write(raw))(t)
			must(t, c.Close())
			value(c.Wait())(t)
		}
	case "contacts":
		for _, c := range value(w.calendar.AddressBooks(user))(t) {
			w.put(t, c.Name+"/own.vcf", "text/vcard", "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:own\r\nFN:Own\r\nN:Own;;;;\r\nEND:VCARD\r\n")
		}
	case "calendar":
		for _, c := range value(w.calendar.Calendars(user))(t) {
			w.put(t, c.Name+"/own.ics", "text/calendar", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//own//own//EN\r\nBEGIN:VEVENT\r\nUID:own\r\nDTSTAMP:20260101T000000Z\r\n"+
				"DTSTART:20300101T100000Z\r\nSUMMARY:own\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
		}
	}
}

// put writes an object past the program.
func (w *world) put(t *testing.T, at, kind, body string) {
	t.Helper()
	req := value(http.NewRequestWithContext(t.Context(), http.MethodPut, w.url+at, strings.NewReader(body)))(t)
	req.SetBasicAuth(user, password)
	req.Header.Set("Content-Type", kind+"; charset=utf-8")
	res := value((&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req))(t)
	must(t, res.Body.Close())
	if res.StatusCode/100 != 2 {
		t.Fatalf("PUT %s: HTTP %d", at, res.StatusCode)
	}
}

// undo is the life of a process that takes away what the job wrote, as the program does it.
func (w *world) undo(t *testing.T, dryRun bool) (sum undo.Result) {
	t.Helper()
	w.points.arm(point{}, nil)
	w.source.Refuse(false)
	w.target.Refuse(false)
	store := value(sqlite.Open(t.Context(), w.stateFile(), sqlite.Options{Job: "cuts"}))(t)
	defer func() { must(t, store.Close()) }()
	transport := newTransport()
	defer transport.CloseIdleConnections()
	for _, s := range value(store.Tasks(t.Context()))(t) {
		if s.Generation == 0 && (w.kind == "files" || w.kind == "mail") {
			continue
		}
		target := value(w.openTarget(t.Context(), store, s.Task, transport))(t)
		ledger := value(store.Begin(t.Context(), s.Task, s.Name))(t)
		r, err := undo.Undo(t.Context(), store, s.Task, ledger, target, undo.Options{Tree: w.kind == "files", DryRun: dryRun, Patience: engine.Options{Pause: time.Millisecond}})
		must(t, err)
		must(t, target.Close())
		sum.Removed, sum.Stayed, sum.Left = sum.Removed+r.Removed, sum.Stayed+r.Stayed, append(sum.Left, r.Left...)
	}
	return sum
}

// taken is a target from which something is taken away.
type taken interface {
	undo.Target
	io.Closer
}

func (w *world) openTarget(ctx context.Context, store checkpoint.Store, task checkpoint.Task, transport http.RoundTripper) (taken, error) {
	place := ""
	for rec, err := range store.Records(ctx, task) {
		if err != nil {
			return nil, err
		}
		if rec.Location != "" {
			place = path.Dir(rec.Location) + "/"
		}
	}
	components := map[string][]string{"calendar": {"VEVENT"}, "tasks": {"VTODO"}}[w.kind]
	c := caldav.Options{URL: w.url, User: user, Password: password, RoundTripper: transport, Collection: sinks.Collection{ID: task.Collection, Components: components}}
	b := carddav.Options{URL: w.url, User: user, Password: password, RoundTripper: transport, Collection: c.Collection}
	var err error
	switch {
	case w.kind == "files":
		return webdav.Open(ctx, webdav.Options{URL: w.url, User: user, Password: password, Transport: transport})
	case w.kind == "mail":
		return imap.Open(ctx, imap.Options{URL: w.url, User: user, Password: password, Insecure: true, Connections: 2})
	case place == "" && w.kind == "contacts":
		place, err = carddav.Usual(ctx, b)
	case place == "":
		place, err = caldav.Usual(ctx, c)
	}
	switch {
	case err != nil:
		return nil, err
	case w.kind == "contacts":
		return carddav.At(b, place)
	case w.kind == "tasks":
		return caldav.TasksAt(c, place)
	}
	return caldav.At(c, place)
}
