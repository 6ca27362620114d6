package carddav

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
)

// TestVersionIsTheServers: cards are of 4.0 only where a server lists that and not 3.0; in doubt they are of 3.0.
func TestVersionIsTheServers(t *testing.T) {
	listed := func(version string) string {
		return `<C:address-data-type content-type="text/vcard" version="` + version + `"/>`
	}
	none := `<C:supported-address-data/>`
	some := func(types string) string { return "<C:supported-address-data>" + types + "</C:supported-address-data>" }
	for _, c := range []struct {
		name, property string
		four           bool
	}{
		{"no property", "", false}, {"an empty one", none, false}, {"both", some(listed("3.0") + listed("4.0")), false}, {"3.0", some(listed("3.0")), false},
		{"4.0", some(listed("4.0")), true}, {"4.0 and jCard", some(listed("4.0") + `<C:address-data-type content-type="application/vcard+json" version="4.0"/>`), true},
		{"another type", some(`<C:address-data-type content-type="application/vcard+json" version="4.0"/>`), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusMultiStatus)
				_, _ = fmt.Fprintf(w, `<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><D:response><D:href>/u1/contacts/</D:href><D:propstat><D:prop>`+
					`<D:resourcetype><D:collection/><C:addressbook/></D:resourcetype>%s</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>`, c.property)
			}))
			defer server.Close()
			s, err := Open(t.Context(), Options{URL: server.URL + "/u1/", User: "u1", Password: "secret", Collection: sinks.Collection{ID: "main", Primary: true}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			if s.Version4() != c.four {
				t.Errorf("4.0 is %v, want %v", s.Version4(), c.four)
			}
		})
	}
}

// TestVersionOfRealServers is 3.0: Radicale lists nothing, and Cyrus both.
func TestVersionOfRealServers(t *testing.T) {
	for _, server := range []*realserver.Server{realserver.Radicale(t, realserver.RadicaleOptions{}), realserver.Cyrus(t, realserver.CyrusOptions{})} {
		s, err := Open(t.Context(), options(server.AddressBooksURL("u1"), "u1"))
		if err != nil {
			t.Fatal(err)
		}
		if s.Version4() {
			t.Errorf("%s gets cards of 4.0", server.Name)
		}
		_ = s.Close()
	}
}
