package imap

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/emersion/go-imap/v2"

	"codeberg.org/repatriate/repatriate/sinks"
)

// mailboxes knows the account's mailboxes by their names on the server.
type mailboxes struct {
	sink   *Sink
	naming naming
	others []string // prefixes of other users' and shared mailboxes
	create bool     // CREATE-SPECIAL-USE

	making  sync.Mutex // held while a mailbox is made
	marking sync.Mutex // held while the server is asked for a mark

	mu    sync.Mutex
	known map[string]*mailbox
	uses  map[string]string // names by special use, in lower case
	alias map[string]string // names that the server refused, and those that it took instead
	// names are those that were there at first, also of levels that hold no messages, and those that were made since.
	names map[string]bool
	// made are the mailboxes that this sink made and no receipt remembers yet.
	made map[string]bool
}

type mailbox struct {
	// permanent are the PERMANENTFLAGS; nil until they were asked for.
	permanent []string
	// mark is where the next message would have come before this sink wrote any; nil until it was asked for.
	mark *place
	// unsubscribed says that the server lists it without a subscription; see subscribeNew.
	unsubscribed bool
}

func newMailboxes(s *Sink) *mailboxes {
	return &mailboxes{
		sink: s, known: map[string]*mailbox{inbox: {}}, uses: map[string]string{}, alias: map[string]string{},
		names: map[string]bool{inbox: true}, made: map[string]bool{},
	}
}

// load lists the account's mailboxes.
func (b *mailboxes) load(x *session) error {
	caps := x.Caps()
	b.create = caps.Has(imap.CapCreateSpecialUse)
	if err := b.loadNamespace(x); err != nil {
		return err
	}
	list, err := x.listAll()
	if err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b *imap.ListData) int { return strings.Compare(a.Mailbox, b.Mailbox) })
	for _, data := range list {
		b.note(data)
	}
	b.noteSubscriptions(list, caps.Has(imap.CapListExtended))
	return openInbox(x)
}

// listAll lists all mailboxes with their special uses and subscriptions, where the server tells them.
func (x *session) listAll() ([]*imap.ListData, error) {
	var options *imap.ListOptions
	if caps := x.Caps(); caps.Has(imap.CapListExtended) {
		options = &imap.ListOptions{ReturnSpecialUse: caps.Has(imap.CapSpecialUse), ReturnSubscribed: true}
	}
	x.count(1)
	return x.List("", "*", options).Collect()
}

// openInbox has the inbox of a new account made now, by one session: Dovecot makes it when it is first used and, as with CREATE,
// 2.3.19 aborts when several sessions come at once.
func openInbox(x *session) error {
	x.count(1)
	if _, err := x.Status(inbox, &imap.StatusOptions{UIDValidity: true}).Wait(); err != nil && !refused(err) {
		return err
	}
	return nil
}

// loadNamespace learns the delimiter and what the names of the user's own mailboxes begin with.
func (b *mailboxes) loadNamespace(x *session) error {
	if x.Caps().Has(imap.CapNamespace) {
		x.count(1)
		ns, err := x.Namespace().Wait()
		if err != nil && !refused(err) {
			return err
		}
		if err == nil && len(ns.Personal) > 0 {
			b.naming = naming{ns.Personal[0].Delim, ns.Personal[0].Prefix}
			for _, other := range append(ns.Other, ns.Shared...) {
				b.others = append(b.others, other.Prefix)
			}
			return nil
		}
	}
	x.count(1)
	list, err := x.List("", "", nil).Collect()
	if err == nil && len(list) > 0 {
		b.naming.delim = list[0].Delim
	}
	return err
}

func (b *mailboxes) note(data *imap.ListData) {
	name := canonical(data.Mailbox)
	b.names[name] = true
	if !selectable(data) {
		return
	}
	if name != inbox {
		b.known[name] = &mailbox{}
	}
	for _, attr := range data.Attrs {
		use := strings.ToLower(string(attr))
		if _, taken := b.uses[use]; !taken && strings.HasPrefix(name, b.naming.prefix) && name != inbox {
			b.uses[use] = name
		}
	}
}

// canonical: INBOX is one name in any case (RFC 9051 §5.1).
func canonical(name string) string {
	if strings.EqualFold(name, inbox) {
		return inbox
	}
	return name
}

func selectable(d *imap.ListData) bool {
	return !slices.Contains(d.Attrs, imap.MailboxAttrNoSelect) && !slices.Contains(d.Attrs, imap.MailboxAttrNonExistent)
}

// resolve returns the name of the mailbox on the server, without asking it.
func (b *mailboxes) resolve(m sinks.Mailbox) (name string, losses []sinks.Loss) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if name, ok := b.uses[strings.ToLower(m.Use)]; ok && m.Use != "" {
		return name, nil
	}
	name, changed := b.naming.name(m.Path, false)
	if m.Use == "" && name != inbox && b.hasUse(name) { // somebody's own label, with the name of the target's Sent
		name, changed = name+tail(name), true
	}
	if other, ok := b.alias[name]; ok {
		name, changed = other, true
	}
	if changed {
		losses = append(losses, renamed(m, name))
	}
	return name, losses
}

