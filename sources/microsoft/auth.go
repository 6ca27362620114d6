package microsoft

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	abstractions "github.com/microsoft/kiota-abstractions-go"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// tokens gives the application's token to requests to Graph. It is the adapter's authentication provider.
type tokens struct {
	root  *url.URL
	login string // the host of the token service
	scope string
	make  func() (azcore.TokenCredential, error)

	mu         sync.Mutex
	credential azcore.TokenCredential
	renewed    int    // how often
	last       string // the token that was given out last, which no error may repeat
}

func newTokens(o Options, p place, base http.RoundTripper) (*tokens, error) {
	t := &tokens{root: p.graph, login: p.login.Hostname(), scope: p.audience + "/.default"}
	t.make = func() (azcore.TokenCredential, error) { return newCredential(o, p, base) }
	var err error
	if t.credential, err = t.make(); err != nil {
		return nil, fault.New(fault.FailTask, fault.SourceAuth, "microsoft: credentials: %s", httpx.OneLine(err.Error())).
			WithHint("the certificate and its private key stand in one file, as PEM or PKCS#12; check tenant and client_id too")
	}
	return t, nil
}

// newCredential makes a credential with an empty cache of tokens. The directory of known clouds is not asked about the
// authority: the administrator named it.
func newCredential(o Options, p place, base http.RoundTripper) (azcore.TokenCredential, error) {
	authority := *p.login
	authority.Scheme = "https" // the library knows nothing else; see loginTransport
	client := azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: authority.String()},
		Transport: &http.Client{Transport: httpx.Unechoed(httpx.AllBounded(&loginTransport{p.login, base}, 1<<20), o.Secret), CheckRedirect: returned},
		Retry:     policy.RetryOptions{MaxRetries: -1},
	}
	if len(o.Certificate) == 0 {
		return azidentity.NewClientSecretCredential(o.Tenant, o.ClientID, o.Secret,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: client, DisableInstanceDiscovery: true})
	}
	certs, key, err := azidentity.ParseCertificates(o.Certificate, []byte(o.Password))
	if err != nil {
		return nil, err
	}
	return azidentity.NewClientCertificateCredential(o.Tenant, o.ClientID, certs, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: client, DisableInstanceDiscovery: true})
}

// loginTransport sends to the token service and nowhere else, and restores plain http where the service is on a loopback
// address.
type loginTransport struct {
	login *url.URL
	base  http.RoundTripper
}

func (l *loginTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" || !strings.EqualFold(r.URL.Host, l.login.Host) {
		return nil, fmt.Errorf("the token service names another host, %s", httpx.OneLine(r.URL.Host))
	}
	r = r.Clone(r.Context())
	r.URL.Scheme = l.login.Scheme
	return l.base.RoundTrip(r)
}

// AuthenticateRequest implements kiota's authentication.AuthenticationProvider.
func (t *tokens) AuthenticateRequest(ctx context.Context, r *abstractions.RequestInformation, _ map[string]any) error {
	u, err := r.GetUri()
	if err != nil {
		return err
	}
	if u.Scheme != t.root.Scheme || !strings.EqualFold(u.Host, t.root.Host) {
		return errForeign
	}
	token, err := t.get(ctx)
	if err != nil {
		return err
	}
	r.Headers.Add("Authorization", "Bearer "+token)
	return nil
}

func (t *tokens) get(ctx context.Context) (string, error) {
	t.mu.Lock()
	credential := t.credential
	t.mu.Unlock()
	token, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{t.scope}})
	if err != nil {
		return "", t.fault(ctx, err)
	}
	t.mu.Lock()
	t.last = token.Token
	t.mu.Unlock()
	return token.Token, nil
}

// mask takes the token out of the answers to the requests of a batch, each of which may be an error.
func (t *tokens) mask() httpx.Mask {
	t.mu.Lock()
	defer t.mu.Unlock()
	return httpx.NewMask(t.last)
}

// generation names the token that is in use, for renew.
func (t *tokens) generation() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.renewed
}

// renew forgets the token of that generation, for the provider refused it. Of many who were refused with the same one, the first does.
func (t *tokens) renew(generation int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.renewed != generation {
		return
	}
	fresh, err := t.make()
	if err != nil {
		return // as it was made before, and the next refusal is reported
	}
	t.credential, t.renewed = fresh, t.renewed+1
}

// tokenRules say what the token service's codes mean (learn.microsoft.com/entra/identity-platform/reference-error-codes).
var tokenRules = []struct{ code, hint string }{
	{"AADSTS90002", "the tenant does not exist in this cloud: check tenant and cloud in the job file"},
	{"AADSTS900023", "the tenant is neither an id nor a domain: check tenant in the job file"},
	{"AADSTS700016", "the application is not registered in the tenant: check client_id, or let an administrator of the tenant consent"},
	{"AADSTS7000215", "check the client secret: its value counts, and not its id"},
	{"AADSTS7000222", "the client secret has expired: make a new one in the application's registration"},
	{"AADSTS700027", "the certificate is not registered with the application, or the clock of this machine is wrong"},
	{"AADSTS5000225", "the tenant is blocked for inactivity; its subscription may have lapsed"},
	{"AADSTS53003", "a Conditional Access policy blocks the application"},
	{"AADSTS7000112", "the application is disabled in the tenant"},
}

// fault returns the meaning of a failed request for a token.
func (t *tokens) fault(ctx context.Context, err error) error {
	const op = "token of the application"
	var answer *azidentity.AuthenticationFailedError
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", op, ctx.Err())
	}
	if !errors.As(err, &answer) || answer.RawResponse == nil {
		if why, do, ok := httpx.TLSTrouble(err, t.login); ok {
			return fault.New(fault.FailTask, fault.SourceUnavailable, "%s: %s", op, why).WithHint(do)
		}
		words, _, _ := strings.Cut(err.Error(), "To troubleshoot, visit") // pages about credentials, which are not the matter here
		return fault.New(fault.Retry, fault.SourceUnavailable, "%s: %s", op, httpx.OneLine(strings.TrimSpace(words)))
	}
	status := answer.RawResponse.StatusCode
	if status == http.StatusTooManyRequests || status >= 500 {
		after := httpx.RetryAfter(answer.RawResponse.Header, time.Now())
		return fault.New(fault.Retry, fault.SourceUnavailable, "%s: HTTP %d", op, status).WithAfter(after)
	}
	text := loginError(answer.RawResponse)
	f := fault.New(fault.FailTask, fault.SourceAuth, "%s: HTTP %d: %s", op, status, text)
	for _, r := range tokenRules {
		if strings.Contains(text, r.code+":") {
			return f.WithHint(r.hint)
		}
	}
	return f.WithHint("check tenant, client_id and the secret or certificate in the job file")
}

// loginError returns the words of an error answer. The library has read its body and left a copy.
func loginError(res *http.Response) string {
	raw, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return ""
	}
	res.Body = io.NopCloser(bytes.NewReader(raw))
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if decodeJSON(raw, &body) != nil {
		return ""
	}
	words, _, _ := strings.Cut(body.Description, "Trace ID:") // what follows is for Microsoft's own support
	return httpx.OneLine(body.Error + ": " + strings.TrimSpace(words))
}
