package microsoft

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// tenant is a scripted Graph with a token service. Each token is good until revoked.
type tenant struct {
	*httptest.Server
	graph   http.HandlerFunc
	refuse  func(w http.ResponseWriter) bool // of the token service
	open    map[string]http.HandlerFunc      // paths outside Graph, without token
	tokens  atomic.Int64
	revoked atomic.Int64
}

func newTenant(t *testing.T, graph http.HandlerFunc) (*tenant, *Client) {
	t.Helper()
	s := &tenant{graph: graph}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	c, err := New(Options{Tenant: "contoso.test", ClientID: "app", Secret: "secret", Endpoint: s.URL, Login: s.URL, Unlimited: true})
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func (s *tenant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure := "https://" + r.Host
	switch {
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q}`, secure+"/contoso.test/v2.0",
			secure+"/contoso.test/oauth2/v2.0/authorize", secure+"/contoso.test/oauth2/v2.0/token")
	case strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token"):
		if s.refuse != nil && s.refuse(w) {
			return
		}
		fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3599,"access_token":"t%d"}`, s.tokens.Add(1))
	case s.open[r.URL.Path] != nil:
		s.open[r.URL.Path](w, r)
	case r.Header.Get("Authorization") != fmt.Sprintf("Bearer t%d", s.tokens.Load()) || s.revoked.Load() == s.tokens.Load():
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":{"code":"InvalidAuthenticationToken","message":"Access token has expired."}}`)
	default:
		w.Header().Set("Content-Type", "application/json")
		s.graph(w, r)
	}
}

func accountsOf(ctx context.Context, c *Client) (accounts []sources.Account, err error) {
	for a, e := range c.Accounts(ctx) {
		if e != nil {
			return accounts, e
		}
		accounts = append(accounts, a)
	}
	return accounts, nil
}

// answerBatch answers each request of a batch with what reply gives for its path.
func answerBatch(w http.ResponseWriter, r *http.Request, reply func(path string) (int, string)) {
	var batch struct{ Requests []batchRequest }
	_ = json.NewDecoder(r.Body).Decode(&batch)
	var responses []string
	for _, q := range batch.Requests {
		status, body := reply(q.URL)
		responses = append(responses, fmt.Sprintf(`{"id":%q,"status":%d,"headers":{"Retry-After":"0"},"body":%s}`, q.ID, status, body))
	}
	_, _ = io.WriteString(w, `{"responses":[`+strings.Join(responses, ",")+`]}`)
}

func TestAccountsHaveTheirStates(t *testing.T) {
	const licence = `"assignedLicenses":[{"skuId":"c7df2760-2c81-4ef7-b578-5b5392b571df"}]`
	user := func(name, more string) string {
		return fmt.Sprintf(`{"id":"id/%s","displayName":"%s\n","userPrincipalName":"%s@contoso.test"%s}`, name, name, name, more)
	}
	throttled := map[string]bool{}
	var s *tenant
	s, c := newTenant(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/v1.0/$batch":
			answerBatch(w, r, func(path string) (int, string) {
				name := strings.TrimSuffix(strings.TrimPrefix(path, "/users/id%2F"), "/mailboxSettings/userPurpose")
				if !throttled[name] && name == "anna" {
					throttled[name] = true
					return 429, `{"error":{"code":"ApplicationThrottled","message":"slow down"}}`
				}
				switch name {
				case "room", "shared":
					return 200, fmt.Sprintf(`{"value":%q}`, name)
				case "nobox":
					return 404, `{"error":{"code":"MailboxNotEnabledForRESTAPI","message":"no mailbox"}}`
				}
				return 200, `{"value":"user"}`
			})
		case r.URL.EscapedPath() == "/v1.0/users/id%2Fanna/mailboxSettings/userPurpose":
			_, _ = io.WriteString(w, `{"value":"user"}`)
		case r.URL.Query().Get("$skiptoken") != "":
			fmt.Fprintf(w, `{"value":[%s,%s,%s]}`, user("nobox", `,`+licence), user("free", ""), user("guest", `,"userType":"Guest"`))
		default:
			fmt.Fprintf(w, `{"@odata.nextLink":%q,"value":[%s,%s,%s,%s]}`, s.URL+"/v1.0/users?$skiptoken=x",
				user("anna", `,"proxyAddresses":["SMTP:anna@contoso.test","smtp:a@contoso.test","sip:anna@contoso.test"],`+licence),
				user("room", `,"accountEnabled":false`), user("shared", `,"accountEnabled":false`), user("gone", `,"accountEnabled":false`))
		}
	})
	accounts, err := accountsOf(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range accounts {
		got = append(got, a.ID+" "+a.State)
	}
	want := "anna@contoso.test active,room@contoso.test room,shared@contoso.test shared,gone@contoso.test disabled," +
		"nobox@contoso.test no_mailbox,free@contoso.test unlicensed"
	if strings.Join(got, ",") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ","), want)
	}
	if a := accounts[0]; a.Name != "anna" || len(a.Aliases) != 1 || a.Aliases[0] != "a@contoso.test" {
		t.Errorf("got %+v", a)
	}
}

