package caldav

import (
	"context"
	"iter"
	"strings"

	"codeberg.org/repatriate/repatriate/sinks"
)

// Object is an event as it lies on the target.
type Object struct {
	// Receipt holds where it lies and its version there.
	Receipt sinks.Receipt
	UID     string
	Data    []byte
	// Untouched says that it is as this program wrote it.
	Untouched bool
}

// batch is how many objects are read in one request.
const batch = 50

// Objects yields all objects of the calendar. Memory holds their addresses and one batch of them.
func (s *Sink) Objects(ctx context.Context) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		hrefs, err := s.client.hrefs(ctx, s.calendar)
		if err != nil {
			yield(Object{}, err)
			return
		}
		for len(hrefs) > 0 {
			n := min(batch, len(hrefs))
			objects, err := s.client.multiget(ctx, s.calendar, hrefs[:n])
			if err != nil {
				yield(Object{}, err)
				return
			}
			for _, o := range objects {
				if !yield(o, nil) {
					return
				}
			}
			hrefs = hrefs[n:]
		}
	}
}

// hrefs returns the paths of all objects in a collection.
func (c *client) hrefs(ctx context.Context, collection string) ([]string, error) {
	var list []string
	body := `<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>`
	err := c.multistatus(ctx, "PROPFIND", collection, "1", body, func(r response) error {
		if path, err := c.path(r.Href); err == nil && path != collection && path+"/" != collection && !strings.HasSuffix(path, "/") {
			list = append(list, path)
		}
		return nil
	})
	return list, err
}

// multiget reads objects (RFC 4791 §7.9).
func (c *client) multiget(ctx context.Context, collection string, hrefs []string) ([]Object, error) {
	var b strings.Builder
	b.WriteString(`<C:calendar-multiget xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><getetag/><C:calendar-data/></prop>`)
	for _, h := range hrefs {
		b.WriteString("<href>" + escaped(h) + "</href>")
	}
	b.WriteString("</C:calendar-multiget>")
	var objects []Object
	err := c.multistatus(ctx, "REPORT", collection, "0", b.String(), func(r response) error {
		if o, ok := c.objectOf(r); ok {
			objects = append(objects, o)
		}
		return nil
	})
	return objects, err
}

func (c *client) objectOf(r response) (Object, bool) {
	p := r.found()
	path, err := c.path(r.Href)
	if err != nil || p.Data == "" {
		return Object{}, false
	}
	o := Object{Receipt: sinks.Receipt{Location: path, Version: strings.TrimPrefix(strings.TrimSpace(p.ETag), "W/")}, Data: []byte(p.Data)}
	if read, err := readObject(o.Data); err == nil {
		o.UID, o.Untouched = read.uid, read.untouched()
	}
	return o, true
}

// findUID returns the paths of the events of a UID in a collection (RFC 4791 §7.8). Servers match parts of a UID.
func (c *client) findUID(ctx context.Context, collection, uid string) ([]string, error) {
	body := `<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><getetag/><C:calendar-data/></prop>` +
		`<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="UID"><C:text-match collation="i;octet">` +
		escaped(uid) + `</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`
	var paths []string
	err := c.multistatus(ctx, "REPORT", collection, "1", body, func(r response) error {
		if o, ok := c.objectOf(r); ok && o.UID == uid {
			paths = append(paths, o.Receipt.Location)
		}
		return nil
	})
	return paths, err
}
