package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
)

// maker puts items into an account, each with a title of its own.
type maker struct {
	tb     testing.TB
	data   *sim.Data
	random *rand.Rand
	events strings.Builder
	made   int
}

// putItems makes an item for each damage, and a third as many that nobody touches. It returns the titles of the former.
func putItems(tb testing.TB, data *sim.Data, plan []damage, random *rand.Rand) (titles []string) {
	tb.Helper()
	m := &maker{tb: tb, data: data, random: random}
	for i, d := range plan {
		titles = append(titles, m.make(d.of))
		if i%3 == 0 {
			m.make(d.of)
		}
	}
	id := value(data.AddCalendar(dora, sim.Calendar{Summary: "Work", TimeZone: "Europe/Berlin"}))(tb)
	m.put(id, m.events.String())
	return titles
}

// make makes one item and returns its title.
func (m *maker) make(of string) string {
	m.tb.Helper()
	m.made++
	title := titleOf(of, m.made)
	switch of {
	case aFile:
		m.file(fmt.Sprintf("damage/%d/%s", m.made%7, title))
	case aFolder:
		m.file("damage/" + title + "/first of " + title)
		m.file("damage/" + title + "/second of " + title)
	case aMessage:
		m.message(title)
	case anEvent:
		m.events.WriteString(m.event(title, ""))
	case aSeries:
		m.events.WriteString(m.series(title))
	case aCalendar:
		id := value(m.data.AddCalendar(dora, sim.Calendar{Summary: title, TimeZone: "Europe/Berlin"}))(m.tb)
		m.put(id, m.event("first of "+title, "")+m.event("second of "+title, ""))
	case aContact:
		m.contact(title)
	case aTask:
		m.task(title)
	}
	return title
}

func titleOf(of string, n int) string { return fmt.Sprintf("%s %05d", of, n) }

// text returns so many letters at random.
func (m *maker) text(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "abcdefghijklmnop"[m.random.IntN(16)]
	}
	return string(b)
}

func (m *maker) file(path string) {
	body := cloudsim.Bytes([]byte(m.text(50 + m.random.IntN(3000))))
	value(m.data.ImportFile(dora, path, body, time.Unix(1_600_000_000+int64(m.made), 0)))(m.tb)
}

// message makes a mail; one in five has no Message-ID.
func (m *maker) message(title string) {
	id := fmt.Sprintf("Message-ID: <%d@example.org>\r\n", m.made)
	if m.made%5 == 0 {
		id = ""
	}
	raw := "From: Dora <dora@example.org>\r\nTo: team@example.org\r\nSubject: " + title + "\r\n" + id +
		"X-Marker: " + m.text(30) + "\r\nDate: Mon, 05 Jan 2026 10:00:00 +0100\r\n\r\n" + m.text(60) + "\r\n" + m.text(20+m.random.IntN(50)) + "\r\n"
	value(m.data.ImportMail(dora, []byte(raw), []string{"INBOX", "Work"}[m.made%2]))(m.tb)
}

func (m *maker) event(title, more string) string {
	return "BEGIN:VEVENT\r\nUID:" + strings.ReplaceAll(title, " ", "-") + "@example.org\r\nDTSTAMP:20260101T000000Z\r\n" +
		"DTSTART;TZID=Europe/Berlin:20300107T100000\r\nDTEND;TZID=Europe/Berlin:20300107T110000\r\nSUMMARY:" + title +
		"\r\nLOCATION:Room " + m.text(5) + "\r\n" + more + "END:VEVENT\r\n"
}

// series makes one with a day left out and another one moved.
func (m *maker) series(title string) string {
	const zone = ";TZID=Europe/Berlin:"
	rules := "RRULE:FREQ=WEEKLY;COUNT=10\r\nEXDATE" + zone + "20300121T100000\r\n"
	moved := strings.ReplaceAll(m.event(title, "RECURRENCE-ID"+zone+"20300114T100000\r\n"), "20300107T1", "20300115T1")
	return m.event(title, rules) + moved
}

func (m *maker) put(calendar, events string) {
	raw := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//test//EN\r\n" + events + "END:VCALENDAR\r\n"
	_, skipped, err := m.data.ImportICS(dora, calendar, []byte(raw))
	must(m.tb, err)
	if len(skipped) > 0 {
		m.tb.Fatal(skipped)
	}
}

func (m *maker) contact(title string) {
	person := map[string]any{
		"names":          []any{map[string]any{"givenName": "contact", "familyName": strings.TrimPrefix(title, "contact ")}},
		"phoneNumbers":   []any{map[string]any{"value": fmt.Sprintf("+49 30 1%05d", m.made), "type": "home"}},
		"emailAddresses": []any{map[string]any{"value": fmt.Sprintf("c%d@example.org", m.made)}},
		"photos":         []any{map[string]any{"url": "generate:2KB"}},
	}
	value(m.data.AddContact(dora, value(json.Marshal(person))(m.tb)))(m.tb)
}

func (m *maker) task(title string) {
	task := map[string]any{"title": title, "notes": "note " + m.text(20), "due": "2030-02-03T00:00:00.000Z"}
	value(m.data.AddTask(dora, "@default", value(json.Marshal(task))(m.tb)))(m.tb)
}
