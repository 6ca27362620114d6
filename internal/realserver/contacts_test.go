package realserver

import (
	"encoding/xml"
	"slices"
	"strings"
	"testing"
)

const (
	card3 = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:three@example.org\r\nFN:Jo Doe\r\nN:Doe;Jo;;;\r\nEMAIL;TYPE=WORK:jo@example.org\r\nEND:VCARD\r\n"
	card4 = "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:4f1d0c3e-0000-4000-8000-000000000004\r\nFN:Ünï Doe\r\nN:Doe;Ünï;;;\r\nKIND:individual\r\n" +
		"TEL;VALUE=uri;TYPE=\"voice,cell\":tel:+49-30-1\r\nEND:VCARD\r\n"
	todo = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example.org//test//EN\r\nBEGIN:VTODO\r\nUID:todo@example.org\r\n" +
		"DTSTAMP:20260101T000000Z\r\nDUE;VALUE=DATE:20260102\r\nSUMMARY:Buy\r\nSTATUS:NEEDS-ACTION\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
	makeBook = `<D:mkcol xmlns:D="DAV:" xmlns:A="urn:ietf:params:xml:ns:carddav"><D:set><D:prop>` +
		`<D:resourcetype><D:collection/><A:addressbook/></D:resourcetype><D:displayname>People</D:displayname></D:prop></D:set></D:mkcol>`
	makeTasks = `<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop><D:displayname>Tasks</D:displayname>` +
		`<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>`
	bookProps = `<D:propfind xmlns:D="DAV:" xmlns:A="urn:ietf:params:xml:ns:carddav"><D:prop><D:resourcetype/><D:displayname/>` +
		`<A:supported-address-data/><A:max-resource-size/></D:prop></D:propfind>`
)

// contactServer is a server and what it does to contacts.
type contactServer struct {
	server   *Server
	versions []string // in supported-address-data; nil when it has none
	maxSize  string   // max-resource-size; empty when it has none
	// reorders: properties and parameters are sorted by their names.
	reorders bool
	// served4 is card4 to a client that asks for no version, asked4 to one that
	// asks for 4.0.
	served4, asked4 string
	twiceCode       int // status of a second card of the same UID
	renewCode       int // status of another UID for a card
	kindCode        int // status of an event in a calendar of to-dos
}

func contactServers(t *testing.T) []contactServer {
	split := strings.Replace(card4, `TYPE="voice,cell"`, "TYPE=voice;TYPE=cell", 1)
	down := strings.NewReplacer("VERSION:4.0", "VERSION:3.0", "KIND:", "x-addressbookserver-kind:").Replace(split)
	ordered := strings.Replace(card4, `VALUE=uri;TYPE="voice,cell"`, `TYPE="voice,cell";VALUE=uri`, 1)
	return []contactServer{
		{Cyrus(t, CyrusOptions{}), []string{"3.0", "4.0"}, "2147483647", false, down, split, 201, 403, 403},
		{Radicale(t, RadicaleOptions{}), nil, "", true, ordered, ordered, 409, 409, 201},
	}
}

func TestContacts(t *testing.T) {
	for _, c := range contactServers(t) {
		t.Run(c.server.Name, func(t *testing.T) {
			u1 := c.server.User(1)
			book := c.server.AddressBooksURL("u1") + "people/"
			wantStatus(t, 201, u1, "MKCOL", book, "text/xml", makeBook)
			checkBook(t, c, u1, book)
			put := func(want int, name, card string) string {
				return wantStatus(t, want, u1, "PUT", book+name, "text/vcard; charset=utf-8", card).Header.Get("ETag")
			}
			etag3, etag4 := put(201, "3.vcf", card3), put(201, "4.vcf", card4)
			lf := strings.Replace(card3, "UID:", "UID:lf-", 1)
			etagLF := put(201, "lf.vcf", strings.ReplaceAll(lf, "\r\n", "\n"))
			for _, served := range []struct{ name, etag, accept, want string }{
				{"3.vcf", etag3, "*/*", card3},
				{"4.vcf", etag4, "*/*", c.served4},
				{"4.vcf", etag4, "text/vcard; version=4.0", c.asked4},
				{"lf.vcf", etagLF, "*/*", lf},
			} {
				response, got := exchange(t, u1, "GET", book+served.name, "", "", map[string]string{"Accept": served.accept})
				if !c.same(got, served.want) {
					t.Errorf("%s is served as\n%s", served.name, got)
				}
				if etag := response.Header.Get("ETag"); etag == "" || etag != served.etag {
					t.Errorf("%s: ETag %q of PUT, %q of GET", served.name, served.etag, etag)
				}
			}
			put(c.renewCode, "4.vcf", card3)
			put(c.twiceCode, "5.vcf", card3)
		})
	}
}

// same says whether the server may serve an object of that text in this way.
func (c contactServer) same(got, want string) bool {
	return got == want || c.reorders && slices.Equal(sorted(got), sorted(want))
}

