package google

import (
	"slices"
	"strconv"
	"strings"
)

// aboutGet answers about.get, which is the one method of Drive that demands fields.
func aboutGet(c *call) error {
	if c.query.Get("fields") == "" {
		return &apiError{code: 400, reason: "required", location: "fields", message: "The 'fields' parameter is required for this method."}
	}
	formats := object{}
	for _, kind := range exportKinds() {
		list := []string{}
		for _, f := range exportFormats(googleApps + kind) {
			list = append(list, f.mime)
		}
		formats = append(formats, member{googleApps + kind, list})
	}
	c.data.mu.Lock()
	me := c.user.person(c.user.Email)
	usage, trash := int64(0), int64(0)
	for _, n := range c.user.drive.owned {
		if n.Content == nil {
			continue
		}
		usage += n.Content.Size()
		if n.trashed() {
			trash += n.Content.Size()
		}
	}
	c.data.mu.Unlock()
	text := strconv.FormatInt(usage, 10)
	return c.reply(object{{"kind", "drive#about"}, {"user", me}, {"exportFormats", formats}, {"canCreateDrives", true},
		{"storageQuota", object{{"limit", "2199023255552"}, {"usage", text}, {"usageInDrive", text}, {"usageInDriveTrash", strconv.FormatInt(trash, 10)}}}})
}

// corpusOf finds the corpus of a list: that of the user, or of a shared drive. The caller holds data.mu.
func (c *call) corpusOf() (*corpus, func() []*node, error) {
	id := c.query.Get("driveId")
	if id == "" {
		return &c.user.drive, func() []*node { return c.data.listing(c.user) }, nil
	}
	if !c.flag("supportsAllDrives") {
		return nil, nil, &apiError{code: 403, reason: "teamDrivesNotSupported", message: "The client does not support shared drives; supportsAllDrives must be true."}
	}
	s := c.data.sharedDrive(id)
	if s == nil || roleIn(s.members, c.user.Email) == "" {
		return nil, nil, &apiError{code: 404, reason: "notFound", location: "driveId", message: "Shared drive not found: " + id}
	}
	return &s.corpus, s.listing, nil
}

// filesList answers files.list.
// https://developers.google.com/workspace/drive/api/reference/rest/v3/files/list
func filesList(c *call) error {
	if err := c.checkCorpora(); err != nil {
		return err
	}
	size, err := c.pageSize("pageSize", 100, 1000, true)
	if err != nil {
		return err
	}
	match, err := parseQuery(c.query.Get("q"), c.user.Email)
	if err != nil {
		c.Report("drive.files.list: q: " + err.Error())
		return errInvalid("q", "Invalid Value")
	}
	after, err := c.filePlace()
	if err != nil {
		return err
	}
	page, more, err := c.filesPage(after, size, match)
	if err != nil {
		return err
	}
	files := make([]object, len(page))
	for i := range page {
		files[i] = page[i].resource()
	}
	answer := object{{"kind", "drive#fileList"}, {"incompleteSearch", false}, {"files", files}}
	if more {
		last := page[len(page)-1].position()
		answer = append(answer, member{"nextPageToken", c.pageToken(strconv.FormatInt(last.modified, 10) + " " + last.id)})
	}
	return c.replyOr(answer, "kind,incompleteSearch,nextPageToken,files(kind,id,name,mimeType)")
}

// replyOr answers with the fields that Drive gives when none are named.
func (c *call) replyOr(o object, fields string) error {
	if c.query.Get("fields") != "" {
		return c.reply(o)
	}
	m, err := parseMask(fields)
	if err != nil {
		return err
	}
	return c.replyMasked(o, m)
}

func (c *call) checkCorpora() error {
	if err := c.oneOf("spaces", "drive"); err != nil {
		return err
	}
	corpora, drive := c.query.Get("corpora"), c.query.Get("driveId")
	switch {
	case corpora == "drive" && drive == "":
		return errInvalid("driveId", "The driveId parameter must be specified when corpora is drive.")
	case corpora != "drive" && drive != "":
		return errInvalid("corpora", "If driveId is specified, corpora must be set to drive.")
	case drive != "" && !c.flag("includeItemsFromAllDrives"):
		return errInvalid("includeItemsFromAllDrives", "includeItemsFromAllDrives must be true to list the files of a shared drive.")
	}
	return c.oneOf("corpora", "user", "drive")
}

