package e2e

import (
	"encoding/xml"
	"net/url"
	"path"
	"testing"
)

const calendarsQuery = `<propfind xmlns="DAV:"><prop><resourcetype/><displayname/></prop></propfind>`

const objectsQuery = `<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><C:calendar-data/></prop>` +
	`<C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`

// readCalendars returns the objects of all calendars in a home: bodies by the object's name, by the calendar's name.
func readCalendars(tb testing.TB, home, user string) map[string]map[string][]byte {
	tb.Helper()
	base, err := url.Parse(home)
	must(tb, err)
	var listed multistatus
	if err := xml.Unmarshal(dav(tb, user, "PROPFIND", home, "1", calendarsQuery), &listed); err != nil {
		tb.Errorf("list the calendars: %v", err)
	}
	out := make(map[string]map[string][]byte)
	for _, r := range listed.Responses {
		if len(r.Props) == 0 || r.Props[0].Prop.Type.Calendar == nil {
			continue
		}
		at, err := base.Parse(r.Href)
		must(tb, err)
		name := r.Props[0].Prop.DisplayName
		if _, twice := out[name]; twice {
			tb.Errorf("two calendars are called %q", name)
		}
		out[name] = readObjects(tb, at, user)
	}
	return out
}

func readObjects(tb testing.TB, calendar *url.URL, user string) map[string][]byte {
	tb.Helper()
	var listed multistatus
	if err := xml.Unmarshal(dav(tb, user, "REPORT", calendar.String(), "1", objectsQuery), &listed); err != nil {
		tb.Errorf("list the objects: %v", err)
	}
	out := make(map[string][]byte)
	for _, r := range listed.Responses {
		if len(r.Props) == 0 {
			continue
		}
		out[path.Base(r.Href)] = []byte(r.Props[0].Prop.CalendarData)
	}
	return out
}

func calendarState(calendars map[string]map[string][]byte) map[string]map[string]string {
	out := make(map[string]map[string]string)
	for name, objects := range calendars {
		out[name] = make(map[string]string)
		for object, body := range objects {
			out[name][object] = digest(unsalted(body))
		}
	}
	return out
}