func TestAForeignLinkIsNotFollowed(t *testing.T) {
	for _, link := range []string{"https://evil.example/v1.0/users", "//evil.example/v1.0/users", "/v1.0/users", "http://127.0.0.1:1/v1.0/users"} {
		_, c := newTenant(t, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"@odata.nextLink":%q,"value":[]}`, link)
		})
		_, err := accountsOf(t.Context(), c)
		if f := fault.Of(err); err == nil || f.Reason != fault.SourceBadAnswer {
			t.Errorf("%s: got %v", link, err)
		}
	}
}

func TestABatchMustAnswerEachRequestOnce(t *testing.T) {
	for _, responses := range []string{
		`{"id":"0","status":200,"body":{"value":"user"}}`,
		`{"id":"0","status":200,"body":{}},{"id":"0","status":200,"body":{}}`,
		`{"id":"0","status":200,"body":{}},{"id":"7","status":200,"body":{}}`,
	} {
		_, c := newTenant(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"responses":[`+responses+`]}`)
		})
		_, err := c.batch(t.Context(), userPurposes, "", nil, []*url.URL{c.path(nil, "users", "a"), c.path(nil, "users", "b")})
		if f := fault.Of(err); err == nil || f.Reason != fault.SourceBadAnswer {
			t.Errorf("%s: got %v", responses, err)
		}
	}
}

func TestARefusedTokenIsRenewedOnce(t *testing.T) {
	s, c := newTenant(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"value":[]}`) })
	for want := int64(1); want <= 2; want++ {
		if _, err := accountsOf(t.Context(), c); err != nil || s.tokens.Load() != want {
			t.Fatalf("got %v with %d tokens, want %d", err, s.tokens.Load(), want)
		}
		s.revoked.Store(want)
	}
	s.graph = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }
	_, err := accountsOf(t.Context(), c)
	if f := fault.Of(err); err == nil || f.Reason != fault.SourceAuth || f.Action != fault.FailTask || s.tokens.Load() != 3 {
		t.Errorf("got %v with %d tokens", err, s.tokens.Load())
	}
}

func TestTheTokenServiceIsExplained(t *testing.T) {
	s, c := newTenant(t, nil)
	s.refuse = func(w http.ResponseWriter) bool {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"invalid_client","error_description":"AADSTS7000222: The keys are expired.\r\nTrace ID: x"}`)
		return true
	}
	_, err := accountsOf(t.Context(), c)
	f := fault.Of(err)
	if err == nil || f.Reason != fault.SourceAuth || !strings.Contains(f.Hint, "expired") || strings.ContainsAny(err.Error(), "\r\n") {
		t.Errorf("got %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "secret\"") {
		t.Errorf("the secret is in %v", err)
	}
}

