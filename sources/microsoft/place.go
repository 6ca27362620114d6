package microsoft

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sources"
)

// place is where a tenant's Graph and token service are.
type place struct {
	graph, login *url.URL
	audience     string
}

// clouds are the national clouds (learn.microsoft.com/graph/deployments): Graph's root, which is the token's audience as well,
// and the token service.
var clouds = map[string][2]string{
	"":       {"https://graph.microsoft.com", "https://login.microsoftonline.com"},
	"global": {"https://graph.microsoft.com", "https://login.microsoftonline.com"},
	"us":     {"https://graph.microsoft.us", "https://login.microsoftonline.us"},
	"us-dod": {"https://dod-graph.microsoft.us", "https://login.microsoftonline.us"},
	"china":  {"https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"},
}

func placeOf(o Options) (place, error) {
	cloud, ok := clouds[o.Cloud]
	if !ok {
		return place{}, fmt.Errorf("cloud %q is none of global, us, us-dod, china", o.Cloud)
	}
	p := place{audience: cloud[0]}
	var err error
	if p.graph, err = rootOf(o.Endpoint, cloud[0]); err != nil {
		return place{}, fmt.Errorf("endpoint: %w", err)
	}
	p.graph.Path += "v1.0/"
	if p.login, err = rootOf(o.Login, cloud[1]); err != nil {
		return place{}, fmt.Errorf("login: %w", err)
	}
	return p, nil
}

// rootOf returns a URL whose path ends in a slash.
func rootOf(own, usual string) (*url.URL, error) {
	if own == "" {
		own = usual
	}
	u, err := httpx.SecureURL(own)
	if err != nil {
		return nil, err
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "/"
	u.RawPath, u.RawQuery, u.Fragment = "", "", ""
	return u, nil
}

// path returns the URL of a resource. Segments are ids and names as they are; what is special in a URL is escaped, so that
// no id reaches another resource.
func (c *Client) path(query url.Values, segments ...string) *url.URL {
	escaped := make([]string, len(segments))
	for i, s := range segments {
		escaped[i] = escapeSegment(s)
	}
	u := *c.root
	u.RawPath = u.EscapedPath() + strings.Join(escaped, "/")
	u.Path += strings.Join(segments, "/")
	u.RawQuery = query.Encode()
	return &u
}

// escapeSegment escapes also the segments that URLs resolve away.
func escapeSegment(s string) string {
	if s == "." || s == ".." {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}

// errForeign says that a link of an answer leads away from Graph.
var errForeign = errors.New("a link of the answer leads to another host")

// link parses a nextLink, deltaLink or Location. It must stay below Graph's root, since our token goes along.
func (c *Client) link(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err == nil && u.Scheme == c.root.Scheme && strings.EqualFold(u.Host, c.root.Host) && u.User == nil &&
		strings.HasPrefix(u.EscapedPath(), c.root.EscapedPath()) && !strings.Contains(u.Path, "/../") {
		u.Fragment = ""
		return u, nil
	}
	return nil, fault.New(fault.Retry, fault.SourceBadAnswer, "Graph: %w", errForeign)
}

// cursorOf keeps of a link what lies below the root, so that a cursor holds no host.
func (c *Client) cursorOf(u *url.URL) sources.Cursor {
	below := strings.TrimPrefix(u.EscapedPath(), c.root.EscapedPath())
	return sources.Cursor(below + "?" + u.RawQuery)
}

// fromCursor is the inverse of cursorOf; of what that cannot have made it says that it expired.
func (c *Client) fromCursor(at sources.Cursor) (*url.URL, error) {
	u, err := c.link(c.root.String() + string(at))
	if err != nil {
		return nil, errors.Join(sources.ErrCursorExpired, err)
	}
	return u, nil
}

var errPlain = errors.New("it is not https")

// preAuthenticated parses a download URL, which bears its own secret and must not get our token. One without TLS is taken only from
// a Graph that has none either.
func (c *Client) preAuthenticated(raw string) (*url.URL, error) {
	u, err := httpx.SecureURL(raw)
	if err == nil && u.Scheme != "https" && u.Scheme != c.root.Scheme {
		err = errPlain
	}
	if err != nil {
		return nil, fault.New(fault.Retry, fault.SourceBadAnswer, "Graph: download URL: %w", err)
	}
	return u, nil
}
