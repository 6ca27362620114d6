package imap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"codeberg.org/repatriate/repatriate/fault"
)

// session is a connection of the client library, used by one goroutine at a time.
type session struct {
	*imapclient.Client
	sink        *Sink
	conn        *guard
	appendLimit int64
	view        // the selected mailbox
	selected    *imap.SelectData
	// fresh says that no command has ended since the mailbox was selected. Until then the client library need not have
	// noted that it is.
	fresh bool
	// used says that it has served before.
	used bool
}

// view is a mailbox as a session has it open; the zero view is none.
type view struct {
	mailbox string
	// readOnly says that it was opened by EXAMINE, which changes nothing of it, not even \Recent (RFC 3501 §6.3.2).
	readOnly bool
}

// sessions is a bounded number of sessions.
type sessions struct {
	ctx  context.Context
	sink *Sink
	free chan struct{}

	mu     sync.Mutex
	idle   []*session
	closed bool
}

func newSessions(ctx context.Context, s *Sink, n int) *sessions {
	return &sessions{ctx: ctx, sink: s, free: make(chan struct{}, n)}
}

// do runs f with a session in which the mailbox is selected; none is when the name is empty. A session whose connection
// broke is not used again. The errors of f are given a meaning.
func (p *sessions) do(ctx context.Context, mailbox string, f func(*session) error) error {
	return p.open(ctx, view{mailbox: mailbox}, f)
}

// look runs f as do does, once more if the connection broke: f changes nothing, so that this costs no attempt of the item.
func (p *sessions) look(ctx context.Context, mailbox string, f func(*session) error) error {
	err := p.do(ctx, mailbox, f)
	if err != nil && ctx.Err() == nil && fault.Of(err).Reason == fault.TargetUnavailable {
		err = p.do(ctx, mailbox, f)
	}
	return err
}

// examine runs f as do does, in a mailbox that is opened for reading alone.
func (p *sessions) examine(ctx context.Context, mailbox string, f func(*session) error) error {
	return p.open(ctx, view{mailbox, true}, f)
}

func (p *sessions) open(ctx context.Context, v view, f func(*session) error) error {
	select {
	case p.free <- struct{}{}:
		defer func() { <-p.free }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, p.sink.opts.Timeout)
	defer cancel()
	err := errIdle
	if x := p.reuse(v); x != nil {
		err = p.run(limited, x, v, f)
	}
	if errors.Is(err, errIdle) {
		err = p.anew(limited, v, f)
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return p.sink.classify("IMAP", err)
}

// errIdle says that a session broke before anything was done with it, as idle ones do. Another one serves as well.
var errIdle = errors.New("the connection ended while it was idle")

func (p *sessions) anew(ctx context.Context, v view, f func(*session) error) error {
	x, err := p.sink.openSession(ctx)
	if err != nil {
		return err
	}
	return p.run(ctx, x, v, f)
}

func (p *sessions) run(ctx context.Context, x *session, v view, f func(*session) error) error {
	stop := context.AfterFunc(ctx, func() { _ = x.conn.Close() })
	stopLife := context.AfterFunc(p.ctx, func() { _ = x.conn.Close() })
	x.conn.allow(maxAnswer)
	used := x.used
	x.used = true
	err := x.choose(v)
	switch {
	case err == nil:
		err = f(x)
	case used && ctx.Err() == nil && x.broken(err):
		err = fmt.Errorf("%w: %w", errIdle, err)
	}
	if stop() && stopLife() && !x.broken(err) {
		p.put(x)
	} else {
		_ = x.Close()
	}
	return err
}

// broken reports whether an error of f tells of the connection's end.
func (x *session) broken(err error) bool {
	select {
	case <-x.Closed():
		return true
	default:
	}
	var known *fault.Error
	return err != nil && !refused(err) && !errors.As(err, &known)
}

func (p *sessions) reuse(v view) *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = slices.DeleteFunc(p.idle, func(x *session) bool {
		select {
		case <-x.Closed():
			return true
		default:
			return false
		}
	})
	if len(p.idle) == 0 {
		return nil
	}
	i := max(0, slices.IndexFunc(p.idle, func(x *session) bool { return x.view == v }))
	x := p.idle[i]
	p.idle = slices.Delete(p.idle, i, i+1)
	return x
}

func (p *sessions) put(x *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = x.Close()
		return
	}
	p.idle = append(p.idle, x)
}

func (p *sessions) close() {
	p.mu.Lock()
	p.closed = true
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, x := range idle {
		_ = x.Close()
	}
	for range cap(p.free) { // those that are in use end, since their connections are being closed
		p.free <- struct{}{}
	}
}

func (s *Sink) openSession(ctx context.Context) (*session, error) {
	conn, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	limit, _ := conn.AppendLimit()
	g := &guard{Conn: conn.Release()}
	g.allow(maxAnswer)
	x := &session{Client: imapclient.New(g, nil), sink: s, conn: g, appendLimit: limit}
	if err := x.WaitGreeting(); err != nil {
		_ = x.Close()
		return nil, err
	}
	return x, nil
}

// count notes n commands.
func (x *session) count(n int) { x.sink.opts.Meter.Request(n) }

// choose selects the mailbox. One that is selected already is brought up to date: a server need not show what other
// connections appended before the next command.
func (x *session) choose(v view) error {
	switch v {
	case view{}:
		return nil
	case x.view:
		x.fresh = false
		x.count(1)
		return x.Noop().Wait()
	}
	x.view = view{}
	x.count(1)
	data, err := x.Select(v.mailbox, &imap.SelectOptions{ReadOnly: v.readOnly}).Wait()
	if err != nil {
		return x.missing(v.mailbox, err)
	}
	x.view, x.selected, x.fresh = v, data, true
	return nil
}

// errNoMailbox says that a mailbox does not exist.
var errNoMailbox = errors.New("the mailbox does not exist")

// missing tells why a mailbox could not be selected. Not every server gives a reason; then its list does.
func (x *session) missing(mailbox string, err error) error {
	status := statusOf(err)
	if status == nil || status.Status != "NO" {
		return err
	}
	there := status.Code != "NONEXISTENT" && status.Code != "TRYCREATE"
	if there {
		there = status.Code != "" || x.sink.boxes.listed(x, mailbox)
	}
	if there {
		return err
	}
	x.sink.boxes.forget(mailbox)
	return fault.New(fault.Retry, fault.TargetConflict, "SELECT: %w", errNoMailbox)
}

func gone(err error) bool { return errors.Is(err, errNoMailbox) }