func renamed(m sinks.Mailbox, name string) sinks.Loss {
	return sinks.Loss{Reason: "mail.mailbox_renamed", Detail: strings.Join(m.Path, "/") + " is " + name}
}

// special are the purposes that the mapping knows, and the names that it gives their mailboxes.
var special = map[string]string{`\sent`: "Sent", `\drafts`: "Drafts", `\junk`: "Junk", `\trash`: "Trash", `\archive`: "Archive"}

// hasUse reports whether a mailbox serves a special purpose, or would as soon as that is needed: what comes first must
// not decide about names.
func (b *mailboxes) hasUse(name string) bool {
	for use, usual := range special {
		if b.uses[use] == name || strings.EqualFold(b.naming.prefix+usual, name) {
			return true
		}
	}
	return false
}

// ensure returns the name of the mailbox, and makes it where it is missing.
func (b *mailboxes) ensure(ctx context.Context, m sinks.Mailbox) (name string, losses []sinks.Loss, err error) {
	name, losses = b.resolve(m)
	if b.exists(name) {
		return name, losses, b.subscribeNew(ctx, name)
	}
	b.making.Lock()
	defer b.making.Unlock()
	if name, losses = b.resolve(m); b.exists(name) {
		return name, losses, nil
	}
	err = b.sink.sessions.do(ctx, "", func(x *session) error {
		err := b.make(x, name, m.Use)
		if !illegalName(err) || name == inbox {
			return err
		}
		strict, _ := b.naming.name(m.Path, true)
		if err := b.make(x, strict, m.Use); err != nil {
			return err
		}
		b.mu.Lock()
		b.alias[name] = strict
		b.mu.Unlock()
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	name, losses = b.resolve(m)
	return name, losses, nil
}

// illegalName reports whether a CREATE was refused for its name, as far as the server lets one know.
func illegalName(err error) bool {
	s := statusOf(err)
	return s != nil && s.Status != "BYE" && (s.Code == "CANNOT" || s.Code == "CLIENTBUG" || s.Code == "")
}

// make creates a mailbox and subscribes to it. One that is there already is taken.
func (b *mailboxes) make(x *session, name, use string) error {
	made, err := b.createOne(x, name, use)
	if d := string(b.naming.delim); err != nil && refused(err) && b.naming.delim != 0 {
		parent := strings.TrimPrefix(name, b.naming.prefix)
		if i := strings.LastIndex(parent, d); i > 0 && b.make(x, b.naming.prefix+parent[:i], "") == nil {
			made, err = b.createOne(x, name, use)
		}
	}
	if err != nil {
		return err
	}
	b.noteMade(name, made)
	x.count(1)
	if err := lasting(x.Subscribe(name).Wait()); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known[name] = &mailbox{}
	if use != "" {
		b.uses[strings.ToLower(use)] = name
	}
	return nil
}

// createOne returns false if the mailbox was there.
func (b *mailboxes) createOne(x *session, name, use string) (made bool, err error) {
	var options *imap.CreateOptions
	if use != "" && b.create {
		options = &imap.CreateOptions{SpecialUse: []imap.MailboxAttr{imap.MailboxAttr(use)}}
	}
	x.count(1)
	err = x.Create(name, options).Wait()
	if options != nil && refused(err) && !alreadyExists(err) && !passing(err) {
		x.count(1)
		err = x.Create(name, nil).Wait()
	}
	if alreadyExists(err) || refused(err) && b.listed(x, name) {
		return false, nil
	}
	return err == nil, err
}

func alreadyExists(err error) bool {
	s := statusOf(err)
	return s != nil && s.Code == string(imap.ResponseCodeAlreadyExists)
}

// listed asks whether a mailbox is there after all: not every server gives a reason.
func (b *mailboxes) listed(x *session, name string) bool {
	if strings.ContainsAny(name, "*%") {
		return false
	}
	x.count(1)
	list, err := x.List("", name, nil).Collect()
	return err == nil && slices.ContainsFunc(list, func(d *imap.ListData) bool {
		return d.Mailbox == name && selectable(d)
	})
}

func (b *mailboxes) exists(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.known[name] != nil
}

// forget notes that a mailbox is not there, as a server said.
func (b *mailboxes) forget(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if name != inbox {
		delete(b.known, name)
	}
}

// permanent returns the flags that the mailbox keeps.
func (b *mailboxes) permanent(ctx context.Context, name string) ([]string, error) {
	b.mu.Lock()
	box := b.known[name]
	if box != nil && box.permanent != nil {
		defer b.mu.Unlock()
		return box.permanent, nil
	}
	b.mu.Unlock()
	var flags []string
	err := b.sink.sessions.look(ctx, name, func(x *session) error {
		flags = x.permanentFlags()
		return nil
	})
	if err != nil || box == nil {
		return flags, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	box.permanent = flags
	return flags, nil
}

// permanentFlags of the selected mailbox; empty, but not nil, when the server does not tell: then all are permitted.
func (x *session) permanentFlags() []string {
	out := []string{}
	for _, f := range x.selected.PermanentFlags {
		out = append(out, string(f))
	}
	return out
}
