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
	// labelsPause is the least time between two readings because of a label that is not known.
	labelsPause = 10 * time.Second
)

// labelTable holds a mailbox's labels by id.
type labelTable map[string]sources.Label

// labelCache holds the labels of one mailbox. Its zero value is ready.
type labelCache struct {
	mu    sync.Mutex
	table labelTable
	read  time.Time
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

// of returns the labels with the ids, without those that are mere state of the message. The labels are read from the provider when
// they are old or an id is not known; an id that is unknown to the provider too is a label of that name.
func (l *labelCache) of(ctx context.Context, s *mailSource, ids []string) ([]sources.Label, error) {
	l.mu.Lock()
	table, age := l.table, time.Since(l.read)
	l.mu.Unlock()
	unknown := slices.ContainsFunc(ids, func(id string) bool { _, ok := table[id]; return !ok })
	if table == nil || age > labelsLife || unknown && age > labelsPause {
		var err error
		if table, err = l.current(ctx, s); err != nil {
			return nil, err
		}
	}
	return table.pick(ids), nil
}

func (t labelTable) pick(ids []string) []sources.Label {
	var labels []sources.Label
	for _, id := range ids {
		label, ok := t[id]
		if !ok {
			label = newLabel(&gmail.Label{Id: id, Name: id, Type: "system"})
		}
		if len(label.Path) > 0 {
			labels = append(labels, label)
		}
	}
	slices.SortFunc(labels, func(a, b sources.Label) int { return strings.Compare(a.ID, b.ID) })
	return labels
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

// newLabel reads Google's label. The levels of a user's label are separated by "/" in its name, and nothing else.
func newLabel(l *gmail.Label) sources.Label {
	if known, ok := systemLabels[l.Id]; ok && l.Type != "user" {
		known.ID = l.Id
		return known
	}
	return sources.Label{ID: l.Id, Path: strings.Split(l.Name, "/")}
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
