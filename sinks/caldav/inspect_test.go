package caldav

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/internal/recur"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

// TestKeptIsForeign an event that lay on the target before stands for the item until somebody changes when it is or what it is called.
func TestKeptIsForeign(t *testing.T) {
	server := startEmbedded(t)
	o := options(server.UserURL("u1"), "u1")
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	w, it := witness{o: o}, item("kept", 1, 0)
	at := s.Calendar() + "imported.ics"
	if _, status := w.plain(t, "PUT", at, []byte(replaced(t, string(it.Content.Data), "DESCRIPTION:", "DESCRIPTION:Mine, "))); status/100 != 2 {
		t.Fatal(status)
	}
	written, err := s.Put(t.Context(), it, sinks.Receipt{})
	p := sinks.Proof{Receipt: written.Receipt, Digest: written.Digest}
	if err != nil || p.Receipt.State != dav.Kept || p.Receipt.Location != at || !s.Expect(p).Foreign {
		t.Fatalf("%+v, %v", written, err)
	}
	for _, c := range []struct {
		old, changed string
		want         sinks.Verdict
	}{{"", "", sinks.Same}, {"DESCRIPTION:Mine", "DESCRIPTION:Ours", sinks.Same}, {"SUMMARY:Event", "SUMMARY:Our event", sinks.Touched}} {
		if c.old != "" {
			w.client().Edit(t, at, c.old, c.changed)
		}
		for object, err := range s.List(t.Context(), "") {
			if v := s.Compare(object, p); err != nil || object.Location != at || v != c.want {
				t.Errorf("%q: %+v is %v, %v", c.changed, object, v, err)
			}
		}
	}
}

// TestClear removes the calendar under the name that its user knows, and opening it to read does not make it again.
func TestClear(t *testing.T) {
	embedded := startEmbedded(t)
	radicale := realserver.Radicale(t, realserver.RadicaleOptions{})
	cyrus := realserver.Cyrus(t, realserver.CyrusOptions{Accounts: realserver.Accounts{Count: 2}})
	for name, o := range map[string]Options{
		"embedded": options(embedded.UserURL("u1"), "u1"),
		"Radicale": options(radicale.CalendarsURL("u1"), "u1"),
		"Cyrus":    options(cyrus.CalendarsURL(cyrus.User(1).User), cyrus.User(1).User),
	} {
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		if names, err := s.Clear(t.Context(), nil); err != nil || !slices.Equal(names, []string{o.Collection.Name}) {
			t.Errorf("%s: cleared %q, %v", name, names, err)
		}
		reader, err := At(o, s.Calendar())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = reader.Close() }()
		for object, err := range reader.List(t.Context(), "") {
			t.Errorf("%s: %+v, %v", name, object, err)
		}
		if names, err := reader.Clear(t.Context(), nil); err != nil || len(names) > 0 {
			t.Errorf("%s: cleared %q, %v", name, names, err)
		}
	}
}

// rewriter stands for a server that stores another text than it was given.
type rewriter struct{ old, changed string }

func (r rewriter) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodPut {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		text := strings.ReplaceAll(string(body), r.old, r.changed)
		req.Body, req.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	}
	return http.DefaultTransport.RoundTrip(req)
}

// TestMistimed finds events that do not take place when their source says, though the server holds what it was given as far as a
// comparison of properties shows.
func TestMistimed(t *testing.T) {
	server := startEmbedded(t)
	data := item("x", 1, 0).Content.Data
	times := recur.Object(data)
	if times == "" {
		t.Fatalf("the times cannot be told of\n%s", data)
	}
	for i, c := range []struct {
		name, times string
		server      rewriter
		want        sinks.Verdict
	}{
		{"as described", times, rewriter{}, sinks.Same},
		{"a zone that the server rewrote", times, rewriter{"TZOFFSETTO:+0200", "TZOFFSETTO:+0300"}, sinks.Mistimed},
		{"a zone that the server renamed", times, rewriter{"Europe/Berlin", "Europe/Vienna"}, sinks.Same},
		{"a mapping that erred", times[1:] + "0", rewriter{}, sinks.Mistimed},
		{"times that nobody told", "", rewriter{"TZOFFSETTO:+0200", "TZOFFSETTO:+0300"}, sinks.Same},
	} {
		o := options(server.UserURL("u1"), "u1")
		o.RoundTripper, o.Collection = c.server, sinks.Collection{ID: c.name, Name: c.name, Components: []string{"VEVENT"}}
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		it := item(fmt.Sprint("timed", i), 1, 0)
		it.Content.Times = c.times
		written, err := s.Put(t.Context(), it, sinks.Receipt{})
		if err != nil {
			t.Fatal(err)
		}
		for object, err := range s.List(t.Context(), "") {
			if v := s.Compare(object, sinks.Proof{Receipt: written.Receipt, Digest: written.Digest}); err != nil || v != c.want {
				t.Errorf("%s: %v, %v; want %v", c.name, v, err, c.want)
			}
		}
	}
}
