package google

import (
	"cmp"
	"slices"
	"time"
)

// firstChange is the change number of an untouched drive.
const firstChange = 1000

// corpus is what one files.list or changes.list goes over: what a user sees, or a shared drive.
type corpus struct {
	root   *node
	owned  []*node
	sorted []*node // most recently modified first; nil: to be made again
	log    []change
	latest map[string]int // index in log of the latest change, by file id
	oldest int            // change numbers below have expired
}

// change is an entry of changes.list. Only the latest one of a file is reported.
type change struct {
	file    string
	removed bool
	inDrive bool // whether the file lies in the My Drive tree
	at      time.Time
}

// record appends to the change log and gives up the sorted listing.
func (c *corpus) record(entry change) {
	c.sorted = nil
	if c.latest == nil {
		c.latest = map[string]int{}
	}
	c.latest[entry.file] = len(c.log)
	c.log = append(c.log, entry)
}

// head is the change number that comes next.
func (c *corpus) head() int { return firstChange + len(c.log) }

// listing gives the nodes of a user's corpus, most recently modified first, so that children tend to come before
// their folders.
func (d *Data) listing(u *user) []*node {
	c := &u.drive
	if c.sorted == nil {
		seen := make(map[*node]bool, len(c.owned))
		all := make([]*node, 0, len(c.owned))
		visit := func(n *node) {
			if !n.root && n.drive == nil && !seen[n] {
				seen[n] = true
				all = append(all, n)
			}
		}
		for _, n := range c.owned {
			visit(n)
		}
		walk(c.root, visit)
		for _, n := range d.granted[u.Email] {
			walk(n, visit)
		}
		c.sorted = newestFirst(all)
	}
	return c.sorted
}

func (s *sharedDrive) listing() []*node {
	if s.corpus.sorted == nil {
		all := []*node{}
		walk(s.root, func(n *node) {
			if !n.root {
				all = append(all, n)
			}
		})
		s.corpus.sorted = newestFirst(all)
	}
	return s.corpus.sorted
}

func walk(n *node, visit func(*node)) {
	visit(n)
	for _, child := range n.children {
		walk(child, visit)
	}
}

func newestFirst(all []*node) []*node {
	slices.SortFunc(all, func(a, b *node) int { return a.position().compare(b.position()) })
	return all
}

// position is a place in a listing that survives changes of the rest.
type position struct {
	modified int64
	id       string
}

func (n *node) position() position { return position{n.Modified.UnixNano(), n.ID} }

func (p position) compare(q position) int {
	if c := cmp.Compare(q.modified, p.modified); c != 0 {
		return c
	}
	return cmp.Compare(p.id, q.id)
}

// announce records a change of the node for all who can see it.
func (d *Data) announce(n *node, removed bool) {
	entry := change{file: n.ID, removed: removed, at: d.Now()}
	if n.drive != nil {
		n.drive.corpus.record(entry)
		return
	}
	for _, u := range d.watchers(n) {
		entry.inDrive = n.inTreeOf(u.drive.root)
		u.drive.record(entry)
	}
}

// watchers are the users that can see a node of My Drive; those of a shared drive have its own change log.
func (d *Data) watchers(n *node) []*user {
	if n.drive != nil {
		return nil
	}
	out := []*user{n.owner}
	add := func(u *user) {
		if u != nil && !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	for at := n; at != nil; at = at.parent {
		add(at.owner)
		for _, p := range at.perms {
			add(d.byEmail[p.Email])
		}
	}
	return out
}

// ExpireChanges makes every change token (start page token) of a user's drive, or of a shared drive by its id, that
// was handed out so far invalid.
func (d *Data) ExpireChanges(emailOrDriveID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if u := d.byEmail[emailOrDriveID]; u != nil {
		u.drive.expire()
	}
	if s := d.sharedDrive(emailOrDriveID); s != nil {
		s.corpus.expire()
	}
}

// expire moves on by one, or the number that was handed out last would stay good.
func (c *corpus) expire() {
	c.log = append(c.log, change{})
	c.oldest = c.head()
}
