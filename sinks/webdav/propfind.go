package webdav

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// resource is what the server states about one file or folder.
type resource struct {
	href       string
	collection bool
	size       int64 // -1 if not stated
	modified   time.Time
	// created and uploaded are the server's own times, which no client sets: RFC 4918 §15.1, and Nextcloud's. Zero if not stated.
	created, uploaded time.Time
	etag              string
	checksums         []string // "ALGORITHM:hex", several to a string
	missing           bool     // a response that says 404, where others answer 404 as a whole (Cyrus)
}

// name returns the decoded last segment of the href.
func (r *resource) name() string {
	path := strings.TrimSuffix(r.href, "/")
	path = path[strings.LastIndexByte(path, '/')+1:]
	if decoded, err := url.PathUnescape(path); err == nil {
		return decoded
	}
	return path
}

// depth counts the segments of the href.
func (r *resource) depth() int { return strings.Count(strings.TrimSuffix(r.href, "/"), "/") }

const propfindBody = `<?xml version="1.0" encoding="utf-8"?>
<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns"><d:prop>` +
	`<d:resourcetype/><d:getcontentlength/><d:getlastmodified/><d:creationdate/><d:getetag/><oc:checksums/><nc:upload_time/>` +
	`</d:prop></d:propfind>`

// stat returns what lies at the URL, or errNotFound.
func (c *client) stat(ctx context.Context, u *url.URL) (resource, error) {
	var found resource
	n := 0
	err := c.propfind(ctx, u, "0", func(r resource) error {
		if n++; n == 1 {
			found = r
		}
		return nil
	})
	switch {
	case err != nil:
		return resource{}, err
	case n == 0:
		return resource{}, badAnswer("PROPFIND: an answer without a response")
	case found.missing:
		return resource{}, errNotFound
	}
	return found, nil
}

// list yields the members of the collection at the URL, or errNotFound; it ends with yield's error.
func (c *client) list(ctx context.Context, u *url.URL, yield func(resource) error) error {
	// The collection itself is among the responses, mostly first. It is known by its depth, because a proxy may show
	// other prefixes than it was asked for.
	var first *resource
	return c.propfind(ctx, u, "1", func(r resource) error {
		switch {
		case first == nil && r.missing:
			return errNotFound
		case r.missing:
			return nil
		case first == nil:
			first = &r
			return nil
		case r.depth() < first.depth():
			r, *first = *first, r
		}
		return yield(r)
	})
}

func (c *client) propfind(ctx context.Context, u *url.URL, depth string, yield func(resource) error) error {
	const what = "PROPFIND"
	resp, err := c.open(ctx, request{
		method: "PROPFIND", url: u, what: what,
		header: http.Header{"Depth": {depth}, "Content-Type": {"application/xml; charset=utf-8"}},
		body:   strings.NewReader(propfindBody), size: int64(len(propfindBody)),
	})
	if err != nil {
		return err
	}
	defer httpx.Drain(resp.Body)
	switch resp.StatusCode {
	case http.StatusMultiStatus:
	case http.StatusNotFound, http.StatusGone:
		return errNotFound
	default:
		body, _ := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
		return c.fault(what, &answer{status: resp.StatusCode, header: resp.Header, body: body})
	}
	var asked error
	err = parseMultistatus(resp.Body, func(r resource) error {
		asked = yield(r)
		return asked
	})
	switch {
	case err == nil, asked != nil:
		return err
	case errors.Is(err, errBadXML):
		return err
	default:
		return c.transportFault(ctx, what, err)
	}
}

// Bounds for a hostile multistatus: the whole, one token of it (a text, a tag with its attributes), its nesting.
const (
	multistatusLimit = 512 << 20
	tokenLimit       = 256 << 10
	nestingLimit     = 32
)

var errBadXML = fault.New(fault.FailItem, fault.TargetBadAnswer, "an answer that is no multistatus by RFC 4918")

