package embedded

import (
	"errors"
	"strings"
	"testing"
)

const books = "/addressbooks/alice@example.org/"

var vcf = map[string]string{"Content-Type": "text/vcard; charset=utf-8"}

// card makes a vCard 4.0.
func card(uid, more string) string {
	return crlf("BEGIN:VCARD\nVERSION:4.0\nUID:" + uid + "\nFN:Ünï " + uid + "\n" + more + "END:VCARD")
}

const makePeople = `<D:mkcol xmlns:D="DAV:" xmlns:A="urn:ietf:params:xml:ns:carddav"><D:set><D:prop>
<D:resourcetype><D:collection/><A:addressbook/></D:resourcetype><D:displayname>People &amp; more</D:displayname>
<A:addressbook-description>All of them</A:addressbook-description></D:prop></D:set></D:mkcol>`

var depth0 = map[string]string{"Depth": "0"}

func TestAddressBooks(t *testing.T) {
	dir := t.TempDir()
	s := startCalendar(t, dir)
	wrongKind := strings.ReplaceAll(makePeople, "A:addressbook/", "A:calendar/")
	components := strings.ReplaceAll(makePeople, "<D:displayname>", `<C:supported-calendar-component-set xmlns:C="`+nsCal+`"><C:comp name="VTODO"/></C:supported-calendar-component-set><D:displayname>`)
	calls := []call{
		{method: "PROPFIND", path: books, header: map[string]string{"Depth": "1"}, want: 207, wantBody: books + "contacts/"},
		{method: "MKCALENDAR", path: books + "people/", want: 403, wantBody: "calendar-collection-location-ok"},
		{method: "MKCOL", path: books + "people/", body: wrongKind, want: 403, wantBody: "mkcol-response"},
		{method: "MKCOL", path: books + "people/", body: components, want: 403, wantBody: "mkcol-response"},
		{method: "PROPFIND", path: books + "people/", header: depth0, want: 404},
		{method: "MKCOL", path: books + "people/", body: makePeople, want: 201},
		{method: "MKCOL", path: books + "people/", body: makePeople, want: 405},
		{method: "MKCOL", path: books + "people/sub/", body: makePeople, want: 403, wantBody: "addressbook-collection-location-ok"},
		{method: "MKCOL", path: "/addressbooks/bob/x/", body: makePeople, want: 403},
		{method: "PROPFIND", path: "/addressbooks/nobody/", header: depth0, want: 404},
		{method: "PROPFIND", path: books, header: map[string]string{"Depth": "0", "user": "alice@example.org:wrong"}, want: 401},
		{method: "PROPFIND", path: books + "people/", header: depth0, want: 207, wantBody: "addressbook-multiget"},
		{method: "PROPFIND", path: books + "people/", header: depth0, want: 207, wantBody: `content-type="text/vcard" version="3.0"`},
		{method: "PROPFIND", path: books + "people/", header: depth0, want: 207, wantBody: `content-type="text/vcard" version="4.0"`},
		{method: "PROPFIND", path: books + "people/", header: depth0, want: 207, wantBody: ">10485760</max-resource-size>"},
		{method: "PROPFIND", path: books + "people/", header: depth0, want: 207, wantBody: ">All of them</addressbook-description>"},
		{method: "PROPFIND", path: "/principals/alice@example.org/", header: depth0, want: 207, wantBody: "addressbook-home-set"},
		{method: "PROPPATCH", path: books + "people/", want: 207, wantBody: "403", body: `<D:propertyupdate xmlns:D="DAV:" xmlns:A="urn:ietf:params:xml:ns:carddav"><D:set><D:prop><A:max-resource-size>1</A:max-resource-size></D:prop></D:set></D:propertyupdate>`},
		{method: "DELETE", path: books + "contacts/", want: 204},
	}
	for _, c := range calls {
		c.do(t, s.root)
	}
	_ = s.Close()
	all, err := startCalendar(t, dir).AddressBooks("alice@example.org")
	if err != nil || len(all) != 1 || all[0].Name != "people" || all[0].DisplayName != "People & more" || all[0].Description != "All of them" || all[0].Components != nil {
		t.Errorf("AddressBooks after a restart = %+v, %v", all, err)
	}
}

