package preflight

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// Server is one that is to be reached.
type Server struct {
	// URL is https:, http:, imaps: or imap:. Only its host counts.
	URL string
	// Path is asked for over HTTP, without credentials; the root if it is empty. With a path, an answer of the server's own failure
	// (RFC 9110 §15.6) is an error too.
	Path string
	// Key is what names it in the job file, for texts; empty: nothing does, since it is the provider's own.
	Key string
	// Reason is that of a server which is not there.
	Reason fault.Reason
	// Roots are the authorities that are trusted; nil: the system's.
	Roots *x509.CertPool
	// Skew is told by how much the server's clock is ahead of ours, where it says.
	Skew func(time.Duration)
}

// The bounds of one step, how long before its end a certificate is worth a warning, and what clocks may differ by.
const (
	stepTimeout = 15 * time.Second
	renewal     = 21 * 24 * time.Hour
	maxSkew     = time.Minute
)

// Reach returns a check's probe that goes the way to a server step by step: the name, the port, TLS with the certificate, the clock. It
// sends no credentials.
func (s Server) Reach() Probe {
	return func(ctx context.Context, l *Log) error {
		u, err := url.Parse(s.URL)
		if err != nil || u.Hostname() == "" {
			l.Refuse(fault.TargetInvalid, s.Key+" is no URL", "correct "+s.Key+" in the job file")
			return nil
		}
		if s.plain(u) {
			l.Warn(u.Scheme+"://"+u.Host+" is reached without TLS", "passwords and contents can be read on their way", "use https: or imaps: for "+s.Key)
		}
		if !proxied(u) && !s.connect(ctx, l, u) {
			return ctx.Err()
		}
		if strings.HasPrefix(u.Scheme, "http") {
			s.ask(ctx, l, u)
		}
		if !l.failed() {
			l.OK("%s is reached", u.Host)
		}
		return ctx.Err()
	}
}

// remedy returns what to do about a server that the job file names, and for one that it does not name what is left to look at.
func (s Server) remedy(named string) string {
	if s.Key == "" {
		return "check this machine's network, DNS and proxy settings, and the firewalls on the way"
	}
	return named
}

// plain reports whether the server is elsewhere and the scheme has no TLS; with imap: it is demanded at the login.
func (s Server) plain(u *url.URL) bool {
	return u.Scheme == "http" && !httpx.Loopback(u.Hostname())
}

// proxied reports whether a proxy goes the way for us.
func proxied(u *url.URL) bool {
	if !strings.HasPrefix(u.Scheme, "http") {
		return false
	}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	return err == nil && proxy != nil
}

func portOf(u *url.URL) string {
	return cmp.Or(u.Port(), map[string]string{"https": "443", "http": "80", "imaps": "993", "imap": "143"}[strings.ToLower(u.Scheme)])
}

// connect goes as far as TLS. It reports whether all went well.
func (s Server) connect(ctx context.Context, l *Log, u *url.URL) bool {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	host := u.Hostname()
	if net.ParseIP(host) == nil {
		if _, err := net.DefaultResolver.LookupHost(ctx, host); err != nil {
			l.Refuse(s.Reason, fmt.Sprintf("the name %s does not resolve: %v", host, plainly(err)),
				s.remedy("check the host in "+s.Key+" of the job file, and this machine's DNS"))
			return false
		}
	}
	address := net.JoinHostPort(host, portOf(u))
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		l.Refuse(s.Reason, fmt.Sprintf("no connection to %s: %v", address, plainly(err)),
			s.remedy("check host and port in "+s.Key+" of the job file, that the server runs, and the firewalls between here and there"))
		return false
	}
	defer conn.Close()
	switch u.Scheme {
	case "https":
		_, ok := s.secure(ctx, l, conn, host)
		return ok
	case "imaps":
		secure, ok := s.secure(ctx, l, conn, host)
		return ok && s.greeted(ctx, l, secure, address)
	case "imap":
		return s.greeted(ctx, l, conn, address)
	}
	return true
}