func checkBook(t *testing.T, c contactServer, account Account, book string) {
	t.Helper()
	var answer struct {
		Prop []struct {
			Book *struct{} `xml:"resourcetype>addressbook"`
			Name string    `xml:"displayname"`
			Data []struct {
				ContentType string `xml:"content-type,attr"`
				Version     string `xml:"version,attr"`
			} `xml:"supported-address-data>address-data-type"`
			MaxSize string `xml:"max-resource-size"`
		} `xml:"response>propstat>prop"`
	}
	_, text := exchange(t, account, "PROPFIND", book, "text/xml", bookProps, nil)
	if err := xml.Unmarshal([]byte(text), &answer); err != nil || len(answer.Prop) == 0 {
		t.Fatalf("%v\n%s", err, text)
	}
	prop := answer.Prop[0]
	var versions []string
	for _, data := range prop.Data {
		if data.ContentType == "text/vcard" {
			versions = append(versions, data.Version)
		}
	}
	if prop.Book == nil || prop.Name != "People" || prop.MaxSize != c.maxSize || !slices.Equal(versions, c.versions) {
		t.Errorf("the address book is\n%s", text)
	}
}

func TestTodos(t *testing.T) {
	for _, c := range contactServers(t) {
		t.Run(c.server.Name, func(t *testing.T) {
			u1 := c.server.User(1)
			tasks := c.server.CalendarsURL("u1") + "tasks/"
			wantStatus(t, 201, u1, "MKCALENDAR", tasks, "text/xml", makeTasks)
			if wantStatus(t, 201, u1, "PUT", tasks+"todo.ics", "text/calendar; charset=utf-8", todo).Header.Get("ETag") == "" {
				t.Error("PUT returns no ETag")
			}
			_, got := exchange(t, u1, "GET", tasks+"todo.ics", "", "", nil)
			if !c.same(got, todo) {
				t.Errorf("the to-do is served as\n%s", got)
			}
			wantStatus(t, c.kindCode, u1, "PUT", tasks+"event.ics", "text/calendar; charset=utf-8", event)
		})
	}
}

func TestContactsTooLarge(t *testing.T) {
	large := strings.Replace(card3, "END:", "NOTE:"+strings.Repeat("x", 3000)+"\r\nEND:", 1)
	tests := []struct {
		server *Server
		want   int
	}{
		{Cyrus(t, CyrusOptions{MaxCard: 1000}), 403},
		{Radicale(t, RadicaleOptions{MaxObject: 1000}), 413},
	}
	for _, test := range tests {
		u1 := test.server.User(1)
		book := test.server.AddressBooksURL("u1") + "people/"
		wantStatus(t, 201, u1, "MKCOL", book, "text/xml", makeBook)
		wantStatus(t, 201, u1, "PUT", book+"small.vcf", "text/vcard", card3)
		response, text := exchange(t, u1, "PUT", book+"large.vcf", "text/vcard", strings.Replace(large, "three", "large", 1), nil)
		if response.StatusCode != test.want || test.want == 403 && !strings.Contains(text, "max-resource-size") {
			t.Errorf("%s: %s\n%s", test.server.Name, response.Status, text)
		}
	}
}

// sorted returns the lines of a text without regard to their order.
func sorted(text string) []string { return slices.Sorted(strings.SplitSeq(text, "\r\n")) }

// TestServersKeepNoGroups: a card for a group of contacts is an object like any other. The server makes none of the categories in cards, and
// the group still names a member that is gone.
func TestServersKeepNoGroups(t *testing.T) {
	const group = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:group@example.org\r\nFN:Choir\r\nN:Choir;;;;\r\nX-ADDRESSBOOKSERVER-KIND:group\r\n" +
		"X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:three@example.org\r\nEND:VCARD\r\n"
	member := strings.Replace(card3, "END:", "CATEGORIES:Choir\r\nEND:", 1)
	for _, c := range contactServers(t) {
		t.Run(c.server.Name, func(t *testing.T) {
			u1 := c.server.User(1)
			book := c.server.AddressBooksURL("u1") + "people/"
			wantStatus(t, 201, u1, "MKCOL", book, "text/xml", makeBook)
			wantStatus(t, 201, u1, "PUT", book+"3.vcf", "text/vcard", member)
			_, text := exchange(t, u1, "PROPFIND", book, "text/xml", bookProps, map[string]string{"Depth": "1"})
			if n := strings.Count(text, ".vcf</"); n != 1 {
				t.Errorf("%d objects after one card with a category\n%s", n, text)
			}
			etag := wantStatus(t, 201, u1, "PUT", book+"group.vcf", "text/vcard", group).Header.Get("ETag")
			if gone, text := exchange(t, u1, "DELETE", book+"3.vcf", "", "", nil); gone.StatusCode/100 != 2 {
				t.Fatalf("DELETE: %s\n%s", gone.Status, text)
			}
			response, got := exchange(t, u1, "GET", book+"group.vcf", "", "", nil)
			if response.Header.Get("ETag") != etag || !c.same(got, group) {
				t.Errorf("the group of a member that is gone is %q, not %q\n%s", response.Header.Get("ETag"), etag, got)
			}
		})
	}
}
