package microsoft

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"strings"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sources"
)

var (
	listSites  = method{sharePoint, "sites.getAllSites", 2, "Sites.Read.All"}
	getSite    = method{sharePoint, "site.get", 1, "Sites.Read.All"}
	siteDrives = method{sharePoint, "site.drives.list", 2, "Sites.Read.All"}
)

const siteFields = "id,displayName,webUrl,isPersonalSite"

type site struct {
	ID       string `json:"id"`
	Name     string `json:"displayName"`
	WebURL   string `json:"webUrl"`
	Personal bool   `json:"isPersonalSite"`
}

// Libraries yields the document libraries of SharePoint sites as accounts, each by the id of its drive. sites are the addresses of
// sites, such as https://contoso.sharepoint.com/sites/school; none means all. Personal sites are left out: they are the users'
// OneDrives. It ends after the first error.
func (c *Client) Libraries(ctx context.Context, sites []string) iter.Seq2[sources.Account, error] {
	return func(yield func(sources.Account, error) bool) {
		for s, err := range c.sites(ctx, sites) {
			if err == nil && s.Personal {
				continue
			}
			var accounts []sources.Account
			if err == nil {
				accounts, err = c.librariesOf(ctx, s)
			}
			if err != nil {
				yield(sources.Account{}, err)
				return
			}
			for _, a := range accounts {
				if !yield(a, nil) {
					return
				}
			}
		}
	}
}

// sites yields the named sites, or all.
func (c *Client) sites(ctx context.Context, names []string) iter.Seq2[site, error] {
	if len(names) == 0 {
		first := c.path(url.Values{"$select": {siteFields}}, "sites", "getAllSites")
		return pages[site](ctx, c, call{method: listSites, url: first})
	}
	return func(yield func(site, error) bool) {
		for _, name := range names {
			s, err := c.siteByAddress(ctx, name)
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// siteByAddress asks for a site by host and path (learn.microsoft.com/graph/api/site-getbypath).
func (c *Client) siteByAddress(ctx context.Context, address string) (site, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return site{}, fault.New(fault.FailTask, fault.SourceGone, "the site %q is no address that begins with https://", httpx.OneLine(address))
	}
	segments := []string{"sites", u.Hostname()}
	if path := strings.Trim(u.Path, "/"); path != "" {
		segments[1] += ":"
		segments = append(segments, strings.Split(path, "/")...)
	}
	var s site
	err = c.get(ctx, call{method: getSite, url: c.path(url.Values{"$select": {siteFields}}, segments...)}, &s)
	if err != nil {
		return site{}, fmt.Errorf("the site %s: %w", httpx.OneLine(address), err)
	}
	return s, nil
}

// LibraryName returns what people call a document library, given the id of its drive, as "school / Documents": the site by its address, and
// the library by its own name, which is another one than that of its folder in the address, "Shared%20Documents", in the reader's
// language or after it was renamed (learn.microsoft.com/graph/api/resources/drive).
func LibraryName(ctx context.Context, c *Client, driveID string) (string, error) {
	var drive struct {
		Name   string `json:"name"`
		WebURL string `json:"webUrl"`
	}
	err := c.get(ctx, call{method: getDrive, of: driveID, url: c.path(url.Values{"$select": {"name,webUrl"}}, "drives", driveID)}, &drive)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(drive.WebURL)
	if err != nil {
		return "", fault.New(fault.Retry, fault.SourceBadAnswer, "%s: the address of the library is none", getDrive)
	}
	names := namesIn(u.Path)
	if name := strings.TrimSpace(drive.Name); name != "" {
		names = append(names[:len(names)-1], name) // there is one part at least
	}
	return httpx.OneLine(strings.Join(names, " / ")), nil
}

// namesIn returns the parts of a library's path that people know: those below /sites/ and /teams/, which hold all sites but the first.
func namesIn(path string) []string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) > 1 && (parts[0] == "sites" || parts[0] == "teams") {
		return parts[1:]
	}
	return parts
}

// librariesOf returns the document libraries of a site.
func (c *Client) librariesOf(ctx context.Context, s site) ([]sources.Account, error) {
	type drive struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	if s.ID == "" {
		return nil, fault.New(fault.Retry, fault.SourceBadAnswer, "%s: a site without an id", listSites)
	}
	var accounts []sources.Account
	first := c.path(url.Values{"$select": {"id,name"}}, "sites", s.ID, "drives")
	for d, err := range pages[drive](ctx, c, call{method: siteDrives, url: first}) {
		if err != nil {
			return nil, fmt.Errorf("the site %s: %w", httpx.OneLine(s.WebURL), err)
		}
		if d.ID == "" {
			return nil, fault.New(fault.Retry, fault.SourceBadAnswer, "%s: a library without an id", siteDrives)
		}
		name := httpx.OneLine(s.Name + " / " + d.Name)
		accounts = append(accounts, sources.Account{ID: d.ID, Name: name, State: "active", Shared: true})
	}
	return accounts, nil
}
