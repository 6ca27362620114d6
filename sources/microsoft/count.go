package microsoft

import (
	"context"
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

// Weigh implements sources.Weigher: what the folders that are read take in the mailbox. The messages are a little larger when they are
// read, since attachments are written as text then.
func (s *mailSource) Weigh(ctx context.Context) (sources.Weight, error) {
	w, err := s.walkAll(ctx)
	if err != nil {
		return sources.Weight{}, err
	}
	weight := sources.Weight{By: "Exchange"}
	parents := []string{""}
	told := false
	for seen := map[string]bool{}; len(parents) > 0; parents = parents[1:] {
		if seen[parents[0]] {
			continue
		}
		seen[parents[0]] = true
		query := folderQuery()
		query.Set("$expand", "singleValueExtendedProperties($filter=id eq '"+folderSize+"')")
		list, err := s.listFolders(ctx, parents[0], query)
		if err != nil {
			return weight, err
		}
		for _, f := range list {
			if _, moved := w.found[f.ID]; !moved {
				continue
			}
			size, known := f.size()
			weight.Bytes += size
			told = told || known
			if f.Children > 0 {
				parents = append(parents, f.ID)
			}
		}
	}
	if !told {
		return weight, sources.ErrNoWeight
	}
	return weight, nil
}

// size returns the bytes of a folder's messages, if they are told.
func (f mailFolder) size() (bytes int64, known bool) {
	for _, p := range f.Properties {
		if p.is(folderSize) {
			n, err := strconv.ParseInt(p.Value, 10, 64)
			return max(n, 0), err == nil
		}
	}
	return 0, false
}
