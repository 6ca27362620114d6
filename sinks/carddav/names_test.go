package carddav

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
)

// TestNamesOfGroupsStayWhole on every server and in both versions of vCards, whichever one a client asks for.
func TestNamesOfGroupsStayWhole(t *testing.T) {
	want := []string{"Family, close", "Work", `back\slash`}
	embedded := startEmbedded(t)
	radicale := realserver.Radicale(t, realserver.RadicaleOptions{})
	cyrus := realserver.Cyrus(t, realserver.CyrusOptions{Accounts: realserver.Accounts{Count: 1}})
	for _, server := range []struct {
		name string
		o    Options
	}{
		{"embedded", options(embedded.UserAddressBookURL("u1"), "u1")},
		{"Radicale", options(radicale.AddressBooksURL("u1"), "u1")},
		{"Cyrus", options(cyrus.AddressBooksURL(cyrus.User(1).User), cyrus.User(1).User)},
	} {
		t.Run(server.name, func(t *testing.T) {
			s, err := Open(t.Context(), server.o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			for _, version := range []string{"3.0", "4.0"} {
				c := icalendar.New("VCARD")
				c.Add(icalendar.Raw("VERSION", version), icalendar.Text("UID", "names-"+version), icalendar.Text("FN", "x"),
					icalendar.Structured("N", []string{"x", "", "", "", ""}), icalendar.TextList("CATEGORIES", want))
				w, err := s.Put(t.Context(), sinks.Item[sinks.Contact]{ID: "names-" + version, Content: sinks.Contact{Data: c.Bytes()}}, sinks.Receipt{})
				if err != nil || len(w.Losses) > 0 {
					t.Fatalf("%s: %v, %v", version, w.Losses, err)
				}
				for _, read := range []string{"3.0", "4.0"} {
					if got := namesOn(t, s, w.Receipt.Location, read); !slices.Equal(got, want) {
						t.Errorf("a card of %s, read as one of %s, has %q", version, read, got)
					}
				}
			}
		})
	}
}

// namesOn are the categories of a card by the letter of the RFC, in order.
func namesOn(t *testing.T, s *Sink, href, version string) (names []string) {
	t.Helper()
	answer, err := s.client.Do(t.Context(), http.MethodGet, href, http.Header{"Accept": {"text/vcard; version=" + version}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	card, err := icalendar.ParseCard(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range card.All("CATEGORIES") {
		for _, escaped := range p.List() {
			names = append(names, strings.TrimSpace(icalendar.UnescapeText(escaped)))
		}
	}
	slices.Sort(names)
	return names
}
