package bench

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources/google"
)

const (
	makeBook = `<D:mkcol xmlns:D="DAV:" xmlns:A="urn:ietf:params:xml:ns:carddav"><D:set><D:prop>` +
		`<D:resourcetype><D:collection/><A:addressbook/></D:resourcetype></D:prop></D:set></D:mkcol>`
	makeTasks = `<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>` +
		`<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>`
)

// contacts are the cards that the migration writes, with their pictures.
func contacts(tb testing.TB, client *google.Client) []object {
	tb.Helper()
	var objects []object
	pictures, size := 0, 0
	for _, content := range contents(tb, google.Contacts(client, "user0001@example.org", "contacts")) {
		contact, _, err := mapping.ContactRules{}.Contact(content)
		if err != nil {
			tb.Fatal(err)
		}
		data := card(tb, contact)
		if len(data) > len(contact.Data) {
			pictures++
		}
		size += len(data)
		objects = append(objects, object{fmt.Sprintf("raw%d.vcf", len(objects)), "text/vcard; charset=utf-8", data})
	}
	if pictures == 0 {
		tb.Fatal("no contact has a picture")
	}
	tb.Logf("%d cards, %d with a picture, %d bytes each", len(objects), pictures, size/len(objects))
	return objects
}

// card is a contact with its picture by RFC 2426 §3.1.4.
func card(tb testing.TB, contact sinks.Contact) []byte {
	tb.Helper()
	if contact.Photo.Open == nil {
		return contact.Data
	}
	r, err := contact.Photo.Open(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	picture, err := io.ReadAll(r)
	if err != nil {
		tb.Fatal(err)
	}
	parsed, err := icalendar.ParseCard(contact.Data)
	if err != nil {
		tb.Fatal(err)
	}
	kind := strings.ToUpper(strings.TrimPrefix(http.DetectContentType(picture), "image/"))
	parsed.Add(icalendar.Raw("PHOTO", base64.StdEncoding.EncodeToString(picture), icalendar.P("ENCODING", "b"), icalendar.P("TYPE", kind)))
	return parsed.Bytes()
}

// tasks are the to-dos that the migration writes.
func tasks(tb testing.TB, client *google.Client) []object {
	tb.Helper()
	lists, err := google.TaskLists(context.Background(), client, "user0001@example.org")
	if err != nil || len(lists) == 0 {
		tb.Fatalf("%d task lists: %v", len(lists), err)
	}
	var objects []object
	for _, list := range lists {
		for _, content := range contents(tb, google.Tasks(client, "user0001@example.org", list.ID)) {
			task, _, err := mapping.TaskRules{}.Task(content)
			if err != nil {
				tb.Fatal(err)
			}
			objects = append(objects, object{fmt.Sprintf("raw%d.ics", len(objects)), "text/calendar; charset=utf-8", task.Data})
		}
	}
	return objects
}

// BenchmarkContactsRadicale moves contacts into a Radicale.
func BenchmarkContactsRadicale(b *testing.B) { benchmarkPeople(b, radicale(b), items(b, 400), 0, 0) }

// BenchmarkContactsRadicaleFar is BenchmarkContactsRadicale with a delay on both sides; the limit is that without.
func BenchmarkContactsRadicaleFar(b *testing.B) {
	benchmarkPeople(b, radicale(b), items(b, 400), 0, delay)
}

// BenchmarkContactsCyrus moves contacts into a Cyrus.
func BenchmarkContactsCyrus(b *testing.B) { benchmarkPeople(b, cyrus(b), items(b, 1500), 0, 0) }

// BenchmarkContactsCyrusFar is BenchmarkContactsCyrus with a delay on both sides; the limit is that without.
func BenchmarkContactsCyrusFar(b *testing.B) {
	benchmarkPeople(b, cyrus(b), items(b, 1500), 0, delay)
}

// BenchmarkPeopleWhole moves contacts and tasks of one user in one pass into a Cyrus.
func BenchmarkPeopleWhole(b *testing.B) {
	benchmarkPeople(b, cyrus(b), items(b, 1000), items(b, 300), 0)
}

// benchmarkPeople moves contacts, and tasks if there are any.
func benchmarkPeople(b *testing.B, server *realserver.Server, people, todos int, far time.Duration) {
	source := startProvider(b, "--contacts", fmt.Sprint(people), "--tasks", fmt.Sprint(todos), "--mail", "0", "--files", "0", "--events", "0",
		"--latency", far.String())
	root := awayURL(b, server.HTTP, far)
	home := func(url string) string { return strings.Replace(url, server.HTTP, root, 1) }
	client := source.client(b)
	cards := contacts(b, client) // which also has the provider draw the pictures: a real one has them
	j, unit := job{kind: "contacts"}, "contacts"
	j.target = fmt.Sprintf("{contacts: {carddav: %q}}", home(server.AddressBooksURL("{user}")))
	var todo []object
	if todos > 0 {
		todo = tasks(b, client)
		j.kind, unit = "contacts+tasks", "items"
		j.target = fmt.Sprintf("{contacts: {carddav: %q}, tasks: {caldav: %q}}", home(server.AddressBooksURL("{user}")), home(server.CalendarsURL("{user}")))
	}
	for b.Loop() {
		s := series{server: server, items: len(cards) + len(todo)}
		for i := range rounds(b) {
			user := server.User(2*i + 1).User
			book, list := server.AddressBooksURL(user)+"raw/", server.CalendarsURL(user)+"raw/"
			collect(b, "MKCOL", book, user, makeBook)
			if todos > 0 {
				collect(b, "MKCALENDAR", list, user, makeTasks)
			}
			objects := append(within(book, cards), within(list, todo)...)
			s.limit(func() float64 { return rawPut(b, "", user, objects, 8, nil) })
			s.migration(source, func() outcome {
				j.user = server.User(2*i + 2).User
				return source.migrate(b, j)
			})
			if got := int(s.best.pass.Written); got != len(objects) {
				b.Fatalf("the migration wrote %d items, the limit's loop %d", got, len(objects))
			}
		}
		s.report(b, unit)
	}
}

// collect makes a collection.
func collect(b *testing.B, method, url, user, body string) {
	b.Helper()
	if err := send(http.DefaultClient, method, url, user, "text/xml; charset=utf-8", strings.NewReader(body)); err != nil {
		b.Fatal(err)
	}
}

// within returns the objects with names in a collection.
func within(collection string, objects []object) []object {
	out := make([]object, len(objects))
	for i, o := range objects {
		out[i] = object{collection + o.name, o.mediaType, o.body}
	}
	return out
}
