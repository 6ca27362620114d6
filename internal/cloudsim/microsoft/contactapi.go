package microsoft

import (
	"net/http"
	"strconv"
)

func (c *call) contactFolder() (*contactFolder, error) {
	if err := c.needMailbox(); err != nil {
		return nil, err
	}
	if f := c.user.contacts.find(c.r.PathValue("folder")); f != nil {
		return f, nil
	}
	return nil, errOutlookNotFound()
}

// contactFolders answers contactFolders.list and childFolders: the folders in the default one, which is not among them
// (learn.microsoft.com/graph/api/user-list-contactfolders), or those in another.
func contactFolders(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	parent, err := c.contactFolder()
	if err != nil {
		return err
	}
	var all []object
	for _, f := range c.user.contacts.folders {
		if f.parent == parent {
			all = append(all, f.json())
		}
	}
	return c.list(all, 10, 1000)
}

// contactFolderGet answers contactFolders.get (learn.microsoft.com/graph/api/contactfolder-get).
func contactFolderGet(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	f, err := c.contactFolder()
	if err != nil {
		return err
	}
	return c.reply(f.json().only(c.selected()))
}

func (f *contactFolder) json() object {
	parent := "AAMkADfolderRoot"
	if f.parent != nil {
		parent = f.parent.id
	}
	return object{"id": f.id, "displayName": f.name, "parentFolderId": parent}
}

// contactDelta answers contact.delta of a folder (learn.microsoft.com/graph/api/contact-delta). Exchange gives at most 200 at once,
// whatever the client prefers (learn.microsoft.com/answers/questions/2052165).
func contactDelta(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	f, err := c.contactFolder()
	if err != nil {
		return err
	}
	immutable := c.immutable()
	p, err := c.deltaPage(&f.collection)
	if err != nil {
		return err
	}
	return c.delta(&f.collection, "contact", p, c.maxPage(10, 200), immutable, func(e *entry, _ string) object { return e.contact(immutable) })
}

// contact is that of the path; where the path names a folder, it must be there.
func (c *call) contact() (*entry, error) {
	f, err := c.contactFolder()
	if err != nil {
		return nil, err
	}
	e := c.user.contacts.byID[c.r.PathValue("contact")]
	if e == nil || c.r.PathValue("folder") != "" && e.in != &f.collection {
		return nil, errOutlookNotFound()
	}
	return e, nil
}

// contactGet answers contact.get (learn.microsoft.com/graph/api/contact-get).
func contactGet(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	e, err := c.contact()
	if err != nil {
		return err
	}
	return c.reply(e.contact(c.immutable()).only(c.selected()))
}

// contactPhoto answers with a contact's picture (learn.microsoft.com/graph/api/profilephoto-get).
func contactPhoto(c *call) error {
	c.data.mu.Lock()
	e, err := c.contact()
	var picture func() []byte
	if err == nil {
		picture = e.photo
	}
	c.data.mu.Unlock()
	switch {
	case err != nil:
		return err
	case picture == nil:
		return errOutlookNotFound()
	}
	body := picture()
	c.w.Header().Set("Content-Type", "image/jpeg")
	c.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(body)
	return nil
}