func TestErrorsMeanWhatGraphSays(t *testing.T) {
	for _, row := range []struct {
		status int
		body   string
		action fault.Action
		reason fault.Reason
	}{
		{429, `{"error":{"code":"TooManyRequests"}}`, fault.Retry, fault.SourceThrottled},
		{503, ``, fault.Retry, fault.SourceUnavailable},
		{509, ``, fault.Retry, fault.SourceThrottled},
		{401, `{"error":{"code":"unauthenticated","message":"Unable to initialize RPS"}}`, fault.Retry, fault.SourceUnavailable},
		{403, `{"error":{"code":"ErrorAccessDenied","message":"Access is denied."}}`, fault.FailTask, fault.SourceScopeMissing},
		{403, `{"error":{"code":"Authorization_RequestDenied"}}`, fault.FailTask, fault.SourceScopeMissing},
		{403, `{"error":{"code":"accessDenied","innerError":{"code":"malwareDetected"}}}`, fault.Skip, fault.SourceMalware},
		{404, `{"error":{"code":"MailboxNotEnabledForRESTAPI"}}`, fault.FailTask, fault.SourceServiceOff},
		{404, `{"error":{"code":"itemNotFound","message":"User's mysite not found."}}`, fault.FailTask, fault.SourceServiceOff},
		{400, `{"error":{"code":"BadRequest","message":"Tenant does not have a SPO license."}}`, fault.FailTask, fault.SourceServiceOff},
		{404, `{"error":{"code":"itemNotFound"}}`, fault.FailItem, fault.SourceGone},
		{404, `{"error":{"code":"Request_ResourceNotFound"}}`, fault.FailTask, fault.SourceAccountGone},
		{423, `{"error":{"code":"notAllowed","innererror":{"code":"resourceLocked"}}}`, fault.FailTask, fault.SourceForbidden},
		{500, `{"error":{"code":"ErrorCorruptData"}}`, fault.FailItem, fault.SourceUnreadable},
		{503, `{"error":{"code":"ErrorMailboxMoveInProgress"}}`, fault.FailTask, fault.SourceUnavailable},
		{418, `<html>`, fault.Retry, fault.Unknown},
	} {
		f := classify(listUsers, newError("test", row.status, http.Header{}, []byte(row.body)))
		if f.Action != row.action || f.Reason != row.reason {
			t.Errorf("%d %s: got %v %s", row.status, row.body, f.Action, f.Reason)
		}
	}
}

func TestGoneIsGone(t *testing.T) {
	err := error(classify(listUsers, newError("test", 404, http.Header{}, nil)))
	if !errors.Is(err, sources.ErrGone) {
		t.Errorf("got %v", err)
	}
}

func TestAPauseIsTaken(t *testing.T) {
	f := classify(listUsers, newError("test", 503, http.Header{"Retry-After": {"7"}}, nil))
	if f.After != 7*time.Second {
		t.Errorf("got %v", f.After)
	}
}

func TestIDsStayInTheirSegment(t *testing.T) {
	_, c := newTenant(t, nil)
	for _, id := range []string{"../../x", "..", ".", "a/b", "a?b=c", "a#b", "a%2fb", "AAMk=", "ü"} {
		u := c.path(nil, "users", id, "messages")
		parts := strings.Split(u.EscapedPath(), "/")
		if len(parts) != 5 || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("%q became %s", id, u)
			continue
		}
		if back, err := url.PathUnescape(parts[3]); err != nil || back != id {
			t.Errorf("%q became %q", id, parts[3])
		}
	}
}

func TestCursorsComeBack(t *testing.T) {
	s, c := newTenant(t, nil)
	u, err := c.link(s.URL + "/v1.0/drives/b%21x/root/delta?token=a%2Bb")
	if err != nil {
		t.Fatal(err)
	}
	back, err := c.fromCursor(c.cursorOf(u))
	if err != nil || back.String() != u.String() || strings.Contains(string(c.cursorOf(u)), "127.0.0.1") {
		t.Errorf("got %v, %v", back, err)
	}
}
