package caldav

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

// TestMake makes a calendar with all that is known of it, and finds it again.
func TestMake(t *testing.T) {
	server := startEmbedded(t)
	o := options(server.UserURL("u1"), "u1")
	first, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Close() }()
	o.Collection.Name = "Renamed at the source"
	second, err := Open(t.Context(), o)
	if err != nil || second.Calendar() != first.Calendar() {
		t.Fatalf("%v, %v", second, err)
	}
	defer func() { _ = second.Close() }()
	all, err := server.Calendars("u1")
	if err != nil || len(all) != 1 {
		t.Fatalf("%d calendars, %v", len(all), err)
	}
	got := all[0]
	if got.DisplayName != "Työ & <Work>" || got.Color != "#7986CBFF" || got.Description != "a]]>b" || strings.Join(got.Components, ",") != "VEVENT" ||
		!strings.Contains(got.TimeZone, "TZID:Europe/Berlin") {
		t.Errorf("%+v", got)
	}
}

// TestMakeOnRealServers makes calendars, finds them again, and uses a main calendar where there is one.
func TestMakeOnRealServers(t *testing.T) {
	radicale := realserver.Radicale(t, realserver.RadicaleOptions{})
	cyrus := realserver.Cyrus(t, realserver.CyrusOptions{Scheduling: true})
	for _, s := range []struct {
		server  *realserver.Server
		primary string // of u1, if the server has one
	}{{radicale, ""}, {cyrus, "/dav/calendars/user/u1/Default/"}} {
		o := options(s.server.CalendarsURL("u1"), "u1")
		main := o
		main.Collection = sinks.Collection{ID: "main", Primary: true, Name: "Main"}
		paths := map[string]bool{}
		for range 2 {
			for _, o := range []Options{o, main} {
				sink, err := Open(t.Context(), o)
				if err != nil {
					t.Fatalf("%s: %v", s.server.Name, err)
				}
				paths[sink.Calendar()] = true
				if o.Collection.Primary && s.primary != "" && sink.Calendar() != s.primary {
					t.Errorf("%s: the main calendar is %s", s.server.Name, sink.Calendar())
				}
				_ = sink.Close()
			}
		}
		if len(paths) != 2 {
			t.Errorf("%s: %v", s.server.Name, paths)
		}
		// Another run may have looked just before: what the server says must be enough.
		c, err := o.client()
		if err != nil {
			t.Fatal(err)
		}
		own := dav.Canonical(c.Home) + dav.CollectionName(o.Collection.ID) + "/"
		if err := c.make(t.Context(), own, o.Collection); err != nil {
			t.Errorf("%s: an existing calendar: %v", s.server.Name, err)
		}
		c.Close()
	}
}

// TestAuthorizeAs lets an administrator write for a user. A Cyrus that is no part of a Murder refuses it.
func TestAuthorizeAs(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if user, _, _ := r.BasicAuth(); user != "admin" || r.Header.Get("Authorize-As") != "u3" {
			t.Errorf("%s for %s", user, r.Header.Get("Authorize-As"))
		}
		w.Header().Set("ETag", `"1"`)
		w.WriteHeader(http.StatusCreated)
	})
	o := f.options(nil)
	o.User, o.AuthorizeAs = "admin", "u3"
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), item("e", 1, 0), sinks.Receipt{}); err != nil {
		t.Fatal(err)
	}
	server := realserver.Cyrus(t, realserver.CyrusOptions{})
	o = options(server.CalendarsURL("u3"), server.Master.User)
	o.Password, o.AuthorizeAs = server.Master.Password, "u3"
	if _, err := Open(t.Context(), o); fault.Of(err).Reason != fault.TargetAuth || fault.Of(err).Hint == "" {
		t.Errorf("a single Cyrus: %v", err)
	}
}

// TestMappedObjects puts the objects that the mapping makes into each server and reads them back unchanged in meaning.
func TestMappedObjects(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "mapping", "testdata", "event", "*.ics.txt"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d objects, %v", len(files), err)
	}
	embedded := startEmbedded(t)
	radicale := realserver.Radicale(t, realserver.RadicaleOptions{})
	cyrus := realserver.Cyrus(t, realserver.CyrusOptions{Scheduling: true})
	for name, home := range map[string]string{"embedded": embedded.UserURL("u1"), "radicale": radicale.CalendarsURL("u1"), "cyrus": cyrus.CalendarsURL("u1")} {
		t.Run(name, func(t *testing.T) { putAndReadBack(t, options(home, "u1"), files) })
	}
}

func putAndReadBack(t *testing.T, o Options, files []string) {
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	want := map[string]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut("\n"+string(data), "\nBEGIN:VCALENDAR")
		it := sinks.Item[sinks.Event]{ID: filepath.Base(file), Content: sinks.Event{Data: []byte(strings.ReplaceAll("BEGIN:VCALENDAR"+body, "\n", "\r\n"))}}
		w, err := s.Put(t.Context(), it, sinks.Receipt{})
		if err != nil || len(w.Losses) > 0 {
			t.Errorf("%s: %+v, %v", file, w, err)
			continue
		}
		want[w.Receipt.Location] = file
	}
	for o, err := range s.store.Objects(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if want[o.Receipt.Location] == "" || !o.Untouched || o.Receipt.Version == "" || o.UID == "" {
			t.Errorf("%s at %s: untouched %v, version %q\n%s", want[o.Receipt.Location], o.Receipt.Location, o.Untouched, o.Receipt.Version, o.Data)
		}
		delete(want, o.Receipt.Location)
	}
	if len(want) > 0 {
		t.Errorf("not read back: %v", want)
	}
}
