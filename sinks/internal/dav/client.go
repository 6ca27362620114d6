package dav

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/meter"
)

// Options say whom a Client speaks with.
type Options struct {
	// URL is the user's home: the collection of the calendars or address books.
	URL string
	// User and Password log in (HTTP Basic).
	User, Password string
	// AuthorizeAs is the user to act for where User is an administrator of a Cyrus Murder; may be empty. A single Cyrus 3.6
	// refuses the header.
	AuthorizeAs string
	// RoundTripper carries the requests; nil: one of the client's own, which Close ends.
	RoundTripper http.RoundTripper
	// Meter counts the requests; may be nil.
	Meter *meter.Meter
	// Protocol is "CalDAV" or "CardDAV", and Collection what a home holds: "calendar" or "address book". Both are for texts.
	Protocol, Collection string
}

// Client speaks with one server as one user.
type Client struct {
	// Home is the user's home. It ends with a slash.
	Home *url.URL
	// Close ends the connections that the client opened by itself.
	Close func()

	o    Options
	http *http.Client
	salt string
	mask httpx.Mask // the account's password

	// partsNames and keepsNames say what is known of the server by now: that it parts names of categories at commas, or that it does not.
	partsNames, keepsNames atomic.Bool
}

// NewClient returns a client that has sent nothing.
func NewClient(o Options) (*Client, error) {
	home, err := url.Parse(o.URL)
	if err != nil || home.Host == "" || home.Scheme != "http" && home.Scheme != "https" {
		return nil, fault.New(fault.FailTask, fault.TargetUnsupported, "%s target: %s is no address of a %s home", o.Collection, httpx.RedactURL(o.URL), o.Protocol)
	}
	if !strings.HasSuffix(home.Path, "/") {
		home = home.JoinPath("/")
	}
	home.User, home.RawQuery, home.Fragment = nil, "", ""
	c := &Client{o: o, Home: home, Close: func() {}, salt: rand.Text()[:8], mask: httpx.BasicMask(o.User, o.Password)}
	transport := o.RoundTripper
	if transport == nil {
		own := httpx.NewTransport()
		transport, c.Close = own, own.CloseIdleConnections
	}
	// Nextcloud checks a password at each request unless the session's cookie comes back.
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	c.http = &http.Client{Transport: httpx.Metered(httpx.Stalling(transport, httpx.TargetSilence), o.Meter), Jar: jar, CheckRedirect: noRedirect}
	return c, nil
}

// noRedirect hands redirects to the caller: net/http would turn a PUT into a GET, and might send the password elsewhere.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// User is who logs in.
func (c *Client) User() string { return c.o.User }

// maxAnswer bounds the body of an answer that is kept in memory.
const maxAnswer = icalendar.MaxSize

// Answer is what a server said to a request.
type Answer struct {
	Method, Path string
	Status       int
	Header       http.Header
	Body         []byte
	// XML holds what an answer says that is no success.
	XML Words
}

// OK reports whether the request did what it was to do.
func (a *Answer) OK() bool { return a.Status/100 == 2 && a.Status != http.StatusMultiStatus }

// Gone reports whether nothing lies where the request went.
func (a *Answer) Gone() bool {
	return a.Status == http.StatusNotFound || a.Status == http.StatusGone
}

// Plain returns the answer as an error without a meaning.
func (a *Answer) Plain() error {
	return fmt.Errorf("%s %s: %d %s", a.Method, a.Path, a.Status, a.XML.Said(a.Body))
}

// etag returns the entity tag, without the mark of a weak one: that would never match.
func (a *Answer) etag() string {
	return strings.TrimPrefix(strings.TrimSpace(a.Header.Get("ETag")), "W/")
}

// Do sends a request and reads the whole answer. The error is one of the way, not of the status.
func (c *Client) Do(ctx context.Context, method, href string, h http.Header, body []byte) (*Answer, error) {
	resp, path, err := c.start(ctx, method, href, h, body)
	if err != nil {
		return nil, err
	}
	defer httpx.Drain(resp.Body)
	a := &Answer{Method: method, Path: path, Status: resp.StatusCode, Header: resp.Header}
	a.Body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, c.broken(ctx, method, path, err)
	}
	if len(a.Body) > maxAnswer {
		return nil, fault.New(fault.FailItem, fault.TargetBadAnswer, "%s %s: the answer is larger than %d bytes", method, path, maxAnswer)
	}
	if !a.OK() {
		a.XML = readWords(a.Body, c.mask)
	}
	return a, nil
}

// start sends a request and returns the answer with its body unread.
func (c *Client) start(ctx context.Context, method, href string, h http.Header, body []byte) (*http.Response, string, error) {
	u, err := c.Resolve(href)
	if err != nil {
		return nil, "", err
	}
	path := u.EscapedPath()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, path, fault.New(fault.FailItem, fault.TargetBadAnswer, "%s %s: %w", method, path, httpx.Redact(err))
	}
	if body == nil {
		req.Body = http.NoBody
	}
	for name, values := range h {
		req.Header[name] = values
	}
	httpx.Repeatable(req)
	req.Header.Set("User-Agent", "repatriate")
	req.SetBasicAuth(c.o.User, c.o.Password)
	if c.o.AuthorizeAs != "" {
		req.Header.Set("Authorize-As", c.o.AuthorizeAs)
	}
	silence(req.Header)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, path, c.broken(ctx, method, path, err)
	}
	return resp, path, nil
}

// silence asks the server to tell nobody. The headers stand on every request, so that none can be forgotten.
func silence(h http.Header) {
	h.Set("X-NC-Scheduling", "false")
	h.Set("Schedule-Reply", "F")
}

