package imap

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

const (
	// pieceBytes is how much of a message is read in one step, each of which has its own time.
	pieceBytes = 16 << 20
	// maxMessage is the size of the largest message that is read: RFC822.SIZE has 32 bits (RFC 3501 §9).
	maxMessage = 1 << 32
)

// Read reads the message as the server shows it, in pieces if it is large. See sinks.Inspector.
func (s *Sink) Read(ctx context.Context, o sinks.Object) (sinks.Object, error) {
	at, err := parsePlace(o.Location)
	if err != nil {
		return o, err
	}
	sum := sha256.New()
	n, err := s.readMessage(ctx, at, o.Size, sum)
	if err != nil {
		return o, err
	}
	o.Size, o.Digest = n, digestText(sum.Sum(nil))
	return o, nil
}

// digestText writes a SHA-256 as sinks.Proof has it.
func digestText(sum []byte) string { return "sha256:" + hex.EncodeToString(sum) }

// readMessage writes the message's bytes to w and returns their number. stated is what the server said of it, -1 for nothing.
func (s *Sink) readMessage(ctx context.Context, at place, stated int64, w io.Writer) (n int64, err error) {
	if stated < 0 {
		stated = maxMessage
	}
	for n <= min(stated+maxAnswer, maxMessage) {
		var part *imap.SectionPartial
		if stated > pieceBytes {
			part = &imap.SectionPartial{Offset: n, Size: pieceBytes}
		}
		got, err := s.readPiece(ctx, at, part, min(stated, pieceBytes), w)
		n += got
		if err != nil || part == nil || got < pieceBytes {
			return n, err
		}
	}
	return n, fault.New(fault.FailItem, fault.TargetBadAnswer, "the message is longer than the server says")
}

func (s *Sink) readPiece(ctx context.Context, at place, part *imap.SectionPartial, size int64, w io.Writer) (n int64, err error) {
	var missing bool
	err = s.sessions.examine(ctx, at.mailbox, func(x *session) error {
		if missing = x.selected.UIDValidity != at.validity; missing {
			return nil
		}
		for range stepTries {
			got, err := x.read(at.uid, part, size, w)
			n += got.bytes
			if missing = err == nil && !got.there; err != nil || missing || got.shown {
				return err
			}
		}
		return badAnswer("the server does not show the message")
	})
	if missing || gone(err) || expunged(err) {
		err = sinks.ErrNothing
	}
	return n, err
}

// expunged reports whether the server refused to show a message because another client removed it (RFC 5530, EXPUNGEISSUED).
func expunged(err error) bool {
	s := statusOf(err)
	return s != nil && s.Status == "NO" && s.Code == "EXPUNGEISSUED"
}

// shown is what came of a FETCH of a message's bytes.
type shown struct {
	there bool // the server told of the message
	shown bool // its bytes were among what it told
	bytes int64
}

// read writes the bytes of a message of the selected mailbox, about size of them, to w.
func (x *session) read(uid uint32, part *imap.SectionPartial, size int64, w io.Writer) (got shown, err error) {
	x.conn.allow(size + maxAnswer)
	x.count(1)
	section := &imap.FetchItemBodySection{Peek: true, Partial: part}
	cmd := x.Fetch(imap.UIDSetNum(imap.UID(uid)), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
	for m := cmd.Next(); m != nil; m = cmd.Next() {
		got.there = true
		for it := m.Next(); it != nil; it = m.Next() {
			body, ok := it.(imapclient.FetchItemDataBodySection)
			if !ok || body.Literal == nil || got.shown {
				continue
			}
			n, copyErr := io.Copy(w, body.Literal)
			got.shown, got.bytes = true, n
			if copyErr != nil {
				err = copyErr
			}
		}
	}
	if closeErr := cmd.Close(); closeErr != nil {
		err = closeErr
	}
	return got, err
}
