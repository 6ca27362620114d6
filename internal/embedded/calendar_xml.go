package embedded

import (
	"encoding/xml"
	"errors"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// The XML namespaces of CalDAV and its relatives.
const (
	nsDAV    = "DAV:"
	nsCal    = "urn:ietf:params:xml:ns:caldav"
	nsCard   = "urn:ietf:params:xml:ns:carddav"
	nsServer = "http://calendarserver.org/ns/"
	nsApple  = "http://apple.com/ns/ical/"
)

const (
	maxXML    = 1 << 20  // bytes of a request's XML
	maxObject = 10 << 20 // bytes of a calendar object or card
)

// node is an XML element of a request.
type node struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []node     `xml:",any"`
}

// readXML reads the request's body; nil when there is none.
func readXML(r *http.Request) (*node, error) {
	text, err := io.ReadAll(io.LimitReader(r.Body, maxXML+1))
	if err != nil || len(text) == 0 {
		return nil, err
	}
	if len(text) > maxXML {
		return nil, errors.New("the request is too large")
	}
	n := &node{}
	return n, xml.Unmarshal(text, n)
}

func (n *node) is(space, local string) bool {
	return n != nil && n.XMLName == xml.Name{Space: space, Local: local}
}

// child returns the first child of the name, or nil. It may be called on nil.
func (n *node) child(space, local string) *node {
	if n == nil {
		return nil
	}
	for i := range n.Children {
		if n.Children[i].is(space, local) {
			return &n.Children[i]
		}
	}
	return nil
}

// named returns all children of the name. It may be called on nil.
func (n *node) named(space, local string) []*node {
	if n == nil {
		return nil
	}
	var found []*node
	for i := range n.Children {
		if n.Children[i].is(space, local) {
			found = append(found, &n.Children[i])
		}
	}
	return found
}

func (n *node) attr(name string) string {
	for _, attr := range n.Attrs {
		if attr.Name.Local == name {
			return attr.Value
		}
	}
	return ""
}

// inner writes what is in the element as XML again.
func (n *node) inner() string {
	if len(n.Children) == 0 {
		return escape(n.Text)
	}
	var text strings.Builder
	for _, child := range n.Children {
		text.WriteString(element(child.XMLName, child.Attrs, child.inner()))
	}
	return text.String()
}

func escape(s string) string { return html.EscapeString(s) }

// element writes an element that declares its own namespace.
func element(name xml.Name, attrs []xml.Attr, inner string) string {
	var text strings.Builder
	text.WriteString("<" + name.Local + ` xmlns="` + escape(name.Space) + `"`)
	for _, attr := range attrs {
		if attr.Name.Space == "" && attr.Name.Local != "xmlns" {
			text.WriteString(" " + attr.Name.Local + `="` + escape(attr.Value) + `"`)
		}
	}
	text.WriteString(">" + inner + "</" + name.Local + ">")
	return text.String()
}

// attributes makes attributes of names and values in turn.
func attributes(pairs ...string) []xml.Attr {
	var attrs []xml.Attr
	for i := 0; i < len(pairs); i += 2 {
		attrs = append(attrs, xml.Attr{Name: xml.Name{Local: pairs[i]}, Value: pairs[i+1]})
	}
	return attrs
}

// short writes an element without attributes.
func short(space, local, inner string) string {
	return element(xml.Name{Space: space, Local: local}, nil, inner)
}

// hrefTo writes a DAV:href of an unescaped path.
func hrefTo(path string) string {
	return short(nsDAV, "href", escape((&url.URL{Path: path}).EscapedPath()))
}

// properties are the values of properties as inner XML.
type properties map[xml.Name]string

func (p properties) set(space, local, inner string) { p[xml.Name{Space: space, Local: local}] = inner }

// response writes a DAV:response with the properties that were asked for: all
// that there are when names is nil.
func (p properties) response(path string, names []xml.Name) string {
	var found, missing strings.Builder
	if names == nil {
		for name, inner := range p {
			found.WriteString(element(name, nil, inner))
		}
	}
	for _, name := range names {
		if inner, ok := p[name]; ok {
			found.WriteString(element(name, nil, inner))
		} else {
			missing.WriteString(element(name, nil, ""))
		}
	}
	text := hrefTo(path)
	if found.Len() > 0 || missing.Len() == 0 {
		text += propstat(found.String(), http.StatusOK)
	}
	if missing.Len() > 0 {
		text += propstat(missing.String(), http.StatusNotFound)
	}
	return short(nsDAV, "response", text)
}

func propstat(props string, code int) string {
	return short(nsDAV, "propstat", short(nsDAV, "prop", props)+statusElement(code))
}

func statusElement(code int) string {
	return short(nsDAV, "status", statusLine(code))
}

// gone writes a DAV:response for what is not there.
func gone(path string) string {
	return short(nsDAV, "response", hrefTo(path)+statusElement(http.StatusNotFound))
}

func writeXML(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, xml.Header+text)
}

func multistatus(w http.ResponseWriter, text string) {
	writeXML(w, http.StatusMultiStatus, short(nsDAV, "multistatus", text))
}

// refuse answers with a precondition that is violated (RFC 4918 §16).
func refuse(w http.ResponseWriter, code int, space, precondition, inner string) {
	writeXML(w, code, short(nsDAV, "error", short(space, precondition, inner)))
}
