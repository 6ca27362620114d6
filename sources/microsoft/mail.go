package microsoft

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/remembered"
	"codeberg.org/repatriate/repatriate/sources"
)

var (
	messageDelta = method{exchange, "message.delta", 1, "Mail.Read"}
	getMessage   = method{exchange, "message.get", 1, "Mail.Read"}
	messageValue = method{exchange, "message.get ($value)", 1, "Mail.Read"}
)

// mailHeader asks for ids that stay when a message is moved (learn.microsoft.com/graph/outlook-immutable-id).
var mailHeader = map[string]string{"Prefer": `IdType="ImmutableId"`}

// Sizes of delta pages. The smaller one is for a mailbox whose server gives up at the usual one.
var (
	mailPage      = `IdType="ImmutableId", odata.maxpagesize=` + strconv.Itoa(deltaSize)
	smallMailPage = `IdType="ImmutableId", odata.maxpagesize=10`
)

// MailOptions change what Mail yields.
type MailOptions struct {
	// SpamTrash yields the messages in junk mail and deleted items too. Without it, a message that is moved there counts as deleted.
	SpamTrash bool
}

// Mail returns the messages of a mailbox, in all folders, hidden ones too, without the search folders and the logs of Outlook's
// synchronisation. The archive mailbox and the recoverable items are out of Graph's reach.
func Mail(c *Client, user string, o MailOptions) sources.Source[sources.Message] {
	return &mailSource{client: c, user: user, options: o, known: remembered.New[knownFolders]()}
}

type mailSource struct {
	client  *Client
	user    string
	options MailOptions
	known   remembered.Value[knownFolders]

	mu     sync.Mutex
	seen   folders                 // as they were seen last
	walked map[string][]mailFolder // what an unfinished walk has read, by the folder that it lies in
}

func (s *mailSource) path(query url.Values, segments ...string) *url.URL {
	return s.client.path(query, append([]string{"users", s.user}, segments...)...)
}

// mailCursor is a position in the deltas of all folders: Graph has one for each (learn.microsoft.com/graph/api/message-delta).
type mailCursor struct {
	// Links are where to go on in each folder, below Graph's root; empty: from the start.
	Links map[string]sources.Cursor `json:"links"`
	// Names are digests of the folders' names when their messages were last read. A renamed folder is read anew, without its
	// bodies, since its messages do not count as changed: after its changes, which alone tell what left it.
	Names map[string]string `json:"names"`
	// Anew are the folders that are to be read from the start when their changes have been.
	Anew map[string]bool `json:"anew,omitempty"`
	// Left are the folders that this pass has not come to its end in, the current one first.
	Left []string `json:"left,omitempty"`
	// Listing says that the folders are read for the first time.
	Listing bool `json:"listing,omitempty"`
}

func (c mailCursor) encode() sources.Cursor {
	raw, _ := json.Marshal(c) // texts cannot fail
	return sources.Cursor(raw)
}

// Changes implements sources.Source.
func (s *mailSource) Changes(ctx context.Context, after sources.Cursor) (sources.Page[sources.Message], error) {
	var none sources.Page[sources.Message]
	cur := mailCursor{Listing: true}
	if after != "" {
		cur = mailCursor{}
		if err := json.Unmarshal([]byte(after), &cur); err != nil || cur.Links == nil {
			return none, unreadableCursor("mail")
		}
	}
	if len(cur.Left) > 0 {
		return s.folderPage(ctx, cur)
	}
	tree, err := s.folders(ctx, true)
	if err != nil {
		return none, err
	}
	return s.firstPage(tree, cur)
}

// firstPage is an empty one that says in which folders to go on: who fails there need not read the folders again.
func (s *mailSource) firstPage(tree folders, cur mailCursor) (sources.Page[sources.Message], error) {
	cur, err := cur.begin(tree)
	if err != nil {
		return sources.Page[sources.Message]{}, err
	}
	page := sources.Page[sources.Message]{Listing: cur.Listing, More: len(cur.Left) > 0}
	if !page.More { // a mailbox without folders
		page.ListingDone, cur.Listing = cur.Listing, false
	}
	page.Next = cur.encode()
	return page, nil
}

var errFolderGone = errors.New("a folder was deleted or put into one that is left out")

// begin prepares a pass over the folders. Messages of a folder that is gone are known to the listing only, which is therefore made
// anew.
func (c mailCursor) begin(tree folders) (mailCursor, error) {
	next := mailCursor{Links: map[string]sources.Cursor{}, Names: map[string]string{}, Anew: map[string]bool{}, Left: tree.ids(), Listing: c.Listing}
	for id := range c.Links {
		if _, there := tree[id]; !there {
			return c, errors.Join(sources.ErrCursorExpired, errFolderGone)
		}
	}
	for id, label := range tree {
		next.Names[id] = digestOf(label.Path)
		next.Links[id] = c.Links[id]
		if c.Links[id] != "" && next.Names[id] != c.Names[id] {
			next.Anew[id] = true
		}
	}
	return next, nil
}

