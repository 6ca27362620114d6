package imap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sinks/imap/wire"
)

// dialTimeout bounds the way to a connection that is ready to use, the login included.
const dialTimeout = time.Minute

// endpoint is where a server listens.
type endpoint struct {
	host, address string
	tls           bool // from the first byte, otherwise by STARTTLS where it is offered
}

// parseURL reads "imaps://host[:993]" or "imap://host[:143]".
func parseURL(raw string) (endpoint, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.User != nil || u.RawQuery != "" {
		return endpoint{}, fault.New(fault.FailTask, fault.TargetUnsupported, "not an IMAP server's URL: want imaps://host[:port]")
	}
	port := u.Port()
	switch strings.ToLower(u.Scheme) {
	case "imaps":
		if port == "" {
			port = "993"
		}
		return endpoint{u.Hostname(), net.JoinHostPort(u.Hostname(), port), true}, nil
	case "imap":
		if port == "" {
			port = "143"
		}
		return endpoint{u.Hostname(), net.JoinHostPort(u.Hostname(), port), false}, nil
	}
	return endpoint{}, fault.New(fault.FailTask, fault.TargetUnsupported, "not an IMAP server's URL: the scheme is %q", u.Scheme)
}

// dial returns a connection that is logged in. It ends soon when ctx does.
func (s *Sink) dial(ctx context.Context) (*wire.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	nc, err := (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext(ctx, "tcp", s.endpoint.address)
	if err != nil {
		return nil, s.classify("connect", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = nc.Close() })
	defer stop()
	conn, err := s.login(ctx, nc)
	if err != nil {
		_ = nc.Close()
		return nil, err
	}
	s.opts.Meter.Request(conn.Commands)
	return conn, nil
}

func (s *Sink) login(ctx context.Context, nc net.Conn) (*wire.Conn, error) {
	config := s.tlsConfig()
	if s.endpoint.tls {
		encrypted := tls.Client(nc, config)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			return nil, s.tlsFault(err)
		}
		nc = encrypted
	}
	conn, err := wire.New(nc, s.opts.Timeout)
	if err != nil {
		return nil, s.classify("connect", err)
	}
	if !s.endpoint.tls {
		if err := s.startTLS(ctx, conn, config); err != nil {
			return nil, err
		}
	}
	identity, user := s.opts.identity()
	if err := conn.Login(identity, user, s.opts.Password); err != nil {
		return nil, s.loginFault(err)
	}
	return conn, nil
}

func (s *Sink) tlsConfig() *tls.Config {
	config := httpx.TLS(nil)
	if s.opts.TLS != nil {
		config = s.opts.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = s.endpoint.host
	}
	return config
}

// startTLS encrypts a plain connection; only with Insecure may it stay plain, when the server does not offer encryption.
func (s *Sink) startTLS(ctx context.Context, conn *wire.Conn, config *tls.Config) error {
	if s.opts.Insecure {
		return nil
	}
	err := conn.StartTLS(ctx, config)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, wire.ErrNoTLS):
		return fault.New(fault.FailTask, fault.TargetUnsupported, "%w", err).
			WithHint("use an imaps: URL, or allow a connection without encryption")
	}
	return s.tlsFault(err)
}

func (s *Sink) tlsFault(err error) error {
	if why, do, ok := httpx.TLSTrouble(err, s.endpoint.host); ok {
		return fault.New(fault.FailTask, fault.TargetUnavailable, "%s", why).WithHint(do)
	}
	return s.classify("TLS", err)
}

// loginFault: a refusal without a reason means wrong credentials (RFC 9051 §6.2.3).
func (s *Sink) loginFault(err error) error {
	var status *wire.StatusError
	if errors.As(err, &status) && status.Status != "BYE" {
		switch status.Code {
		case "UNAVAILABLE", "INUSE", "SERVERBUG", "LIMIT", "CONTACTADMIN":
			return fault.New(fault.Retry, fault.TargetUnavailable, "%w", s.tidy(status))
		}
		return fault.New(fault.FailTask, fault.TargetAuth, "%w", s.tidy(status)).WithHint(hintLogin)
	}
	return s.classify("login", err)
}

// identity returns the authorization identity and the login name.
func (o *Options) identity() (identity, user string) {
	switch {
	case o.Master == (Master{}):
		return "", o.User
	case o.Master.Separator != "":
		return "", o.User + o.Master.Separator + o.Master.User
	}
	return o.User, o.Master.User
}

// errClosed says that the sink was closed.
var errClosed = fmt.Errorf("the sink is closed: %w", net.ErrClosed)
