// Package tlstest makes certificates, good and bad ones, for servers on 127.0.0.1 within tests.
package tlstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"
)

// Flaw is what is wrong with a server's TLS.
type Flaw string

// The flaws; Good is none.
const (
	Good       Flaw = "good"
	WrongName  Flaw = "wrong name"
	Expired    Flaw = "expired"
	SelfSigned Flaw = "self-signed"
	Old        Flaw = "TLS 1.1"
)

// Authority signs certificates.
type Authority struct {
	leaf *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority returns one that nobody trusts yet.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{leaf: template("an authority"), key: newKey(t)}
	a.leaf.IsCA, a.leaf.BasicConstraintsValid = true, true
	a.leaf.KeyUsage = x509.KeyUsageCertSign
	a.leaf.IPAddresses = nil
	der, err := x509.CreateCertificate(rand.Reader, a.leaf, a.leaf, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.leaf, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// PEM returns the authority's certificate.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.leaf.Raw})
}

// Config returns the configuration of a server on 127.0.0.1 with a flaw.
func (a *Authority) Config(t testing.TB, flaw Flaw) *tls.Config {
	t.Helper()
	leaf, key := template("a server"), newKey(t)
	parent, signer := a.leaf, a.key
	c := &tls.Config{}
	switch flaw {
	case WrongName:
		leaf.IPAddresses, leaf.DNSNames = nil, []string{"elsewhere.example"}
	case Expired:
		leaf.NotAfter = time.Now().Add(-time.Hour)
	case SelfSigned:
		parent, signer = leaf, key
	case Old:
		c.MinVersion, c.MaxVersion = tls.VersionTLS11, tls.VersionTLS11 //nolint:gosec // that is what is wrong with it
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	c.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
	return c
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
}
