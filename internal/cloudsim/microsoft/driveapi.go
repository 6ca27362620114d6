package microsoft

import (
	"net/url"
	"strconv"
	"strings"
)

func (c *call) drive() (*drive, error) {
	if v := c.data.drives[c.r.PathValue("drive")]; v != nil {
		return v, nil
	}
	return nil, errItemNotFound()
}

// userDrive answers drive.get (learn.microsoft.com/graph/api/drive-get).
func userDrive(c *call) error {
	if c.user.NoDrive || c.user.Unlicensed {
		return &apiError{status: 404, code: "itemNotFound", message: "User's mysite not found."}
	}
	return c.reply(c.user.drive.json().only(c.selected()))
}

func (v *drive) json() object {
	o := object{"id": v.id, "name": v.name, "driveType": v.kind(), "webUrl": v.webURL()}
	if v.owner != nil {
		o["quota"] = object{"used": v.used(), "deleted": 0, "total": int64(1) << 40, "state": "normal"}
		o["owner"] = object{"user": object{"id": v.owner.id, "displayName": v.owner.name()}}
	}
	return o
}

// used returns the bytes that the drive's files take.
func (v *drive) used() (n int64) {
	for _, it := range v.items {
		if !it.deleted && it.Content != nil {
			n += it.Content.Size()
		}
	}
	return n
}

func (v *drive) kind() string {
	if v.owner != nil {
		return "business"
	}
	return "documentLibrary"
}

// webURL is an address for people. It leads nowhere.
func (v *drive) webURL() string {
	if v.owner != nil {
		return "https://tenant-my.sharepoint.example/personal/" + url.PathEscape(strings.ReplaceAll(v.owner.Email, "@", "_")) + "/Documents"
	}
	return "https://tenant.sharepoint.example/" + v.site.path + "/" + url.PathEscape(v.name)
}

// driveGet answers drive.get by the drive's id.
func driveGet(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	v, err := c.drive()
	if err != nil {
		return err
	}
	return c.reply(v.json().only(c.selected()))
}

// driveRoot answers driveItem.get of the root.
func driveRoot(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	v, err := c.drive()
	if err != nil {
		return err
	}
	return c.reply(v.itemJSON(v.root, v.root.state, true).only(c.selected()))
}

// driveItemGet answers driveItem.get (learn.microsoft.com/graph/api/driveitem-get).
func driveItemGet(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	v, err := c.drive()
	if err != nil {
		return err
	}
	n := v.items[c.r.PathValue("item")]
	if n == nil {
		return errItemNotFound()
	}
	return c.reply(v.itemJSON(n, n.state, true).only(c.selected()))
}

// itemJSON renders an item as it was in a state. Only an item by itself has its place and its cTag.
func (v *drive) itemJSON(n *item, s state, alone bool) object {
	o := object{"id": s.id, "parentReference": v.parentOf(s, alone)}
	if s.deleted {
		o["deleted"] = object{"state": "deleted"}
		return o
	}
	o["name"], o["eTag"] = s.Name, `"{`+s.id+`},`+strconv.Itoa(s.etag)+`"`
	o["webUrl"] = v.webURL() + "/" + escapedPath(s.Name)
	o["createdDateTime"], o["lastModifiedDateTime"] = stamp(s.Created), stamp(s.Modified)
	o["fileSystemInfo"] = object{"createdDateTime": stamp(s.Created), "lastModifiedDateTime": stamp(s.Modified)}
	if alone {
		o["cTag"] = `"c:{` + s.id + `},` + strconv.Itoa(s.etag) + `"`
	}
	v.facets(o, n, s)
	return o
}

