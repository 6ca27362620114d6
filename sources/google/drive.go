package google

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"google.golang.org/api/drive/v3"
	"google.golang.org/api/googleapi"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/remembered"
	"codeberg.org/repatriate/repatriate/sources"
)

// DriveOptions change how drives are read.
type DriveOptions struct {
	// Formats are the formats of exported documents; nil means DefaultFormats.
	Formats Formats
	// AcknowledgeAbuse downloads files that Google flagged as malware or abuse; they are skipped otherwise.
	AcknowledgeAbuse bool
}

// Fields of a file that are read, and no more: the answer's size is the time that it takes.
const (
	fileFields googleapi.Field = "id,name,mimeType,parents,size,md5Checksum,sha256Checksum,headRevisionId,createdTime,modifiedTime," +
		"trashed,ownedByMe,owners(me),driveId,webViewLink,shortcutDetails,capabilities(canDownload),clientEncryptionDetails(encryptionState)"
	listFields    = "nextPageToken,incompleteSearch,files(" + fileFields + ")"
	changesFields = "nextPageToken,newStartPageToken,changes(changeType,fileId,removed,file(" + fileFields + "))"
)

// drivePage is the number of files asked for at once: the most that Google gives.
const drivePage = 1000

// driveSource reads My Drive of a user, or a shared drive.
type driveSource struct {
	client *Client
	// driveID is the id of a shared drive; empty for My Drive.
	driveID string
	// reader is the user as whom the drive is read.
	reader  remembered.Value[string]
	root    remembered.Value[string]
	exports remembered.Value[map[string][]string]
	formats Formats
	abuse   bool
}

// Drive returns what the user owns in Drive: files, folders and shortcuts, wherever they lie, each once. What others
// share with the user is theirs and moves with them.
func Drive(c *Client, user string, o DriveOptions) sources.Source[sources.File] {
	s := newDriveSource(c, "", o)
	s.reader.Set(user)
	return s
}

// SharedDrive returns what a shared drive holds, read as one of its organizers.
func SharedDrive(c *Client, driveID string, o DriveOptions) sources.Source[sources.File] {
	s := newDriveSource(c, driveID, o)
	s.root.Set(driveID)
	return s
}

func newDriveSource(c *Client, driveID string, o DriveOptions) *driveSource {
	if o.Formats == nil {
		o.Formats = DefaultFormats()
	}
	return &driveSource{client: c, driveID: driveID, formats: o.Formats, abuse: o.AcknowledgeAbuse,
		reader: remembered.New[string](), root: remembered.New[string](), exports: remembered.New[map[string][]string]()}
}

// user returns as whom the drive is read.
func (s *driveSource) user(ctx context.Context) (string, error) {
	return s.reader.Get(ctx, func(ctx context.Context) (string, error) { return s.client.organizer(ctx, s.driveID) })
}

// call sends one request of the method as the drive's reader.
func (s *driveSource) call(ctx context.Context, m method, fn func(*drive.Service) error) error {
	user, err := s.user(ctx)
	if err != nil {
		return err
	}
	return s.client.do(ctx, user, m, func() error {
		svc, err := s.client.drive(ctx, user)
		if err != nil {
			return err
		}
		return fn(svc)
	})
}

// Changes implements sources.Source. The token of the change stream is taken before the listing, so that what changed
// while it went on follows in the same pass.
func (s *driveSource) Changes(ctx context.Context, after sources.Cursor) (sources.Page[sources.File], error) {
	var none sources.Page[sources.File]
	if after == "" {
		cur, err := s.start(ctx)
		if err != nil {
			return none, err
		}
		return s.list(ctx, cur)
	}
	cur, err := parseDriveCursor(after)
	if err != nil {
		return none, err
	}
	if cur.Root != "" {
		s.root.Set(cur.Root)
	}
	if cur.List != "" {
		return s.list(ctx, cur)
	}
	return s.changes(ctx, cur)
}

// start returns the cursor of a new listing.
func (s *driveSource) start(ctx context.Context) (driveCursor, error) {
	root, err := s.rootID(ctx)
	if err != nil {
		return driveCursor{}, err
	}
	cur := driveCursor{Root: root}
	err = s.call(ctx, driveStartPageToken, func(svc *drive.Service) error {
		call := svc.Changes.GetStartPageToken().Context(ctx)
		if s.driveID != "" {
			call.DriveId(s.driveID).SupportsAllDrives(true)
		}
		token, err := call.Do()
		if err == nil {
			cur.Changes = token.StartPageToken
		}
		return err
	})
	if err == nil && cur.Changes == "" {
		err = fault.New(fault.Retry, fault.SourceBadAnswer, "Drive changes.getStartPageToken: no token")
	}
	return cur, err
}

