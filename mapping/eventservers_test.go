package mapping

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/embedded"
	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/caldav"
	"codeberg.org/repatriate/repatriate/sources"
)

// TestSeriesOnServers writes a sample of the generated series to each server and reads them back: what the server holds takes place at the
// same instants, as our own tests and as python's libraries expand it, and means the same to the sink. REPATRIATE_SERIES_SERVERS asks for
// another number of series.
func TestSeriesOnServers(t *testing.T) {
	objects := generatedObjects(t, seriesCount(t, "REPATRIATE_SERIES_SERVERS", 240))
	want := expandAll(t, texts(objects))
	compareWithPython(t, "the mapping", objects, texts(objects), want)
	for _, server := range calendarServers(t) {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			stored := throughServer(t, server.o, objects)
			for i, got := range expandAll(t, stored) {
				if !slices.Equal(got, want[i]) {
					t.Errorf("%s: the server's has %d instances, not %d: %s\n%s\n%s", objects[i].UID, len(got), len(want[i]), firstDifference(got, want[i]), objects[i].Data, stored[i])
				}
			}
			compareWithPython(t, server.name, objects, stored, want)
		})
	}
}

func expandAll(t *testing.T, objects []string) (all [][]instance) {
	t.Helper()
	for _, o := range objects {
		all = append(all, expandTarget(t, []byte(o)))
	}
	return all
}

// TestObjectsOnServers does as TestSeriesOnServers with the golden objects and the shared calendars.
func TestObjectsOnServers(t *testing.T) {
	objects := append(goldenEvents(t), sharedObjects(t)...)
	for _, server := range calendarServers(t) {
		t.Run(server.name, func(t *testing.T) { throughServer(t, server.o, objects) })
	}
}

func goldenEvents(t *testing.T) (objects []sinks.Event) {
	names, texts := goldenObjects(t)
	for i, text := range texts {
		uid := names[i] + "@example.org"
		objects = append(objects, withUID(t, text, uid))
	}
	return objects
}

// withUID returns an object with a UID that no other has.
func withUID(t *testing.T, text, uid string) sinks.Event {
	t.Helper()
	c, err := icalendar.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range c.Children("VEVENT") {
		for i, p := range e.Properties {
			if p.Name == "UID" {
				e.Properties[i] = icalendar.Text("UID", uid)
			}
		}
	}
	return sinks.Event{UID: uid, Data: c.Bytes()}
}

// sharedObjects maps some events of each of the shared calendars, if those are there.
func sharedObjects(t *testing.T) (objects []sinks.Event) {
	const mostOfOne = 1
	files, _ := filepath.Glob(filepath.Join("..", "..", "shared", "data", "ical", "*.ics"))
	for n, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		calendars, err := icalendar.ParseAll(data)
		if err != nil {
			continue
		}
		events := importEvents(calendars)
		for i, e := range events[:min(mostOfOne, len(events))] {
			e.UID = fmt.Sprintf("shared-%d-%d@example.org", n, i)
			out, _, err := EventRules{Zone: "Europe/Berlin", ZoneName: windowsZone}.Event(e)
			// No provider has other calendars than the Gregorian one in a rule (RFC 7529), and Radicale refuses them.
			if err == nil && !strings.Contains(string(out.Data), "RSCALE=") {
				objects = append(objects, out)
			}
		}
	}
	return objects
}

// generatedObjects maps the first n of the generated series that can be compared, each with a UID of its own.
func generatedObjects(t *testing.T, n int) (objects []sinks.Event) {
	t.Helper()
	for i := 0; len(objects) < n; i++ {
		s, ok := newSeries(t, i)
		if !ok {
			continue
		}
		var e sources.Event
		if i%2 == 0 {
			e = s.google(t)
		} else {
			var why string
			if e, _, why = s.graph(t, s.recurrence(s.start)); why != "" {
				continue
			}
		}
		e.UID = fmt.Sprintf("series-%d@example.org", i)
		out, _, err := EventRules{}.Event(e)
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, out)
	}
	return objects
}

func texts(objects []sinks.Event) (list []string) {
	for _, o := range objects {
		list = append(list, string(o.Data))
	}
	return list
}

// compareWithPython compares what python understands of objects, as they lie somewhere, with when they are to take place.
func compareWithPython(t *testing.T, where string, objects []sinks.Event, as []string, want [][]instance) {
	t.Helper()
	for i, r := range readInPython(t, as) {
		if r.UID != objects[i].UID {
			t.Errorf("%s: python read the UID %q of %s", where, r.UID, objects[i].UID)
		}
		wantStarts(t, where+": "+objects[i].UID, r.Starts, starts(want[i]))
	}
}

// calendarServer is one to which objects are written.
type calendarServer struct {
	name string
	o    caldav.Options
}

func calendarServers(t *testing.T) []calendarServer {
	t.Helper()
	own, err := embedded.StartCalendar(t.TempDir(), []embedded.User{{Name: "u1", Password: "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = own.Close() })
	radicale := realserver.Radicale(t, realserver.RadicaleOptions{})
	cyrus := realserver.Cyrus(t, realserver.CyrusOptions{Scheduling: true, Accounts: realserver.Accounts{Count: 1}})
	options := func(home, user string) caldav.Options {
		return caldav.Options{URL: home, User: user, Password: "secret", Collection: sinks.Collection{ID: "series", Name: "Series", Components: []string{"VEVENT"}}}
	}
	return []calendarServer{
		{"embedded", options(own.UserURL("u1"), "u1")},
		{"Radicale", options(radicale.CalendarsURL("u1"), "u1")},
		{"Cyrus", options(cyrus.CalendarsURL(cyrus.User(1).User), cyrus.User(1).User)},
	}
}

// throughServer writes objects with the sink, demands that each means the same there, and returns what the server answers to a client of
// its own.
func throughServer(t *testing.T, o caldav.Options, objects []sinks.Event) []string {
	t.Helper()
	sink, err := caldav.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sink.Close() }()
	written := make([]sinks.Written, len(objects))
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			for i := worker; i < len(objects); i += 4 {
				w, err := sink.Put(t.Context(), sinks.Item[sinks.Event]{ID: objects[i].UID, Content: objects[i]}, sinks.Receipt{})
				if err != nil || len(w.Losses) > 0 {
					t.Errorf("%s: %v, %v\n%s", objects[i].UID, w.Losses, err, objects[i].Data)
				}
				written[i] = w
			}
		})
	}
	wait.Wait()
	wantSame(t, sink, written)
	stored := make([]string, len(objects))
	for i, w := range written {
		stored[i] = download(t, o, w.Receipt.Location)
	}
	return stored
}

// wantSame demands that all lie there as they were written.
func wantSame(t *testing.T, sink *caldav.Sink, written []sinks.Written) {
	t.Helper()
	found := map[string]sinks.Object{}
	for o, err := range sink.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		found[o.Location] = o
	}
	if len(found) != len(written) {
		t.Fatalf("%d objects on the server, want %d", len(found), len(written))
	}
	for _, w := range written {
		if v := sink.Compare(found[w.Receipt.Location], sinks.Proof{Receipt: w.Receipt, Digest: w.Digest}); v != sinks.Same {
			t.Errorf("%s is %v", w.Receipt.Location, v)
		}
	}
}

func download(t *testing.T, o caldav.Options, location string) string {
	t.Helper()
	base, err := url.Parse(o.URL)
	if err != nil {
		t.Fatal(err)
	}
	at, err := base.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(o.User, o.Password)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), "BEGIN:VCALENDAR") {
		t.Fatalf("%s: HTTP %d, %v", location, res.StatusCode, err)
	}
	return string(body)
}
