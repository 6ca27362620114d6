package microsoft

import (
	"context"
	"net/url"
	"slices"
	"strconv"

	"codeberg.org/repatriate/repatriate/sources"
)

// Count implements sources.Counter: the sum of what Exchange counts in each of the folders that are read, and those that are left out.
func (s *mailSource) Count(ctx context.Context) (sources.Count, error) {
	w, err := s.walkAll(ctx)
	if err != nil {
		return sources.Count{}, err
	}
	count := sources.Count{By: "Exchange", Total: w.total}
	for _, out := range []struct {
		role sources.LabelRole
		what string
	}{{sources.RoleSpam, "in junk mail"}, {sources.RoleTrash, "in deleted items"}} {
		i := slices.IndexFunc(w.out, func(f mailFolder) bool { return w.roles[f.ID] == out.role })
		if i < 0 {
			continue
		}
		n, err := s.below(ctx, w.out[i], 0)
		if err != nil {
			return count, err
		}
		count.Apart = append(count.Apart, sources.Apart{What: out.what, Total: n})
		count.Total += n
	}
	return count, nil
}

// below counts the items in a folder and beneath it.
func (s *mailSource) below(ctx context.Context, f mailFolder, depth int) (int64, error) {
	total := f.Total
	if f.Children == 0 || depth > maxFolderDepth {
		return total, nil
	}
	list, err := s.listFolders(ctx, f.ID, folderQuery())
	for _, inner := range list {
		if err != nil || inner.Type == searchFolder {
			continue
		}
		var n int64
		n, err = s.below(ctx, inner, depth+1)
		total += n
	}
	return total, err
}

// Bounds of what is believed: folders of a mailbox, and the bytes in one of them.
const (
	mostFolders = 10_000
	mostInside  = 1 << 48
)

// Weigh implements sources.Weigher: what the folders that are read take in the mailbox. The messages are a little larger when they are
// read, since attachments are written as text then.
func (s *mailSource) Weigh(ctx context.Context) (sources.Weight, error) {
	weight := sources.Weight{By: "Exchange"}
	known, err := s.known.Get(ctx, s.wellKnown)
	if err != nil {
		return weight, err
	}
	told, seen := false, map[string]bool{}
	for parents := []string{""}; len(parents) > 0 && len(seen) <= mostFolders; parents = parents[1:] {
		list, err := s.listFolders(ctx, parents[0], sizedFolders())
		if err != nil {
			return weight, err
		}
		for _, f := range list {
			if seen[f.ID] || f.Type == searchFolder || known.out[f.ID] {
				continue
			}
			seen[f.ID] = true
			size, there := f.size()
			weight.Bytes, told = weight.Bytes+size, told || there
			if f.Children > 0 {
				parents = append(parents, f.ID)
			}
		}
	}
	if !told || len(seen) > mostFolders {
		return weight, sources.ErrNoWeight
	}
	return weight, nil
}

// sizedFolders asks for folders with their sizes.
func sizedFolders() url.Values {
	query := folderQuery()
	query.Set("$expand", "singleValueExtendedProperties($filter=id eq '"+folderSize+"')")
	return query
}

// size returns the bytes of a folder's messages, if they are told.
func (f mailFolder) size() (bytes int64, known bool) {
	for _, p := range f.Properties {
		if p.is(folderSize) {
			n, err := strconv.ParseInt(p.Value, 10, 64)
			return min(max(n, 0), mostInside), err == nil
		}
	}
	return 0, false
}
