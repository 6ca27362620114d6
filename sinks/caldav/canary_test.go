package caldav

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

func user(s *realserver.Server, i int) Options {
	u := s.User(i)
	return Options{URL: s.CalendarsURL(u.User), User: u.User, Password: u.Password, Collection: sinks.Collection{ID: "c", Primary: true}}
}

// loud lets a request pass without the headers that silence a server.
type loud struct{ http.RoundTripper }

func (l loud) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Del("X-NC-Scheduling")
	r.Header.Del("Schedule-Reply")
	return l.RoundTripper.RoundTrip(r)
}

// TestCanary lets Cyrus schedule. With the sink's ways of silence the guest hears nothing; without them the guest does,
// so that the proof is one.
func TestCanary(t *testing.T) {
	server := realserver.Cyrus(t, realserver.CyrusOptions{Scheduling: true})
	organizer, guest := user(server, 1), user(server, 2)
	if err := Canary(t.Context(), organizer, guest); err != nil {
		t.Fatalf("with silence: %v", err)
	}
	transport := httpx.NewTransport()
	defer transport.CloseIdleConnections()
	organizer.RoundTripper = loud{transport}
	p, err := newCanary(t.Context(), organizer, guest)
	if err != nil || p == nil {
		t.Fatalf("%v, %v", p, err)
	}
	defer p.close()
	p.agent = nil
	err = p.run(t.Context())
	if f := fault.Of(err); err == nil || f.Reason != fault.TargetHeard || f.Action != fault.FailTask {
		t.Fatalf("without silence: %v", err)
	}
	if found, err := p.heard(t.Context()); err != nil || len(found) > 0 {
		t.Errorf("left behind: %q, %v", found, err)
	}
	if left, err := p.sink.store.FindUID(t.Context(), p.sink.store.Path, p.uid); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// TestCanarySweeps leaves canaries behind as killed runs do. The next one removes them, and not the one that somebody changed.
func TestCanarySweeps(t *testing.T) {
	server := realserver.Cyrus(t, realserver.CyrusOptions{Scheduling: true})
	organizer, guest := user(server, 1), user(server, 2)
	var uids []string
	for i := range 2 {
		p, err := newCanary(t.Context(), organizer, guest)
		if err != nil || p == nil {
			t.Fatalf("%v, %v", p, err)
		}
		defer p.close()
		data := p.event(0)
		w, err := p.sink.Put(t.Context(), sinks.Item[sinks.Event]{ID: strings.ToLower(p.uid), Content: sinks.Event{UID: p.uid, Data: data}}, sinks.Receipt{})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			data = []byte(strings.Replace(string(data), "please ignore", "kept", 1))
			if a, err := p.sink.client.Do(t.Context(), http.MethodPut, w.Receipt.Location, nil, data); err != nil || !a.OK() {
				t.Fatalf("%+v, %v", a, err)
			}
		}
		uids = append(uids, p.uid)
	}
	if err := Canary(t.Context(), organizer, guest); err != nil {
		t.Fatal(err)
	}
	p, err := newCanary(t.Context(), organizer, guest)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	left, err := p.sink.store.FindPrefix(t.Context(), p.sink.store.Path, canaryPrefix)
	if err != nil || len(left) != 1 || left[0].UID != uids[0] {
		t.Errorf("left: %+v, %v; of %q the first is somebody's", left, err, uids)
	}
}

// TestCanaryFindsItsCalendar: where a killed run left the calendar that it made for the canary, the next one uses and removes it.
func TestCanaryFindsItsCalendar(t *testing.T) {
	server := realserver.Cyrus(t, realserver.CyrusOptions{Scheduling: true})
	organizer, guest := user(server, 1), user(server, 2)
	c, err := organizer.client()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	own := dav.Canonical(c.Home) + dav.CollectionName(canaryCalendar.ID) + "/"
	if err := c.make(t.Context(), own, canaryCalendar); err != nil {
		t.Fatal(err)
	}
	if err := Canary(t.Context(), organizer, guest); err != nil {
		t.Fatal(err)
	}
	h, err := c.list(t.Context())
	if err != nil || slices.ContainsFunc(h.calendars, func(l listed) bool { return l.path == own }) {
		t.Errorf("%+v, %v", h.calendars, err)
	}
}

// TestCanaryWithoutScheduling writes nothing on a server that tells nobody.
func TestCanaryWithoutScheduling(t *testing.T) {
	server := realserver.Radicale(t, realserver.RadicaleOptions{})
	if err := Canary(t.Context(), user(server, 1), user(server, 2)); err != nil {
		t.Fatal(err)
	}
	c, err := user(server, 1).client()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if h, err := c.list(t.Context()); err != nil || len(h.calendars) > 0 {
		t.Errorf("%+v, %v", h, err)
	}
}

// TestSilentOnCyrus imports events of the organizer with the guest on the same server, changes and removes them, and finds
// nothing at the guest.
func TestSilentOnCyrus(t *testing.T) {
	server := realserver.Cyrus(t, realserver.CyrusOptions{Scheduling: true})
	organizer, guest := user(server, 1), user(server, 2)
	s, err := Open(t.Context(), organizer)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	p, err := newCanary(t.Context(), organizer, guest)
	if err != nil || p == nil {
		t.Fatalf("%v, %v", p, err)
	}
	defer p.close()
	it := item("event1", 1, 0)
	for _, r := range [][2]string{{"mailto:u1@example.org", p.organizerAddress}, {"mailto:u2@example.org", p.guestAddress}, {"20240318", "20290318"}, {"20261231", "20301231"}} {
		it.Content.Data = []byte(strings.ReplaceAll(string(it.Content.Data), r[0], r[1]))
	}
	p.uid = it.Content.UID
	at := sinks.Receipt{}
	for _, next := range []sinks.Item[sinks.Event]{it, changed(it)} {
		w, err := s.Put(t.Context(), next, at)
		if err != nil {
			t.Fatal(err)
		}
		at = w.Receipt
		if found, err := p.heard(t.Context()); err != nil || len(found) > 0 {
			t.Fatalf("heard: %q, %v", found, err)
		}
	}
	if err := s.Remove(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if found, err := p.heard(t.Context()); err != nil || len(found) > 0 {
		t.Fatalf("heard: %q, %v", found, err)
	}
}