// rootID returns the id of the folder at the top.
func (s *driveSource) rootID(ctx context.Context) (string, error) {
	return s.root.Get(ctx, func(ctx context.Context) (string, error) {
		f, err := s.get(ctx, "root", "id")
		if err == nil && f.Id == "" {
			err = fault.New(fault.Retry, fault.SourceBadAnswer, "Drive files.get: My Drive has no id")
		}
		if err != nil {
			return "", err
		}
		return f.Id, nil
	})
}

func (s *driveSource) get(ctx context.Context, id string, fields googleapi.Field) (f *drive.File, err error) {
	err = s.call(ctx, driveFilesGet, func(svc *drive.Service) error {
		f, err = svc.Files.Get(id).SupportsAllDrives(true).Fields(fields).Context(ctx).Do()
		return err
	})
	return f, err
}

// list returns one page of the full listing: one flat scan, whose tree is in the parents.
func (s *driveSource) list(ctx context.Context, cur driveCursor) (page sources.Page[sources.File], err error) {
	answer, err := s.listPage(ctx, "", listFields, cur.List)
	if err != nil {
		return page, expired(err, cur.List)
	}
	page.Items, err = s.items(ctx, answer.Files)
	page.Listing, page.ListingDone, page.More = true, answer.NextPageToken == "", true
	cur.List = answer.NextPageToken
	page.Next = cur.cursor()
	return page, err
}

// listPage lists what belongs to this drive and is not in the trash, and of that what the query asks for; empty: all.
func (s *driveSource) listPage(ctx context.Context, query string, fields googleapi.Field, token string) (answer *drive.FileList, err error) {
	terms := []string{"trashed=false"}
	if s.driveID == "" {
		terms = append([]string{"'me' in owners"}, terms...)
	}
	if query != "" {
		terms = append(terms, query)
	}
	err = s.call(ctx, driveFilesList, func(svc *drive.Service) error {
		call := svc.Files.List().PageSize(drivePage).Fields(fields).Q(strings.Join(terms, " and ")).Context(ctx)
		if s.driveID == "" {
			call.Corpora("user")
		} else {
			call.Corpora("drive").DriveId(s.driveID).IncludeItemsFromAllDrives(true).SupportsAllDrives(true)
		}
		if token != "" {
			call.PageToken(token)
		}
		answer, err = call.Do()
		return err
	})
	if err == nil && answer.IncompleteSearch {
		return nil, fault.New(fault.Retry, fault.SourceUnavailable, "Drive files.list: Google did not search everything")
	}
	return answer, err
}

// changes returns one page of the change stream. It is not restricted to the tree of My Drive, because files of the user
// may lie in folders of other people or in none.
func (s *driveSource) changes(ctx context.Context, cur driveCursor) (page sources.Page[sources.File], err error) {
	var answer *drive.ChangeList
	err = s.call(ctx, driveChangesList, func(svc *drive.Service) error {
		call := svc.Changes.List(cur.Changes).PageSize(drivePage).IncludeRemoved(true).Fields(changesFields).Context(ctx)
		if s.driveID != "" {
			call.DriveId(s.driveID).IncludeItemsFromAllDrives(true).SupportsAllDrives(true)
		}
		answer, err = call.Do()
		return err
	})
	if err != nil {
		return page, expired(err, cur.Changes)
	}
	next := answer.NextPageToken
	if page.More = next != ""; !page.More {
		next = answer.NewStartPageToken
	}
	if next == "" {
		return page, fault.New(fault.Retry, fault.SourceBadAnswer, "Drive changes.list: neither a next page nor a token to go on")
	}
	page.Items, err = s.changed(ctx, answer.Changes)
	cur.Changes = next
	page.Next = cur.cursor()
	return page, err
}

// expired returns ErrCursorExpired for an answer that refuses the token: the only part of such a request that is not
// always the same.
func expired(err error, token string) error {
	if token == "" || !tokenRefused(err) {
		return err
	}
	return errors.Join(sources.ErrCursorExpired, err)
}

