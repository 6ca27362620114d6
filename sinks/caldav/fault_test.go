package caldav

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/meter"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

const homeWithCalendar = `<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:response><d:href>/home/personal/</d:href>` +
	`<d:propstat><d:prop><d:resourcetype><d:collection/><c:calendar/></d:resourcetype></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>`

// fake is a server that answers as a test says, and notes what it was asked.
type fake struct {
	*httptest.Server
	mutex    sync.Mutex
	requests []string
}

// newFake lists a home with the calendar "personal"; everything else is answered by next.
func newFake(t *testing.T, next http.HandlerFunc) *fake {
	f := &fake{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		f.mutex.Lock()
		f.requests = append(f.requests, r.Method+" "+r.URL.Path)
		f.mutex.Unlock()
		if r.Header.Get("X-NC-Scheduling") != "false" || r.Header.Get("Schedule-Reply") != "F" {
			t.Errorf("%s %s is not silent", r.Method, r.URL)
		}
		if r.Method == "PROPFIND" && r.URL.Path == "/home/" {
			w.WriteHeader(http.StatusMultiStatus)
			_, _ = io.WriteString(w, homeWithCalendar)
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		next(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fake) asked() string {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return strings.Join(f.requests, ", ")
}

func (f *fake) options(m *meter.Meter) Options {
	return Options{URL: f.URL + "/home/", User: "u", Password: "p4ssw0rd", Meter: m, RoundTripper: f.Client().Transport, Collection: sinks.Collection{ID: "c", Primary: true}}
}

func (f *fake) open(t *testing.T) *Sink {
	t.Helper()
	s, err := Open(t.Context(), f.options(nil))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func say(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func sabre(exception, message string) string {
	return `<?xml version="1.0"?><d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>` + exception + `</s:exception><s:message>` + message + `</s:message></d:error>`
}

func precondition(name, inside string) string {
	return `<D:error xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><C:` + name + `>` + inside + `</C:` + name + `></D:error>`
}

// TestPutFaults gives answers as real servers wrote them (see also the suites against such servers).
func TestPutFaults(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		action fault.Action
		reason fault.Reason
		after  time.Duration
	}{
		"password":       {say(401, ""), fault.FailTask, fault.TargetAuth, 0},
		"sabre size":     {say(403, sabre(`Sabre\DAV\Exception\Forbidden`, "VEvent or VTodo object exceeds 10485760 bytes")), fault.FailItem, fault.TargetTooBig, 0},
		"RFC size":       {say(403, precondition("max-resource-size", "")), fault.FailItem, fault.TargetTooBig, 0},
		"413":            {say(413, ""), fault.FailItem, fault.TargetTooBig, 0},
		"sabre invalid":  {say(415, sabre(`Sabre\DAV\Exception\UnsupportedMediaType`, "Validation error in iCalendar: DTSTART MUST appear")), fault.FailItem, fault.TargetInvalid, 0},
		"sabre rule":     {say(500, sabre(`Sabre\VObject\InvalidDataException`, "Unknown value for FREQ=FOO")), fault.FailItem, fault.TargetInvalid, 0},
		"Cyrus invalid":  {say(403, precondition("valid-calendar-data", "")), fault.FailItem, fault.TargetInvalid, 0},
		"Radicale":       {say(400, "Bad Request"), fault.FailItem, fault.TargetInvalid, 0},
		"Xandikos":       {say(207, `<m xmlns="DAV:"><response><error/></response></m>`), fault.FailItem, fault.TargetInvalid, 0},
		"forbidden":      {say(403, "no"), fault.FailItem, fault.TargetForbidden, 0},
		"full":           {say(507, ""), fault.FailTask, fault.TargetQuota, 0},
		"slow down":      {say(429, "", "Retry-After", "7"), fault.Retry, fault.TargetThrottled, 7 * time.Second},
		"maintenance":    {say(503, "", "Retry-After", "120"), fault.Retry, fault.TargetUnavailable, 2 * time.Minute},
		"broken":         {say(500, "<html>oops"), fault.Retry, fault.TargetUnavailable, 0},
		"locked":         {say(423, ""), fault.Retry, fault.TargetLocked, 0},
		"calendar gone":  {say(404, ""), fault.FailTask, fault.TargetNoParent, 0},
		"Radicale gone":  {say(409, "Conflict in the request."), fault.FailTask, fault.TargetNoParent, 0},
		"Cyrus gone":     {say(403, "<p>Mailbox does not exist</p>"), fault.FailTask, fault.TargetNoParent, 0},
		"redirect":       {say(302, "", "Location", "http://127.0.0.1:1/"), fault.FailTask, fault.TargetBadAnswer, 0},
		"teapot":         {say(418, ""), fault.FailItem, fault.TargetBadAnswer, 0},
		"endless header": {say(400, strings.Repeat("<a>", 100_000)), fault.FailItem, fault.TargetInvalid, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, c.answer)
			_, err := f.open(t).Put(t.Context(), item("e", 1, 0), sinks.Receipt{})
			got := fault.Of(err)
			if err == nil || got.Action != c.action || got.Reason != c.reason || got.After != c.after {
				t.Fatalf("%v: %v %s %v", err, got.Action, got.Reason, got.After)
			}
			if s := err.Error(); strings.Contains(s, "p4ssw0rd") || strings.ContainsAny(s, "\r\n\x00") || len(s) > 1000 {
				t.Errorf("error text %q", s)
			}
		})
	}
}

// TestPutIsOneRequest is the price of a new event.
func TestPutIsOneRequest(t *testing.T) {
	f := newFake(t, say(201, "", "ETag", `"1"`))
	m := &meter.Meter{}
	s, err := Open(t.Context(), f.options(m))
	if err != nil {
		t.Fatal(err)
	}
	before := m.Requests()
	w, err := s.Put(t.Context(), item("e", 1, 0), sinks.Receipt{})
	if err != nil || w.Receipt.Version != `"1"` || w.Receipt.Location != "/home/personal/e.ics" {
		t.Fatalf("%+v, %v", w, err)
	}
	if n := m.Requests() - before; n != 1 || before != 1 {
		t.Errorf("%d requests for an event, %d to open: %s", n, before, f.asked())
	}
	if w, err = s.Put(t.Context(), item("e", 1, 0), w.Receipt); err != nil || !w.Unchanged || m.Requests() != before+1 {
		t.Errorf("the same event again: %+v, %v, %s", w, err, f.asked())
	}
}

// TestRewritten reads back what a server without an ETag stored, and names a difference.
func TestRewritten(t *testing.T) {
	it := item("e", 1, 0)
	for name, c := range map[string]struct {
		stored string
		losses int
	}{
		"reordered": {strings.Replace(string(it.Content.Data), "TRANSP:OPAQUE\r\n", "", 1), 0},
		"changed":   {strings.Replace(string(it.Content.Data), "SUMMARY:Event", "SUMMARY:Evil", 1), 1},
	} {
		f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				w.WriteHeader(201)
				return
			}
			w.Header().Set("ETag", `W/"7"`)
			_, _ = io.WriteString(w, c.stored)
		})
		w, err := f.open(t).Put(t.Context(), it, sinks.Receipt{})
		if err != nil || w.Receipt.Version != `"7"` || len(w.Losses) != c.losses {
			t.Errorf("%s: %+v, %v", name, w, err)
		}
	}
}

