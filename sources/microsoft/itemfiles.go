package microsoft

import (
	"context"
	"errors"
	"net/url"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// filesOf says where the files of some kind of items are read.
type filesOf struct {
	list, get method
	// kind is the type of files that have bytes; others are references and whole items.
	kind string
	// options are those of the list.
	options url.Values
	header  map[string]string
	// at returns the segments of an item's address.
	at func(id string) []string
}

// The bounds of files that go along within their event or task: of one, and of all of one item. Servers take objects of half a megabyte at
// least (Stalwart), and base64 adds a third.
const (
	inlineFile = 100 << 10
	inlineItem = 300 << 10
)

// itemFile is the part of Graph's attachment and taskFileAttachment that is read (learn.microsoft.com/graph/api/resources/attachment).
type itemFile struct {
	ID          string `json:"id"`
	Kind        string `json:"@odata.type"`
	Name        string `json:"name"`
	ContentType string `json:"contentType"`
	Size        int    `json:"size"`
	Bytes       []byte `json:"contentBytes"`
}

// files returns the files of items by their ids; small ones with their bytes.
func (c *Client) files(ctx context.Context, user string, f filesOf, ids []string) (map[string][]sources.Attachment, error) {
	urls := make([]*url.URL, len(ids))
	for i, id := range ids {
		urls[i] = c.path(f.options, append(f.at(id), "attachments")...)
	}
	answers, err := c.batch(ctx, f.list, user, f.header, urls)
	if err != nil {
		return nil, err
	}
	files := map[string][]sources.Attachment{}
	for i, a := range answers {
		var list struct {
			Value []itemFile `json:"value"`
			Next  string     `json:"@odata.nextLink"`
		}
		if err := a.decode(&list); err != nil && fault.Of(err).Reason != fault.SourceGone {
			return nil, err
		}
		if files[ids[i]], err = c.smallFiles(ctx, user, f, ids[i], list.Value); err != nil {
			return nil, err
		}
		if list.Next != "" {
			files[ids[i]] = append(files[ids[i]], sources.Attachment{Title: "further files"})
		}
	}
	return files, nil
}

// smallFiles reads the small ones among the files of an item.
func (c *Client) smallFiles(ctx context.Context, user string, f filesOf, item string, list []itemFile) ([]sources.Attachment, error) {
	out := make([]sources.Attachment, len(list))
	var small []int
	var urls []*url.URL
	room := inlineItem
	for i, file := range list {
		out[i] = sources.Attachment{Title: file.Name, MediaType: file.ContentType}
		if file.Size > min(inlineFile, room) || file.ID == "" || file.Kind != f.kind {
			continue
		}
		room -= file.Size
		small = append(small, i)
		urls = append(urls, c.path(nil, append(f.at(item), "attachments", file.ID)...))
	}
	answers, err := c.batch(ctx, f.get, user, f.header, urls)
	if err != nil {
		return nil, err
	}
	for k, a := range answers {
		var file itemFile
		err := a.decode(&file)
		if errors.Is(err, sources.ErrGone) || len(file.Bytes) > inlineFile {
			continue
		}
		if err != nil {
			return nil, err
		}
		out[small[k]].Data = file.Bytes
	}
	return out, nil
}
