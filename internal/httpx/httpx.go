// Package httpx is what every HTTP client of the project shares: a transport with bounds, the meter, Retry-After, and
// error texts without secrets.
package httpx

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"codeberg.org/repatriate/repatriate/internal/meter"
)

// TargetSilence is how long a target may neither take nor send a byte of a body; see Stalling.
const TargetSilence = 5 * time.Minute

// NewTransport returns a transport for many parallel requests to few hosts. It has no limit on the time of a whole
// exchange, since bodies may be large; connecting, the TLS handshake and the wait for an answer's head are bounded. The
// silence within a body is for Stalling.
func NewTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        TLS(nil),
		TLSHandshakeTimeout:    20 * time.Second,
		ResponseHeaderTimeout:  5 * time.Minute,
		ExpectContinueTimeout:  2 * time.Second,
		IdleConnTimeout:        60 * time.Second,
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    128,
		MaxResponseHeaderBytes: 256 << 10,
		WriteBufferSize:        64 << 10,
		ReadBufferSize:         64 << 10,
		ForceAttemptHTTP2:      true,
	}
}

// Metered counts each request that goes through next.
func Metered(next http.RoundTripper, m *meter.Meter) http.RoundTripper {
	return RoundTrip(func(r *http.Request) (*http.Response, error) {
		m.Request(1)
		began := time.Now()
		answer, err := next.RoundTrip(r)
		if err == nil {
			m.Answered(time.Since(began))
		}
		return answer, err
	})
}

// Repeatable lets net/http send a request that only reads a second time when the server closed the idle connection on which
// it was sent. It knows that of GET; PROPFIND and REPORT are as safe (RFC 4918 §9.1, RFC 3253 §3.6).
func Repeatable(req *http.Request) {
	if req.Method == "PROPFIND" || req.Method == "REPORT" {
		req.Header["Idempotency-Key"] = []string{} // empty: net/http takes the hint and sends nothing
	}
}

// drainLimit is how much of an unread answer is worth reading to keep its connection.
const drainLimit = 64 << 10

// Drain reads what little is left of a body and closes it, so that the connection can be used again.
func Drain(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, drainLimit)
	_ = body.Close()
}

// maxRetryAfter bounds what a server may ask for in one answer.
const maxRetryAfter = 24 * time.Hour

// RetryAfter returns the pause that an answer asks for by RFC 9110 §10.2.3, as seconds or as a date; zero if none,
// at most a day.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if v == "" {
		return 0
	}
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		return clamp(s * float64(time.Second))
	}
	if t, err := http.ParseTime(v); err == nil {
		return clamp(float64(t.Sub(now)))
	}
	return 0
}

func clamp(d float64) time.Duration {
	if !(d > 0) {
		return 0
	}
	return time.Duration(min(d, float64(maxRetryAfter)))
}

// Redact returns err without the query and user part of a URL that net/http wrote into it: pre-authenticated links
// and passwords stay out of logs and records.
func Redact(err error) error {
	var u *url.Error
	if !errors.As(err, &u) {
		return err
	}
	c := *u
	c.URL = RedactURL(u.URL)
	return &c
}

// RedactURL returns the URL without its user part, query and fragment.
func RedactURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(a URL that cannot be parsed)"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