// TestUIDConflicts lets each server's dialect name an object of the same UID, which is the same, shares its times, or
// is another.
func TestUIDConflicts(t *testing.T) {
	it := item("e", 1, 0)
	want, _ := readObject(it.Content.Data)
	same := string(stamp(it.Content.Data, want.Full))
	older := item("e", 1, 0)
	older.Content.Data = []byte(strings.Replace(string(older.Content.Data), "SUMMARY:Event", "SUMMARY:Older", 1))
	was, _ := readObject(older.Content.Data)
	untouched := string(stamp(older.Content.Data, was.Full))
	invited := strings.Replace(string(it.Content.Data), "DESCRIPTION:", "DESCRIPTION:Invited ", 1)
	invited = strings.Replace(invited, "BEGIN:VALARM", "BEGIN:VIGNORED", 1)
	other := strings.Replace(string(it.Content.Data), "20240318T0900", "20240319T0900", 1)

	dialects := map[string]http.HandlerFunc{
		"Cyrus":     say(403, precondition("unique-scheduling-object-resource", "<D:href>HREF</D:href>")),
		"Nextcloud": say(409, precondition("no-uid-conflict", "<D:href>http://other.example.org:99HREF</D:href>")),
		"older":     say(400, sabre(`Sabre\DAV\Exception\BadRequest`, "Calendar object with uid already exists in this calendar collection.")),
		"Radicale":  say(409, precondition("no-uid-conflict", "")),
	}
	for dialect, answer := range dialects {
		for _, c := range []struct {
			name, stored, href string
			again              bool
			reason             fault.Reason
			state, version     string
		}{
			{"same", same, "/home/personal/x.ics", false, "", "", `"1"`},
			{"same, by somebody else", string(it.Content.Data), "/home/personal/x.ics", false, "", dav.Found, `"1"`},
			{"same elsewhere", same, "/home/other/x.ics", false, "", dav.Kept, `"1"`},
			{"invited", invited, "/home/personal/x.ics", false, "", dav.Kept, `"1"`},
			{"other", other, "/home/personal/x.ics", true, fault.TargetUIDConflict, "", ""},
			{"untouched", untouched, "/home/personal/x.ics", true, "", "", `"2"`},
			{"untouched, not again", untouched, "/home/personal/x.ics", false, fault.TargetUIDConflict, "", ""},
			{"gone", "", "/home/personal/x.ics", true, fault.TargetUIDConflict, "", ""},
			{"garbage", "garbage", "/home/personal/x.ics", true, fault.TargetUIDConflict, "", ""},
		} {
			if c.href != "/home/personal/x.ics" && (dialect == "older" || dialect == "Radicale") {
				continue // those are unique within one calendar only
			}
			t.Run(dialect+"/"+c.name, func(t *testing.T) {
				f := newFake(t, twinServer(c.href, c.stored, answer))
				it := it
				it.Again = c.again
				w, err := f.open(t).Put(t.Context(), it, sinks.Receipt{})
				if c.reason != "" {
					if got := fault.Of(err); err == nil || got.Reason != c.reason || got.Action != fault.FailItem {
						t.Fatalf("%+v, %v", w, err)
					}
					return
				}
				if err != nil || w.Receipt.Location != c.href || w.Receipt.State != c.state || w.Receipt.Version != c.version || (len(w.Losses) > 0) != (c.state == dav.Kept) {
					t.Fatalf("%+v, %v; %s", w, err, f.asked())
				}
				if strings.Contains(f.asked(), "DELETE") {
					t.Error("something was deleted")
				}
			})
		}
	}
}

