package google

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"golang.org/x/oauth2/jwt"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// tokenTimeout bounds one exchange with the token endpoint.
const tokenTimeout = time.Minute

// serviceKey is a parsed key file.
type serviceKey struct {
	json []byte
	// clientID is the number under which the Admin console knows the service account.
	clientID string
	// tokenHost is where tokens come from.
	tokenHost string
}

func parseKey(data []byte) (serviceKey, error) {
	var f struct {
		ClientID    string `json:"client_id"`
		ClientEmail string `json:"client_email"`
		PrivateKey  string `json:"private_key"`
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return serviceKey{}, errors.New("not a key file: no valid JSON")
	}
	cfg, err := google.JWTConfigFromJSON(data)
	if err != nil {
		return serviceKey{}, fmt.Errorf("not a service account's key file: %w", err)
	}
	if f.ClientEmail == "" || !readableKey(f.PrivateKey) {
		return serviceKey{}, errors.New("client_email or private_key is missing or broken in the key file")
	}
	tokens, err := httpx.SecureURL(cfg.TokenURL)
	if err != nil {
		return serviceKey{}, fmt.Errorf("token_uri: %w", err)
	}
	return serviceKey{json: data, clientID: f.ClientID, tokenHost: tokens.Hostname()}, nil
}

// readableKey reports whether the text is a private key in one of the forms that package jwt reads.
func readableKey(text string) bool {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return false
	}
	if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		return true
	}
	_, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	return err == nil
}

// tokenSource returns what asks the token endpoint for a token of the user and api. With domain-wide delegation the
// user's address is the JWT's subject.
func (c *Client) tokenSource(user string, a api) func(context.Context) (*oauth2.Token, error) {
	return func(ctx context.Context) (*oauth2.Token, error) {
		cfg, err := google.JWTConfigFromJSON(c.key.json, services[a].scope)
		if err != nil {
			return nil, err
		}
		cfg.Subject = user
		tok, err := c.fetchToken(ctx, cfg)
		if err != nil {
			return nil, c.tokenFault(ctx, user, a, err)
		}
		return tok, nil
	}
}

// fetchToken follows no redirect: the assertion goes to the token endpoint alone.
func (c *Client) fetchToken(ctx context.Context, cfg *jwt.Config) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	hc := &http.Client{Transport: withContext(ctx, c.base), CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	tok, err := cfg.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, hc)).Token()
	if err == nil && tok.AccessToken == "" {
		return nil, errors.New("the token endpoint answered without a token")
	}
	return tok, err
}

// withContext makes requests end with ctx: package jwt sends its request without one.
func withContext(ctx context.Context, next http.RoundTripper) http.RoundTripper {
	return httpx.RoundTrip(func(r *http.Request) (*http.Response, error) {
		return next.RoundTrip(r.WithContext(ctx))
	})
}

// tokenCache holds the token of one session.
type tokenCache struct {
	source func(context.Context) (*oauth2.Token, error)
	lock   chan struct{} // held while token is used or fetched, so that many callers fetch it once
	token  *oauth2.Token
}

// get returns a token that is still good for a while. An error is not kept.
func (t *tokenCache) get(ctx context.Context) (*oauth2.Token, error) {
	select {
	case t.lock <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-t.lock }()
	if t.token.Valid() {
		return t.token, nil
	}
	tok, err := t.source(ctx)
	if err != nil {
		return nil, err
	}
	t.token = tok
	return tok, nil
}

func (t *tokenCache) drop() {
	t.lock <- struct{}{}
	t.token = nil
	<-t.lock
}

// bearerTransport adds the session's token to requests to trusted hosts. A redirect elsewhere is followed without it.
// (oauth2.Transport would send it to every host, and could not give up waiting for a token with the request.)
type bearerTransport struct {
	token   *tokenCache
	base    http.RoundTripper
	trusted func(*url.URL) bool
}

func (b *bearerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !b.trusted(r.URL) {
		r = r.Clone(r.Context())
		r.Header.Del("Authorization")
		return b.base.RoundTrip(r)
	}
	tok, err := b.token.get(r.Context())
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	tok.SetAuthHeader(r)
	return b.base.RoundTrip(r)
}

// trusted reports whether a bearer token may go to the URL's host.
func (c *Client) trusted(u *url.URL) bool {
	if c.root != nil {
		return u.Scheme == c.root.Scheme && strings.EqualFold(u.Host, c.root.Host)
	}
	if u.Scheme != "https" || u.Port() != "" && u.Port() != "443" {
		return false
	}
	host := strings.ToLower(u.Hostname())
	for _, domain := range []string{"googleapis.com", "google.com"} {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	// Below googleusercontent.com there are customers' own machines as well (*.bc.googleusercontent.com, notebooks and
	// so on); exports come from doc-….googleusercontent.com.
	sub, ok := strings.CutSuffix(host, ".googleusercontent.com")
	return ok && strings.HasPrefix(sub, "doc-") && !strings.Contains(sub, ".")
}

// checkRedirect follows at most ten redirects, and none that leaves TLS.
func (c *Client) checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("more than ten redirects")
	}
	if c.trusted(req.URL) {
		return nil
	}
	if req.URL.Scheme != "https" {
		return fault.New(fault.FailItem, fault.SourceBadAnswer, "redirected to a host without TLS")
	}
	return nil
}