// facets say what an item is.
func (v *drive) facets(o object, n *item, s state) {
	switch {
	case n == v.root:
		o["root"], o["folder"], o["size"] = object{}, object{"childCount": len(n.children)}, 0
	case s.Package != "":
		o["package"], o["size"] = object{"type": s.Package}, 4096
	case s.Shortcut != "":
		o["remoteItem"], o["size"] = object{"id": "01REMOTE", "name": s.Shortcut, "webUrl": s.ShortcutURL, "folder": object{}}, 0
	case s.Content == nil:
		o["folder"], o["size"] = object{"childCount": len(n.children)}, 0
	default:
		file := object{"mimeType": s.MimeType}
		if !s.NoHash {
			file["hashes"] = object{"quickXorHash": n.quickXor()}
		}
		o["file"], o["size"] = file, n.Content.Size() // of the bytes that the hash is of
		if s.Malware {
			o["malware"] = object{"description": "Simulated malware"}
		}
	}
}

func (v *drive) parentOf(s state, alone bool) object {
	o := object{"driveId": v.id, "driveType": v.kind()}
	if s.parent == nil {
		return o
	}
	o["id"] = s.parent.id
	if alone {
		o["path"] = "/drives/" + v.id + "/root:" + strings.TrimSuffix("/"+escapedPath(s.parent.path()), "/")
	}
	return o
}

func escapedPath(p string) string { return strings.ReplaceAll(url.PathEscape(p), "%2F", "/") }

const deltaPage = 200

// driveDelta answers driveItem.delta (learn.microsoft.com/graph/api/driveitem-delta): all items as they were made, and then what was
// changed since the first page, an item as often as it was changed.
func driveDelta(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	v, err := c.drive()
	if err != nil {
		return err
	}
	p, err := c.deltaPlace(v)
	if err != nil {
		return err
	}
	answer := object{"@odata.context": c.host() + "/v1.0/$metadata#Collection(driveItem)"}
	if p.Change {
		c.driveChanges(v, p, answer)
	} else {
		c.driveListing(v, p, answer)
	}
	return c.reply(answer)
}

// deltaPlace reads where to go on.
func (c *call) deltaPlace(v *drive) (page, error) {
	token := c.query.Get("token")
	if token == "" {
		size, err := c.size(deltaPage, 1000)
		return page{Of: v.id, Until: len(v.log), Select: c.selected(), Size: size}, err
	}
	p, ok := c.place(token)
	if !ok || p.Of != v.id || (p.Change && p.From < v.oldest) || (!p.Change && p.Until < v.oldest) {
		return p, &apiError{status: 410, code: "resyncRequired", inner: "resyncChangesApplyDifferences", message: "Resync required. Replace any local items with the server's version.",
			location: c.host() + c.r.URL.EscapedPath() + "?token="}
	}
	return p, nil
}

func (c *call) driveListing(v *drive, p page, answer object) {
	values := []object{}
	at := p.From
	for ; at < len(v.order) && len(values) < p.Size; at++ {
		if n := v.order[at]; !n.deleted {
			values = append(values, v.itemJSON(n, n.state, false).only(p.Select))
		}
	}
	answer["value"] = values
	next := p
	if at < len(v.order) {
		next.From = at
		answer["@odata.nextLink"] = c.link("token", c.token(next))
		return
	}
	next.From, next.Until, next.Change = p.Until, 0, true
	answer["@odata.deltaLink"] = c.link("token", c.token(next))
}

func (c *call) driveChanges(v *drive, p page, answer object) {
	values := []object{}
	to := min(p.From+p.Size, len(v.log))
	for _, s := range v.log[p.From:to] {
		n := v.items[s.id]
		if n == nil && !s.deleted {
			continue // deleted later, which its last entry tells
		}
		if n == nil {
			n = &item{state: s}
		}
		values = append(values, v.itemJSON(n, s, false).only(p.Select))
	}
	answer["value"] = values
	next := p
	next.From = to
	if to < len(v.log) {
		answer["@odata.nextLink"] = c.link("token", c.token(next))
		return
	}
	answer["@odata.deltaLink"] = c.link("token", c.token(next))
}
