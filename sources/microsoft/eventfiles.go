package microsoft

import (
	"context"
	"errors"
	"net/url"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

var getAttachment = method{exchange, "event.attachment", 1, "Calendars.Read"}

// The bounds of files that go along within their event: of one, and of all of one event. Servers take objects of half a megabyte at
// least (Stalwart), and base64 adds a third.
const (
	inlineFile  = 100 << 10
	inlineEvent = 300 << 10
)

// eventFile is the part of Graph's attachment that is read (learn.microsoft.com/graph/api/resources/attachment).
type eventFile struct {
	ID          string `json:"id"`
	Kind        string `json:"@odata.type"`
	Name        string `json:"name"`
	ContentType string `json:"contentType"`
	Size        int    `json:"size"`
	Bytes       []byte `json:"contentBytes"`
}

// attachments returns the files of events and of their exceptions, by the id of what they belong to; small ones with their bytes.
func (s *calendarSource) attachments(ctx context.Context, events []event) (map[string][]sources.Attachment, error) {
	var ids []string
	for _, e := range events {
		for _, o := range append([]event{e}, e.Exceptions...) {
			if o.HasAttachments {
				ids = append(ids, o.ID)
			}
		}
	}
	urls := make([]*url.URL, len(ids))
	for i, id := range ids {
		urls[i] = s.client.path(url.Values{"$select": {"id,name,contentType,size,isInline"}, "$top": {"100"}}, "users", s.user, "events", id, "attachments")
	}
	answers, err := s.client.batch(ctx, listAttachments, s.user, mailHeader, urls)
	if err != nil {
		return nil, err
	}
	files := map[string][]sources.Attachment{}
	for i, a := range answers {
		var list struct {
			Value []eventFile `json:"value"`
		}
		if err := a.decode(&list); err != nil && fault.Of(err).Reason != fault.SourceGone {
			return nil, err
		}
		if files[ids[i]], err = s.files(ctx, ids[i], list.Value); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// files reads the small ones among the files of an event.
func (s *calendarSource) files(ctx context.Context, event string, list []eventFile) ([]sources.Attachment, error) {
	out := make([]sources.Attachment, len(list))
	var small []int
	var urls []*url.URL
	room := inlineEvent
	for i, f := range list {
		out[i] = sources.Attachment{Title: f.Name, MediaType: f.ContentType}
		if f.Size > min(inlineFile, room) || f.ID == "" || f.Kind != "#microsoft.graph.fileAttachment" {
			continue
		}
		room -= f.Size
		small = append(small, i)
		urls = append(urls, s.client.path(nil, "users", s.user, "events", event, "attachments", f.ID))
	}
	answers, err := s.client.batch(ctx, getAttachment, s.user, mailHeader, urls)
	if err != nil {
		return nil, err
	}
	for k, a := range answers {
		var f eventFile
		err := a.decode(&f)
		if errors.Is(err, sources.ErrGone) || len(f.Bytes) > inlineFile {
			continue
		}
		if err != nil {
			return nil, err
		}
		out[small[k]].Data = f.Bytes
	}
	return out, nil
}