func TestAddressBookCards(t *testing.T) {
	s := startCalendar(t, t.TempDir())
	const book = books + "contacts/"
	path := func(name string) string {
		return strings.TrimPrefix(s.UserAddressBookURL("alice@example.org"), s.root) + "contacts/" + name
	}
	lf := "BEGIN:VCARD\nVERSION:3.0\nUID:3\nN:Doe;Jo;;;\nFN:Jo Doe\nEND:VCARD\n"
	etag := call{method: "PUT", path: path("a%2Fb.vcf"), header: vcf, body: card("0", ""), want: 404}.do(t, s.root).Header.Get("ETag")
	if etag != "" {
		t.Errorf("ETag %q of what was refused", etag)
	}
	etag = call{method: "PUT", path: path("one%40x.vcf"), header: with(vcf, "If-None-Match", "*"), body: card("1", ""), want: 201}.do(t, s.root).Header.Get("ETag")
	calls := []call{
		{method: "PUT", path: path("one%40x.vcf"), header: with(vcf, "If-None-Match", "*"), body: card("1", ""), want: 412},
		{method: "PUT", path: path("one%40x.vcf"), header: with(vcf, "If-Match", `"x"`), body: card("1", ""), want: 412},
		{method: "PUT", path: path("one%40x.vcf"), header: with(vcf, "If-Match", etag), body: card("1", "item1.EMAIL:a@example.org\n"), want: 204},
		{method: "PUT", path: path("one%40x.vcf"), header: vcf, body: card("2", ""), want: 409, wantBody: "no-uid-conflict"},
		{method: "PUT", path: path("two.vcf"), header: vcf, body: card("1", ""), want: 409, wantBody: ">" + book + "one@x.vcf</href>"},
		{method: "PUT", path: books + "none/two.vcf", header: vcf, body: card("2", ""), want: 409},
		{method: "PUT", path: path("two.vcf"), header: ics, body: card("2", ""), want: 403, wantBody: "supported-address-data"},
		{method: "PUT", path: path("two.vcf"), header: vcf, body: event("2", ""), want: 403, wantBody: "valid-address-data"},
		{method: "PUT", path: path("three.vcf"), header: vcf, body: lf, want: 201},
		{method: "GET", path: path("three.vcf"), want: 200, wantBody: lf},
		{method: "GET", path: path("one@x.vcf"), want: 200, wantBody: "item1.EMAIL:a@example.org\r\n"},
		{method: "PROPFIND", path: path("three.vcf"), header: depth0, want: 207, wantBody: "text/vcard"},
		{method: "GET", path: path("three.vcf"), header: map[string]string{"user": "bob:b"}, want: 403},
		{method: "GET", path: path("three.vcf"), header: map[string]string{"user": Master.Name + ":" + Master.Password}, want: 200},
		{method: "MOVE", path: path("three.vcf"), header: map[string]string{"Destination": s.root + home + "x/x.ics"}, want: 403},
		{method: "DELETE", path: path("three.vcf"), header: map[string]string{"If-Match": `"x"`}, want: 412},
		{method: "DELETE", path: path("three.vcf"), want: 204},
		{method: "GET", path: path("three.vcf"), want: 404},
	}
	for _, c := range calls {
		c.do(t, s.root)
	}
	stored, err := s.AddressBooks("alice@example.org")
	if err != nil || len(stored) != 1 || len(stored[0].Objects) != 1 || stored[0].Objects[0].UID != "1" || stored[0].Objects[0].Name != "one@x.vcf" {
		t.Errorf("AddressBooks = %+v, %v", stored, err)
	}
}

func TestLimitCards(t *testing.T) {
	s := startCalendar(t, t.TempDir())
	small := card("1", "")
	s.LimitCards(len(small))
	large := card("2", "NOTE:x\n")
	for _, c := range []call{
		{method: "PUT", path: books + "contacts/1.vcf", header: vcf, body: small, want: 201},
		{method: "PUT", path: books + "contacts/2.vcf", header: vcf, body: large, want: 403, wantBody: "max-resource-size"},
		{method: "MKCALENDAR", path: home + "work/", want: 201},
		{method: "PUT", path: home + "work/1.ics", header: ics, body: event("1", ""), want: 201},
	} {
		c.do(t, s.root)
	}
	s.LimitCards(maxObject * 2)
	call{method: "PUT", path: books + "contacts/2.vcf", header: vcf, body: large, want: 201}.do(t, s.root)
	call{method: "PROPFIND", path: books + "contacts/", header: depth0, want: 207, wantBody: ">10485760</max-resource-size>"}.do(t, s.root)
}

