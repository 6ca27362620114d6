package google

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/api/gmail/v1"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/meter"
)

// keyFile returns a key file with the changes.
func keyFile(t testing.TB, changes map[string]string) []byte {
	t.Helper()
	server := sim.New(sim.NewData("example.org"), sim.Options{})
	defer server.Close()
	fields := map[string]string{}
	must(t, json.Unmarshal(server.KeyFile("http://127.0.0.1:1"), &fields))
	for k, v := range changes {
		fields[k] = v
	}
	b, err := json.Marshal(fields)
	must(t, err)
	return b
}

func TestNewRefusesWhatIsUnsafe(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		want    string
	}{
		"no JSON":             {Options{Credentials: []byte("-----BEGIN PRIVATE KEY-----\nsecret")}, "no valid JSON"},
		"a user's key":        {Options{Credentials: keyFile(t, map[string]string{"type": "authorized_user"})}, "service account"},
		"no private key":      {Options{Credentials: keyFile(t, map[string]string{"private_key": ""})}, "private_key"},
		"a broken key":        {Options{Credentials: keyFile(t, map[string]string{"private_key": "secret"})}, "private_key"},
		"token_uri in clear":  {Options{Credentials: keyFile(t, map[string]string{"token_uri": "http://tokens.example.org/"})}, "token_uri"},
		"token_uri like it":   {Options{Credentials: keyFile(t, map[string]string{"token_uri": "http://127.0.0.1.example.org/"})}, "token_uri"},
		"endpoint in clear":   {Options{Credentials: keyFile(t, nil), Endpoint: "http://api.example.org"}, "endpoint"},
		"endpoint of no sort": {Options{Credentials: keyFile(t, nil), Endpoint: "api.example.org"}, "endpoint"},
		"unknown tier":        {Options{Credentials: keyFile(t, nil), Tier: "gold"}, "tier"},
	} {
		_, err := New(t.Context(), c.options)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := New(t.Context(), Options{Credentials: keyFile(t, map[string]string{"token_uri": "https://oauth2.googleapis.com/token"})}); err != nil {
		t.Error(err)
	}
}

func TestTokensGoToTheProvidersOwnHostsOnly(t *testing.T) {
	endpoint, err := parseEndpoint("http://127.0.0.1:8080/base")
	must(t, err)
	for _, c := range []struct {
		root *url.URL
		url  string
		want bool
	}{
		{nil, "https://www.googleapis.com/drive/v3/files", true},
		{nil, "https://gmail.googleapis.com:443/", true},
		{nil, "https://docs.google.com/feeds/download/documents/Export", true},
		{nil, "https://doc-0s-5o-docstext.googleusercontent.com/export/x", true},
		{nil, "https://DOCS.GOOGLE.COM/", true},
		{nil, "http://www.googleapis.com/", false},
		{nil, "https://www.googleapis.com:8443/", false},
		{nil, "https://googleapis.com.example.org/", false},
		{nil, "https://notgoogleapis.com/", false},
		{nil, "https://203-0-113-1.bc.googleusercontent.com/", false},
		{nil, "https://doc-x.bc.googleusercontent.com/", false},
		{nil, "https://evil.googleusercontent.com/", false},
		{nil, "https://example.org/www.googleapis.com", false},
		{nil, "http://127.0.0.1:8080/", false},
		{endpoint, "http://127.0.0.1:8080/base/drive/v3/files", true},
		{endpoint, "http://127.0.0.1:8080/elsewhere", true},
		{endpoint, "http://127.0.0.1:8081/base/", false},
		{endpoint, "https://127.0.0.1:8080/base/", false},
		{endpoint, "https://www.googleapis.com/drive/v3/files", false},
	} {
		u, err := url.Parse(c.url)
		must(t, err)
		if got := (&Client{root: c.root}).trusted(u); got != c.want {
			t.Errorf("%s with endpoint %v: %v", c.url, c.root, got)
		}
	}
}

// redirecting answers everything with a redirect to the place, once it has given out a token.
func redirecting(t *testing.T, server *sim.Server, to string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			server.ServeHTTP(w, r)
			return
		}
		if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ya29.") {
			t.Errorf("no token at the provider's own host: %v", r.Header)
		}
		http.Redirect(w, r, to, http.StatusFound)
	})
}

func TestARedirectElsewhereGetsNoToken(t *testing.T) {
	var mu sync.Mutex
	var seen []http.Header
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r.Header.Clone())
	}))
	defer elsewhere.Close()
	server := sim.New(tenantData(t), sim.Options{})
	defer server.Close()
	provider := httptest.NewServer(redirecting(t, server, elsewhere.URL+"/x?sig=1"))
	defer provider.Close()
	c, err := New(t.Context(), Options{Credentials: server.KeyFile(provider.URL), Endpoint: provider.URL, Transport: elsewhere.Client().Transport})
	must(t, err)
	res, err := c.get(t.Context(), alice, driveExport, provider.URL+"/export", http.Header{"X-Own": {"1"}})
	must(t, err)
	_ = res.Body.Close()
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 1 || seen[0].Get("Authorization") != "" || seen[0].Get("X-Own") != "1" {
		t.Errorf("the other host got %v", seen)
	}
}

func TestARedirectWithoutTLSIsNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("a request for %s", r.URL) }))
	defer elsewhere.Close()
	server := sim.New(tenantData(t), sim.Options{})
	defer server.Close()
	provider := httptest.NewServer(redirecting(t, server, elsewhere.URL+"/x"))
	defer provider.Close()
	c, err := New(t.Context(), Options{Credentials: server.KeyFile(provider.URL), Endpoint: provider.URL})
	must(t, err)
	res, err := c.get(t.Context(), alice, driveExport, provider.URL+"/export", nil)
	if err == nil {
		_ = res.Body.Close()
	}
	if f := fault.Of(err); f == nil || f.Reason != fault.SourceBadAnswer {
		t.Errorf("got %v", err)
	}
}

