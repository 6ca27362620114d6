package httpx

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// TLS is the configuration of all encrypted connections: certificates are verified, and no version below 1.2 is spoken. roots are
// the authorities that are trusted; nil: the system's.
func TLS(roots *x509.CertPool) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
}

// Roots returns the system's authorities and those of a PEM text beside them.
func Roots(pem []byte) (*x509.CertPool, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a machine without authorities of its own
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("there is no certificate in it in the form of PEM")
	}
	return roots, nil
}

// TLSTrouble tells what is wrong with a handshake, and what to do; ok is false where err is about something else. The host is
// the one that was called; empty: the one of the request that err is about. Some libraries keep nothing but the text of an error.
func TLSTrouble(err error, host string) (what, do string, ok bool) {
	if err == nil {
		return "", "", false
	}
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	text := err.Error()
	host = OneLine(cmp.Or(host, hostOf(err), "the server"))
	switch {
	case errors.As(err, &name):
		return fmt.Sprintf("the certificate is not for %s; it is for: %s", host, OneLine(namesOf(name.Certificate))), hintName + host, true
	case strings.Contains(text, "x509: certificate is valid for "), strings.Contains(text, "x509: cannot validate certificate for "):
		return "the certificate is not for " + host, hintName + host, true
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Sprintf("the certificate of %s is not valid today: %s", host, OneLine(invalid.Error())), hintExpired, true
	case strings.Contains(text, "x509: certificate has expired or is not yet valid"):
		return "the certificate of " + host + " is not valid today", hintExpired, true
	case errors.As(err, &unknown), strings.Contains(text, "x509: certificate signed by unknown authority"):
		return "the certificate of " + host + " " + signer(unknown.Cert), hintAuthority, true
	case errors.As(err, &record), strings.Contains(text, "server gave HTTP response to HTTPS client"):
		return host + " does not speak TLS on this port", "check scheme and port of the URL: http and https, imap and imaps have ports of their own", true
	case strings.Contains(text, "protocol version"):
		return host + " speaks no TLS from version 1.2 on", "switch on TLS 1.2 or 1.3 on the server", true
	case strings.Contains(text, "tls: "), strings.Contains(text, "x509: "):
		return fmt.Sprintf("TLS with %s: %s", host, OneLine(Redact(err).Error())), HintTLS, true
	}
	return "", "", false
}

// hostOf returns the host of the request that err is about, or nothing.
func hostOf(err error) string {
	var u *url.Error
	if !errors.As(err, &u) {
		return ""
	}
	at, err := url.Parse(u.URL)
	if err != nil {
		return ""
	}
	return at.Hostname()
}

// HintTLS says what to do about a handshake that failed for no reason of which more is known.
const HintTLS = "check that the server speaks TLS on this port, and its certificate"

const (
	hintName      = "write the name for which the certificate is into the job file, or have the server use one for "
	hintExpired   = "renew the server's certificate, and check this machine's clock"
	hintAuthority = "have the server use a certificate of a public authority, or trust its own: target.ca in the job file names a file " +
		"of certificates for the targets, and the environment's SSL_CERT_FILE one for everything"
)

func signer(c *x509.Certificate) string {
	if c != nil && bytes.Equal(c.RawIssuer, c.RawSubject) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil {
		return "is self-signed"
	}
	return "is signed by an authority that this machine does not trust"
}

// namesOf lists for whom a certificate is.
func namesOf(c *x509.Certificate) string {
	if c == nil {
		return "none"
	}
	names := c.DNSNames
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return cmp.Or(strings.Join(names, ", "), "none")
}
