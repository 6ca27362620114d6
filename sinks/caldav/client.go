package caldav

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/meter"
)

// client speaks with one server as one user.
type client struct {
	http                        *http.Client
	meter                       *meter.Meter
	home                        *url.URL
	user, password, authorizeAs string
	close                       func()
}

func newClient(o Options) (*client, error) {
	home, err := url.Parse(o.URL)
	if err != nil || home.Host == "" || home.Scheme != "http" && home.Scheme != "https" {
		return nil, fault.New(fault.FailTask, fault.TargetUnsupported, "calendar target: %s is no address of a CalDAV home", httpx.RedactURL(o.URL))
	}
	if !strings.HasSuffix(home.Path, "/") {
		home = home.JoinPath("/")
	}
	home.User, home.RawQuery, home.Fragment = nil, "", ""
	c := &client{meter: o.Meter, home: home, user: o.User, password: o.Password, authorizeAs: o.AuthorizeAs, close: func() {}}
	transport := o.RoundTripper
	if transport == nil {
		own := httpx.NewTransport()
		transport, c.close = own, own.CloseIdleConnections
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

// maxAnswer bounds the body of an answer that is kept in memory.
const maxAnswer = icalendar.MaxSize

// answer is what a server said to a request.
type answer struct {
	method, path string
	status       int
	header       http.Header
	body         []byte
	xml          words
}

func (a *answer) ok() bool { return a.status/100 == 2 && a.status != http.StatusMultiStatus }

func (a *answer) gone() bool {
	return a.status == http.StatusNotFound || a.status == http.StatusGone
}

// etag returns the entity tag, without the mark of a weak one: that would never match.
func (a *answer) etag() string {
	return strings.TrimPrefix(strings.TrimSpace(a.header.Get("ETag")), "W/")
}

// do sends a request and reads the whole answer. The error is one of the way, not of the status.
func (c *client) do(ctx context.Context, method, href string, h http.Header, body []byte) (*answer, error) {
	resp, path, err := c.start(ctx, method, href, h, body)
	if err != nil {
		return nil, err
	}
	defer httpx.Drain(resp.Body)
	a := &answer{method: method, path: path, status: resp.StatusCode, header: resp.Header}
	a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, c.broken(ctx, method, path, err)
	}
	if len(a.body) > maxAnswer {
		return nil, fault.New(fault.FailItem, fault.TargetBadAnswer, "%s %s: the answer is larger than %d bytes", method, path, maxAnswer)
	}
	if !a.ok() {
		a.xml = readWords(a.body)
	}
	return a, nil
}

// start sends a request and returns the answer with its body unread.
func (c *client) start(ctx context.Context, method, href string, h http.Header, body []byte) (*http.Response, string, error) {
	u, err := c.resolve(href)
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
	req.SetBasicAuth(c.user, c.password)
	if c.authorizeAs != "" {
		req.Header.Set("Authorize-As", c.authorizeAs)
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
func (c *client) broken(ctx context.Context, method, path string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s %s: %w", method, path, ctx.Err())
	}
	return fault.New(fault.Retry, fault.TargetUnavailable, "%s %s: %w", method, path, httpx.Redact(err))
}

var errForeign = errors.New("the address is on another server")

// resolve returns the URL of an href of this server. Credentials go nowhere else.
func (c *client) resolve(href string) (*url.URL, error) {
	u, err := c.home.Parse(href)
	if err != nil || u.Scheme != c.home.Scheme || !strings.EqualFold(u.Host, c.home.Host) || u.Opaque != "" {
		return nil, fault.New(fault.FailItem, fault.TargetBadAnswer, "calendar target: %w", errForeign)
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u, nil
}

// path returns the path of an href, as it stands in receipts. Servers write the same address with and without their
// own name; a proxy's view of scheme and host is not asked for.
func (c *client) path(href string) (string, error) {
	u, err := c.home.Parse(strings.TrimSpace(href))
	if err != nil || u.Opaque != "" || !strings.HasPrefix(u.Path, "/") {
		return "", fault.New(fault.FailItem, fault.TargetBadAnswer, "calendar target: an href that is none")
	}
	return canonical(u), nil
}

// canonical returns the path in the one way of escaping that is used here: servers escape more or less of it.
func canonical(u *url.URL) string {
	if strings.Contains(strings.ToUpper(u.RawPath), "%2F") {
		return u.EscapedPath()
	}
	return (&url.URL{Path: u.Path}).EscapedPath()
}

// fault is the meaning of an answer that is no success.
func (c *client) fault(a *answer) error {
	f := fault.New(fault.Retry, fault.TargetUnavailable, "%s %s: %d %s", a.method, a.path, a.status, a.xml.said(a.body))
	after := httpx.RetryAfter(a.header, time.Now())
	set := func(action fault.Action, reason fault.Reason) error {
		f.Action, f.Reason = action, reason
		return f.WithAfter(after)
	}
	switch s := a.status; {
	case s == http.StatusUnauthorized:
		f.Hint = "check the account's user and password on the target"
		if c.authorizeAs != "" {
			f.Hint = "Cyrus lets an administrator act for others in a Murder alone; a single server needs each user's password"
		}
		return set(fault.FailTask, fault.TargetAuth)
	case s == http.StatusInsufficientStorage, a.xml.has("quota-not-exceeded", "sufficient-disk-space"):
		return set(fault.FailTask, fault.TargetQuota)
	case s == http.StatusTooManyRequests:
		c.meter.Throttle("CalDAV", time.Now(), after)
		return set(fault.Retry, fault.TargetThrottled)
	case s == http.StatusServiceUnavailable:
		c.meter.Throttle("CalDAV", time.Now(), after)
		return set(fault.Retry, fault.TargetUnavailable)
	case s == http.StatusLocked:
		return set(fault.Retry, fault.TargetLocked)
	case s == http.StatusRequestEntityTooLarge, a.xml.has("max-resource-size"), s == http.StatusForbidden && strings.Contains(a.xml.message, "exceeds"):
		return set(fault.FailItem, fault.TargetTooBig)
	case s == http.StatusBadRequest, s == http.StatusUnsupportedMediaType, s == http.StatusUnprocessableEntity, s == http.StatusMultiStatus,
		a.xml.has("valid-calendar-data", "valid-calendar-object-resource", "supported-calendar-data", "supported-calendar-component"),
		strings.HasSuffix(a.xml.exception, "InvalidDataException"):
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

// putFault is fault for a PUT, where a missing parent is the calendar itself.
func (c *client) putFault(a *answer) error {
	missing := a.status == http.StatusForbidden && bytes.Contains(a.body, []byte("Mailbox does not exist")) // Cyrus
	if a.gone() || a.status == http.StatusConflict || missing {
		return fault.New(fault.FailTask, fault.TargetNoParent, "PUT %s: %d %s", a.path, a.status, a.xml.said(a.body)).
			WithHint("the calendar was removed on the target; the next run makes it again")
	}
	return c.fault(a)
}

// uidConflict reports whether the server refuses a second object of one UID, in the dialects of Nextcloud, sabre, Cyrus,
// Radicale, Stalwart and RFC 4791 §5.3.2.1.
func (a *answer) uidConflict() bool {
	if a.ok() {
		return false
	}
	message := strings.ToLower(a.xml.message)
	return a.xml.has("no-uid-conflict", "unique-scheduling-object-resource") ||
		a.status == http.StatusBadRequest && strings.Contains(message, "uid already exists")
}
