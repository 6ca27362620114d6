package imap

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/preflight"
)

// A check writes one message into a mailbox of its own. By its Message-ID the message is known as ours.
const (
	checkMailbox = "repatriate-check"
	checkID      = "check@repatriate.invalid"
	checkMessage = "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\nFrom: check@repatriate.invalid\r\nMessage-ID: <" + checkID + ">\r\n" +
		"Subject: Test of a migration: please ignore\r\n\r\nThis message can be removed.\r\n"
)

// cleaning bounds how long is cleaned up after an interruption, and largeMessage is what providers take in one message.
const (
	cleaning     = 30 * time.Second
	largeMessage = 35 << 20
)

// Check looks whether the account can be logged into, and makes a mailbox, writes a message into it and removes both again; one that an
// interrupted check left is removed first. It tells what the server cannot do, and what room there is.
func Check(ctx context.Context, o Options, l *preflight.Log) error {
	o.Connections = 1
	s, err := Open(ctx, o)
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // it only lets go of connections
	err = s.sessions.do(ctx, "", func(x *session) error {
		s.checkAbilities(x, l)
		return x.checkQuota(l)
	})
	if err != nil {
		return err
	}
	if err := s.checkWrite(ctx, l); err != nil {
		return forAccount(err)
	}
	l.OK("logged in, made a mailbox, wrote a message and removed both")
	return nil
}

// checkAbilities tells what the server lacks that a run would use.
func (s *Sink) checkAbilities(x *session, l *preflight.Log) {
	caps := x.Caps()
	if !caps.Has(imap.CapUIDPlus) {
		l.Warn("the server lacks UIDPLUS (RFC 4315)",
			"each message is searched for after it was written, which is slow, and none can be removed again: that fails as target.unsupported",
			"use a server with UIDPLUS, or switch it on")
	}
	if !caps.Has(imap.CapMove) {
		l.Warn("the server lacks MOVE (RFC 6851)", "a message that changes its mailbox at the source is copied and expunged, and without UIDPLUS it fails",
			"use a server with MOVE, or switch it on")
	}
	if s.limit > 0 && s.limit < largeMessage {
		l.Warn(fmt.Sprintf("the server takes messages of at most %d bytes (APPENDLIMIT)", s.limit), "larger ones fail as target.too_big",
			"raise the server's limit to 50 MB for the time of the migration")
	}
}

// Limits asks for the room that the account has left and for how large a message may be (RFC 7889). It writes nothing.
func Limits(ctx context.Context, o Options) (limits preflight.Limits, err error) {
	o.Connections = 1
	s, err := Open(ctx, o)
	if err != nil {
		return preflight.NoLimits, err
	}
	defer s.Close() //nolint:errcheck // it only lets go of connections
	err = s.sessions.do(ctx, "", func(x *session) (err error) {
		limits, err = x.limits()
		return err
	})
	limits.NarrowItem(s.limit)
	return limits, err
}

func (x *session) checkQuota(l *preflight.Log) error {
	limits, err := x.limits()
	if err != nil || limits.Room < 0 {
		return err
	}
	l.Room(limits.Room)
	if limits.Room < largeMessage {
		l.Refuse(fault.TargetQuota, "the mailbox is full, or nearly so", "raise its quota on the target")
	}
	return nil
}

// limits asks for the room that is left (RFC 9208 §5.1: STORAGE counts units of 1,024 octets).
func (x *session) limits() (preflight.Limits, error) {
	limits := preflight.NoLimits
	if !x.Caps().Has(imap.CapQuota) {
		return limits, nil
	}
	x.count(1)
	roots, err := x.GetQuotaRoot(inbox).Wait()
	if err != nil && !refused(err) {
		return limits, err
	}
	for _, r := range roots {
		if storage, ok := r.Resources[imap.QuotaResourceStorage]; ok && storage.Limit > 0 {
			limits.Narrow(min(storage.Limit-storage.Usage, math.MaxInt64/1024) * 1024)
		}
	}
	return limits, nil
}