// secure makes the handshake and looks at the certificate. The connection is closed with the one that it goes through.
func (s Server) secure(ctx context.Context, l *Log, conn net.Conn, host string) (net.Conn, bool) {
	config := httpx.TLS(s.Roots)
	config.ServerName = host
	c := tls.Client(conn, config)
	if err := c.HandshakeContext(ctx); err != nil {
		what, do, known := httpx.TLSTrouble(err, host)
		if !known {
			what, do = fmt.Sprintf("TLS with %s: %s", host, httpx.OneLine(err.Error())), httpx.HintTLS
		}
		l.Refuse(s.Reason, what, do)
		return nil, false
	}
	ending(l, c.ConnectionState().PeerCertificates[0], host)
	return c, true
}

// ending warns of a certificate that ends soon.
func ending(l *Log, leaf *x509.Certificate, host string) {
	if time.Until(leaf.NotAfter) < renewal {
		l.Warn(fmt.Sprintf("the certificate of %s ends on %s", host, leaf.NotAfter.UTC().Format(time.DateOnly)),
			"runs stop when it has ended", "renew it before")
	}
}

// ask sends a request without credentials for the sake of the Date (RFC 9110 §6.6.1).
func (s Server) ask(ctx context.Context, l *Log, u *url.URL) {
	ctx, cancel := context.WithTimeout(ctx, 2*stepTimeout)
	defer cancel()
	transport := httpx.NewTransport()
	transport.TLSClientConfig = httpx.TLS(s.Roots)
	defer transport.CloseIdleConnections()
	at := url.URL{Scheme: u.Scheme, Host: u.Host, Path: cmp.Or(s.Path, "/")}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, at.String(), nil)
	if err != nil {
		return
	}
	req.Header.Set("User-Agent", "repatriate")
	before := time.Now()
	res, err := transport.RoundTrip(req)
	if err != nil {
		if ctx.Err() == nil || !errors.Is(ctx.Err(), context.Canceled) {
			l.Refuse(s.Reason, fmt.Sprintf("no answer from %s: %v", u.Host, plainly(err)),
				s.remedy("check that a web server answers at "+s.Key+", and the proxy settings of this machine"))
		}
		return
	}
	httpx.Drain(res.Body)
	if s.Path != "" && res.StatusCode >= http.StatusInternalServerError {
		l.Refuse(s.Reason, fmt.Sprintf("%s answers every request with %d %s", u.Host, res.StatusCode, http.StatusText(res.StatusCode)),
			"look at the server and its log, and whether it is in maintenance mode")
	}
	s.clock(l, u.Host, res.Header.Get("Date"), before, time.Now())
}

// clock compares the server's Date, in whole seconds, with our time between request and answer.
func (s Server) clock(l *Log, host, date string, before, after time.Time) {
	theirs, err := http.ParseTime(date)
	if err != nil {
		return
	}
	skew := theirs.Sub(before.Add(after.Sub(before) / 2)).Round(time.Second)
	if s.Skew != nil {
		s.Skew(skew)
	}
	if skew.Abs() <= maxSkew+after.Sub(before) {
		return
	}
	skew = skew.Round(time.Minute) // a Date has whole seconds, and the answer took its time
	word := "ahead of"
	if skew < 0 {
		word = "behind"
	}
	l.Warn(fmt.Sprintf("the clock of %s is %s %s this machine's", host, skew.Abs(), word),
		"tokens are refused where clocks differ by minutes, and reports mix up times", "set this machine's clock, by NTP for instance, or the server's")
}

// Apart returns a finding for clocks of both sides that differ although each is near ours.
func Apart(source, target time.Duration) (Finding, bool) {
	if d := (source - target).Abs(); d > maxSkew {
		return Finding{Level: Warning, Side: Target, What: fmt.Sprintf("the clocks of source and target are %s apart", d.Round(time.Minute)),
			Why: "times of changes on both sides cannot be compared", Do: "set the target's clock by NTP"}, true
	}
	return Finding{}, false
}

// plainly returns an error of the network without the addresses that stand in the text beside it.
func plainly(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &dns):
		return httpx.OneLine(dns.Err)
	case errors.As(err, &op):
		return httpx.OneLine(op.Err.Error())
	}
	return httpx.OneLine(httpx.Redact(err).Error())
}