func TestAddressBookReports(t *testing.T) {
	s := startCalendar(t, t.TempDir())
	for uid, more := range map[string]string{"one": "EMAIL:1@example.org\n", "two": "EMAIL:2@example.com\nNICKNAME:zwo\n"} {
		call{method: "PUT", path: books + "contacts/" + uid + ".vcf", header: vcf, body: card(uid, more), want: 201}.do(t, s.root)
	}
	query := func(test, filters string) string {
		return `<A:addressbook-query xmlns:D="DAV:" xmlns:A="urn:ietf:params:xml:ns:carddav"><D:prop><D:getetag/><A:address-data/></D:prop><A:filter` + test + `>` + filters + `</A:filter></A:addressbook-query>`
	}
	prop := func(name, match, text string) string {
		return `<A:prop-filter name="` + name + `"><A:text-match` + match + `>` + text + `</A:text-match></A:prop-filter>`
	}
	uidOne := prop("UID", ` match-type="equals"`, "ONE")
	multiget := func(data string) string {
		return `<A:addressbook-multiget xmlns:D="DAV:" xmlns:A="urn:ietf:params:xml:ns:carddav"><D:prop><D:getetag/>` + data + `</D:prop>` +
			`<D:href>/addressbooks/alice%40example.org/contacts/two.vcf</D:href><D:href>/addressbooks/alice@example.org/contacts/three.vcf</D:href></A:addressbook-multiget>`
	}
	tests := []struct {
		name, body   string
		want         int
		has, lacking []string
	}{
		{"UID", query("", uidOne), 207, []string{"one.vcf", "FN:Ünï one&#13;\n"}, []string{"two.vcf"}},
		{"any of", query("", uidOne+prop("NICKNAME", "", "w")), 207, []string{"one.vcf", "two.vcf"}, nil},
		{"all of", query(` test="allof"`, uidOne+prop("NICKNAME", "", "w")), 207, nil, []string{".vcf"}},
		{"start", query("", prop("email", ` match-type="starts-with"`, "2@")), 207, []string{"two.vcf"}, []string{"one.vcf"}},
		{"end", query("", prop("EMAIL", ` match-type="ends-with"`, ".org")), 207, []string{"one.vcf"}, []string{"two.vcf"}},
		{"not", query("", prop("NICKNAME", ` negate-condition="yes"`, "drei")), 207, []string{"two.vcf"}, []string{"one.vcf"}},
		{"not defined", query("", `<A:prop-filter name="NICKNAME"><A:is-not-defined/></A:prop-filter>`), 207, []string{"one.vcf"}, []string{"two.vcf"}},
		{"no filter", query("", ""), 207, []string{"one.vcf", "two.vcf"}, nil},
		{"unknown match", query("", prop("UID", ` match-type="sounds-like"`, "one")), 403, []string{"supported-filter"}, nil},
		{"parameters", query("", `<A:prop-filter name="EMAIL"><A:param-filter name="TYPE"/></A:prop-filter>`), 403, []string{"supported-filter"}, nil},
		{"multiget", multiget(`<A:address-data content-type="text/vcard" version="4.0"/>`), 207, []string{"two.vcf", "FN:Ünï two", "three.vcf", "404"}, []string{"one.vcf"}},
		{"other version", multiget(`<A:address-data content-type="text/vcard" version="2.1"/>`), 403, []string{"supported-address-data"}, nil},
		{"a calendar's", `<C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav"/>`, 403, []string{"supported-report"}, nil},
		{"sync", `<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:prop><D:getetag/></D:prop></D:sync-collection>`, 207, []string{"one.vcf", "two.vcf", "sync-token"}, nil},
	}
	for _, test := range tests {
		body := report(t, s, books+"contacts/", test.body, test.want)
		for _, part := range test.has {
			if !strings.Contains(body, part) {
				t.Errorf("%s has no %q:\n%s", test.name, part, body)
			}
		}
		for _, part := range test.lacking {
			if strings.Contains(body, part) {
				t.Errorf("%s has %q:\n%s", test.name, part, body)
			}
		}
	}
}

func TestParseCard(t *testing.T) {
	v3 := func(lines string) string { return "BEGIN:VCARD\nVERSION:3.0\n" + lines + "END:VCARD\n" }
	v4 := func(lines string) string { return "BEGIN:VCARD\nVERSION:4.0\n" + lines + "END:VCARD\n" }
	const invalidData = "valid-address-data"
	tests := []struct {
		name, text string
		want       string // precondition; empty: valid
	}{
		{"3.0", v3("UID:1\nFN:a\nN:a;;;;\n"), ""},
		{"4.0", v4("UID:1\nFN:a\n"), ""},
		{"CRLF", crlf(v4("UID:1\nFN:a\n")), ""},
		{"folded", v4("UID:1\nFN:a\nNOTE:one\n  two\n"), ""},
		{"lower case", strings.ToLower(v4("UID:1\nFN:a\n")), ""},
		{"mixed line ends", strings.Replace(v4("UID:1\nFN:a\n"), "\n", "\r\n", 1), invalidData},
		{"2.1", strings.Replace(v3("UID:1\nFN:a\nN:a\n"), "3.0", "2.1", 1), "supported-address-data"},
		{"no version", "BEGIN:VCARD\nUID:1\nFN:a\nEND:VCARD\n", invalidData},
		{"late version", "BEGIN:VCARD\nUID:1\nVERSION:4.0\nFN:a\nEND:VCARD\n", invalidData},
		{"no UID", v4("FN:a\n"), invalidData},
		{"two UIDs", v4("UID:1\nUID:2\nFN:a\n"), invalidData},
		{"no FN", v4("UID:1\n"), invalidData},
		{"3.0 without N", v3("UID:1\nFN:a\n"), invalidData},
		{"two cards", v4("UID:1\nFN:a\n") + v4("UID:2\nFN:b\n"), invalidData},
		{"card in a card", v4("UID:1\nFN:a\n" + v4("UID:2\nFN:b\n")), invalidData},
		{"not ended", "BEGIN:VCARD\nVERSION:4.0\nUID:1\nFN:a\n", invalidData},
		{"nothing", "", invalidData},
		{"control character", v4("UID:1\nFN:a\x01\n"), invalidData},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseCard(test.text)
			var invalid *invalid
			switch errors.As(err, &invalid); {
			case test.want == "" && (err != nil || got.uid != "1"):
				t.Errorf("%+v, %v", got, err)
			case test.want != "" && (invalid == nil || invalid.precondition != test.want):
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}
