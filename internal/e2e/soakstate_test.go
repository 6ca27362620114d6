package e2e

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"
)

// things are what lies on the targets of an account: for each thing, how often it is there.
type things map[string]int

func (s things) add(format string, args ...any) { s[fmt.Sprintf(format, args...)]++ }

// readThings reads all that an account holds on the servers, past the sinks.
func readThings(t *testing.T, s *servers, user string) things {
	t.Helper()
	out := things{}
	for name, is := range readFiles(t, s.files.FilesURL(user), user) {
		out.add("file %s: %s", name, is)
	}
	for box, messages := range readMail(t, s.mail.IMAP, user) {
		for _, m := range messages {
			out.add("message in %s: %s, %v, %s", box, digest(m.body), m.flags, m.date.UTC().Format(time.RFC3339))
		}
	}
	home := s.calendar.CalendarsURL(user) // Radicale's holds address books and lists of tasks too
	for _, c := range readHome(t, home, user) {
		out.add("collection %s: %s", c.name, c.properties)
		for _, object := range hrefs(t, c.at, user) {
			out.add("object in %s: %s\n%s", c.name, path.Base(object), unsalted([]byte(fetch(t, http.MethodGet, object, user, ""))))
		}
	}
	return out
}

// collection is a calendar, an address book or a list of tasks.
type collection struct{ at, name, properties string }

func readHome(t *testing.T, home, user string) (list []collection) {
	t.Helper()
	const query = `<propfind xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="http://apple.com/ns/ical/"><prop>
		<resourcetype/><displayname/><C:supported-calendar-component-set/><C:calendar-description/><C:calendar-timezone/><A:calendar-color/></prop></propfind>`
	var listed struct {
		Responses []struct {
			Href  string `xml:"href"`
			Props []struct {
				Text string `xml:",innerxml"`
			} `xml:"propstat"`
		} `xml:"response"`
	}
	must(t, xml.Unmarshal(dav(t, user, "PROPFIND", home, "1", query), &listed))
	base := value(url.Parse(home))(t)
	for _, r := range listed.Responses {
		at := value(base.Parse(r.Href))(t)
		if strings.Trim(at.Path, "/") == strings.Trim(base.Path, "/") {
			continue
		}
		c := collection{at: at.String(), name: strings.Trim(strings.TrimPrefix(at.Path, base.Path), "/")}
		for _, p := range r.Props {
			c.properties += p.Text
		}
		list = append(list, c)
	}
	return list
}

// differences lists what one state has and the other has not, and counts what is lost and what is there too often.
func differences(got, want things) (lines []string, lost, surplus int) {
	for thing, n := range want {
		if d := n - got[thing]; d > 0 {
			lost += d
			lines = append(lines, fmt.Sprintf("missing (%d, not %d): %.3000s", got[thing], n, thing))
		}
	}
	for thing, n := range got {
		if d := n - want[thing]; d > 0 {
			surplus += d
			lines = append(lines, fmt.Sprintf("too much (%d, not %d): %.3000s", n, want[thing], thing))
		}
	}
	return lines, lost, surplus
}
