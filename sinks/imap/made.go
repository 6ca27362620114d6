package imap

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"codeberg.org/repatriate/repatriate/sinks"
)

// noteMade takes note of a mailbox that is there now; made says that it was not before. Then the levels above it that were not there
// either were made with it, as servers do (RFC 9051 §6.3.4).
func (b *mailboxes) noteMade(name string, made bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, level := range append(b.naming.above(name), name) {
		if made && (level == name || !b.names[level]) {
			b.made[level] = true
		}
		b.names[level] = true
	}
}

// above returns the names of the levels above a mailbox, beginning with the highest.
func (n naming) above(name string) []string {
	rest, ok := strings.CutPrefix(name, n.prefix)
	if !ok || n.delim == 0 {
		return nil
	}
	var levels []string
	for i, r := range rest {
		if r == n.delim && i > 0 {
			levels = append(levels, n.prefix+rest[:i])
		}
	}
	return levels
}

// holds reports whether a mailbox is the other one or lies beneath it.
func (n naming) holds(above, name string) bool {
	return above == name || n.delim != 0 && strings.HasPrefix(name, above+string(n.delim))
}

// claim returns those of the mailboxes made by this sink in which one of the places lies; the caller's receipt remembers them from now on.
func (b *mailboxes) claim(places []place) (names []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name := range b.made {
		if slices.ContainsFunc(places, func(p place) bool { return b.naming.holds(name, p.mailbox) }) {
			names = append(names, name)
			delete(b.made, name)
		}
	}
	slices.Sort(names)
	return names
}

// madeFor adds to the names those of the mailboxes made by this sink in or above which one of the boxes is. No receipt remembers them yet.
func (b *mailboxes) madeFor(names, boxes []string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	names = slices.Clone(names)
	for name := range b.made {
		if slices.ContainsFunc(boxes, func(box string) bool { return b.naming.holds(name, box) }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// missing returns the names of the mailboxes that have to be made for one to be there.
func (b *mailboxes) missing(m sinks.Mailbox) (names []string) {
	name, _ := b.resolve(m)
	if b.exists(name) {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, level := range append(b.naming.above(name), name) {
		if !b.names[level] {
			names = append(names, level)
		}
	}
	return names
}

// noteMaking makes durable which mailboxes are about to be made for the message.
func (s *Sink) noteMaking(ctx context.Context, item sinks.Item[sinks.Message], old state) error {
	names := s.boxes.missing(item.Content.Mailbox)
	for _, m := range item.Content.Copies {
		names = append(names, s.boxes.missing(m)...)
	}
	if item.Note == nil || len(names) == 0 {
		return nil
	}
	names = append(names, old.Made...)
	slices.Sort(names)
	old.Made = slices.Compact(names)
	return item.Note(ctx, old.String())
}

// inherit adds to the receipt of a message the mailboxes that were made for it when it was written before and taken away.
func inherit(w sinks.Written, before sinks.Receipt) sinks.Written {
	old, _ := parseState(before.State) // what cannot be read tells of none
	if len(old.Made) == 0 || w.Receipt.IsZero() {
		return w
	}
	st, err := parseState(w.Receipt.State)
	if err != nil {
		return w
	}
	st.Made = slices.Concat(st.Made, old.Made)
	slices.Sort(st.Made)
	st.Made = slices.Compact(st.Made)
	w.Receipt.State = st.String()
	return w
}

// unclaimed returns the mailboxes that this sink made and no receipt remembers.
func (b *mailboxes) unclaimed() (names []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name := range b.made {
		names = append(names, name)
	}
	return names
}

// Clear removes mailboxes in which no message lies and beneath which no other mailbox does, the deepest first. The inbox stays.
//
// IMAP deletes a mailbox with all that is in it, and knows no condition: a message that arrives between the look and the DELETE, which
// follow one another at once, is lost.
func (s *Sink) Clear(ctx context.Context, made []string) (removed []string, err error) {
	names := slices.Concat(made, s.boxes.unclaimed())
	depth := func(name string) int { return len(s.boxes.naming.above(name)) }
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(depth(b)-depth(a), strings.Compare(a, b)) })
	for _, name := range slices.Compact(names) {
		if name == "" || canonical(name) == inbox || strings.ContainsAny(name, "*%") {
			continue
		}
		s.sessions.leave(name)
		var gone bool
		err := s.sessions.do(ctx, "", func(x *session) (err error) {
			gone, err = x.removeEmpty(name)
			return err
		})
		if gone {
			s.boxes.cleared(name)
			removed = append(removed, name)
		}
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// cleared notes that a mailbox was removed.
func (b *mailboxes) cleared(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.known, name)
	delete(b.names, name)
	delete(b.made, name)
}

// removeEmpty removes a mailbox if nothing lies in it or beneath it. One that the server does not let go stays.
func (x *session) removeEmpty(name string) (removed bool, err error) {
	if empty, err := x.empty(name); err != nil || !empty {
		return false, err
	}
	x.count(2)
	if err := x.Delete(name).Wait(); err != nil {
		if refused(err) {
			return false, nil
		}
		return false, err
	}
	if err := x.Unsubscribe(name).Wait(); err != nil && !refused(err) {
		return true, err
	}
	return true, nil
}

// empty reports whether a mailbox is there, without messages and without others beneath it.
func (x *session) empty(name string) (bool, error) {
	x.count(1)
	list, err := x.List("", name, nil).Collect()
	i := slices.IndexFunc(list, func(d *imap.ListData) bool { return d.Mailbox == name })
	if err != nil || i < 0 || slices.Contains(list[i].Attrs, imap.MailboxAttrNonExistent) {
		return false, err
	}
	if d := list[i].Delim; d != 0 {
		x.count(1)
		beneath, err := x.List("", name+string(d)+"%", nil).Collect()
		if err != nil || len(beneath) > 0 {
			return false, err
		}
	}
	if !selectable(list[i]) {
		return true, nil
	}
	x.count(1)
	status, err := x.Status(name, &imap.StatusOptions{NumMessages: true}).Wait()
	if err != nil {
		if refused(err) {
			return false, nil
		}
		return false, err
	}
	return status.NumMessages != nil && *status.NumMessages == 0, nil
}

// leave ends the idle sessions that have the mailbox selected.
func (p *sessions) leave(mailbox string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = slices.DeleteFunc(p.idle, func(x *session) bool {
		if x.mailbox == mailbox {
			_ = x.Close()
			return true
		}
		return false
	})
}