func badAnswer(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errBadXML, fmt.Sprintf(format, args...))
}

const davNS, ocNS, ncNS = "DAV:", "http://owncloud.org/ns", "http://nextcloud.org/ns"

// parseMultistatus yields each response as it is read. An answer that ends early is an error.
func parseMultistatus(r io.Reader, yield func(resource) error) error {
	p := &parser{gauge: &gauge{r: io.LimitReader(r, multistatusLimit)}, yield: yield}
	p.dec = xml.NewDecoder(p.gauge)
	for {
		p.gauge.left = tokenLimit
		token, err := p.dec.RawToken()
		if errors.Is(err, io.EOF) && p.done {
			return nil
		}
		if err != nil {
			return p.readError(err)
		}
		if err := p.token(token); err != nil {
			return err
		}
	}
}

// gauge bounds how much is read for one token.
type gauge struct {
	r    io.Reader
	left int
	err  error // of r
}

var errTokenTooLong = errors.New("a token is too long")

func (g *gauge) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, errTokenTooLong
	}
	n, err := g.r.Read(p[:min(len(p), g.left)])
	g.left -= n
	if err != nil && err != io.EOF {
		g.err = err
	}
	return n, err
}

// parser follows the one path through a multistatus that matters.
type parser struct {
	gauge *gauge
	dec   *xml.Decoder
	yield func(resource) error
	path  []string
	space []map[string]string // namespaces by prefix, per level
	text  strings.Builder
	cur   resource
	prop  resource // of the propstat that is being read
	valid bool     // the propstat's status is 200
	done  bool
}

func (p *parser) readError(err error) error {
	if p.gauge.err != nil {
		return p.gauge.err
	}
	return badAnswer("%s", httpx.OneLine(err.Error()))
}

func (p *parser) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return p.start(t)
	case xml.CharData:
		if p.text.Len()+len(t) <= tokenLimit {
			p.text.Write(t)
		}
	case xml.EndElement:
		return p.end(t)
	}
	return nil
}

// RawToken leaves namespaces to its caller; in return it keeps no stack of its own that a server could grow.
func (p *parser) start(t xml.StartElement) error {
	if len(p.path) >= nestingLimit || (p.done && len(p.path) == 0) {
		return badAnswer("nested too deep or continued after its end")
	}
	var names map[string]string
	for _, a := range t.Attr {
		switch {
		case a.Name.Space == "xmlns":
			if names == nil {
				names = make(map[string]string)
			}
			names[a.Name.Local] = a.Value
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			if names == nil {
				names = make(map[string]string)
			}
			names[""] = a.Value
		}
	}
	p.space = append(p.space, names)
	p.path = append(p.path, p.resolve(t.Name))
	p.text.Reset()
	p.enter()
	if p.path[0] != "D:multistatus" {
		return badAnswer("the root is another element")
	}
	return nil
}

// resolve returns the element's name with D: or O: for the two namespaces that are of interest.
func (p *parser) resolve(n xml.Name) string {
	uri := ""
	for i := len(p.space) - 1; i >= 0; i-- {
		if v, ok := p.space[i][n.Space]; ok {
			uri = v
			break
		}
	}
	switch uri {
	case davNS:
		return "D:" + n.Local
	case ocNS:
		return "O:" + n.Local
	case ncNS:
		return "N:" + n.Local
	default:
		return "?"
	}
}

func (p *parser) enter() {
	switch strings.Join(p.path, "/") {
	case "D:multistatus/D:response":
		p.cur = resource{size: -1}
	case "D:multistatus/D:response/D:propstat":
		p.prop, p.valid = resource{size: -1}, false
	case "D:multistatus/D:response/D:propstat/D:prop/D:resourcetype/D:collection":
		p.prop.collection = true
	}
}

