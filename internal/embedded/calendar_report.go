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

// matches evaluates a filter of components and properties. A filter by time is
// refused: it would need recurrences.
func (c *collection) matches(name string, filter *node) (bool, error) {
	body, err := os.ReadFile(c.file(name))
	if err != nil {
		return false, err
	}
	p, err := c.flavour.parse(string(body))
	if err != nil || filter == nil {
		return err == nil, err
	}
	if c.flavour.space == nsCard {
		return matchesProps(p.root, filter, nsCard)
	}
	outer := filter.child(nsCal, "comp-filter")
	if outer == nil || outer.attr("name") != "VCALENDAR" {
		return false, fmt.Errorf("a filter begins with VCALENDAR")
	}
	return matchesComponent(p.root, outer)
}

func matchesComponent(c *component, filter *node) (bool, error) {
	if ok, err := matchesProps(c, filter, nsCal); !ok || err != nil {
		return false, err
	}
	for _, inner := range filter.named(nsCal, "comp-filter") {
		want := inner.child(nsCal, "is-not-defined") == nil
		found := false
		for _, child := range c.children {
			if child.name != inner.attr("name") {
				continue
			}
			ok, err := matchesComponent(child, inner)
			if err != nil {
				return false, err
			}
			found = found || ok
		}
		if found != want {
			return false, nil
		}
	}
	return true, nil
}

func matchesProps(c *component, filter *node, space string) (bool, error) {
	if filter.child(space, "time-range") != nil {
		return false, fmt.Errorf("time-range")
	}
	for _, prop := range filter.named(space, "prop-filter") {
		if prop.child(space, "time-range") != nil || prop.child(space, "param-filter") != nil {
			return false, fmt.Errorf("time-range or param-filter of a property")
		}
		if !matchesProp(c.all(prop.attr("name")), prop, space) {
			return false, nil
		}
	}
	return true, nil
}

func matchesProp(lines []contentLine, filter *node, space string) bool {
	if filter.child(space, "is-not-defined") != nil {
		return len(lines) == 0
	}
	match := filter.child(space, "text-match")
	if match == nil {
		return len(lines) > 0
	}
	found := slices.ContainsFunc(lines, func(line contentLine) bool {
		value, want := strings.ToLower(line.value), strings.ToLower(match.Text)
		if match.attr("match-type") == "equals" {
			return value == want
		}
		return strings.Contains(value, want)
	})
	return found != (match.attr("negate-condition") == "yes")
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
