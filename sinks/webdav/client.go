package webdav

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/meter"
)

// client sends requests to one server and reads its answers with bounds.
type client struct {
	base  *url.URL // the account's root, with a slash at its end
	http  *http.Client
	opts  Options
	meter *meter.Meter
	mask  httpx.Mask // the account's password
	// clock is the server's own time by its latest answer, in Unix seconds; 0 if it stated none.
	clock atomic.Int64
}

func newClient(base *url.URL, opts Options) *client {
	// The error is always nil. The session cookie spares Nextcloud a costly login per request.
	jar, _ := cookiejar.New(nil)
	return &client{
		base:  base,
		opts:  opts,
		meter: opts.Meter,
		mask:  httpx.BasicMask(opts.User, opts.Password),
		http: &http.Client{
			Transport: httpx.Metered(httpx.Stalling(opts.Transport, httpx.TargetSilence), opts.Meter),
			Jar:       jar,
			// A redirect would turn a PUT into a GET or carry credentials to another place.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// resource returns the URL of the file at the path.
func (c *client) resource(path []string) *url.URL {
	u := *c.base
	var plain, escaped strings.Builder
	plain.WriteString(c.base.Path)
	escaped.WriteString(c.base.EscapedPath())
	for i, segment := range path {
		if i > 0 {
			plain.WriteByte('/')
			escaped.WriteByte('/')
		}
		plain.WriteString(segment)
		escaped.WriteString(url.PathEscape(segment))
	}
	u.Path, u.RawPath = plain.String(), escaped.String()
	return &u
}

// collection returns the URL of the folder at the path: RFC 4918 §5.2 wants the slash at its end.
func (c *client) collection(path []string) *url.URL {
	u := c.resource(path)
	if !strings.HasSuffix(u.Path, "/") {
		u.Path += "/"
		u.RawPath += "/"
	}
	return u
}

// request is one exchange to be made.
type request struct {
	method string
	url    *url.URL
	header http.Header
	// body of size bytes; nil for none.
	body io.Reader
	size int64
	// what is done, in words, for errors. It holds no name of an item.
	what string
	// limit is how much of the answer's body is kept; 0 means answerLimit.
	limit int64
}

// answer is what came back, read and closed.
type answer struct {
	status int
	header http.Header
	body   []byte // up to the request's limit
	at     time.Time
}

// answerLimit bounds what is kept of an ordinary answer's body.
const answerLimit int64 = 64 << 10

// ok reports a status of 2xx, other than 207, which hides errors.
func (a *answer) ok() bool { return a.status/100 == 2 && a.status != http.StatusMultiStatus }

// do makes the exchange and reads the whole answer. An error means that there was none; it carries its fault.
func (c *client) do(ctx context.Context, r request) (*answer, error) {
	resp, err := c.open(ctx, r)
	if err != nil {
		return nil, err
	}
	defer httpx.Drain(resp.Body)
	body, err := io.ReadAll(io.LimitReader(resp.Body, cmp.Or(r.limit, answerLimit)))
	if err != nil && resp.StatusCode/100 == 2 {
		return nil, c.transportFault(ctx, r.what, err)
	}
	return &answer{status: resp.StatusCode, header: resp.Header, body: body, at: time.Now()}, nil
}

// open makes the exchange and leaves the answer's body to the caller.
func (c *client) open(ctx context.Context, r request) (*http.Response, error) {
	// The URL is set afterwards so that its escaped form is sent as it is.
	req, err := http.NewRequestWithContext(ctx, r.method, "http://target/", r.body)
	if err != nil {
		return nil, fault.New(fault.FailItem, fault.TargetInvalid, "%s: %w", r.what, err)
	}
	req.URL, req.Host = r.url, r.url.Host
	if r.body != nil {
		setBody(req, r)
	}
	for _, h := range []http.Header{c.opts.Header, r.header} {
		for k, v := range h {
			req.Header[k] = v
		}
	}
	httpx.Repeatable(req)
	if err := c.authorize(ctx, req); err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.transportFault(ctx, r.what, err)
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		c.clock.Store(date.Unix())
	}
	return resp, nil
}

func setBody(req *http.Request, r request) {
	req.ContentLength = r.size
	if r.size == 0 {
		req.Body, req.GetBody = http.NoBody, nil
	}
	if r.size >= expectFrom {
		// A refused condition then costs no upload where the server answers before the body.
		req.Header.Set("Expect", "100-continue")
	}
}

// expectFrom is the size from which a round trip costs less than a body sent in vain.
const expectFrom = 4 << 20

func (c *client) authorize(ctx context.Context, req *http.Request) error {
	switch {
	case c.opts.Token != nil:
		token, err := c.opts.Token(ctx)
		if err != nil {
			return fault.New(fault.FailTask, fault.TargetAuth, "getting a token for the target: %w", err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
	case c.opts.User != "" || c.opts.Password != "":
		req.SetBasicAuth(c.opts.User, c.opts.Password)
	}
	return nil
}

// transportFault says what it means that there was no answer. The URL that net/http puts into its error is left out: it
// holds names of files.
func (c *client) transportFault(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if why, do, ok := httpx.TLSTrouble(err, c.base.Hostname()); ok {
		return fault.New(fault.FailTask, fault.TargetUnavailable, "%s: %s", what, why).WithHint(do)
	}
	return fault.New(fault.Retry, fault.TargetUnavailable, "%s: %w", what, err)
}
