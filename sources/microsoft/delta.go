package microsoft

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// deltaSize is how many items a page of a delta is asked to hold.
const deltaSize = 200

// deltaCursor is a place in one delta (learn.microsoft.com/graph/delta-query-overview).
type deltaCursor struct {
	// Link is where to go on, below Graph's root.
	Link sources.Cursor `json:"link"`
	// Listing says that the first reading has not come to its end.
	Listing bool `json:"listing,omitempty"`
}

// deltaPage requests the page after the cursor of the delta that begins at first. page is complete but for its items.
func deltaPage[T any, C sources.Content](ctx context.Context, c *Client, k call, first *url.URL, after sources.Cursor) (values []T, page sources.Page[C], err error) {
	cur := deltaCursor{Listing: true}
	k.url = first
	if after != "" {
		cur = deltaCursor{}
		if err := json.Unmarshal([]byte(after), &cur); err != nil || cur.Link == "" {
			return nil, page, unreadableCursor("delta")
		}
		if k.url, err = c.fromCursor(cur.Link); err != nil {
			return nil, page, err
		}
	}
	var answer struct {
		Value []T    `json:"value"`
		Next  string `json:"@odata.nextLink"`
		Delta string `json:"@odata.deltaLink"`
	}
	err = c.get(ctx, k, &answer)
	if after != "" && (stateLost(err) || statusOf(err) == http.StatusBadRequest) {
		err = errors.Join(sources.ErrCursorExpired, err)
	}
	if err != nil {
		return nil, page, err
	}
	link := cmp.Or(answer.Next, answer.Delta)
	u, err := c.link(link)
	if err != nil || link == "" {
		return nil, page, fault.New(fault.Retry, fault.SourceBadAnswer, "%s: neither a next page nor a link to go on", k.method)
	}
	page.Listing, page.More = cur.Listing, answer.Next != ""
	page.ListingDone = page.Listing && !page.More
	raw, err := json.Marshal(deltaCursor{Link: c.cursorOf(u), Listing: page.Listing && page.More})
	page.Next = sources.Cursor(raw)
	return answer.Value, page, err
}

// unreadableCursor is about a stored cursor that this release cannot have made: as good as one that expired, since a new listing heals it.
func unreadableCursor(what string) error {
	return fmt.Errorf("microsoft: %s cursor: %w", what, sources.ErrCursorExpired)
}

// stateLost reports whether Exchange does not know the place in a delta any more.
func stateLost(err error) bool {
	return statusOf(err) == http.StatusGone || hasCode(err, "SyncStateNotFound", "SyncStateInvalid", "ResyncRequired")
}

// removed is what a delta says of an object that is gone.
type removed struct {
	Reason string `json:"reason"`
}
