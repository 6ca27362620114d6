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
	Total    int64  `json:"totalItemCount"`
	// Properties has the folder's size, if that was asked for.
	Properties []extendedProperty `json:"singleValueExtendedProperties"`
}

// folderSize is the MAPI property of how many bytes the messages of a folder take ([MS-OXCFOLD] 2.2.2.2.1.11, PidTagMessageSizeExtended).
const folderSize = "Long 0x0E08"

// folderQuery asks for folders, hidden ones among them.
func folderQuery() url.Values {
	return url.Values{"includeHiddenFolders": {"true"}, "$select": {"id,displayName,childFolderCount,totalItemCount"}, "$top": {"250"}}
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
	s *mailSource
	knownFolders
	found folders
	total int64        // of the items in them, as Exchange counts
	out   []mailFolder // those at the top of what is left out
}

// knownFolders are the well-known folders of a mailbox by their ids: what they are for, and which are left out.
type knownFolders struct {
	roles map[string]sources.LabelRole
	out   map[string]bool
}

// maxFolderDepth is deeper than Exchange lets folders nest; it ends a hostile answer's circle.
const maxFolderDepth = 300

// tree returns the folders of the mailbox, hidden ones among them.
func (s *mailSource) tree(ctx context.Context) (folders, error) {
	w, err := s.walkAll(ctx)
	if err != nil {
		return nil, err
	}
	return w.found, nil
}

// walkAll reads all folders.
func (s *mailSource) walkAll(ctx context.Context) (folderWalk, error) {
	known, err := s.known.Get(ctx, s.wellKnown)
	w := folderWalk{s: s, knownFolders: known, found: folders{}}
	if err != nil {
		return w, err
	}
	if err := w.walk(ctx, "", nil); err != nil {
		return w, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.walked = nil
	return w, nil
}

// wellKnown asks for the ids of the well-known folders. Not every mailbox has all of them.
func (s *mailSource) wellKnown(ctx context.Context) (knownFolders, error) {
	known := knownFolders{map[string]sources.LabelRole{}, map[string]bool{}}
	urls := make([]*url.URL, len(wellKnown))
	for i, k := range wellKnown {
		urls[i] = s.path(url.Values{"$select": {"id"}}, "mailFolders", k.name)
	}
	answers, err := s.client.batch(ctx, getMailFolder, s.user, mailHeader, urls)
	if err != nil {
		return known, err
	}
	for i, a := range answers {
		var f mailFolder
		if err := a.decode(&f); hasCode(err, "ErrorItemNotFound", "ErrorFolderNotFound", "itemNotFound") {
			continue
		} else if err != nil {
			return known, err
		}
		k := wellKnown[i]
		known.roles[f.ID] = k.role
		known.out[f.ID] = k.out || !s.options.SpamTrash && (k.role == sources.RoleSpam || k.role == sources.RoleTrash)
	}
	return known, nil
}

// walk takes in the folders in a folder, by its id, and what is beneath them. path are the names above; both are empty at the top.
func (w *folderWalk) walk(ctx context.Context, parent string, path []string) error {
	list, err := w.s.within(ctx, parent)
	if err != nil {
		return err
	}
	for _, f := range list {
		if _, twice := w.found[f.ID]; twice || f.ID == "" || f.Type == searchFolder || len(path) > maxFolderDepth {
			continue
		}
		if w.knownFolders.out[f.ID] {
			w.out = append(w.out, f)
			continue
		}
		own := append(slices.Clone(path), f.Name)
		w.found[f.ID] = sources.Label{ID: f.ID, Path: own, Role: w.roles[f.ID]}
		w.total += f.Total
		if f.Children > 0 {
			if err := w.walk(ctx, f.ID, own); err != nil {
				return err
			}
		}
	}
	return nil
}

// within lists the folders in a folder. What a walk has read is kept until one comes to its end, so that a walk that is begun anew does
// not ask for it again.
func (s *mailSource) within(ctx context.Context, parent string) ([]mailFolder, error) {
	s.mu.Lock()
	list, known := s.walked[parent]
	s.mu.Unlock()
	if known {
		return list, nil
	}
	list, err := s.listFolders(ctx, parent, folderQuery())
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.walked == nil {
		s.walked = map[string][]mailFolder{}
	}
	s.walked[parent] = list
	return list, nil
}

func (s *mailSource) listFolders(ctx context.Context, parent string, query url.Values) (list []mailFolder, err error) {
	at := s.path(query, "mailFolders")
	if parent != "" {
		at = s.path(query, "mailFolders", parent, "childFolders")
	}
	for f, err := range pages[mailFolder](ctx, s.client, call{method: listMailFolders, of: s.user, url: at, header: mailHeader}) {
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
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
