package embedded

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// propfind answers PROPFIND (RFC 4918 §9.1) at Depth 0 and 1.
func (s *Calendar) propfind(w http.ResponseWriter, r *http.Request, p place) {
	request, err := readXML(r)
	if err != nil || request != nil && !request.is(nsDAV, "propfind") {
		http.Error(w, "not a DAV:propfind", http.StatusBadRequest)
		return
	}
	depth := r.Header.Get("Depth")
	if depth != "0" && depth != "1" {
		refuse(w, http.StatusForbidden, nsDAV, "propfind-finite-depth", "")
		return
	}
	resources := s.resources(p, depth == "1")
	if len(resources) == 0 {
		http.NotFound(w, r)
		return
	}
	var text strings.Builder
	for _, resource := range resources {
		text.WriteString(resource.props.response(resource.path, asked(request)))
	}
	multistatus(w, text.String())
}

// asked returns the names of the properties that a request wants; nil for all.
func asked(request *node) []xml.Name {
	prop := request.child(nsDAV, "prop")
	if prop == nil {
		return nil
	}
	names := []xml.Name{}
	for _, child := range prop.Children {
		names = append(names, child.XMLName)
	}
	return names
}

// resource is a path and what is known of it.
type resource struct {
	path  string
	props properties
}

// resources returns what lies at a place and, if wanted, directly beneath it.
// Nothing when the place is empty.
func (s *Calendar) resources(p place, beneath bool) []resource {
	switch c := s.collectionAt(p); {
	case p.principal:
		return []resource{{"/principals/" + p.user + "/", principalProps(p.user)}}
	case p.flavour == nil:
		return []resource{{"/", properties{xml.Name{Space: nsDAV, Local: "resourcetype"}: short(nsDAV, "collection", "")}}}
	case p.collection == "":
		return s.homeResources(p, beneath)
	case c == nil:
		return nil
	case p.object != "":
		if o := c.objects[p.object]; o != nil {
			return []resource{{c.path() + p.object, objectProps(c, o)}}
		}
		return nil
	default:
		return s.collectionResources(c, beneath)
	}
}

func (s *Calendar) homeResources(p place, beneath bool) []resource {
	home := properties{}
	home.set(nsDAV, "resourcetype", short(nsDAV, "collection", ""))
	home.set(nsDAV, "displayname", escape(p.user))
	found := []resource{{"/" + p.flavour.home + "/" + p.user + "/", home}}
	if beneath {
		for _, c := range s.home(p.flavour.home, p.user) {
			found = append(found, resource{c.path(), s.collectionProps(c)})
		}
	}
	return s.withPrincipal(found, p.user)
}

func (s *Calendar) collectionResources(c *collection, beneath bool) []resource {
	found := []resource{{c.path(), s.collectionProps(c)}}
	if beneath {
		for _, name := range c.names() {
			found = append(found, resource{c.path() + name, objectProps(c, c.objects[name])})
		}
	}
	return s.withPrincipal(found, c.user)
}

func (s *Calendar) withPrincipal(found []resource, user string) []resource {
	for _, resource := range found {
		resource.props.set(nsDAV, "current-user-principal", hrefTo("/principals/"+user+"/"))
		resource.props.set(nsDAV, "owner", hrefTo("/principals/"+user+"/"))
	}
	return found
}

func principalProps(user string) properties {
	p := properties{}
	self := hrefTo("/principals/" + user + "/")
	p.set(nsDAV, "resourcetype", short(nsDAV, "collection", "")+short(nsDAV, "principal", ""))
	p.set(nsDAV, "displayname", escape(user))
	p.set(nsDAV, "current-user-principal", self)
	p.set(nsDAV, "principal-URL", self)
	p.set(nsCal, "calendar-home-set", hrefTo("/calendars/"+user+"/"))
	p.set(nsCard, "addressbook-home-set", hrefTo("/addressbooks/"+user+"/"))
	if strings.Contains(user, "@") {
		p.set(nsCal, "calendar-user-address-set", short(nsDAV, "href", escape("mailto:"+user)))
	}
	return p
}

