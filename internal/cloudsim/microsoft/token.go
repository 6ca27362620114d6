package microsoft

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"
)

// ClientID and Secret are the application's credentials.
const (
	ClientID = "11111111-2222-3333-4444-555555555555"
	Secret   = "simulated-secret"
	// ExpiredSecret was good once.
	ExpiredSecret = "expired-secret"
)

// serveOpenID answers the discovery request of the token service. Its addresses are https, as the official client knows nothing else.
func (s *Server) serveOpenID(w http.ResponseWriter, r *http.Request) {
	root := "https://" + r.Host + "/" + r.PathValue("tenant")
	writeJSON(w, http.StatusOK, encode(object{"issuer": root + "/v2.0", "authorization_endpoint": root + "/oauth2/v2.0/authorize",
		"token_endpoint": root + "/oauth2/v2.0/token"}))
}

// serveToken gives an application its token (learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow).
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	w, _, finish, answered := s.Strike(w, r, "token", refuse)
	if answered {
		return
	}
	defer finish()
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		refuseToken(w, "invalid_request", "AADSTS900144: the request body is not as it should be")
		return
	}
	if code, text := s.refusal(r); code != "" {
		refuseToken(w, code, text)
		return
	}
	token := "sim." + rand.Text()
	s.mu.Lock()
	s.tokens[token] = time.Now().Add(s.options.TokenLife)
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, encode(object{"token_type": "Bearer", "expires_in": int(s.options.TokenLife.Seconds()), "access_token": token}))
}

// refusal says why there is no token.
func (s *Server) refusal(r *http.Request) (code, text string) {
	form := r.PostForm
	switch tenant := r.PathValue("tenant"); {
	case tenant != s.data.domain && tenant != s.data.TenantID():
		return "invalid_request", fmt.Sprintf("AADSTS90002: Tenant '%s' not found.", tenant)
	case form.Get("grant_type") != "client_credentials":
		return "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type."
	case form.Get("client_id") != ClientID:
		return "unauthorized_client", "AADSTS700016: Application with identifier '" + form.Get("client_id") + "' was not found in the directory."
	case form.Get("client_secret") == ExpiredSecret:
		return "invalid_client", "AADSTS7000222: The provided client secret keys for app '" + ClientID + "' are expired."
	case form.Get("client_secret") != Secret:
		return "invalid_client", "AADSTS7000215: Invalid client secret provided."
	case len(form.Get("scope")) == 0:
		return "invalid_scope", "AADSTS70011: The provided value for the input parameter 'scope' is not valid."
	}
	return "", ""
}

func refuseToken(w http.ResponseWriter, code, text string) {
	writeJSON(w, http.StatusUnauthorized, encode(object{"error": code, "error_description": text + "\r\nTrace ID: 0", "error_codes": []int{}}))
}

// authorize checks a request's token and the permission.
func (s *Server) authorize(r *http.Request, permissions []string) *apiError {
	token := ""
	if _, err := fmt.Sscanf(r.Header.Get("Authorization"), "Bearer %s", &token); err != nil {
		return errUnauthorized("Access token is empty.")
	}
	s.mu.Lock()
	ends, known := s.tokens[token]
	s.mu.Unlock()
	if !known || ends.Before(time.Now()) {
		return errUnauthorized("Lifetime validation failed, the token is expired.")
	}
	for _, p := range permissions {
		for _, granted := range s.options.Permissions {
			if p == granted {
				return nil
			}
		}
	}
	return &apiError{status: 403, code: "Authorization_RequestDenied", message: "Insufficient privileges to complete the operation."}
}

// RevokeTokens ends all tokens that were given so far.
func (s *Server) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

func hashOf(parts ...string) []byte {
	sum := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(sum, "%d %s", len(p), p)
	}
	return sum.Sum(nil)
}

// guid makes an id as users, sites and tenants have it.
func guid(parts ...string) string {
	h := hashOf(parts...)
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
