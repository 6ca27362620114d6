package google

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"
	"google.golang.org/api/gmail/v1"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// metadataWorkers is how many messages of a page are asked about at once.
const metadataWorkers = 8

// beginHistory starts a later pass: first the labels that were renamed since the last one, then the history.
func (s *mailSource) beginHistory(ctx context.Context, c mailCursor) (sources.Page[sources.Message], error) {
	labels, err := s.labels.current(ctx, s)
	if err != nil {
		return sources.Page[sources.Message]{}, err
	}
	renamed := labels.renamed(c.Names)
	c.Names = labels.names()
	if len(renamed) > 0 {
		c.Phase, c.Renamed = mailRelabel, renamed
		return s.relabelled(ctx, c)
	}
	return s.history(ctx, c)
}

// underLabel returns a page of the ids of the messages that have the label. If the token is too old it begins with the label once more, since
// nothing else is lost; a label that is gone by now has no messages.
func (s *mailSource) underLabel(ctx context.Context, token string, size int64, label string) (*gmail.ListMessagesResponse, error) {
	found, err := s.messagesList(ctx, token, size, label)
	if errors.Is(err, sources.ErrCursorExpired) {
		found, err = s.messagesList(ctx, "", size, label)
	}
	if status := statusOf(err); status == http.StatusNotFound || status == http.StatusBadRequest {
		return &gmail.ListMessagesResponse{}, nil
	}
	return found, err
}

// relabelled returns a page of the messages of the first renamed label.
func (s *mailSource) relabelled(ctx context.Context, c mailCursor) (sources.Page[sources.Message], error) {
	var page sources.Page[sources.Message]
	found, err := s.underLabel(ctx, c.Page, relabelPage, c.Renamed[0])
	if err != nil {
		return page, err
	}
	ids := make([]string, len(found.Messages))
	for i, m := range found.Messages {
		ids[i] = m.Id
	}
	if page.Items, err = s.refreshed(ctx, ids); err != nil {
		return page, err
	}
	if c.Page = found.NextPageToken; c.Page == "" {
		c.Renamed = c.Renamed[1:]
	}
	if len(c.Renamed) == 0 {
		c.Phase, c.Renamed = mailHistory, nil
	}
	page.More, page.Next = true, c.encode()
	return page, nil
}

// history returns a page of what changed since the cursor's history id.
func (s *mailSource) history(ctx context.Context, c mailCursor) (sources.Page[sources.Message], error) {
	var page sources.Page[sources.Message]
	found, err := s.historyList(ctx, c)
	switch status := statusOf(err); {
	case status == http.StatusNotFound:
		return page, sources.ErrCursorExpired
	case status == http.StatusBadRequest && c.Page != "": // the page's token is too old; the history id is not
		c.Page = ""
		return s.history(ctx, c)
	case err != nil:
		return page, err
	}
	if page.Items, err = s.changed(ctx, collectChanges(found.History)); err != nil {
		return page, err
	}
	next := c
	if c.Page == "" {
		next.Until = found.HistoryId
	}
	if next.Page = found.NextPageToken; next.Page == "" {
		// Not what the last page states: Google does not promise that the pages show what came while they were read.
		next.History, next.Until = max(next.Until, c.History), 0
	}
	page.More, page.Next = next.Page != "", next.encode()
	return page, nil
}

func (s *mailSource) historyList(ctx context.Context, c mailCursor) (*gmail.ListHistoryResponse, error) {
	var found *gmail.ListHistoryResponse
	err := s.do(ctx, gmailHistoryList, func(g *gmail.Service) (err error) {
		found, err = g.Users.History.List("me").StartHistoryId(c.History).MaxResults(mailPage).PageToken(c.Page).
			Fields("history(id,messagesAdded(message(id,labelIds)),messagesDeleted(message(id))," +
				"labelsAdded(message(id,labelIds)),labelsRemoved(message(id,labelIds))),nextPageToken,historyId").
			Context(ctx).Do()
		return err
	})
	return found, err
}

// mailChange is what a page of history says of one message in the end.
type mailChange struct {
	id       string
	added    bool // within the page
	relabel  bool
	deleted  bool
	labelIDs []string // as of the last record, if it tells
	history  uint64   // the last record
}