// checkWrite makes the mailbox, writes the message, and removes both.
func (s *Sink) checkWrite(ctx context.Context, l *preflight.Log) (err error) {
	name, _ := s.boxes.naming.name([]string{checkMailbox}, false)
	if err := s.removeCheck(ctx, name); err != nil {
		return err
	}
	defer func() {
		later, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleaning)
		defer cancel()
		if cleanErr := s.removeCheck(later, name); err == nil {
			err = cleanErr
		}
	}()
	err = s.sessions.do(ctx, "", func(x *session) error {
		x.count(2)
		if err := x.Create(name, nil).Wait(); err != nil {
			return s.classify("make a mailbox", err)
		}
		return s.classify("write a message", x.appendCheck(name))
	})
	if err != nil {
		return err
	}
	return s.sessions.do(ctx, name, func(x *session) error {
		if !slices.Contains(x.selected.PermanentFlags, imap.FlagWildcard) {
			l.Warn("the server keeps no keywords of ours (PERMANENTFLAGS)", "labels beyond the first, and stars of several kinds, are lost",
				"write labels: copies into the job file, or use a server that keeps keywords")
		}
		return nil
	})
}

func (x *session) appendCheck(name string) error {
	c := x.Append(name, int64(len(checkMessage)), nil)
	if _, err := c.Write([]byte(checkMessage)); err != nil {
		return err
	}
	if err := c.Close(); err != nil {
		return err
	}
	_, err := c.Wait()
	return err
}

// removeCheck removes the mailbox of a check with its message. One in which something else lies is target.conflict.
func (s *Sink) removeCheck(ctx context.Context, name string) error {
	there := false
	err := s.sessions.do(ctx, "", func(x *session) error {
		x.count(1)
		list, err := x.List("", name, nil).Collect()
		there = slices.ContainsFunc(list, func(d *imap.ListData) bool { return d.Mailbox == name && selectable(d) })
		return err
	})
	if err != nil || !there {
		return err
	}
	if err := s.sessions.examine(ctx, name, onlyChecks); err != nil {
		return err
	}
	s.sessions.leave(name)
	return s.sessions.do(ctx, "", func(x *session) error {
		x.count(1)
		if err := x.Delete(name).Wait(); err != nil {
			return s.classify("remove the mailbox "+name, err)
		}
		return nil
	})
}

// onlyChecks is an error if the selected mailbox holds anything but messages of checks.
func onlyChecks(x *session) error {
	const most = 10
	if x.selected.NumMessages == 0 {
		return nil
	}
	strange := x.selected.NumMessages > most
	if !strange {
		x.count(1)
		found, err := x.Fetch(imap.SeqSet{{Start: 1, Stop: x.selected.NumMessages}}, &imap.FetchOptions{Envelope: true}).Collect()
		if err != nil {
			return err
		}
		strange = slices.ContainsFunc(found, func(m *imapclient.FetchMessageBuffer) bool {
			return m.Envelope == nil || strings.Trim(m.Envelope.MessageID, "<>") != checkID
		})
	}
	if strange {
		return fault.New(fault.FailTask, fault.TargetConflict, "the mailbox %s holds messages that no check wrote", checkMailbox).
			WithHint("rename it, so that a test message can be written")
	}
	return nil
}

// forAccount turns a fault of one item into one of the account.
func forAccount(err error) error {
	f := *fault.Of(err)
	if f.Action == fault.FailItem {
		f.Action = fault.FailTask
	}
	switch {
	case f.Reason == fault.TargetForbidden && f.Hint == "":
		f.Hint = "give the account the right to make mailboxes and to write messages"
	case f.Reason == fault.TargetInvalid && f.Hint == "":
		f.Hint = "the server refused; read its words, and its log"
	}
	return &f
}
