package e2e

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
)

// untouched demands that all that was there before the job is there as it was: bytes, versions, times, flags, UIDs and properties. What lies
// beside it is another matter.
func (u *undone) untouched(when string) {
	u.t.Helper()
	if u.exactly == nil {
		return
	}
	now := u.lookExactly()
	for _, thing := range slices.Sorted(maps.Keys(u.exactly)) {
		if got, there := now[thing]; !there || got != u.exactly[thing] {
			u.t.Errorf("%s: %s is %q (there: %v), and was %q", when, thing, got, there, u.exactly[thing])
		}
	}
}

// lookExactly reads all that an account holds, with what the servers know of each thing. Of a folder or collection they tell when something
// in it was changed last; that is left out.
func (u *undone) lookExactly() map[string]string {
	u.t.Helper()
	all := map[string]string{}
	for _, home := range []string{u.l.urls.files, u.l.urls.calendar, u.l.urls.contacts} {
		u.properties(u.home(home), all)
	}
	for box, messages := range readMail(u.t, u.l.mail, u.user) {
		for _, m := range messages {
			all[fmt.Sprintf("message %s/%d/%d", box, m.validity, m.uid)] = fmt.Sprintf("%s %q %s", digest(m.body), m.flags, m.date.UTC().Format(time.RFC3339))
		}
	}
	client := dialMail(u.t, u.l.mail, u.user)
	defer func() { _ = client.Close() }()
	for _, box := range value(client.List("", "*", &imap.ListOptions{ReturnSubscribed: true}).Collect())(u.t) {
		subscribed := false
		for _, a := range box.Attrs {
			subscribed = subscribed || a == imap.MailboxAttrSubscribed
		}
		all["mailbox "+box.Mailbox] = fmt.Sprintf("subscribed: %v", subscribed)
	}
	return all
}

const exactProperties = `<propfind xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:R="urn:ietf:params:xml:ns:carddav" xmlns:A="http://apple.com/ns/ical/"><prop>
	<getetag/><getlastmodified/><getcontenttype/><displayname/><A:calendar-color/><A:calendar-order/><C:calendar-description/><R:addressbook-description/>
	<C:calendar-timezone/><C:supported-calendar-component-set/></prop></propfind>`

// ofFolders are the properties of a folder that change with what lies in it.
var ofFolders = regexp.MustCompile(`(?s)<([A-Za-z0-9]+:)?(getetag|getlastmodified)[ >].*?</([A-Za-z0-9]+:)?(getetag|getlastmodified)>`)

// properties reads what lies at an address and beneath it.
func (u *undone) properties(at string, into map[string]string) {
	u.t.Helper()
	var answer struct {
		Responses []struct {
			Href  string `xml:"href"`
			Props []struct {
				Text   string `xml:",innerxml"`
				Status string `xml:"status"`
			} `xml:"propstat"`
		} `xml:"response"`
	}
	must(u.t, xml.Unmarshal(dav(u.t, u.user, "PROPFIND", at, "1", exactProperties), &answer))
	base := value(url.Parse(at))(u.t)
	for _, r := range answer.Responses {
		href := value(base.Parse(r.Href))(u.t)
		where, known := href.String(), ""
		for _, p := range r.Props {
			if strings.Contains(p.Status, " 200 ") {
				known += strings.ReplaceAll(p.Text, `W/"`, `"`) // Apache's are weak within a second of the change (RFC 9110 §8.8.1)
			}
		}
		switch _, seen := into[where]; {
		case seen, strings.TrimSuffix(href.Path, "/") == strings.TrimSuffix(base.Path, "/"):
		case strings.HasSuffix(href.Path, "/"):
			into[where] = ofFolders.ReplaceAllString(known, "")
			u.properties(where, into)
		default:
			into[where] = digest([]byte(fetch(u.t, http.MethodGet, where, u.user, ""))) + known
		}
	}
}

// name gives a collection what its user calls it, and a colour.
func (u *undone) name(at, name, colour string) {
	u.t.Helper()
	u.make("PROPPATCH", at, `<propertyupdate xmlns="DAV:" xmlns:A="http://apple.com/ns/ical/"><set><prop><displayname>`+name+`</displayname><A:calendar-color>`+
		colour+`</A:calendar-color></prop></set></propertyupdate>`)
}

// movedElsewhere returns an event and a card as the job would write them, without what tells that it did.
func movedElsewhere(t *testing.T, l landing, data *sim.Data) map[string]string {
	t.Helper()
	other := newUndone(t, l)
	w := newWorld(t, data, sim.Options{}, l.urls, person{source: dora, target: other.user, kinds: "calendar contacts"})
	w.run(0)
	all, same := map[string]string{}, map[string]string{}
	other.walk(other.home(l.urls.calendar), all)
	other.walk(other.home(l.urls.contacts), all)
	for _, at := range slices.Sorted(maps.Keys(all)) {
		if strings.HasSuffix(at, "/") {
			continue
		}
		body := fetch(t, http.MethodGet, at, other.user, "")
		if strings.Contains(body, "SUMMARY:event 4") || strings.Contains(body, "FN:contact 00004") {
			same["same"+path.Ext(at)] = stamps.ReplaceAllString(body, "")
		}
	}
	if len(same) != 2 {
		t.Fatalf("%d objects were taken from elsewhere, want an event and a card", len(same))
	}
	return same
}

var stamps = regexp.MustCompile(`(?m)^X-REPATRIATE-DIGEST[:;].*\r?\n( .*\r?\n)*`)
