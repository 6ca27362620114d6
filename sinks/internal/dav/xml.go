package dav

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// Words are what an answer that is no success says: the names of all its elements, among them the precondition that
// failed (RFC 4918 §16), and what is meant for people.
type Words struct {
	names     []string
	conflicts []string // hrefs within no-uid-conflict and its like
	Message   string   // sabre's message, or responsedescription (RFC 4918 §14.25)
	exception string   // sabre's
	mask      httpx.Mask
}

// maxWords bounds how much of an answer is searched.
const maxWords = 64 << 10

func readWords(body []byte, mask httpx.Mask) Words {
	w := Words{mask: mask}
	var stack []string
	d := xml.NewDecoder(bytes.NewReader(body[:min(len(body), maxWords)]))
	for {
		token, err := d.Token()
		if err != nil {
			return w
		}
		switch t := token.(type) {
		case xml.StartElement:
			stack = append(stack, t.Name.Local)
			if len(w.names) < 1000 {
				w.names = append(w.names, t.Name.Local)
			}
		case xml.EndElement:
			stack = stack[:max(len(stack)-1, 0)]
		case xml.CharData:
			w.take(stack, string(t))
		}
	}
}

func (w *Words) take(stack []string, text string) {
	if len(stack) == 0 {
		return
	}
	switch stack[len(stack)-1] {
	case "href":
		if slices.Contains(stack, "no-uid-conflict") || slices.Contains(stack, "unique-scheduling-object-resource") {
			w.conflicts = append(w.conflicts, strings.TrimSpace(text))
		}
	case "message", "responsedescription":
		w.Message += text
	case "exception":
		w.exception += strings.TrimSpace(text)
	}
}

// Has reports whether one of the elements stands in the answer.
func (w Words) Has(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(w.names, n) })
}

// Said returns the server's words for an error text: without secrets, short, on one line.
func (w Words) Said(body []byte) string {
	s := w.mask.Text(w.Message)
	if s == "" && len(w.names) > 0 && w.names[0] == "error" {
		s = strings.Join(w.names[1:], " ")
	}
	if s == "" {
		s = w.mask.Text(string(body[:min(len(body), 4<<10)]))
		s = s[:min(len(s), 200)]
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(s) > 300 {
		s = s[:300]
	}
	return strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "")
}

// Response is one response of a multistatus (RFC 4918 §14.24), with the properties that are asked for here.
type Response struct {
	Href      string     `xml:"DAV: href"`
	Status    string     `xml:"DAV: status"`
	Propstats []propstat `xml:"DAV: propstat"`
}

type propstat struct {
	Status string `xml:"DAV: status"`
	Prop   Prop   `xml:"DAV: prop"`
}

// Prop holds the properties. Go matches one namespace along a whole path, so that the paths to an href have none.
type Prop struct {
	ETag         string        `xml:"DAV: getetag"`
	Name         string        `xml:"DAV: displayname"`
	ResourceType ResourceTypes `xml:"DAV: resourcetype"`
	Components   []Component   `xml:"urn:ietf:params:xml:ns:caldav supported-calendar-component-set>comp"`
	Calendar     string        `xml:"urn:ietf:params:xml:ns:caldav calendar-data"`
	Default      string        `xml:"schedule-default-calendar-URL>href"`
	Inbox        string        `xml:"schedule-inbox-URL>href"`
	Addresses    []string      `xml:"calendar-user-address-set>href"`
	Principal    string        `xml:"DAV: current-user-principal>href"`
	Card         string        `xml:"urn:ietf:params:xml:ns:carddav address-data"`
	CardTypes    []CardType    `xml:"urn:ietf:params:xml:ns:carddav supported-address-data>address-data-type"`
	MaxCard      string        `xml:"urn:ietf:params:xml:ns:carddav max-resource-size"`
	MaxCalendar  string        `xml:"urn:ietf:params:xml:ns:caldav max-resource-size"`
}

// ResourceTypes tell what a collection is.
type ResourceTypes struct {
	Calendar    *struct{} `xml:"urn:ietf:params:xml:ns:caldav calendar"`
	Inbox       *struct{} `xml:"urn:ietf:params:xml:ns:caldav schedule-inbox"`
	Outbox      *struct{} `xml:"urn:ietf:params:xml:ns:caldav schedule-outbox"`
	AddressBook *struct{} `xml:"urn:ietf:params:xml:ns:carddav addressbook"`
}

// Component is an iCalendar component that a calendar takes.
type Component struct {
	Name string `xml:"name,attr"`
}