// folderPage reads one page of the current folder or, in a later pass, of as many folders as fit into a batch: most have not changed.
func (s *mailSource) folderPage(ctx context.Context, cur mailCursor) (sources.Page[sources.Message], error) {
	var none sources.Page[sources.Message]
	pages, err := s.deltas(ctx, cur)
	if err != nil {
		return none, err
	}
	page := sources.Page[sources.Message]{Listing: cur.Listing}
	var messages []message
	var unfinished []string
	cur.Links, cur.Anew = maps.Clone(cur.Links), maps.Clone(cur.Anew)
	for i, answer := range pages {
		id, link := cur.Left[i], cmp.Or(answer.Next, answer.Delta)
		u, err := s.client.link(link)
		if err != nil || link == "" {
			return none, fault.New(fault.Retry, fault.SourceBadAnswer, "%s: neither a next page nor a link to go on", messageDelta)
		}
		cur.Links[id] = s.client.cursorOf(u)
		messages = append(messages, answer.Value...)
		switch {
		case answer.Next != "":
			unfinished = append(unfinished, id)
		case cur.Anew[id]:
			delete(cur.Anew, id)
			cur.Links[id] = ""
			unfinished = append(unfinished, id)
		}
	}
	if page.Items, err = s.items(ctx, messages); err != nil {
		return none, err
	}
	cur.Left = append(unfinished, cur.Left[len(pages):]...)
	if page.More = len(cur.Left) > 0; !page.More {
		page.ListingDone, cur.Listing = cur.Listing, false
	}
	page.Next = cur.encode()
	return page, nil
}

// deltas requests a page of the first folder that is left and, in a later pass, of those after it.
func (s *mailSource) deltas(ctx context.Context, cur mailCursor) ([]messageDeltaPage, error) {
	if cur.Listing || len(cur.Left) == 1 {
		one, err := s.delta(ctx, cur.Left[0], cur.Links[cur.Left[0]])
		return []messageDeltaPage{one}, err
	}
	ids := cur.Left[:min(batchSize, len(cur.Left))]
	urls := make([]*url.URL, len(ids))
	for i, id := range ids {
		var err error
		if urls[i], err = s.deltaURL(id, cur.Links[id]); err != nil {
			return nil, err
		}
	}
	answers, err := s.client.batch(ctx, messageDelta, s.user, map[string]string{"Prefer": mailPage}, urls)
	if err != nil {
		return nil, err
	}
	var pages []messageDeltaPage
	for _, a := range answers {
		var page messageDeltaPage
		if a.decode(&page) != nil {
			break
		}
		pages = append(pages, page)
	}
	if len(pages) > 0 {
		return pages, nil
	}
	one, err := s.delta(ctx, ids[0], cur.Links[ids[0]]) // by itself, which knows what to do about errors
	return []messageDeltaPage{one}, err
}

type messageDeltaPage struct {
	Value []message `json:"value"`
	Next  string    `json:"@odata.nextLink"`
	Delta string    `json:"@odata.deltaLink"`
}

// delta requests a page of a folder's changes. A mailbox whose server ends a large page with an empty 503 is asked for a small one.
func (s *mailSource) delta(ctx context.Context, folder string, link sources.Cursor) (page messageDeltaPage, err error) {
	at, err := s.deltaURL(folder, link)
	if err != nil {
		return page, err
	}
	k := call{method: messageDelta, of: s.user, url: at, header: map[string]string{"Prefer": mailPage}}
	err = s.client.get(ctx, k, &page)
	if emptyRefusal(err) {
		k.header = map[string]string{"Prefer": smallMailPage}
		page = messageDeltaPage{}
		err = s.client.get(ctx, k, &page)
	}
	if stateLost(err) || link != "" && statusOf(err) == http.StatusBadRequest {
		err = errors.Join(sources.ErrCursorExpired, err)
	}
	return page, err
}

// deltaURL returns where a folder's changes go on, or begin.
func (s *mailSource) deltaURL(folder string, link sources.Cursor) (*url.URL, error) {
	if link != "" {
		return s.client.fromCursor(link)
	}
	return s.path(messageQuery(), "mailFolders", folder, "messages", "delta"), nil
}

// emptyRefusal reports whether an answer is a 503 that says nothing, not even when to come again.
func emptyRefusal(err error) bool {
	var e *apiError
	return errors.As(err, &e) && e.status == http.StatusServiceUnavailable && len(e.codes) == 0 && e.after == 0
}
