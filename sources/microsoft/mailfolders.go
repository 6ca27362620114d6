package microsoft

import (
	"cmp"
	"context"
	"net/url"
	"slices"

	"codeberg.org/repatriate/repatriate/sources"
)

var (
	listMailFolders = method{exchange, "mailFolders.list", 1, "Mail.Read"}
	getMailFolder   = method{exchange, "mailFolders.get", 1, "Mail.Read"}
)

// mailFolder is the part of Graph's mailFolder that is read (learn.microsoft.com/graph/api/resources/mailfolder).
type mailFolder struct {
	Type     string `json:"@odata.type"`
	ID       string `json:"id"`
	Name     string `json:"displayName"`
	Children int    `json:"childFolderCount"`
}

// searchFolder is the type of folders that only show messages of others.
const searchFolder = "#microsoft.graph.mailSearchFolder"

// wellKnown are the folders that Exchange makes, by the names that hold in every language, and what they are for. Those without a
// use are left out with all that is in them: they hold the errors of Outlook's synchronisation.
var wellKnown = []struct {
	name string
	role sources.LabelRole
	out  bool
}{
	{"inbox", sources.RoleInbox, false}, {"sentitems", sources.RoleSent, false}, {"drafts", sources.RoleDrafts, false},
	{"archive", sources.RoleArchive, false}, {"junkemail", sources.RoleSpam, false}, {"deleteditems", sources.RoleTrash, false},
	{"syncissues", sources.RoleNone, true}, {"conflicts", sources.RoleNone, true}, {"localfailures", sources.RoleNone, true},
	{"serverfailures", sources.RoleNone, true}, {"searchfolders", sources.RoleNone, true},
}

// folders are the folders of a mailbox that are moved, by id.
type folders map[string]sources.Label

// folderWalk reads a mailbox's folders.
type folderWalk struct {
	s     *mailSource
	roles map[string]sources.LabelRole
	out   map[string]bool
	found folders
}

// maxFolderDepth is deeper than Exchange lets folders nest; it ends a hostile answer's circle.
const maxFolderDepth = 300

// tree returns the folders of the mailbox, hidden ones among them.
func (s *mailSource) tree(ctx context.Context) (folders, error) {
	w := folderWalk{s: s, roles: map[string]sources.LabelRole{}, out: map[string]bool{}, found: folders{}}
	if err := w.wellKnown(ctx); err != nil {
		return nil, err
	}
	err := w.walk(ctx, s.path(nil, "mailFolders"), nil)
	return w.found, err
}

// wellKnown asks for the ids of the well-known folders. Not every mailbox has all of them.
func (w *folderWalk) wellKnown(ctx context.Context) error {
	urls := make([]*url.URL, len(wellKnown))
	for i, k := range wellKnown {
		urls[i] = w.s.path(url.Values{"$select": {"id"}}, "mailFolders", k.name)
	}
	answers, err := w.s.client.batch(ctx, getMailFolder, w.s.user, mailHeader, urls)
	if err != nil {
		return err
	}
	for i, a := range answers {
		var f mailFolder
		if err := a.decode(&f); hasCode(err, "ErrorItemNotFound", "ErrorFolderNotFound", "itemNotFound") {
			continue
		} else if err != nil {
			return err
		}
		k := wellKnown[i]
		w.roles[f.ID] = k.role
		w.out[f.ID] = k.out || !w.s.options.SpamTrash && (k.role == sources.RoleSpam || k.role == sources.RoleTrash)
	}
	return nil
}

// walk reads the folders at a URL and what is beneath them. path are the names above.
func (w *folderWalk) walk(ctx context.Context, at *url.URL, path []string) error {
	at.RawQuery = url.Values{"includeHiddenFolders": {"true"}, "$select": {"id,displayName,childFolderCount"}, "$top": {"250"}}.Encode()
	for f, err := range pages[mailFolder](ctx, w.s.client, call{method: listMailFolders, of: w.s.user, url: at, header: mailHeader}) {
		if err != nil {
			return err
		}
		if _, twice := w.found[f.ID]; twice || f.ID == "" || f.Type == searchFolder || w.out[f.ID] || len(path) > maxFolderDepth {
			continue
		}
		own := append(slices.Clone(path), f.Name)
		w.found[f.ID] = sources.Label{ID: f.ID, Path: own, Role: w.roles[f.ID]}
		if f.Children > 0 {
			if err := w.walk(ctx, w.s.path(nil, "mailFolders", f.ID, "childFolders"), own); err != nil {
				return err
			}
		}
	}
	return nil
}

// folders returns the mailbox's folders as they are now, or as this process has seen them before.
func (s *mailSource) folders(ctx context.Context, now bool) (folders, error) {
	s.mu.Lock()
	seen := s.seen
	s.mu.Unlock()
	if seen != nil && !now {
		return seen, nil
	}
	tree, err := s.tree(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = tree
	return tree, nil
}

// foldersOf returns folders that hold the messages' own, unless these are left out: one that is not known may be new.
func (s *mailSource) foldersOf(ctx context.Context, messages []message) (folders, error) {
	seen, err := s.folders(ctx, false)
	if err != nil || !slices.ContainsFunc(messages, func(m message) bool { _, ok := seen[m.Folder]; return !ok }) {
		return seen, err
	}
	return s.folders(ctx, true)
}

// ids returns the folders' ids in a lasting order.
func (f folders) ids() []string {
	ids := make([]string, 0, len(f))
	for id := range f {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Compare(a, b) })
	return ids
}
