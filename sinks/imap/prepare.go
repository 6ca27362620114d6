package imap

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/spool"
	"codeberg.org/repatriate/repatriate/sinks"
)

// prepared is a message as it will be sent: whole, so that nothing but the network can break an APPEND.
type prepared struct {
	*spool.Spool
	messageID string
	losses    []sinks.Loss
	digest    []byte // SHA-256 of what is sent, if it was asked for or is not that of the body
	rawHeader []byte // the header as it is sent, if it holds bytes beyond ASCII
	headOnly  bool   // there is no empty line after the header
	holders   atomic.Int32
}

// hold keeps the message until the returned function is called. When the last holder lets go it is released.
func (p *prepared) hold() (letGo func()) {
	p.holders.Add(1)
	return func() {
		if p.holders.Add(-1) == 0 {
			p.Release()
		}
	}
}

// prepare reads the body to its end. The caller holds what it returns.
func (s *Sink) prepare(ctx context.Context, body sinks.Body, digest bool) (*prepared, error) {
	r, err := body.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the message: %w", err)
	}
	defer func() { _ = r.Close() }()
	p := &prepared{Spool: spool.New(s.opts.SpoolLimit, s.opts.TempDir).Within(s.opts.Memory)}
	n := &normaliser{w: p.Spool}
	if digest {
		n.sum = sha256.New()
	}
	if err := n.readAll(ctx, r, body.Size); err != nil {
		p.Release()
		return nil, err
	}
	p.losses, p.messageID = n.losses(), messageID(n.head)
	p.headOnly = !n.headDone && len(n.head) < maxHead
	if beyondASCII(n.head) && n.headDone {
		p.rawHeader = n.head
	}
	if digest {
		p.digest = n.sum.Sum(nil)
	} else if len(p.losses) > 0 {
		if p.digest, err = digestOf(p.Spool); err != nil {
			p.Release()
			return nil, err
		}
	}
	if p.Size() == 0 {
		p.Release()
		return nil, fault.New(fault.FailItem, fault.TargetInvalid, "a message without a single byte cannot be appended")
	}
	return p, nil
}

// digestOf reads the spool once more: few messages are changed, and only theirs is needed.
func digestOf(kept *spool.Spool) ([]byte, error) {
	r, err := kept.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		return nil, fmt.Errorf("read the spooled message: %w", err)
	}
	return sum.Sum(nil), nil
}

// maxHead is how far into a message its Message-ID is looked for.
const maxHead = 64 << 10

// normaliser turns bare line feeds into CRLF and takes out NUL, which IMAP does not let pass (RFC 9051 §4.3); all else
// stays as it is.
type normaliser struct {
	w       io.Writer
	sum     hash.Hash
	last    byte
	endings int
	nuls    int
	scratch []byte

	head     []byte // the header, up to maxHead
	headDone bool
}

var copyBuffers = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

func (n *normaliser) readAll(ctx context.Context, r io.Reader, size int64) error {
	buffer := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buffer)
	got, err := io.CopyBuffer(struct{ io.Writer }{n}, struct{ io.Reader }{r}, *buffer)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("read the message: %w", err)
	case size >= 0 && got != size:
		return fault.New(fault.Retry, fault.SourceBrokenBody, "the message has %d bytes, announced were %d", got, size)
	}
	return nil
}

// Write takes the next bytes of the message as it was found.
func (n *normaliser) Write(p []byte) (int, error) {
	out := p
	if bytes.IndexByte(p, 0) >= 0 || !n.clean(p) {
		out = n.rewrite(p)
	}
	if len(out) > 0 {
		n.last = out[len(out)-1]
	}
	n.keepHead(out)
	if n.sum != nil {
		n.sum.Write(out)
	}
	if _, err := n.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// clean reports whether each line feed in p follows a carriage return.
func (n *normaliser) clean(p []byte) bool {
	for i := 0; ; i++ {
		next := bytes.IndexByte(p[i:], '\n')
		if next < 0 {
			return true
		}
		i += next
		before := n.last
		if i > 0 {
			before = p[i-1]
		}
		if before != '\r' {
			return false
		}
	}
}

func (n *normaliser) rewrite(p []byte) []byte {
	n.scratch = n.scratch[:0]
	last := n.last
	for _, b := range p {
		if b == 0 {
			n.nuls++
			continue
		}
		if b == '\n' && last != '\r' {
			n.endings++
			n.scratch = append(n.scratch, '\r')
		}
		n.scratch = append(n.scratch, b)
		last = b
	}
	return n.scratch
}

// keepHead keeps the header. An end of it that two writes share is missed; then a little more is kept.
func (n *normaliser) keepHead(p []byte) {
	room := maxHead - len(n.head)
	if n.headDone || room <= 0 {
		return
	}
	if end := bytes.Index(p, []byte("\r\n\r\n")); end >= 0 {
		p, n.headDone = p[:end+4], true
	}
	n.head = append(n.head, p[:min(room, len(p))]...)
}

func (n *normaliser) losses() []sinks.Loss {
	var out []sinks.Loss
	if n.endings > 0 {
		out = append(out, sinks.Loss{Reason: "mail.line_endings", Detail: fmt.Sprintf("%d bare line feeds became CRLF", n.endings)})
	}
	if n.nuls > 0 {
		out = append(out, sinks.Loss{Reason: "mail.nul_removed", Detail: fmt.Sprintf("%d NUL bytes were removed", n.nuls)})
	}
	return out
}

func beyondASCII(b []byte) bool {
	return bytes.IndexFunc(b, func(r rune) bool { return r >= 0x80 }) >= 0
}

// messageID returns the Message-ID of a header without its angle brackets, if it is one that a server can be asked for.
func messageID(head []byte) string { return searchable(field(head, "Message-ID")) }

// field returns the value of the first field of that name in a header, folded as it is.
func field(head []byte, wanted string) string {
	for len(head) > 0 {
		line, rest, _ := bytes.Cut(head, []byte("\r\n"))
		if len(line) == 0 {
			return ""
		}
		for len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') { // RFC 5322 §2.2.3
			var more []byte
			more, rest, _ = bytes.Cut(rest, []byte("\r\n"))
			line = append(line[:len(line):len(line)], more...)
		}
		head = rest
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && strings.EqualFold(strings.TrimSpace(string(name)), wanted) {
			return string(value)
		}
	}
	return ""
}

// maxMessageID is the longest Message-ID that is searched for.
const maxMessageID = 250

// searchable returns a Message-ID in the form that SEARCH HEADER takes from every server, or nothing.
func searchable(id string) string {
	id = strings.TrimSpace(id)
	id = strings.TrimSuffix(strings.TrimPrefix(id, "<"), ">")
	for i := range len(id) {
		if id[i] <= ' ' || id[i] >= 0x7f || strings.IndexByte(`"\<>`, id[i]) >= 0 {
			return ""
		}
	}
	if len(id) > maxMessageID {
		return ""
	}
	return id
}