func (s *Calendar) collectionProps(c *collection) properties {
	p := properties{}
	for space, values := range c.Stored {
		for local, inner := range values {
			p.set(space, local, inner)
		}
	}
	p.set(nsDAV, "resourcetype", short(nsDAV, "collection", "")+short(c.flavour.space, c.flavour.collection, ""))
	p.set(nsDAV, "sync-token", escape(s.syncToken(c)))
	p.set(nsServer, "getctag", escape(s.syncToken(c)))
	p.set(c.flavour.space, "max-resource-size", strconv.Itoa(s.maxSize(c.flavour)))
	p.set(nsDAV, "current-user-privilege-set", short(nsDAV, "privilege", short(nsDAV, "all", "")))
	p.set(nsDAV, "supported-report-set", c.supportedReports())
	p.set(c.flavour.space, c.flavour.supportedData(), c.flavour.supportedTypes())
	if c.Components != nil {
		var components strings.Builder
		for _, name := range c.Components {
			components.WriteString(element(xml.Name{Space: nsCal, Local: "comp"}, attributes("name", name), ""))
		}
		p.set(nsCal, "supported-calendar-component-set", components.String())
	}
	return p
}

// supportedTypes lists the media types of the objects. Calendars name theirs
// with the element of the data itself (RFC 4791 §5.2.4), address books with one
// of its own (RFC 6352 §6.2.2).
func (f *flavour) supportedTypes() string {
	name := xml.Name{Space: f.space, Local: f.data}
	if f.space == nsCard {
		name.Local = "address-data-type"
	}
	var text strings.Builder
	for _, version := range f.versions {
		text.WriteString(element(name, attributes("content-type", f.contentType, "version", version), ""))
	}
	return text.String()
}

func (c *collection) supportedReports() string {
	var text strings.Builder
	for _, report := range []string{c.flavour.collection + "-query", c.flavour.collection + "-multiget"} {
		text.WriteString(short(nsDAV, "supported-report", short(nsDAV, "report", short(c.flavour.space, report, ""))))
	}
	text.WriteString(short(nsDAV, "supported-report", short(nsDAV, "report", short(nsDAV, "sync-collection", ""))))
	return text.String()
}

func objectProps(c *collection, o *object) properties {
	p := properties{}
	p.set(nsDAV, "resourcetype", "")
	p.set(nsDAV, "getetag", escape(o.etag))
	p.set(nsDAV, "getcontenttype", c.flavour.contentType+"; charset=utf-8")
	p.set(nsDAV, "getcontentlength", strconv.Itoa(o.size))
	p.set(nsDAV, "getlastmodified", o.modified.UTC().Format(http.TimeFormat))
	return p
}

// makeCollection answers MKCALENDAR (RFC 4791 §5.3.1) and extended MKCOL
// (RFC 5689).
func (s *Calendar) makeCollection(w http.ResponseWriter, r *http.Request, p place) {
	request, err := readXML(r)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	case p.object == "" && s.collectionAt(p) != nil:
		http.Error(w, "exists already", http.StatusMethodNotAllowed)
		return
	case p.flavour == nil || r.Method == "MKCALENDAR" && p.flavour.space != nsCal:
		refuse(w, http.StatusForbidden, nsCal, flavours["calendars"].notHere(), "")
		return
	case p.collection == "" || p.collection == "." || p.collection == ".." || p.object != "":
		refuse(w, http.StatusForbidden, p.flavour.space, p.flavour.notHere(), "")
		return
	}
	c := newCollection(p.flavour, s.dir, p.user, p.collection)
	for _, set := range request.named(nsDAV, "set") {
		text, failed := c.patch(set, false, true)
		switch {
		case failed && r.Method == "MKCOL": // RFC 5689 §3
			writeXML(w, http.StatusForbidden, short(nsDAV, "mkcol-response", text))
			return
		case failed:
			multistatus(w, short(nsDAV, "response", hrefTo(c.path())+text))
			return
		}
	}
	if err := c.save(); err != nil {
		http.Error(w, err.Error(), http.StatusInsufficientStorage)
		return
	}
	s.collections[c.path()] = c
	w.WriteHeader(http.StatusCreated)
}

