package microsoft

import (
	"slices"
	"strings"
)

// sitesAll answers site.getAllSites (learn.microsoft.com/graph/api/site-getallsites).
func sitesAll(c *call) error {
	var all []object
	for _, s := range c.data.allSites() {
		all = append(all, s.json())
	}
	return c.list(all, 100, 200)
}

func siteGet(c *call) error {
	for _, s := range c.data.allSites() {
		if s.id == c.r.PathValue("site") || c.r.PathValue("site") == siteHost && s.path == "" {
			return c.reply(s.json().only(c.selected()))
		}
	}
	return errItemNotFound()
}

// siteHost is the host of all sites.
const siteHost = "tenant.sharepoint.example"

// siteByPath answers site.getByPath (learn.microsoft.com/graph/api/site-getbypath).
func siteByPath(c *call) error {
	if c.r.PathValue("host") != siteHost+":" {
		return errItemNotFound()
	}
	for _, s := range c.data.allSites() {
		if strings.EqualFold(s.path, c.r.PathValue("path")) {
			return c.reply(s.json().only(c.selected()))
		}
	}
	return errItemNotFound()
}

func (s *site) json() object {
	return object{"id": s.id, "name": s.name, "displayName": s.name, "webUrl": "https://" + siteHost + "/" + s.path, "isPersonalSite": s.personal}
}

func siteDrives(c *call) error {
	for _, s := range c.data.allSites() {
		if s.id != c.r.PathValue("site") {
			continue
		}
		all := make([]object, len(s.drives))
		for i, v := range s.drives {
			all[i] = v.json()
		}
		return c.list(all, 100, 200)
	}
	return errItemNotFound()
}

func (d *Data) allSites() []*site {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.sites)
}
