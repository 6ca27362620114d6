package microsoft

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
)

// selfSigned returns a certificate and its key as PEM.
func selfSigned(t *testing.T) (text []byte, key *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "app"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	var b bytes.Buffer
	must(t, pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	must(t, pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return b.Bytes(), key
}

// proven checks the assertion of RFC 7523 that stands for a client secret.
func proven(assertion string, key *rsa.PublicKey, host string) error {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return fmt.Errorf("%d parts", len(parts))
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPSS(key, crypto.SHA256, sum[:], signature, nil) != nil {
		if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature); err != nil {
			return err
		}
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	var claims struct{ Iss, Sub, Aud string }
	if err := json.Unmarshal(raw, &claims); err != nil {
		return err
	}
	if claims.Iss != "app" || claims.Sub != "app" || !strings.Contains(claims.Aud, host) {
		return fmt.Errorf("claims %+v", claims)
	}
	return nil
}

func TestACertificateProvesTheApplication(t *testing.T) {
	text, key := selfSigned(t)
	var failure error
	s := &tenant{graph: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"value":[]}`) }}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token") {
			failure = proven(r.PostFormValue("client_assertion"), &key.PublicKey, r.Host)
		}
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	o := Options{Tenant: "contoso.test", ClientID: "app", Certificate: text, Endpoint: s.URL, Login: s.URL, Unlimited: true}
	c, err := New(o)
	must(t, err)
	if _, err := accountsOf(t.Context(), c); err != nil || failure != nil {
		t.Errorf("%v, %v", err, failure)
	}
	o.Certificate = []byte("no certificate")
	if _, err := New(o); err == nil || fault.Of(err).Reason != fault.SourceAuth {
		t.Errorf("what is no certificate: %v", err)
	}
}
