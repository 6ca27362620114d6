package google

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync/atomic"

	"google.golang.org/api/gmail/v1"

	"codeberg.org/repatriate/repatriate/sources"
)

// MailOptions change what Mail yields.
type MailOptions struct {
	// SpamTrash yields the messages in spam and trash too. Without it, a message that is moved there counts as deleted, and one
	// that is moved back comes again.
	SpamTrash bool
}

// Mail reads the mailbox of a user, without chats.
//
// The first pass lists all messages as stubs. Google forgets the history after a week or so; a listing of a mailbox that was listed before
// (sources.Relister) has stubs with versions, so that what was labelled meanwhile is found. Later passes follow the mailbox's history: new messages are stubs, and
// messages whose labels changed are complete but for the body, which is downloaded only when it is opened. The cursor of a
// pass also remembers the names of the labels: a label that was renamed since brings all its messages again,
// because Google does not report the renaming as their change.
func Mail(c *Client, user string, o MailOptions) sources.Source[sources.Message] {
	return &mailSource{client: c, user: user, options: o}
}

type mailSource struct {
	client    *Client
	user      string
	options   MailOptions
	labels    labelCache
	gathered  gathering
	forbidden atomic.Int32 // messages in a row that were refused
}

const (
	// mailPage is the size of a page of stubs and of history: the most that Google gives.
	mailPage = 500
	// relabelPage is smaller, because each message of such a page costs a request.
	relabelPage = 100
	// notChat leaves out the records of Google's former chat.
	notChat = "-is:chat"
)

// The phases of a mailCursor.
const (
	mailListing = "list"    // the full listing
	mailHistory = "history" // changes since History
	mailRelabel = "relabel" // messages of renamed labels
)

// mailCursor is what a sources.Cursor of a mailbox holds, as JSON.
type mailCursor struct {
	Phase string `json:"phase"`
	// History is where the next or current history phase starts.
	History uint64 `json:"history,string"`
	// Until is what the first page of a history phase stated as the mailbox's present.
	Until uint64 `json:"until,string,omitempty"`
	// Again says that the listing is of messages that may be known, whose labels are gathered first.
	Again bool `json:"again,omitempty"`
	// Page is the token of the next page within the phase, if any.
	Page string `json:"page,omitempty"`
	// Names holds a digest of the name that each label had when its messages were last read.
	Names map[string]string `json:"names,omitempty"`
	// Renamed are the labels that are still to be gone through in the phase "relabel", the current one first.
	Renamed []string `json:"renamed,omitempty"`
}

func (c mailCursor) encode() sources.Cursor {
	b, _ := json.Marshal(c) // strings and numbers cannot fail
	return sources.Cursor(b)
}

// Changes implements sources.Source.
func (s *mailSource) Changes(ctx context.Context, after sources.Cursor) (sources.Page[sources.Message], error) {
	if after == "" {
		return s.begin(ctx, false)
	}
	var c mailCursor
	if err := json.Unmarshal([]byte(after), &c); err != nil || c.History == 0 {
		return sources.Page[sources.Message]{}, sources.ErrCursorExpired
	}
	switch {
	case c.Phase == mailListing:
		return s.list(ctx, c)
	case c.Phase == mailHistory && c.Page == "":
		return s.beginHistory(ctx, c)
	case c.Phase == mailHistory:
		return s.history(ctx, c)
	case c.Phase == mailRelabel && len(c.Renamed) > 0:
		return s.relabelled(ctx, c)
	}
	return sources.Page[sources.Message]{}, sources.ErrCursorExpired
}

// Relist implements sources.Relister.
func (s *mailSource) Relist(ctx context.Context) (sources.Page[sources.Message], error) {
	return s.begin(ctx, true)
}

// begin notes the history before the listing, so that nothing is missed that changes meanwhile. Its page is empty: once the cursor is
// stored, an interrupted listing goes on from this history, and not from a later one that knows nothing of what was moved before.
func (s *mailSource) begin(ctx context.Context, again bool) (sources.Page[sources.Message], error) {
	s.gathered.end()
	var none sources.Page[sources.Message]
	var profile *gmail.Profile
	err := s.do(ctx, gmailGetProfile, func(g *gmail.Service) (err error) {
		profile, err = g.Users.GetProfile("me").Fields("historyId").Context(ctx).Do()
		return err
	})
	if err != nil {
		return none, err
	}
	labels, err := s.labels.current(ctx, s)
	if err != nil {
		return none, err
	}
	start := mailCursor{Phase: mailListing, History: max(profile.HistoryId, 1), Names: labels.names(), Again: again}
	return sources.Page[sources.Message]{Listing: true, More: true, Next: start.encode()}, nil
}

func (s *mailSource) list(ctx context.Context, c mailCursor) (sources.Page[sources.Message], error) {
	version := func(string) string { return "" }
	if c.Again {
		if err := s.gathered.gather(ctx, s); err != nil {
			return sources.Page[sources.Message]{}, err
		}
		version = s.gathered.version
	}
	found, err := s.messagesList(ctx, c.Page, mailPage, "")
	if err != nil {
		return sources.Page[sources.Message]{}, err
	}
	page := sources.Page[sources.Message]{Listing: true, Items: make([]sources.Item[sources.Message], 0, len(found.Messages))}
	for _, m := range found.Messages {
		page.Items = append(page.Items, sources.Item[sources.Message]{ID: m.Id, Stub: true, Version: version(m.Id)})
	}
	next := c
	next.Page = found.NextPageToken
	if next.Page == "" {
		s.gathered.end()
		next.Phase, next.Again, page.ListingDone = mailHistory, false, true
	}
	// What changed during the listing belongs to the same pass.
	page.More, page.Next = true, next.encode()
	return page, nil
}

// messagesList returns one page of the ids of the messages that have the label; an empty label means all.
func (s *mailSource) messagesList(ctx context.Context, token string, size int64, label string) (*gmail.ListMessagesResponse, error) {
	var found *gmail.ListMessagesResponse
	err := s.do(ctx, gmailMessagesList, func(g *gmail.Service) (err error) {
		call := g.Users.Messages.List("me").Q(notChat).IncludeSpamTrash(s.options.SpamTrash).MaxResults(size).
			PageToken(token).Fields("messages/id,nextPageToken")
		if label != "" {
			call.LabelIds(label)
		}
		found, err = call.Context(ctx).Do()
		return err
	})
	// Tokens of pages are good for a while only; nothing else in the request could be wrong.
	if token != "" && statusOf(err) == http.StatusBadRequest {
		return nil, sources.ErrCursorExpired
	}
	return found, err
}

// do runs one request of fn with the user's official client.
func (s *mailSource) do(ctx context.Context, m method, fn func(*gmail.Service) error) error {
	return as(ctx, s.client, s.user, m, s.client.gmail, fn)
}

// leftOut reports whether messages with these labels do not belong to the collection.
func (s *mailSource) leftOut(labelIDs []string) bool {
	return slices.Contains(labelIDs, "CHAT") ||
		!s.options.SpamTrash && (slices.Contains(labelIDs, "SPAM") || slices.Contains(labelIDs, "TRASH"))
}