// proppatch answers PROPPATCH (RFC 4918 §9.2) on collections.
func (s *Calendar) proppatch(w http.ResponseWriter, r *http.Request, p place) {
	request, err := readXML(r)
	c := s.collectionAt(p)
	switch {
	case err != nil || !request.is(nsDAV, "propertyupdate"):
		http.Error(w, "not a DAV:propertyupdate", http.StatusBadRequest)
		return
	case c == nil || p.object != "":
		http.NotFound(w, r)
		return
	}
	var text strings.Builder
	for i := range request.Children {
		part, _ := c.patch(&request.Children[i], request.Children[i].is(nsDAV, "remove"), false)
		text.WriteString(part)
	}
	if err := c.save(); err != nil {
		http.Error(w, err.Error(), http.StatusInsufficientStorage)
		return
	}
	c.change++
	multistatus(w, short(nsDAV, "response", hrefTo(c.path())+text.String()))
}

// patch sets or removes the properties of a DAV:set or DAV:remove and returns
// how that went as DAV:propstat elements, and whether one was refused.
func (c *collection) patch(update *node, remove, creating bool) (string, bool) {
	var text strings.Builder
	failed := false
	prop := update.child(nsDAV, "prop")
	if prop == nil {
		return "", false
	}
	for i := range prop.Children {
		property := &prop.Children[i]
		code := http.StatusOK
		switch {
		case remove:
			delete(c.Stored[property.XMLName.Space], property.XMLName.Local)
		case !c.accept(property, creating):
			code, failed = http.StatusForbidden, true
		}
		text.WriteString(propstat(element(property.XMLName, nil, ""), code))
	}
	return text.String(), failed
}

var color = regexp.MustCompile(`^#[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?$`)

// accept stores a property if it is the client's to set and makes sense.
func (c *collection) accept(property *node, creating bool) bool {
	switch property.XMLName {
	case xml.Name{Space: nsDAV, Local: "resourcetype"}:
		return creating && property.child(c.flavour.space, c.flavour.collection) != nil
	case xml.Name{Space: nsCal, Local: "supported-calendar-component-set"}:
		return creating && c.Components != nil && c.acceptComponents(property)
	case xml.Name{Space: nsCal, Local: "calendar-timezone"}:
		roots, err := parseComponents(lineEnds(property.Text))
		if err != nil || len(roots) != 1 || len(roots[0].children) != 1 || checkTimeZones(roots[0]) != nil {
			return false
		}
	case xml.Name{Space: nsApple, Local: "calendar-color"}:
		if !color.MatchString(property.Text) {
			return false
		}
	case xml.Name{Space: nsDAV, Local: "getetag"}, xml.Name{Space: nsDAV, Local: "sync-token"}, xml.Name{Space: nsDAV, Local: "owner"},
		xml.Name{Space: c.flavour.space, Local: "max-resource-size"}, xml.Name{Space: c.flavour.space, Local: c.flavour.supportedData()}:
		return false
	}
	c.set(property.XMLName, property.inner())
	return true
}

// lineEnds restores CRLF, which XML parsers turn into LF (XML 1.0 §2.11).
func lineEnds(text string) string {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	return strings.ReplaceAll(text, "\n", "\r\n") + "\r\n"
}

func (c *collection) acceptComponents(property *node) bool {
	c.Components = nil
	for _, comp := range property.named(nsCal, "comp") {
		if !slices.Contains(calendarComponents, comp.attr("name")) {
			return false
		}
		c.Components = append(c.Components, comp.attr("name"))
	}
	return len(c.Components) > 0
}

func statusLine(code int) string { return fmt.Sprintf("HTTP/1.1 %d %s", code, http.StatusText(code)) }
