package google

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	authPrefix  = "https://www.googleapis.com/auth/"
	clientEmail = "repatriate@simulated-project.iam.gserviceaccount.com"
	jwtGrant    = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

// ReadOnlyScopes are the scopes that an administrator delegates to the tool.
func ReadOnlyScopes() []string {
	names := []string{"admin.directory.user.readonly", "drive.readonly", "gmail.readonly", "calendar.readonly",
		"contacts.readonly", "contacts.other.readonly", "tasks.readonly"}
	for i := range names {
		names[i] = authPrefix + names[i]
	}
	return names
}

// session is what an access token stands for.
type session struct {
	email   string
	scopes  []string
	expires time.Time
}

// keyOfProcess is the service account's key of all servers of a process: making one takes longer than many a test.
var keyOfProcess = sync.OnceValue(newKey)

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // the system has no randomness
	}
	return key
}

// KeyFile gives a service account key file, as the Cloud console does, for a server that clients reach at root, such
// as http://127.0.0.1:8080.
func (s *Server) KeyFile(root string) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(s.key())
	if err != nil {
		panic(err) // an RSA key can be marshalled
	}
	root = strings.TrimSuffix(root, "/")
	file, _ := json.MarshalIndent(map[string]string{
		"type": "service_account", "project_id": "simulated-project", "private_key_id": "simulated-key",
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email": clientEmail, "client_id": "100000000000000000001",
		"auth_uri": root + "/auth", "token_uri": root + "/token", "universe_domain": "googleapis.com",
	}, "", "  ")
	return append(file, '\n')
}

// RevokeTokens makes all access tokens invalid, as happens when an administrator withdraws consent for a moment.
func (s *Server) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = map[string]session{}
}

// SetScopes changes what is delegated to the service account. Tokens that were given out stay good.
func (s *Server) SetScopes(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.Scopes = scopes
}

// serveToken exchanges a signed assertion for an access token.
// https://developers.google.com/identity/protocols/oauth2/service-account#httprest
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	s.Delay(r)
	w, _, finish, answered := s.Strike(w, r, "token", refuse)
	if answered {
		return
	}
	defer finish()
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") != jwtGrant {
		writeTokenError(w, 400, "unsupported_grant_type", "Invalid grant_type: "+r.PostForm.Get("grant_type"))
		return
	}
	granted, refusal := s.grant(r)
	if refusal != nil {
		writeTokenError(w, refusal.status, refusal.code, refusal.text)
		return
	}
	token := "ya29." + rand.Text()
	s.mu.Lock()
	s.tokens[token] = granted
	s.mu.Unlock()
	writeJSON(w, 200, appendObject(nil, object{{"access_token", token}, {"expires_in", int(s.options.TokenLife.Seconds())},
		{"token_type", "Bearer"}}, nil))
}

func writeTokenError(w http.ResponseWriter, status int, code, text string) {
	writeJSON(w, status, appendObject(nil, object{{"error", code}, {"error_description", text}}, nil))
}

type refusal struct {
	status     int
	code, text string
}

func invalidGrant(format string, args ...any) *refusal {
	return &refusal{400, "invalid_grant", fmt.Sprintf(format, args...)}
}

// assertion is the claim set of RFC 7523.
type assertion struct {
	Issuer   string `json:"iss"`
	Scope    string `json:"scope"`
	Audience string `json:"aud"`
	Expires  int64  `json:"exp"`
	Issued   int64  `json:"iat"`
	Subject  string `json:"sub"`
}

func (s *Server) grant(r *http.Request) (session, *refusal) {
	claims, no := s.verify(r.PostForm.Get("assertion"))
	if no != nil {
		return session{}, no
	}
	now := time.Now().Add(s.options.Ahead)
	issued, expires := time.Unix(claims.Issued, 0), time.Unix(claims.Expires, 0)
	if expires.Before(now) || issued.After(now.Add(5*time.Minute)) || expires.Sub(issued) > time.Hour+time.Minute {
		return session{}, invalidGrant("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.")
	}
	if aud, err := url.Parse(claims.Audience); err != nil || aud.Path != "/token" || aud.Host != r.Host {
		return session{}, invalidGrant("Invalid JWT: Failed audience check. The right audience is http://%s/token", r.Host)
	}
	return s.delegate(claims, time.Now())
}

// delegate checks the subject and the scopes.
func (s *Server) delegate(claims assertion, now time.Time) (session, *refusal) {
	s.data.mu.Lock()
	found := s.data.byEmail[claims.Subject]
	var u User
	if found != nil {
		u = found.User
	}
	s.data.mu.Unlock()
	if found == nil {
		return session{}, invalidGrant("Invalid email or User ID")
	}
	if u.Deleted {
		return session{}, invalidGrant("The account has been deleted.")
	}
	scopes := strings.Fields(claims.Scope)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, scope := range scopes {
		if !slices.Contains(s.options.Scopes, scope) {
			return session{}, &refusal{401, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested."}
		}
	}
	if len(scopes) == 0 {
		return session{}, &refusal{400, "invalid_scope", "Empty or missing scope not allowed."}
	}
	return session{u.Email, scopes, now.Add(s.options.TokenLife)}, nil
}

// verify checks the signature and the issuer.
func (s *Server) verify(jwt string) (assertion, *refusal) {
	var claims assertion
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return claims, invalidGrant("Invalid JWT: the assertion has no three parts")
	}
	var header struct {
		Alg string `json:"alg"`
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || decodePart(parts[0], &header) != nil || decodePart(parts[1], &claims) != nil || header.Alg != "RS256" {
		return claims, invalidGrant("Invalid JWT: it cannot be read")
	}
	if claims.Issuer != clientEmail {
		return claims, invalidGrant("Invalid JWT: No valid verifier found for issuer.")
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(&s.key().PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return claims, invalidGrant("Invalid JWT Signature.")
	}
	return claims, nil
}

func decodePart(part string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

func errUnauthorized() *apiError {
	return &apiError{code: 401, reason: "authError", location: "Authorization", message: "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."}
}

// authorize finds out for whom the request is and whether its token has one of the scopes.
func (c *call) authorize(scopes []string) (session, error) {
	token, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	c.mu.Lock()
	granted, known := c.tokens[token]
	if known && granted.expires.Before(time.Now()) {
		delete(c.tokens, token)
		known = false
	}
	c.mu.Unlock()
	if !ok || !known {
		return session{}, errUnauthorized()
	}
	for _, scope := range granted.scopes {
		if slices.Contains(scopes, strings.TrimPrefix(scope, authPrefix)) {
			return granted, nil
		}
	}
	return session{}, &apiError{code: 403, reason: "insufficientPermissions", message: "Request had insufficient authentication scopes."}
}