// collectChanges joins the records of a page to one change for each message, in the order of their first records.
func collectChanges(records []*gmail.History) []*mailChange {
	var changes []*mailChange
	byID := map[string]*mailChange{}
	note := func(m *gmail.Message, history uint64) *mailChange {
		if m == nil || m.Id == "" {
			return &mailChange{}
		}
		c := byID[m.Id]
		if c == nil {
			c = &mailChange{id: m.Id}
			byID[m.Id], changes = c, append(changes, c)
		}
		c.labelIDs, c.history = m.LabelIds, history
		return c
	}
	for _, r := range records {
		for _, a := range r.MessagesAdded {
			c := note(a.Message, r.Id)
			c.added, c.deleted = true, false
		}
		for _, l := range r.LabelsAdded {
			note(l.Message, r.Id).relabel = true
		}
		for _, l := range r.LabelsRemoved {
			note(l.Message, r.Id).relabel = true
		}
		for _, d := range r.MessagesDeleted {
			note(d.Message, r.Id).deleted = true
		}
	}
	return changes
}

// changed returns the items of the changes. What was added only is a stub without a version: its content cannot change any
// more, so that it needs reading only if it is not known.
func (s *mailSource) changed(ctx context.Context, changes []*mailChange) ([]sources.Item[sources.Message], error) {
	var items []sources.Item[sources.Message]
	var refresh []string
	for _, c := range changes {
		switch {
		case slices.Contains(c.labelIDs, "CHAT"):
		case c.deleted:
			items = append(items, sources.Item[sources.Message]{ID: c.id, Deleted: true})
		case !c.added:
			refresh = append(refresh, c.id)
		case s.leftOut(c.labelIDs):
			items = append(items, sources.Item[sources.Message]{ID: c.id, Deleted: true})
		case c.relabel:
			labels, err := s.labels.of(ctx, s, c.labelIDs)
			if err != nil {
				return nil, err
			}
			items = append(items, sources.Item[sources.Message]{ID: c.id, Stub: true, Version: labels.version(c.labelIDs)})
		default:
			items = append(items, sources.Item[sources.Message]{ID: c.id, Stub: true})
		}
	}
	refreshed, err := s.refreshed(ctx, refresh)
	return append(items, refreshed...), err
}

// refreshed returns the items of the ids as they are now, without downloading bodies.
func (s *mailSource) refreshed(ctx context.Context, ids []string) ([]sources.Item[sources.Message], error) {
	items := make([]sources.Item[sources.Message], len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(metadataWorkers)
	for i, id := range ids {
		group.Go(func() (err error) {
			items[i], err = s.metadata(ctx, id)
			return err
		})
	}
	return items, group.Wait()
}

// metadata returns a message with a body that is downloaded when it is opened. One that cannot be read any more, or does
// not belong to the collection, is Deleted.
func (s *mailSource) metadata(ctx context.Context, id string) (sources.Item[sources.Message], error) {
	var m *gmail.Message
	err := s.do(ctx, gmailMessagesGet, func(g *gmail.Service) (err error) {
		m, err = g.Users.Messages.Get("me", id).Format("metadata").MetadataHeaders("Message-ID", "Subject").
			Fields("id,threadId,labelIds,historyId,internalDate,payload/headers").Context(ctx).Do()
		return err
	})
	if statusOf(err) == http.StatusNotFound || err == nil && s.leftOut(m.LabelIds) {
		return sources.Item[sources.Message]{ID: id, Deleted: true}, nil
	}
	if err != nil {
		return unreadable(id, s.refused(ctx, err))
	}
	s.forbidden.Store(0)
	item, err := s.item(ctx, rawMessage{ID: id, LabelIDs: m.LabelIds, HistoryID: m.HistoryId, InternalDate: m.InternalDate}, headersOf(m))
	item.Content.Body = s.lazyBody(id)
	return item, err
}

// unreadable keeps an error of one message with the message, since a page of changes is not to be lost for it. No other
// version of the message looks the same, so that it counts as changed.
func unreadable(id string, err error) (sources.Item[sources.Message], error) {
	if a := fault.Of(err).Action; a != fault.FailItem && a != fault.Skip {
		return sources.Item[sources.Message]{}, err
	}
	return sources.Item[sources.Message]{ID: id, Version: "unreadable", Problem: err}, nil
}

func headersOf(m *gmail.Message) mailHeader {
	var h mailHeader
	if m.Payload == nil {
		return h
	}
	for _, f := range m.Payload.Headers {
		h.note(f.Name, f.Value)
	}
	return h
}
