package microsoft

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/remembered"
	"codeberg.org/repatriate/repatriate/sources"
)

var (
	getDrive        = method{sharePoint, "drive.get", 1, "Files.Read.All"}
	getDriveItem    = method{sharePoint, "driveItem.get", 1, "Files.Read.All"}
	firstDriveDelta = method{sharePoint, "driveItem.delta (first)", 2, "Files.Read.All"}
	nextDriveDelta  = method{sharePoint, "driveItem.delta", 1, "Files.Read.All"}
	driveContent    = method{sharePoint, "driveItem.content", 1, "Files.Read.All"}
)

// driveFields are the fields of an item that are read, and no more.
const driveFields = "id,name,size,webUrl,cTag,deleted,root,file,folder,package,remoteItem,malware,parentReference,fileSystemInfo"

// driveSource reads a OneDrive or a document library.
type driveSource struct {
	client *Client
	// user is whose OneDrive it is; empty for a library.
	user string
	id   remembered.Value[string]
}

// Drive returns the files of a user's OneDrive.
func Drive(c *Client, user string) sources.Source[sources.File] {
	return &driveSource{client: c, user: user, id: remembered.New[string]()}
}

// Library returns the files of a document library in SharePoint by the id of its drive.
func Library(c *Client, driveID string) sources.Source[sources.File] {
	s := &driveSource{client: c, id: remembered.New[string]()}
	s.id.Set(driveID)
	return s
}

// driveCursor is a position in a drive's delta.
type driveCursor struct {
	Drive, Root string
	// At is the nextLink or deltaLink below Graph's root.
	At sources.Cursor
	// Listing says that the delta has not come to its first end yet.
	Listing bool `json:",omitempty"`
}

func (d driveCursor) cursor() sources.Cursor {
	raw, _ := json.Marshal(d) // texts cannot fail
	return sources.Cursor(raw)
}

// Changes implements sources.Source by driveItem: delta, the one listing that is complete although others write meanwhile
// (learn.microsoft.com/graph/api/driveitem-delta).
func (s *driveSource) Changes(ctx context.Context, after sources.Cursor) (sources.Page[sources.File], error) {
	var none sources.Page[sources.File]
	cur, m, err := s.position(ctx, after)
	if err != nil {
		return none, err
	}
	at, err := s.client.fromCursor(cur.At)
	if err != nil {
		return none, err
	}
	var answer struct {
		Value []driveItem
		Next  string `json:"@odata.nextLink"`
		Delta string `json:"@odata.deltaLink"`
	}
	if err := s.client.get(ctx, call{method: m, of: cur.Drive, url: at}, &answer); err != nil {
		return none, expired(err)
	}
	page := sources.Page[sources.File]{Listing: cur.Listing, More: answer.Next != ""}
	if page.Items, err = s.items(cur, answer.Value); err != nil {
		return none, err
	}
	return s.turn(page, cur, answer.Next, answer.Delta)
}

// turn completes a page with the way on.
func (s *driveSource) turn(page sources.Page[sources.File], cur driveCursor, next, delta string) (sources.Page[sources.File], error) {
	link := next
	if next == "" {
		link, page.ListingDone = delta, cur.Listing
		cur.Listing = false
	}
	u, err := s.client.link(link)
	if err != nil || link == "" {
		return sources.Page[sources.File]{}, fault.New(fault.Retry, fault.SourceBadAnswer, "Graph driveItem.delta: neither a next page nor a link to go on: %w", err)
	}
	cur.At = s.client.cursorOf(u)
	page.Next = cur.cursor()
	return page, nil
}

// position returns where to go on and by what method.
func (s *driveSource) position(ctx context.Context, after sources.Cursor) (driveCursor, method, error) {
	if after == "" {
		cur, err := s.start(ctx)
		return cur, firstDriveDelta, err
	}
	var cur driveCursor
	if err := json.Unmarshal([]byte(after), &cur); err != nil || cur.Drive == "" || cur.Root == "" || cur.At == "" {
		return cur, nextDriveDelta, unreadableCursor("drive")
	}
	s.id.Set(cur.Drive)
	return cur, nextDriveDelta, nil
}

