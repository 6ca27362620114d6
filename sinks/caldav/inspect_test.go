package caldav

import (
	"slices"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/realserver"
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
