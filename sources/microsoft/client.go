// Package microsoft reads Microsoft 365: OneDrive, SharePoint document libraries, Exchange Online and the directory, through
// Microsoft Graph v1.0, with read-only application permissions.
//
// The official client github.com/microsoftgraph/msgraph-sdk-go gives the request adapter, the models and the errors;
// docs/decisions/0007-thin-graph-client.md says why the paths are our own. A Client holds what all sources of one tenant
// share. Every request goes through Client.do, which waits for the budget, tells the budget about refusals, renews a refused
// token once, and turns errors into faults. It does not retry: the engine does.
package microsoft

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	graph "github.com/microsoftgraph/msgraph-sdk-go-core"

	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/meter"
	"codeberg.org/repatriate/repatriate/internal/spool"
)

// Options say how to reach a tenant.
type Options struct {
	// Tenant is the tenant's id or one of its domains, ClientID the id of the application's registration.
	Tenant, ClientID string
	// Secret is the application's client secret. Instead of it, Certificate holds a certificate with its key, as PEM or PKCS#12,
	// and Password what protects it.
	Secret      string
	Certificate []byte
	Password    string
	// Cloud is the national cloud: "global" (also the default), "us", "us-dod" or "china".
	Cloud string
	// Endpoint replaces the root of Graph, below which v1.0/ is expected, and Login the root of the token service. Each must be
	// https or on a loopback address. Empty: those of the cloud.
	Endpoint, Login string
	// Licences is the number of the tenant's licences, which sets SharePoint's quota; zero counts as the smallest tenant.
	Licences int
	// Unlimited switches the quotas off, and Clock says how many times as fast the tenant's minutes pass; for simulations. Zero is as
	// fast as ours.
	Unlimited bool
	Clock     float64
	// UserAgent tells SharePoint who calls, decorated as it asks; empty: NONISV|repatriate|repatriate.
	UserAgent string
	// TempDir is where bodies are kept that are too large for memory; empty: the system's directory.
	TempDir string
	// Memory bounds what all bodies together keep in memory; may be nil.
	Memory *spool.Budget
	// Transport carries all requests; nil: httpx.NewTransport. It must not add credentials of its own.
	Transport http.RoundTripper
	// Meter counts requests and throttled time; may be nil.
	Meter *meter.Meter
}

// defaultUserAgent has the form that SharePoint asks of an organisation's own applications
// (learn.microsoft.com/sharepoint/dev/general-development/how-to-avoid-getting-throttled-or-blocked-in-sharepoint-online).
const defaultUserAgent = "NONISV|repatriate|repatriate"

// stallTimeout bounds the silence within a body.
const stallTimeout = 2 * time.Minute

// maxAnswer bounds answers that are read into memory: JSON documents and errors.
const maxAnswer = 128 << 20

// Client reads one tenant. It is safe for concurrent use.
type Client struct {
	options Options
	root    *url.URL // of Graph, ends in /v1.0/
	tokens  *tokens
	adapter *graph.GraphRequestAdapterBase
	http    *http.Client // to Graph; redirects are returned
	plain   *http.Client // the same without a bound on bodies; also to pre-authenticated URLs
	quota   *quota
}

// New returns a client. It sends nothing yet; wrong credentials show at the first call.
func New(o Options) (*Client, error) {
	place, err := placeOf(o)
	if err != nil {
		return nil, fmt.Errorf("microsoft: %w", err)
	}
	if o.UserAgent == "" {
		o.UserAgent = defaultUserAgent
	}
	c := &Client{options: o, root: place.graph, quota: newQuota(o)}
	base := c.transport()
	if c.tokens, err = newTokens(o, place, base); err != nil {
		return nil, err
	}
	base = httpx.Unechoed(base)
	c.http = &http.Client{Transport: httpx.AllBounded(base, maxAnswer), CheckRedirect: returned}
	c.plain = &http.Client{Transport: base, CheckRedirect: returned}
	c.adapter, err = newAdapter(c.tokens, c.http, c.root)
	return c, err
}

// returned makes a client give redirects to its caller: Graph's lead to pre-authenticated URLs, where no token may go.
func returned(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (c *Client) transport() http.RoundTripper {
	next := c.options.Transport
	if next == nil {
		next = httpx.NewTransport()
	}
	return httpx.Metered(httpx.Stalling(next, stallTimeout), c.options.Meter)
}

// newAdapter returns the official adapter with none of its middleware: that would retry, redirect and time out by itself.
func newAdapter(t *tokens, client *http.Client, root *url.URL) (*graph.GraphRequestAdapterBase, error) {
	a, err := graph.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		t, graph.GraphClientOptions{}, nil, nil, client)
	if err != nil {
		return nil, fmt.Errorf("microsoft: %w", err)
	}
	a.SetBaseUrl(root.String())
	return a, nil
}

// call is one request to Graph.
type call struct {
	method method
	// of is the mailbox, drive or site whose budget is drawn on; empty where only the tenant has one.
	of     string
	url    *url.URL
	header map[string]string
	body   []byte // JSON, for $batch; makes the request a POST
	// requests is how many requests count, for $batch; zero counts as one.
	requests int
	// stream says that the answer's body is read as it comes and may be of any length.
	stream bool
}

// do sends one request and returns its answer below 400, whose body the caller closes. The error is the context's if that has
// ended, and otherwise carries a fault.Error; the *apiError stays in its chain.
func (c *Client) do(ctx context.Context, k call) (*http.Response, error) {
	for renewed := false; ; renewed = true {
		start, done, err := c.quota.wait(ctx, k)
		if err != nil {
			return nil, c.fail(ctx, k, err)
		}
		generation := c.tokens.generation()
		res, err := c.send(ctx, k)
		if err == nil {
			if k.requests == 0 { // those of a batch are answered one by one
				c.quota.served(k, start)
			}
			res.Body = &closing{res.Body, done}
			return res, nil
		}
		done()
		if renewed || statusOf(err) != http.StatusUnauthorized {
			return nil, c.quota.refused(ctx, k, start, c.fail(ctx, k, err))
		}
		c.tokens.renew(generation)
	}
}

// send makes the request through the official adapter. An answer from 400 on is an *apiError.
func (c *Client) send(ctx context.Context, k call) (*http.Response, error) {
	info := abstractions.NewRequestInformation()
	info.Method = abstractions.GET
	info.SetUri(*k.url)
	for name, value := range k.header {
		info.Headers.Add(name, value)
	}
	info.Headers.Add("User-Agent", c.options.UserAgent)
	if k.body != nil {
		info.Method = abstractions.POST
		info.SetStreamContentAndContentType(k.body, "application/json")
	}
	native, err := c.adapter.ConvertToNativeRequest(ctx, info)
	if err != nil {
		return nil, err
	}
	client := c.http
	if k.stream {
		client = c.plain
	}
	res, err := client.Do(native.(*http.Request))
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= http.StatusBadRequest {
		return nil, readError(k.method.String(), res)
	}
	return res, nil
}
