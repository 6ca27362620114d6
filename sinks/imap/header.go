package imap

import (
	"bytes"
	"context"

	"github.com/emersion/go-imap/v2"

	"codeberg.org/repatriate/repatriate/sinks"
)

// noteKept notes in the state what the server made of the message, and the digest of what it holds if that is not the body's.
func (s *Sink) noteKept(ctx context.Context, at place, p *prepared, st *state) {
	changed := s.checkHeader(ctx, at, p.rawHeader)
	st.Losses = append(st.Losses, changed...)
	if len(p.losses) > 0 {
		st.Digest = digestText(p.digest)
	}
	if len(changed) == 0 && !p.headOnly {
		return
	}
	o, err := s.Read(ctx, sinks.Object{Location: at.String(), Size: p.Size()})
	switch {
	case err != nil:
	case len(changed) > 0:
		st.Digest = o.Digest
	case o.Size != p.Size():
		// RFC 5322 §2.1 lets a message end with its header; some servers give it the empty line that it lacks.
		st.Digest = o.Digest
		st.Losses = append(st.Losses, sinks.Loss{Reason: "mail.header_changed", Detail: "the server added the empty line after the header"})
	}
}

// checkHeader reads back a header that holds bytes beyond ASCII, which RFC 5322 does not allow and real mail has: Cyrus
// stores "X" for each of them and says nothing (munge8bit in imapd.conf). A server that was once seen to keep them is
// not asked again. A header that cannot be read back is taken for kept: the message lies there.
func (s *Sink) checkHeader(ctx context.Context, at place, sent []byte) []sinks.Loss {
	if sent == nil || s.keepsRaw.Load() {
		return nil
	}
	var stored []byte
	err := s.sessions.do(ctx, at.mailbox, func(x *session) (err error) {
		stored, err = x.header(at.uid)
		return err
	})
	if err != nil || stored == nil {
		return nil
	}
	if bytes.Equal(stored, sent) {
		s.keepsRaw.Store(true)
		return nil
	}
	return []sinks.Loss{{Reason: "mail.header_changed", Detail: "the server does not keep bytes beyond ASCII in the header"}}
}

// header returns the header of a message of the selected mailbox with the empty line that ends it.
func (x *session) header(uid uint32) ([]byte, error) {
	x.count(1)
	section := &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, Peek: true}
	list, err := x.Fetch(imap.UIDSetNum(imap.UID(uid)), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	if err != nil || len(list) != 1 {
		return nil, err
	}
	return list[0].FindBodySection(section), nil
}
