package google

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/api/gmail/v1"

	"codeberg.org/repatriate/repatriate/sources"
)

const (
	// labelsLife is how long a mailbox's labels are taken from memory.
	labelsLife = 10 * time.Minute
	// missingLife is how long a label that the provider does not list is not asked for again, and maxMissing how many such
	// labels are remembered.
	missingLife = time.Minute
	maxMissing  = 1000
)

// labelTable holds a mailbox's labels by id.
type labelTable map[string]sources.Label

// labelCache holds the labels of one mailbox. Its zero value is ready.
type labelCache struct {
	mu      sync.Mutex
	table   labelTable
	read    time.Time
	missing map[string]time.Time // ids that were not among the labels, and when
}

// current returns the labels as they are now at the provider.
func (l *labelCache) current(ctx context.Context, s *mailSource) (labelTable, error) {
	var found *gmail.ListLabelsResponse
	err := s.do(ctx, gmailLabelsList, func(g *gmail.Service) (err error) {
		found, err = g.Users.Labels.List("me").Fields("labels(id,name,type)").Context(ctx).Do()
		return err
	})
	if err != nil {
		return nil, err
	}
	table := labelTable{}
	for _, label := range found.Labels {
		table[label.Id] = newLabel(label)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.table, l.read = table, time.Now()
	return table, nil
}

// of returns the mailbox's labels. They are read from the provider when they are old or one of the ids is not known.
func (l *labelCache) of(ctx context.Context, s *mailSource, ids []string) (labelTable, error) {
	table, fresh := l.known(ids, time.Now())
	if !fresh {
		var err error
		if table, err = l.current(ctx, s); err != nil {
			return nil, err
		}
		l.note(table, ids, time.Now())
	}
	return table, nil
}

// known returns the labels in memory, and whether they serve for the ids.
func (l *labelCache) known(ids []string, now time.Time) (labelTable, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.table == nil || now.Sub(l.read) > labelsLife {
		return nil, false
	}
	for _, id := range ids {
		if _, ok := l.table[id]; !ok && now.Sub(l.missing[id]) > missingLife {
			return nil, false
		}
	}
	return l.table, true
}

// note remembers which of the ids the table lacks.
func (l *labelCache) note(table labelTable, ids []string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.missing == nil || len(l.missing) > maxMissing {
		l.missing = map[string]time.Time{}
	}
	for _, id := range ids {
		if _, ok := table[id]; !ok {
			l.missing[id] = now
		}
	}
}

// pick returns the labels with the ids. Left out are those that are mere state of the message, and those that the provider does not
// list: a label of the user that is gone meanwhile, or a system label that words are made of, see words.
func (t labelTable) pick(ids []string) []sources.Label {
	var labels []sources.Label
	for _, id := range ids {
		if label := t[id]; len(label.Path) > 0 {
			labels = append(labels, label)
		}
	}
	slices.SortFunc(labels, func(a, b sources.Label) int { return strings.Compare(a.ID, b.ID) })
	return labels
}

// words returns the ids of system labels that have no place and no field of their own, such as YELLOW_STAR.
func words(ids []string) []string {
	var out []string
	for _, id := range ids {
		_, known := systemLabels[id]
		if !known && id != "" && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == "" {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// systemLabels are Google's own (developers.google.com/workspace/gmail/api/guides/labels). Those without a path are state
// of a message.
var systemLabels = map[string]sources.Label{
	"INBOX":               {Path: []string{"Inbox"}, Role: sources.RoleInbox},
	"SENT":                {Path: []string{"Sent"}, Role: sources.RoleSent},
	"DRAFT":               {Path: []string{"Drafts"}, Role: sources.RoleDrafts},
	"SPAM":                {Path: []string{"Spam"}, Role: sources.RoleSpam},
	"TRASH":               {Path: []string{"Trash"}, Role: sources.RoleTrash},
	"CATEGORY_PERSONAL":   {Path: []string{"Personal"}, Role: sources.RoleCategory},
	"CATEGORY_SOCIAL":     {Path: []string{"Social"}, Role: sources.RoleCategory},
	"CATEGORY_PROMOTIONS": {Path: []string{"Promotions"}, Role: sources.RoleCategory},
	"CATEGORY_UPDATES":    {Path: []string{"Updates"}, Role: sources.RoleCategory},
	"CATEGORY_FORUMS":     {Path: []string{"Forums"}, Role: sources.RoleCategory},
	"UNREAD":              {}, "STARRED": {}, "IMPORTANT": {}, "CHAT": {},
}

// newLabel reads Google's label. The levels of a user's label are separated by "/" in its name, and nothing else. A system label
// that is not known here has no path.
func newLabel(l *gmail.Label) sources.Label {
	if l.Type != "system" {
		return sources.Label{ID: l.Id, Path: strings.Split(l.Name, "/")}
	}
	label := systemLabels[l.Id]
	label.ID = l.Id
	return label
}

// names returns a digest of each user label's name by its id.
func (t labelTable) names() map[string]string {
	names := map[string]string{}
	for id, label := range t {
		if label.Role == sources.RoleNone && len(label.Path) > 0 {
			names[id] = labelDigest(label)
		}
	}
	return names
}

// renamed returns the labels that have another name than before, in order of their ids.
func (t labelTable) renamed(before map[string]string) []string {
	var ids []string
	for id, name := range t.names() {
		if old, ok := before[id]; ok && old != name {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// labelDigest is short and changes with the labels' ids and names.
func labelDigest(labels ...sources.Label) string {
	h := fnv.New32a()
	for _, l := range labels {
		fmt.Fprintf(h, "%q%q", l.ID, l.Path)
	}
	return fmt.Sprintf("%08x", h.Sum32())
}
