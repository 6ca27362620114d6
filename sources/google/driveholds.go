package google

import (
	"context"
	"iter"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/sources"
)

var _ sources.Holder = (*driveSource)(nil)

// foldersAtOnce is how many folders one query asks about, so that its URL stays below what servers take.
const foldersAtOnce = 50

// Holds implements sources.Holder.
func (s *driveSource) Holds(ctx context.Context, folders []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for some := range slices.Chunk(folders, foldersAtOnce) {
			query := inFolders(some)
			for token, more := "", true; more; more = token != "" {
				answer, err := s.listPage(ctx, query, "nextPageToken,incompleteSearch,files(id)", token)
				if err != nil {
					yield("", err)
					return
				}
				for _, f := range answer.Files {
					if f != nil && f.Id != "" && !yield(f.Id, nil) {
						return
					}
				}
				token = answer.NextPageToken
			}
		}
	}
}

// inFolders returns the query for what lies in one of the folders.
func inFolders(folders []string) string {
	quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	terms := make([]string, len(folders))
	for i, id := range folders {
		terms[i] = "'" + quote.Replace(id) + "' in parents"
	}
	return "(" + strings.Join(terms, " or ") + ")"
}
