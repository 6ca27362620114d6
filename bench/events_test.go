package bench

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sources/google"
)

// events are the calendar objects that the migration writes, so that the limit's loop writes the same.
func events(tb testing.TB, n int) []object {
	tb.Helper()
	client := simulated(tb, organisation.Spec{Users: 1, Events: n, Seed: 1})
	collections, err := google.Calendars(context.Background(), client, "user0001@example.org")
	if err != nil || len(collections) == 0 {
		tb.Fatalf("%d calendars: %v", len(collections), err)
	}
	var objects []object
	for _, content := range contents(tb, google.Calendar(client, "user0001@example.org", collections[0].ID)) {
		event, _, err := mapping.EventRules{}.Event(content)
		if err != nil {
			tb.Fatal(err)
		}
		objects = append(objects, object{fmt.Sprintf("raw%d.ics", len(objects)), "text/calendar; charset=utf-8", event.Data})
	}
	return objects
}

// BenchmarkEventsRadicale moves events into a Radicale.
func BenchmarkEventsRadicale(b *testing.B) { benchmarkEvents(b, radicale(b), items(b, 400), 0) }

// BenchmarkEventsRadicaleFar is BenchmarkEventsRadicale with a delay on both sides; the limit is that without.
func BenchmarkEventsRadicaleFar(b *testing.B) { benchmarkEvents(b, radicale(b), items(b, 400), delay) }

// BenchmarkEventsCyrus moves events into a Cyrus.
func BenchmarkEventsCyrus(b *testing.B) { benchmarkEvents(b, cyrus(b), items(b, 1500), 0) }

// BenchmarkEventsCyrusFar is BenchmarkEventsCyrus with a delay on both sides; the limit is that without.
func BenchmarkEventsCyrusFar(b *testing.B) { benchmarkEvents(b, cyrus(b), items(b, 1500), delay) }

func radicale(b *testing.B) *realserver.Server {
	return realserver.Radicale(b, realserver.RadicaleOptions{Accounts: realserver.Accounts{Count: 40}})
}

func cyrus(b *testing.B) *realserver.Server {
	return realserver.Cyrus(b, realserver.CyrusOptions{Accounts: realserver.Accounts{Count: 40}})
}

func benchmarkEvents(b *testing.B, server *realserver.Server, n int, far time.Duration) {
	source := startProvider(b, "--events", fmt.Sprint(n), "--mail", "0", "--files", "0", "--latency", far.String())
	root := awayURL(b, server.HTTP, far)
	objects := events(b, n)
	for b.Loop() {
		s := series{server: server, items: len(objects)}
		for i := range rounds(b) {
			user := server.User(2*i + 1).User
			collection := server.CalendarsURL(user) + "raw/"
			if err := send(http.DefaultClient, "MKCALENDAR", collection, user, "", nil); err != nil {
				b.Fatal(err)
			}
			s.limit(func() float64 { return rawPut(b, collection, user, objects, 8, nil) })
			s.migration(source, func() outcome {
				home := strings.Replace(server.CalendarsURL("{user}"), server.HTTP, root, 1)
				return source.migrate(b, job{kind: "calendar", target: fmt.Sprintf("{calendar: {caldav: %q}}", home), user: server.User(2*i + 2).User})
			})
		}
		s.report(b, "events")
	}
}