// start returns the cursor of a new listing.
func (s *driveSource) start(ctx context.Context) (driveCursor, error) {
	id, err := s.driveID(ctx)
	if err != nil {
		return driveCursor{}, err
	}
	var root driveItem
	err = s.client.get(ctx, call{method: getDriveItem, of: id, url: s.client.path(url.Values{"$select": {"id"}}, "drives", id, "root")}, &root)
	if err == nil && root.ID == "" {
		err = fault.New(fault.Retry, fault.SourceBadAnswer, "Graph driveItem.get: the root has no id")
	}
	first := s.client.path(url.Values{"$select": {driveFields}, "$top": {strconv.Itoa(deltaSize)}}, "drives", id, "root", "delta")
	return driveCursor{Drive: id, Root: root.ID, At: s.client.cursorOf(first), Listing: true}, err
}

// Weigh implements sources.Weigher for a user's OneDrive. What Graph calls used has older versions in it.
func (s *driveSource) Weigh(ctx context.Context) (sources.Weight, error) {
	if s.user == "" {
		return sources.Weight{}, sources.ErrNoWeight
	}
	used, err := s.client.driveUse(ctx, s.user)
	return sources.Weight{By: "OneDrive", Bytes: used}, err
}

// driveID returns the id of the user's OneDrive.
func (s *driveSource) driveID(ctx context.Context) (string, error) {
	return s.id.Get(ctx, func(ctx context.Context) (string, error) {
		var drive struct{ ID string }
		at := s.client.path(url.Values{"$select": {"id"}}, "users", s.user, "drive")
		err := s.client.get(ctx, call{method: getDrive, of: s.user, url: at}, &drive)
		if err == nil && drive.ID == "" {
			err = fault.New(fault.Retry, fault.SourceBadAnswer, "Graph drive.get: the OneDrive has no id")
		}
		return drive.ID, err
	})
}

// expired returns ErrCursorExpired for a delta that Graph does not know any more. Both of its kinds
// (resyncChangesApplyDifferences, resyncChangesUploadDifferences) ask for a listing from the start.
func expired(err error) error {
	if statusOf(err) == http.StatusGone || hasCode(err, "resyncRequired") {
		return errors.Join(sources.ErrCursorExpired, err)
	}
	return err
}

// items converts the items of a page. The last occurrence of an item is the one that counts.
func (s *driveSource) items(cur driveCursor, answer []driveItem) ([]sources.Item[sources.File], error) {
	last := map[string]int{}
	for i, f := range answer {
		if f.ID == "" {
			return nil, fault.New(fault.Retry, fault.SourceBadAnswer, "Graph driveItem.delta: an item without an id")
		}
		last[f.ID] = i
	}
	items := make([]sources.Item[sources.File], 0, len(answer))
	for i, f := range answer {
		if last[f.ID] == i && f.ID != cur.Root && f.Root == nil {
			items = append(items, s.item(cur.Drive, cur.Root, f))
		}
	}
	return items, nil
}

// Fetch implements sources.Source.
func (s *driveSource) Fetch(ctx context.Context, id string) (sources.Item[sources.File], error) {
	var none sources.Item[sources.File]
	drive, err := s.driveID(ctx)
	if err != nil {
		return none, err
	}
	var f driveItem
	at := s.client.path(url.Values{"$select": {driveFields}}, "drives", drive, "items", id)
	if err := s.client.get(ctx, call{method: getDriveItem, of: drive, url: at}, &f); err != nil {
		return none, err
	}
	if f.ID != id || f.Deleted != nil {
		return none, fault.New(fault.Skip, fault.SourceDeleted, "deleted: %w", sources.ErrGone)
	}
	return s.item(drive, topOf(f), f), nil
}

// topOf returns the id of an item's parent if that is the drive's root, as its path tells: nothing follows the colon there.
func topOf(f driveItem) string {
	if f.Parent != nil && strings.HasSuffix(f.Parent.Path, "/root:") {
		return f.Parent.ID
	}
	return ""
}