// CardType is a media type that an address book takes (RFC 6352 §6.2.2).
type CardType struct {
	MediaType string `xml:"content-type,attr"`
	Version   string `xml:"version,attr"`
}

// Found returns the properties that the server has.
func (r Response) Found() Prop {
	for _, p := range r.Propstats {
		if p.Status == "" || strings.Contains(p.Status, " 200") {
			return p.Prop
		}
	}
	return Prop{}
}

// maxListing bounds the body of a multistatus, which is read as a stream, and maxResponse one response of it, which is not.
const (
	maxListing  = 1 << 30
	maxResponse = 2 * maxAnswer // an object, escaped
)

var (
	errListing = errors.New("the listing is larger than any collection")
	errNesting = errors.New("the answer is nested too deeply")
)

// maxNesting is how deep elements may lie in one another; a decoder keeps the name of each that is open.
const maxNesting = 64

// shallow gives a decoder the tokens of another one, up to a depth.
type shallow struct {
	raw   *xml.Decoder
	depth int
}

// Token implements xml.TokenReader.
func (s *shallow) Token() (xml.Token, error) {
	token, err := s.raw.RawToken()
	switch token.(type) {
	case xml.StartElement:
		s.depth++
	case xml.EndElement:
		s.depth--
	}
	if s.depth > maxNesting {
		return nil, errNesting
	}
	return token, err
}

// Multistatus sends a PROPFIND or REPORT and calls each with the responses as they come.
func (c *Client) Multistatus(ctx context.Context, method, href, depth, body string, each func(Response) error) error {
	h := http.Header{"Content-Type": {"application/xml; charset=utf-8"}, "Depth": {depth}}
	resp, path, err := c.start(ctx, method, href, h, []byte(xml.Header+body))
	if err != nil {
		return err
	}
	defer httpx.Drain(resp.Body)
	if resp.StatusCode != http.StatusMultiStatus {
		a := &Answer{Method: method, Path: path, Status: resp.StatusCode, Header: resp.Header}
		a.Body, _ = io.ReadAll(io.LimitReader(resp.Body, maxWords))
		a.XML = readWords(a.Body, c.mask)
		return &statusError{a, c.Fault(a)}
	}
	limited := &rationed{r: resp.Body, total: maxListing}
	err = eachResponse(limited, each)
	switch {
	case limited.exhausted:
		return fault.New(fault.FailTask, fault.TargetBadAnswer, "%s %s: %w", method, path, errListing)
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return err
	}
	if known := (*xml.SyntaxError)(nil); errors.As(err, &known) {
		err = errors.New(httpx.OneLine(known.Error())) // it repeats names of the server's, of any length
	}
	return fault.New(fault.Retry, fault.TargetBadAnswer, "%s %s: %w", method, path, err)
}

// statusError is the fault of an answer, with the answer.
type statusError struct {
	answer *Answer
	err    error
}

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

// Status returns the status of the answer that err is about; 0 if it is about none.
func Status(err error) int {
	if a := AnswerOf(err); a != nil {
		return a.Status
	}
	return 0
}

// AnswerOf returns the answer that err is about; nil if it is about none.
func AnswerOf(err error) *Answer {
	var s *statusError
	if errors.As(err, &s) {
		return s.answer
	}
	return nil
}

// rationed bounds how much is read in all, and up to the next response.
type rationed struct {
	r           io.Reader
	total, left int64
	exhausted   bool
}

func (r *rationed) Read(p []byte) (int, error) {
	most := min(int64(len(p)), r.total, r.left)
	if r.exhausted = most <= 0; r.exhausted {
		return 0, errListing
	}
	n, err := r.r.Read(p[:most])
	r.total -= int64(n)
	r.left -= int64(n)
	return n, err
}

// eachResponse reads responses one after the other. A document that ends early is an error.
func eachResponse(r *rationed, each func(Response) error) error {
	d := xml.NewTokenDecoder(&shallow{raw: xml.NewDecoder(r)})
	depth := 0
	for {
		r.left = maxResponse
		token, err := d.Token()
		if err != nil {
			if errors.Is(err, io.EOF) && depth == 0 {
				return io.ErrUnexpectedEOF
			}
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth == 1 && t.Name.Local == "response" {
				var r Response
				if err := d.DecodeElement(&r, &t); err != nil {
					return err
				}
				if err := each(r); err != nil {
					return err
				}
				continue
			}
			depth++
		case xml.EndElement:
			if depth--; depth == 0 {
				return nil
			}
		}
	}
}

// Escaped returns text for the inside of an XML element.
func Escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}