// twinServer holds one object at href and refuses another of its UID.
func twinServer(href, stored string, refuse http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut && r.URL.Path == href && r.Header.Get("If-Match") == `"1"`:
			w.Header().Set("ETag", `"2"`)
			w.WriteHeader(204)
		case r.Method == http.MethodPut:
			rec := httptest.NewRecorder()
			refuse(rec, r)
			w.WriteHeader(rec.Code)
			_, _ = io.WriteString(w, strings.ReplaceAll(rec.Body.String(), "HREF", href))
		case r.Method == "REPORT" && stored == "":
			w.WriteHeader(207)
			_, _ = io.WriteString(w, `<multistatus xmlns="DAV:"/>`)
		case r.Method == "REPORT":
			w.WriteHeader(207)
			_, _ = fmt.Fprintf(w, `<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><response><href>%s</href><propstat><prop><getetag>"1"</getetag><C:calendar-data>%s</C:calendar-data></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>`, href, dav.Escaped(stored))
		case r.Method == http.MethodGet && r.URL.Path == href && stored != "":
			w.Header().Set("ETag", `"1"`)
			_, _ = io.WriteString(w, stored)
		default:
			w.WriteHeader(404)
		}
	}
}

// TestKept never writes over nor removes what stood on the target for an item.
func TestKept(t *testing.T) {
	it := item("e", 1, 0)
	f := newFake(t, twinServer("/home/personal/x.ics", string(it.Content.Data), say(500, "")))
	s := f.open(t)
	prev := sinks.Receipt{Location: "/home/personal/x.ics", Version: `"1"`, State: dav.Kept}
	if w, err := s.Put(t.Context(), it, prev); err != nil || w.Receipt.State != dav.Kept || len(w.Losses) != 1 {
		t.Errorf("%+v, %v", w, err)
	}
	if _, err := s.Put(t.Context(), changed(it), prev); fault.Of(err).Reason != fault.TargetUIDConflict {
		t.Errorf("changed: %v", err)
	}
	if err := s.Remove(t.Context(), prev); err == nil || fault.Of(err).Reason != fault.TargetConflict {
		t.Errorf("Remove: %v", err)
	}
	if a := f.asked(); strings.Contains(a, "PUT") || strings.Contains(a, "DELETE") {
		t.Error(a)
	}
}