// broken is the meaning of an error of the network.
func (c *Client) broken(ctx context.Context, method, path string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s %s: %w", method, path, ctx.Err())
	}
	if why, do, ok := httpx.TLSTrouble(err, c.Home.Hostname()); ok {
		return fault.New(fault.FailTask, fault.TargetUnavailable, "%s %s: %s", method, path, why).WithHint(do)
	}
	return fault.New(fault.Retry, fault.TargetUnavailable, "%s %s: %w", method, path, httpx.Redact(err))
}

var errForeign = errors.New("the address is on another server")

// Resolve returns the URL of an href of this server. Credentials go nowhere else.
func (c *Client) Resolve(href string) (*url.URL, error) {
	u, err := c.Home.Parse(href)
	if err != nil || u.Scheme != c.Home.Scheme || !strings.EqualFold(u.Host, c.Home.Host) || u.Opaque != "" {
		return nil, fault.New(fault.FailItem, fault.TargetBadAnswer, "%s target: %w", c.o.Collection, errForeign)
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u, nil
}

// Path returns the path of an href, as it stands in receipts. Servers write the same address with and without their
// own name; a proxy's view of scheme and host is not asked for.
func (c *Client) Path(href string) (string, error) {
	u, err := c.Home.Parse(strings.TrimSpace(href))
	if err != nil || u.Opaque != "" || !strings.HasPrefix(u.Path, "/") {
		return "", fault.New(fault.FailItem, fault.TargetBadAnswer, "%s target: an href that is none", c.o.Collection)
	}
	return Canonical(u), nil
}

// Canonical returns the path in the one way of escaping that is used here: servers escape more or less of it.
func Canonical(u *url.URL) string {
	if strings.Contains(strings.ToUpper(u.RawPath), "%2F") {
		return u.EscapedPath()
	}
	return (&url.URL{Path: u.Path}).EscapedPath()
}

// Fault is the meaning of an answer that is no success.
func (c *Client) Fault(a *Answer) error {
	f := fault.New(fault.Retry, fault.TargetUnavailable, "%s %s: %d %s", a.Method, a.Path, a.Status, a.XML.Said(a.Body))
	after := httpx.RetryAfter(a.Header, time.Now())
	set := func(action fault.Action, reason fault.Reason) error {
		f.Action, f.Reason = action, reason
		return f.WithAfter(after)
	}
	switch s := a.Status; {
	case s == http.StatusUnauthorized:
		f.Hint = "check the account's user and password on the target"
		if c.o.AuthorizeAs != "" {
			f.Hint = "Cyrus lets an administrator act for others in a Murder alone; a single server needs each user's password"
		}
		return set(fault.FailTask, fault.TargetAuth)
	case s == http.StatusInsufficientStorage, a.XML.Has("quota-not-exceeded", "sufficient-disk-space"):
		return set(fault.FailTask, fault.TargetQuota)
	case s == http.StatusTooManyRequests:
		c.o.Meter.Throttle(c.o.Protocol, time.Now(), after)
		return set(fault.Retry, fault.TargetThrottled)
	case s == http.StatusServiceUnavailable:
		c.o.Meter.Throttle(c.o.Protocol, time.Now(), after)
		return set(fault.Retry, fault.TargetUnavailable)
	case s == http.StatusLocked:
		return set(fault.Retry, fault.TargetLocked)
	case s == http.StatusRequestEntityTooLarge, a.XML.Has("max-resource-size"), s == http.StatusForbidden && strings.Contains(a.XML.Message, "exceeds"):
		return set(fault.FailItem, fault.TargetTooBig)
	case s == http.StatusBadRequest, s == http.StatusUnsupportedMediaType, s == http.StatusUnprocessableEntity, s == http.StatusMultiStatus,
		a.XML.Has("valid-address-data", "supported-address-data", "valid-calendar-data", "valid-calendar-object-resource", "supported-calendar-data", "supported-calendar-component"),
		strings.HasSuffix(a.XML.exception, "InvalidDataException"):
		return set(fault.FailItem, fault.TargetInvalid)
	case s == http.StatusForbidden, s == http.StatusMethodNotAllowed:
		return set(fault.FailItem, fault.TargetForbidden)
	case s/100 == 3:
		f.Hint = "write the address to which the server redirects into the job file"
		return set(fault.FailTask, fault.TargetBadAnswer)
	case s >= 500, s == http.StatusRequestTimeout, s == http.StatusTooEarly:
		return set(fault.Retry, fault.TargetUnavailable)
	}
	return set(fault.FailItem, fault.TargetBadAnswer)
}

// putFault is Fault for a PUT, where a missing parent is the calendar itself.
func (c *Client) putFault(a *Answer) error {
	missing := a.Status == http.StatusForbidden && bytes.Contains(a.Body, []byte("Mailbox does not exist")) // Cyrus
	if a.Gone() || a.Status == http.StatusConflict || missing {
		return fault.New(fault.FailTask, fault.TargetNoParent, "PUT %s: %d %s", a.Path, a.Status, a.XML.Said(a.Body)).
			WithHint("the " + c.o.Collection + " was removed on the target; the next run makes it again")
	}
	return c.Fault(a)
}

// uidConflict reports whether the server refuses a second object of one UID, in the dialects of Nextcloud, sabre, Cyrus,
// Radicale, Stalwart and RFC 4791 §5.3.2.1.
func (a *Answer) uidConflict() bool {
	if a.OK() {
		return false
	}
	message := strings.ToLower(a.XML.Message)
	return a.XML.Has("no-uid-conflict", "unique-scheduling-object-resource") ||
		a.Status == http.StatusBadRequest && strings.Contains(message, "uid already exists")
}
