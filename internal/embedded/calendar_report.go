package embedded

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
)

// report answers REPORT: query and multiget (RFC 4791 §7.8, §7.9; RFC 6352 §8.6,
// §8.7) and sync-collection (RFC 6578).
func (s *Calendar) report(w http.ResponseWriter, r *http.Request, p place) {
	request, err := readXML(r)
	c := s.collectionAt(p)
	switch {
	case err != nil || request == nil:
		http.Error(w, "not a report", http.StatusBadRequest)
	case c == nil || p.object != "":
		http.NotFound(w, r)
	case !c.offers(request.child(nsDAV, "prop").child(c.flavour.space, c.flavour.data)):
		refuse(w, http.StatusForbidden, c.flavour.space, c.flavour.supportedData(), "")
	case request.is(c.flavour.space, c.flavour.collection+"-query"):
		s.query(w, c, request)
	case request.is(c.flavour.space, c.flavour.collection+"-multiget"):
		s.multiget(w, c, request)
	case request.is(nsDAV, "sync-collection"):
		s.syncCollection(w, c, request)
	default:
		refuse(w, http.StatusForbidden, nsDAV, "supported-report", "")
	}
}

// offers says whether objects may be had in the type that the request's element
// of the data names. The type of an object is never changed: it comes as it is
// stored, whichever of the offered versions was asked for.
func (c *collection) offers(data *node) bool {
	if data == nil {
		return true
	}
	contentType, version := data.attr("content-type"), data.attr("version")
	return (contentType == "" || contentType == c.flavour.contentType) && (version == "" || slices.Contains(c.flavour.versions, version))
}

func (c *collection) names() []string { return slices.Sorted(maps.Keys(c.objects)) }

// response writes the DAV:response of an object, with its data if that is asked
// for.
func (c *collection) response(name string, names []xml.Name) string {
	o := c.objects[name]
	if o == nil {
		return gone(c.path() + name)
	}
	props := objectProps(c, o)
	if slices.Contains(names, xml.Name{Space: c.flavour.space, Local: c.flavour.data}) {
		body, err := os.ReadFile(c.file(name))
		if err != nil {
			return gone(c.path() + name)
		}
		// An XML parser would turn CRLF into LF, but leaves character references alone.
		props.set(c.flavour.space, c.flavour.data, strings.ReplaceAll(escape(string(body)), "\r", "&#13;"))
	}
	return props.response(c.path()+name, names)
}

func (s *Calendar) query(w http.ResponseWriter, c *collection, request *node) {
	filter := request.child(c.flavour.space, "filter")
	var text strings.Builder
	for _, name := range c.names() {
		matches, err := c.matches(name, filter)
		if err != nil {
			refuse(w, http.StatusForbidden, c.flavour.space, "supported-filter", escape(err.Error()))
			return
		}
		if matches {
			text.WriteString(c.response(name, asked(request)))
		}
	}
	multistatus(w, text.String())
}

// matches evaluates a filter; no filter lets everything pass.
func (c *collection) matches(name string, filter *node) (bool, error) {
	body, err := os.ReadFile(c.file(name))
	if err != nil {
		return false, err
	}
	p, err := c.flavour.parse(string(body))
	if err != nil || filter == nil {
		return err == nil, err
	}
	return c.flavour.matches(p.root, filter)
}

func (s *Calendar) multiget(w http.ResponseWriter, c *collection, request *node) {
	var text strings.Builder
	for _, href := range request.named(nsDAV, "href") {
		u, err := url.Parse(strings.TrimSpace(href.Text))
		if err != nil {
			http.Error(w, "not an href", http.StatusBadRequest)
			return
		}
		name, inside := strings.CutPrefix(u.Path, c.path())
		if !inside || c.objects[name] == nil {
			text.WriteString(gone(u.Path))
			continue
		}
		text.WriteString(c.response(name, asked(request)))
	}
	multistatus(w, text.String())
}

// syncToken names the collection's present state. It ends with the server.
func (s *Calendar) syncToken(c *collection) string {
	return fmt.Sprintf("urn:sync:%s:%d", s.epoch, c.change)
}

func (s *Calendar) syncCollection(w http.ResponseWriter, c *collection, request *node) {
	since := 0
	if token := request.child(nsDAV, "sync-token"); token != nil && token.Text != "" {
		_, err := fmt.Sscanf(token.Text, "urn:sync:"+s.epoch+":%d", &since)
		if err != nil || since > c.change {
			refuse(w, http.StatusForbidden, nsDAV, "valid-sync-token", "")
			return
		}
	} else {
		since = -1
	}
	var text strings.Builder
	for _, name := range c.names() {
		if c.objects[name].change > since {
			text.WriteString(c.response(name, asked(request)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.removed)) {
		if since >= 0 && c.removed[name] > since {
			text.WriteString(gone(c.path() + name))
		}
	}
	multistatus(w, text.String()+short(nsDAV, "sync-token", escape(s.syncToken(c))))
}

// text returns a stored property as plain text.
func (c *collection) text(space, local string) string {
	var n node
	if err := xml.Unmarshal([]byte(short(space, local, c.Stored[space][local])), &n); err != nil {
		return ""
	}
	return n.Text
}