// TestFound removes nothing that somebody else wrote, and has it for its own once a later version was written over it.
func TestFound(t *testing.T) {
	it := item("e", 1, 0)
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"2"`)
		if r.Method == http.MethodGet {
			_, _ = w.Write(it.Content.Data)
		}
	})
	s := f.open(t)
	prev := sinks.Receipt{Location: "/home/personal/x.ics", Version: `"1"`, State: dav.Found}
	if err := s.Remove(t.Context(), prev); err == nil || fault.Of(err).Reason != fault.TargetConflict || strings.Contains(f.asked(), "DELETE") {
		t.Errorf("Remove: %v; %s", err, f.asked())
	}
	if !s.Expect(sinks.Proof{Receipt: prev}).Foreign {
		t.Error("it counts as ours")
	}
	w, err := s.Put(t.Context(), changed(it), prev)
	if err != nil || w.Receipt.State != "" || s.Expect(sinks.Proof{Receipt: w.Receipt}).Foreign {
		t.Errorf("written over: %+v, %v", w, err)
	}
}

// TestForeignHosts sends no password anywhere else, whatever the server says.
func TestForeignHosts(t *testing.T) {
	foreign := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") }))
	defer foreign.Close()
	f := newFake(t, say(307, "", "Location", foreign.URL+"/x.ics"))
	s := f.open(t)
	if _, err := s.Put(t.Context(), item("e", 1, 0), sinks.Receipt{}); fault.Of(err).Reason != fault.TargetBadAnswer {
		t.Error(err)
	}
	for _, href := range []string{foreign.URL + "/x.ics", "//" + strings.TrimPrefix(foreign.URL, "http://") + "/x.ics", "https:" + strings.TrimPrefix(f.URL, "http:")} {
		if err := s.Remove(t.Context(), sinks.Receipt{Location: href, Version: `"1"`}); err == nil {
			t.Errorf("%s was asked", href)
		}
	}
	home := httptest.NewServer(say(301, "", "Location", foreign.URL+"/home/"))
	defer home.Close()
	if _, err := Open(t.Context(), Options{URL: home.URL, User: "u", Password: "p"}); fault.Of(err).Action != fault.FailTask {
		t.Error(err)
	}
}

// TestOpenRedirected follows a redirect on the same server.
func TestOpenRedirected(t *testing.T) {
	f := newFake(t, say(301, "", "Location", "/home/"))
	o := f.options(nil)
	o.URL = f.URL + "/.well-known/caldav"
	s, err := Open(t.Context(), o)
	if err != nil || s.Calendar() != "/home/personal/" {
		t.Fatalf("%v, %v", s, err)
	}
}

func TestOpenFaults(t *testing.T) {
	limit := sabre(`OCA\DAV\Exception`, "Calendar limit reached")
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		action fault.Action
		reason fault.Reason
	}{
		"too many an hour": {say(429, sabre("x", "Too many calendars created")), fault.FailTask, fault.TargetThrottled},
		"too many":         {say(403, limit), fault.FailTask, fault.TargetLimit},
		"not allowed":      {say(403, "<p>no</p>"), fault.FailTask, fault.TargetForbidden},
		"taken":            {say(405, ""), fault.FailTask, fault.TargetConflict},
		"busy":             {say(503, ""), fault.Retry, fault.TargetUnavailable},
	} {
		f := newFake(t, c.answer)
		o := f.options(nil)
		o.Collection = sinks.Collection{ID: "another", Name: "x"}
		_, err := Open(t.Context(), o)
		if got := fault.Of(err); err == nil || got.Action != c.action || got.Reason != c.reason {
			t.Errorf("%s: %v %s: %v", name, got.Action, got.Reason, err)
		}
		if c.reason == fault.TargetThrottled && fault.Of(err).After < time.Hour {
			t.Errorf("%s: parked for %v", name, fault.Of(err).After)
		}
	}
	for _, address := range []string{"", "ftp://example.org/", "http://", "://", "http://127.0.0.1:1/"} {
		if _, err := Open(t.Context(), Options{URL: address}); err == nil {
			t.Errorf("%q was opened", address)
		}
	}
	bad := httptest.NewServer(say(207, `<multistatus xmlns="DAV:"><response><href>/a`))
	defer bad.Close()
	if _, err := Open(t.Context(), Options{URL: bad.URL}); fault.Of(err).Reason != fault.TargetBadAnswer {
		t.Errorf("a listing that ends early: %v", err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := newFake(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	s := f.open(t)
	if _, err := s.Put(ctx, item("e", 1, 0), sinks.Receipt{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