func profile(ctx context.Context, c *Client, user string) error {
	return c.do(ctx, user, gmailGetProfile, func() error {
		g, err := c.gmail(ctx, user)
		if err != nil {
			return err
		}
		_, err = g.Users.GetProfile("me").Context(ctx).Do()
		return err
	})
}

func TestOneTokenForEachUserAndAPI(t *testing.T) {
	c, server := simulated(t, tenantData(t), sim.Options{})
	var all sync.WaitGroup
	for range 20 {
		for _, user := range []string{alice, bob} {
			all.Go(func() { must(t, profile(t.Context(), c, user)) })
		}
	}
	all.Wait()
	if got := server.Counts(); got["token"] != 2 || got["gmail.getProfile"] != 40 {
		t.Errorf("got %v, want two tokens for 40 requests", got)
	}
}

func TestARefusedTokenIsRenewedOnce(t *testing.T) {
	c, server := simulated(t, tenantData(t), sim.Options{})
	must(t, profile(t.Context(), c, alice))
	server.RevokeTokens()
	must(t, profile(t.Context(), c, alice))
	if got := server.Counts(); got["token"] != 2 || got["gmail.getProfile"] != 3 {
		t.Errorf("got %v, want a second token and the request once more", got)
	}
	c, server = simulated(t, tenantData(t), sim.Options{Behaviour: cloudsim.Behaviour{Hook: func(_ *http.Request, name string) (cloudsim.Fault, bool) {
		return cloudsim.Fault{Kind: "401"}, name == "gmail.getProfile"
	}}})
	if f := fault.Of(profile(t.Context(), c, alice)); f == nil || f.Action != fault.FailTask || f.Reason != fault.SourceAuth {
		t.Errorf("always refused: got %v", f)
	}
	if got := server.Counts(); got["gmail.getProfile"] != 2 {
		t.Errorf("always refused: %v", got)
	}
}

func TestAScopeThatIsNotDelegatedConcernsItsAPIOnly(t *testing.T) {
	var scopes []string
	for _, s := range Scopes() {
		if s != gmail.GmailReadonlyScope {
			scopes = append(scopes, s)
		}
	}
	c, _ := simulated(t, tenantData(t), sim.Options{Scopes: scopes})
	f := fault.Of(profile(t.Context(), c, alice))
	if f == nil || f.Reason != fault.SourceScopeMissing || !strings.Contains(f.Hint, "gmail.readonly to the client id 100000000000000000001") {
		t.Errorf("got %v", f)
	}
	for _, err := range c.Accounts(t.Context()) {
		must(t, err)
	}
}

// TestWaitingForATokenEndsWithTheRequest has a token endpoint that does not answer.
func TestWaitingForATokenEndsWithTheRequest(t *testing.T) {
	asked := make(chan struct{}, 10)
	ctx, cancel := context.WithCancel(t.Context())
	stuck := httpx.RoundTrip(func(r *http.Request) (*http.Response, error) {
		asked <- struct{}{}
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	c, err := New(ctx, Options{Credentials: keyFile(t, nil), Endpoint: "http://127.0.0.1:1", Transport: stuck})
	must(t, err)
	done := make(chan error, 2)
	for range 2 {
		go func() { done <- profile(ctx, c, alice) }()
	}
	<-asked
	cancel()
	for range 2 {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
}

func TestOnlyRecentSessionsAreKept(t *testing.T) {
	c := offline(t, "unlimited")
	c.sessions.limit = 3
	first := c.sessions.get(alice, gmailAPI)
	for _, user := range []string{"b", "c"} {
		c.sessions.get(user, gmailAPI)
		c.sessions.get(alice, gmailAPI)
	}
	c.sessions.get("d", gmailAPI)
	if c.sessions.get(alice, gmailAPI) != first {
		t.Error("the session in use was dropped")
	}
	if n := len(c.sessions.byKey); n != 3 || c.sessions.used.Len() != n {
		t.Errorf("%d sessions are kept, want 3", n)
	}
}

func TestTheMeterCountsRequestsAndThrottledTime(t *testing.T) {
	server := sim.New(tenantData(t), sim.Options{Behaviour: cloudsim.Behaviour{Hook: func(_ *http.Request, name string) (cloudsim.Fault, bool) {
		return cloudsim.Fault{Kind: "429", RetryAfter: 7 * time.Second}, name == "gmail.getProfile"
	}}})
	defer server.Close()
	h := httptest.NewServer(server)
	defer h.Close()
	m := new(meter.Meter)
	c, err := New(t.Context(), Options{Credentials: server.KeyFile(h.URL), Endpoint: h.URL, Tier: "unlimited", Meter: m})
	must(t, err)
	before := time.Now()
	f := fault.Of(profile(t.Context(), c, alice))
	if f.Action != fault.Retry || f.Reason != fault.SourceThrottled || f.After < 6*time.Second || f.After > 7*time.Second {
		t.Errorf("got %v after %v", f, f.After)
	}
	if until := m.ThrottledUntil(); m.Requests() != 2 || until.Before(before.Add(7*time.Second)) || until.After(time.Now().Add(7*time.Second)) {
		t.Errorf("%d requests, throttled until %v; want the token, the request, and 7s from now", m.Requests(), until)
	}
}