func (p *parser) end(t xml.EndElement) error {
	if len(p.path) == 0 || p.resolve(t.Name) != p.path[len(p.path)-1] {
		return badAnswer("tags that do not match")
	}
	err := p.leave(strings.Join(p.path, "/"), strings.TrimSpace(p.text.String()))
	p.path = p.path[:len(p.path)-1]
	p.space = p.space[:len(p.space)-1]
	p.text.Reset()
	p.done = len(p.path) == 0
	return err
}

func (p *parser) leave(at, text string) error {
	const response, propstat = "D:multistatus/D:response", "D:multistatus/D:response/D:propstat"
	switch at {
	case response + "/D:href":
		p.cur.href = hrefPath(text)
	case propstat + "/D:prop/D:getcontentlength":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
			p.prop.size = n
		}
	case propstat + "/D:prop/D:getlastmodified":
		p.prop.modified, _ = http.ParseTime(text)
	case propstat + "/D:prop/D:creationdate":
		p.prop.created, _ = time.Parse(time.RFC3339, text)
	case propstat + "/D:prop/N:upload_time":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 {
			p.prop.uploaded = time.Unix(n, 0)
		}
	case propstat + "/D:prop/D:getetag":
		p.prop.etag = cleanETag(text)
	case propstat + "/D:prop/O:checksums/O:checksum":
		if len(p.prop.checksums) < 8 {
			p.prop.checksums = append(p.prop.checksums, text)
		}
	case propstat + "/D:status":
		p.valid = hasStatus(text, "200")
	case response + "/D:status":
		p.cur.missing = hasStatus(text, "404") || hasStatus(text, "410")
	case propstat:
		p.adopt()
	case response:
		if p.cur.href == "" {
			return badAnswer("a response without an href")
		}
		return p.yield(p.cur)
	}
	return nil
}

// adopt takes over what a propstat with status 200 stated.
func (p *parser) adopt() {
	if !p.valid {
		return
	}
	p.cur.collection = p.cur.collection || p.prop.collection
	if p.prop.size >= 0 {
		p.cur.size = p.prop.size
	}
	if !p.prop.modified.IsZero() {
		p.cur.modified = p.prop.modified
	}
	if !p.prop.created.IsZero() {
		p.cur.created = p.prop.created
	}
	if !p.prop.uploaded.IsZero() {
		p.cur.uploaded = p.prop.uploaded
	}
	if p.prop.etag != "" {
		p.cur.etag = p.prop.etag
	}
	p.cur.checksums = append(p.cur.checksums, p.prop.checksums...)
}

// hasStatus reads a status line such as "HTTP/1.1 200 OK".
func hasStatus(line, code string) bool {
	fields := strings.Fields(line)
	return len(fields) >= 2 && fields[1] == code
}

// hrefPath returns the path of an href that may be a whole URL, still escaped.
func hrefPath(href string) string {
	if strings.HasPrefix(href, "/") {
		return href
	}
	if _, rest, ok := strings.Cut(href, "://"); ok {
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			return rest[i:]
		}
		return "/"
	}
	return href
}

// cleanETag returns an entity tag by RFC 9110 §8.8.3 that can be sent back in a header, or nothing. A tag without its
// quotes, as some servers state it, gets them.
func cleanETag(tag string) string {
	weak := ""
	if rest, ok := strings.CutPrefix(tag, "W/"); ok {
		weak, tag = "W/", rest
	}
	if len(tag) >= 2 && tag[0] == '"' && tag[len(tag)-1] == '"' {
		tag = tag[1 : len(tag)-1]
	}
	if tag == "" || len(tag) > 1024 {
		return ""
	}
	for i := range len(tag) {
		if tag[i] <= ' ' || tag[i] == '"' || tag[i] == 0x7f {
			return ""
		}
	}
	return weak + `"` + tag + `"`
}

// sameETag compares weakly, by RFC 9110 §8.8.3.2.
func sameETag(a, b string) bool {
	return a != "" && strings.TrimPrefix(a, "W/") == strings.TrimPrefix(b, "W/")
}

func isStrong(etag string) bool { return etag != "" && !strings.HasPrefix(etag, "W/") }
