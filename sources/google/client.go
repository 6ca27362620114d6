// Package google reads Google Workspace: Drive, Gmail, Calendar and the Directory, through the official clients of
// google.golang.org/api, with read-only scopes, as a service account with domain-wide delegation.
//
// A Client holds what all sources of one organisation share: the key, one transport, the tokens and the budgets. Every
// request goes through Client.do, which waits for the budget, tells the budget about refusals, renews a
// refused token once, and turns errors into faults. It does not retry: the engine does.
package google

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/api/googleapi"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/meter"
	"codeberg.org/repatriate/repatriate/internal/price"
	"codeberg.org/repatriate/repatriate/internal/spool"
)

// Options say how to reach an organisation.
type Options struct {
	// Credentials is the service account's key file (JSON). Its token_uri must be https or on a loopback address.
	Credentials []byte
	// Admin is the address of an administrator whose view of the directory and of the shared drives is used.
	Admin string
	// Endpoint replaces the root of all services, which are then expected at their official paths below it (drive/v3/,
	// gmail/v1/, calendar/v3/, admin/directory/v1/). It must be https or on a loopback address. Empty: Google.
	Endpoint string
	// Tier selects the quotas: "new" (also the default) for Cloud projects that were made from May 2026 on, "old" for
	// earlier ones, "unlimited" for simulations.
	Tier string
	// Paid says that the project pays for use above the daily thresholds, which then are no limits.
	Paid bool
	// Clock says how many times as fast the project's minutes pass, for simulations; zero: as fast as ours.
	Clock float64
	// TempDir is where bodies are kept that are too large for memory; empty: the system's directory.
	TempDir string
	// Memory bounds what all bodies together keep in memory; may be nil.
	Memory *spool.Budget
	// Transport carries all requests; nil: httpx.NewTransport. It must not add credentials of its own.
	Transport http.RoundTripper
	// Meter counts requests and throttled time; may be nil.
	Meter *meter.Meter
}

// Client reads one organisation. It is safe for concurrent use.
type Client struct {
	options  Options
	key      serviceKey
	root     *url.URL // nil: Google
	base     http.RoundTripper
	quota    *quota
	prices   price.Prices
	sessions *sessions
	states   *userStates
}

// New returns a client. It sends nothing yet; wrong credentials show at the first call.
func New(_ context.Context, o Options) (*Client, error) {
	key, err := parseKey(o.Credentials)
	if err != nil {
		return nil, fault.New(fault.FailTask, fault.SourceAuth, "google: credentials: %w", err)
	}
	root, err := parseEndpoint(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("google: endpoint: %w", err)
	}
	q, err := newQuota(o)
	if err != nil {
		return nil, err
	}
	rates, err := NewPrices(o)
	if err != nil {
		return nil, err
	}
	next := o.Transport
	if next == nil {
		t := httpx.NewTransport()
		t.WriteBufferSize = 4 << 10 // no request has a body worth more
		next = t
	}
	base := httpx.Unechoed(httpx.Bounded(httpx.Metered(httpx.Stalling(next, stallTimeout), o.Meter), maxAnswer))
	c := &Client{options: o, key: key, root: root, base: base, quota: q, prices: rates, states: newUserStates()}
	c.sessions = newSessions(c)
	return c, nil
}

// parseEndpoint returns nil for the empty endpoint, and otherwise a URL that ends in a slash.
func parseEndpoint(endpoint string) (*url.URL, error) {
	if endpoint == "" {
		return nil, nil
	}
	u, err := httpx.SecureURL(endpoint)
	if err != nil {
		return nil, err
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "/"
	u.RawQuery, u.Fragment = "", ""
	return u, nil
}

// do runs fn, which sends exactly one request of the method as the user. It first waits until the budgets of user and
// project have the method's units. When the token is refused it is renewed and fn runs once more, so that fn
// must make its call anew each time. The error is the context's if that has ended, and otherwise carries a fault.Error; the
// *googleapi.Error stays in its chain, see statusOf and hasReason.
//
// fn may return with an open body, such as that of a download: what goes wrong while the body is read is classified by
// fail.
func (c *Client) do(ctx context.Context, user string, m method, fn func() error) error {
	for renewed := false; ; renewed = true {
		start, err := c.quota.wait(ctx, user, m)
		if err != nil {
			return c.fail(ctx, user, m, err)
		}
		err = fn()
		switch {
		case err == nil:
			c.quota.served(user, m, start)
			return nil
		case !renewed && statusOf(err) == http.StatusUnauthorized:
			c.sessions.renew(user, m.api)
		default:
			return c.quota.refused(ctx, user, m, start, c.fail(ctx, user, m, err))
		}
	}
}

// as is do with an official client that acts as the user; open is one of Client's.
func as[S any](ctx context.Context, c *Client, user string, m method, open func(ctx context.Context, user string) (*S, error), fn func(*S) error) error {
	return c.do(ctx, user, m, func() error {
		svc, err := open(ctx, user)
		if err != nil {
			return err
		}
		return fn(svc)
	})
}

// get sends a GET request to a URL that an answer held, such as an export link, or that the official client cannot read as a
// stream. The bearer token goes along to the provider's own hosts only. header may be nil. Who calls closes
// the answer's body; an answer above 299 is an error.
func (c *Client) get(ctx context.Context, user string, m method, rawURL string, header http.Header) (*http.Response, error) {
	var res *http.Response
	err := c.do(ctx, user, m, func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
		if err != nil {
			return err
		}
		for k, v := range header {
			req.Header[k] = v
		}
		req.Header.Set("User-Agent", userAgent)
		if res, err = c.sessions.get(user, m.api).http.Do(req); err != nil {
			return err
		}
		if err := googleapi.CheckMediaResponse(res); err != nil {
			httpx.Drain(res.Body)
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// statusOf returns the HTTP status of the *googleapi.Error in err's chain, and zero if there is none.
func statusOf(err error) int {
	var e *googleapi.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}