func (c *call) filePlace() (*position, error) {
	place, found, err := c.place()
	if err != nil || !found {
		return nil, err
	}
	modified, id, _ := strings.Cut(place, " ")
	p := &position{id: id}
	p.modified, _ = strconv.ParseInt(modified, 10, 64)
	return p, nil
}

// filesPage copies what matches after a position, so that answers are written without holding the lock.
func (c *call) filesPage(after *position, size int, match func(*fileView) bool) (page []fileView, more bool, err error) {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	_, listing, err := c.corpusOf()
	if err != nil {
		return nil, false, err
	}
	list := listing()
	if after != nil {
		at, found := slices.BinarySearchFunc(list, *after, func(n *node, p position) int { return n.position().compare(p) })
		if found {
			at++
		}
		list = list[at:]
	}
	for _, n := range list {
		view := c.view(n)
		if !match(&view) {
			continue
		}
		if len(page) == size {
			return page, true, nil
		}
		page = append(page, view)
	}
	return page, false, nil
}

// startPageToken answers changes.getStartPageToken.
func startPageToken(c *call) error {
	c.data.mu.Lock()
	corpus, _, err := c.corpusOf()
	if err != nil {
		c.data.mu.Unlock()
		return err
	}
	head := corpus.head()
	c.data.mu.Unlock()
	return c.reply(object{{"kind", "drive#startPageToken"}, {"startPageToken", strconv.Itoa(head)}})
}

// changesList answers changes.list. Its page tokens are change numbers, and do not expire with other page tokens.
// https://developers.google.com/workspace/drive/api/reference/rest/v3/changes/list
func changesList(c *call) error {
	if err := c.oneOf("spaces", "drive"); err != nil {
		return err
	}
	size, err := c.pageSize("pageSize", 100, 1000, true)
	if err != nil {
		return err
	}
	items, next, more, err := c.changesPage(size)
	if err != nil {
		return err
	}
	answer := object{{"kind", "drive#changeList"}, {"changes", items}}
	name := "newStartPageToken"
	if more {
		name = "nextPageToken"
	}
	answer = append(answer, member{name, strconv.Itoa(next)})
	return c.replyOr(answer, "kind,nextPageToken,newStartPageToken,changes(kind,changeType,type,time,removed,fileId,driveId,file(kind,id,name,mimeType))")
}

func (c *call) changesPage(size int) (items []object, next int, more bool, err error) {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	corpus, _, err := c.corpusOf()
	if err != nil {
		return nil, 0, false, err
	}
	from, parseErr := strconv.Atoi(c.query.Get("pageToken"))
	if parseErr != nil || from < max(firstChange, corpus.oldest) || from > corpus.head() {
		return nil, 0, false, errInvalid("pageToken", "Invalid Value")
	}
	items = []object{}
	for i := from - firstChange; i < len(corpus.log); i++ {
		entry := corpus.log[i]
		if entry.file == "" || corpus.latest[entry.file] != i || !c.showsChange(entry) {
			continue
		}
		if len(items) >= size && firstChange+i > from { // an empty page leads on as well
			return items, firstChange + i, true, nil
		}
		items = append(items, c.changeResource(entry))
	}
	return items, corpus.head(), false, nil
}

func (c *call) showsChange(entry change) bool {
	if c.flag("restrictToMyDrive") && !entry.inDrive {
		return false
	}
	return !entry.removed || c.query.Get("includeRemoved") != "false"
}

// changeResource shows how the file of a change is now. One that went with its folder after the change is removed, too: "file" is
// "present if the type is file and the file has not been removed from this list of changes".
func (c *call) changeResource(entry change) object {
	n := c.data.nodes[entry.file]
	removed := entry.removed || n == nil
	o := object{{"kind", "drive#change"}, {"changeType", "file"}, {"type", "file"}, {"time", stamp(entry.at)}, {"removed", removed}, {"fileId", entry.file}}
	if id := c.query.Get("driveId"); id != "" {
		o = append(o, member{"driveId", id})
	}
	if !removed {
		view := c.view(n)
		o = append(o, member{"file", view.resource()})
	}
	return o
}