func tokenRefused(err error) bool {
	switch statusOf(err) {
	case http.StatusGone, http.StatusNotFound:
		return true
	case http.StatusBadRequest:
		return hasReason(err, "invalid", "invalidParameter", "badRequest", "invalidArgument")
	}
	return false
}

// items converts the files of an answer.
func (s *driveSource) items(ctx context.Context, files []*drive.File) ([]sources.Item[sources.File], error) {
	view, err := s.view(ctx, files)
	if err != nil {
		return nil, err
	}
	items := make([]sources.Item[sources.File], 0, len(files))
	for _, f := range files {
		if f == nil || f.Id == "" {
			return nil, fault.New(fault.Retry, fault.SourceBadAnswer, "Drive: a file without an id")
		}
		items = append(items, view.item(f))
	}
	return items, nil
}

// changed converts changes, in their order. What belongs to somebody else is none of this drive's; what was trashed or
// removed counts as deleted, and so does what left a shared drive.
func (s *driveSource) changed(ctx context.Context, changes []*drive.Change) ([]sources.Item[sources.File], error) {
	var files []*drive.File
	for _, ch := range changes {
		if ch != nil && ch.File != nil {
			files = append(files, ch.File)
		}
	}
	view, err := s.view(ctx, files)
	if err != nil {
		return nil, err
	}
	var items []sources.Item[sources.File]
	for _, ch := range changes {
		switch {
		case ch == nil || ch.ChangeType == "drive" || ch.FileId == "":
		case ch.Removed || ch.File != nil && s.left(ch.File):
			items = append(items, sources.Item[sources.File]{ID: ch.FileId, Deleted: true})
		case ch.File != nil && s.owns(ch.File) && ch.File.Id == ch.FileId:
			items = append(items, view.item(ch.File))
		case ch.File == nil || ch.File.Id != ch.FileId:
			more, err := s.untold(ctx, ch.FileId)
			if err != nil {
				return nil, err
			}
			items = append(items, more...)
		}
	}
	return items, nil
}

// untold asks for a file of which a change says neither that it is gone nor how it is now. By the discovery document there is none such;
// one that comes all the same must not be lost.
func (s *driveSource) untold(ctx context.Context, id string) ([]sources.Item[sources.File], error) {
	f, err := s.get(ctx, id, fileFields)
	switch {
	case statusOf(err) == http.StatusNotFound, err == nil && s.left(f):
		return []sources.Item[sources.File]{{ID: id, Deleted: true}}, nil
	case hasReason(err, "insufficientFilePermissions"), err == nil && !s.owns(f):
		return nil, nil // none of this drive's
	case err != nil:
		return nil, err
	}
	return s.items(ctx, []*drive.File{f})
}

// owns reports whether a file is part of this drive.
func (s *driveSource) owns(f *drive.File) bool {
	if s.driveID != "" {
		return f.DriveId == s.driveID
	}
	return f.OwnedByMe || ownedByMe(f.Owners)
}

func ownedByMe(owners []*drive.User) bool {
	for _, o := range owners {
		if o != nil && o.Me {
			return true
		}
	}
	return false
}

// left reports whether a file was part of this drive and is not any longer.
func (s *driveSource) left(f *drive.File) bool {
	if s.driveID != "" {
		return f.Trashed || f.DriveId != s.driveID
	}
	return f.Trashed && s.owns(f)
}

// Fetch implements sources.Source. A folder of somebody else that holds one of the user's files comes with the problem
// source.not_owned.
func (s *driveSource) Fetch(ctx context.Context, id string) (sources.Item[sources.File], error) {
	var none sources.Item[sources.File]
	if _, err := s.rootID(ctx); err != nil {
		return none, err
	}
	f, err := s.get(ctx, id, fileFields)
	switch {
	case hasReason(err, "insufficientFilePermissions"):
		none.ID, none.Problem = id, fault.New(fault.Skip, fault.SourceNotOwned, "may not be read by this account: %w", err)
		return none, nil
	case err != nil:
		return none, err
	case s.left(f):
		return none, fault.New(fault.Skip, fault.SourceDeleted, "in the trash or moved elsewhere: %w", sources.ErrGone)
	}
	items, err := s.items(ctx, []*drive.File{f})
	if err != nil {
		return none, err
	}
	if !s.owns(f) {
		items[0].Problem = fault.New(fault.Skip, fault.SourceNotOwned, "belongs to another account")
	}
	return items[0], nil
}
