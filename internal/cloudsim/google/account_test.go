package google_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"golang.org/x/oauth2/jwt"
	admin "google.golang.org/api/admin/directory/v1"
)

func TestDirectory(t *testing.T) {
	data := exampleData(t)
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, anna)
	users := map[string]*admin.User{}
	err := c.admin.Users.List().Customer("my_customer").Projection("full").MaxResults(2).Pages(t.Context(), func(l *admin.Users) error {
		for _, u := range l.Users {
			users[u.PrimaryEmail] = u
		}
		return nil
	})
	if err != nil || len(users) != 6 {
		t.Fatalf("%d users, want 6: %v", len(users), err)
	}
	if !users[david].Suspended || users[eva].IsMailboxSetup || !users["frank.moss@example.org"].Archived || len(users[anna].Aliases) != 2 {
		t.Error("the states of the accounts are wrong")
	}
	deleted, err := c.admin.Users.List().Domain("example.org").ShowDeleted("true").Do()
	if err != nil || len(deleted.Users) != 1 || deleted.Users[0].DeletionTime == "" {
		t.Errorf("deleted users: %v", err)
	}
	byAlias, err := c.admin.Users.Get("postmaster@example.org").Do()
	if err != nil || byAlias.PrimaryEmail != anna || byAlias.Id != users[anna].Id {
		t.Errorf("by alias: %v", err)
	}
	_, err = c.admin.Users.List().Do()
	wantReason(t, err, 400, "badRequest")
	_, err = c.admin.Users.Get("nobody@example.org").Do()
	wantReason(t, err, 404, "notFound")
	_, err = connect(t, s, h, ben).admin.Users.List().Customer("my_customer").Do()
	wantReason(t, err, 403, "forbidden")
}

func TestTokenRefusals(t *testing.T) {
	s, h := start(t, exampleData(t), sim.Options{})
	base := func(t *testing.T) *jwt.Config {
		config, err := google.JWTConfigFromJSON(s.KeyFile(h.URL), sim.ReadOnlyScopes()...)
		if err != nil {
			t.Fatal(err)
		}
		config.Subject = anna
		return config
	}
	for name, test := range map[string]struct {
		change func(*jwt.Config)
		want   string
	}{
		"unknown user":   {func(c *jwt.Config) { c.Subject = "nobody@example.org" }, "Invalid email or User ID"},
		"deleted user":   {func(c *jwt.Config) { c.Subject = "gina.old@example.org" }, "The account has been deleted"},
		"scope":          {func(c *jwt.Config) { c.Scopes = append(c.Scopes, "https://mail.google.com/") }, "unauthorized_client"},
		"no scope":       {func(c *jwt.Config) { c.Scopes = nil }, "invalid_scope"},
		"issuer":         {func(c *jwt.Config) { c.Email = "other@example.org" }, "No valid verifier found for issuer"},
		"audience":       {func(c *jwt.Config) { c.Audience = "https://oauth2.example.org/token" }, "Failed audience check"},
		"long life":      {func(c *jwt.Config) { c.Expires = 3 * time.Hour }, "short-lived token"},
		"another key":    {func(c *jwt.Config) { c.PrivateKey = newKey(t) }, "Invalid JWT Signature"},
		"nothing at all": {func(c *jwt.Config) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			config := base(t)
			test.change(config)
			_, err := config.TokenSource(t.Context()).Token()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
	resp, err := http.PostForm(h.URL+"/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {"a.b.c"}})
	if err != nil || resp.StatusCode != 400 {
		t.Errorf("rubbish: %v", err)
	}
	resp.Body.Close()
}

// newKey makes a key that no server of this process has.
func newKey(t *testing.T) []byte {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestTokensEnd(t *testing.T) {
	s, h := start(t, exampleData(t), sim.Options{})
	config, err := google.JWTConfigFromJSON(s.KeyFile(h.URL), "https://www.googleapis.com/auth/gmail.readonly")
	if err != nil {
		t.Fatal(err)
	}
	config.Subject = anna
	token, err := config.TokenSource(t.Context()).Token()
	if err != nil {
		t.Fatal(err)
	}
	client := oauth2.NewClient(t.Context(), oauth2.StaticTokenSource(token))
	status := func(path string) int {
		resp, err := client.Get(h.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := status("/gmail/v1/users/me/profile"); got != 200 {
		t.Errorf("status %d with a good token", got)
	}
	if got := status("/drive/v3/about?fields=user"); got != 403 {
		t.Errorf("status %d without the scope, want 403", got)
	}
	s.RevokeTokens()
	if got := status("/gmail/v1/users/me/profile"); got != 401 {
		t.Errorf("status %d with a revoked token, want 401", got)
	}
}
