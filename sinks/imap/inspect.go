package imap

import (
	"context"
	"fmt"
	"iter"
	"mime"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"codeberg.org/repatriate/repatriate/sinks"
)

// List yields the messages of all mailboxes of the user's own, several of which are read at once. A message that arrives meanwhile is
// not among them.
func (s *Sink) List(ctx context.Context, _ string) iter.Seq2[sinks.Object, error] {
	return func(yield func(sinks.Object, error) bool) {
		names, err := s.readable(ctx)
		if err != nil {
			yield(sinks.Object{}, err)
			return
		}
		pages, stop := s.walkAll(ctx, names)
		defer stop()
		for p := range pages {
			for _, o := range p.objects {
				if !yield(o, nil) {
					return
				}
			}
			if p.err != nil {
				yield(sinks.Object{}, p.err)
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(sinks.Object{}, err)
		}
	}
}

// page is a part of a mailbox, or the error that ended its reading.
type page struct {
	objects []sinks.Object
	err     error
}

// walkAll reads the mailboxes. No session is held while a page waits to be taken, so that who takes it may read messages meanwhile. stop
// ends the reading and waits until it has.
func (s *Sink) walkAll(ctx context.Context, names []string) (pages chan page, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	queue := make(chan string, len(names))
	for _, name := range names {
		queue <- name
	}
	close(queue)
	pages = make(chan page)
	var wg sync.WaitGroup
	for range cap(s.sessions.free) {
		wg.Go(func() {
			for name := range queue {
				if !s.walk(ctx, name, pages) {
					return
				}
			}
		})
	}
	go func() {
		wg.Wait()
		close(pages)
	}()
	return pages, func() {
		cancel()
		for p := range pages {
			_ = p
		}
	}
}

// readable returns the mailboxes of the user's own. One that shows all messages of the account (RFC 6154 §2) shows what lies in the others.
func (s *Sink) readable(ctx context.Context) (names []string, err error) {
	err = s.sessions.do(ctx, "", func(x *session) error {
		list, err := x.listAll()
		for _, d := range list {
			if selectable(d) && !slices.Contains(d.Attrs, imap.MailboxAttrAll) && s.boxes.own(d.Mailbox) {
				names = append(names, canonical(d.Mailbox))
			}
		}
		return err
	})
	slices.Sort(names)
	return slices.Compact(names), err
}

// own reports whether a mailbox is the user's, and neither another user's nor shared (RFC 2342).
func (b *mailboxes) own(name string) bool {
	return canonical(name) == inbox || !slices.ContainsFunc(b.others, func(prefix string) bool {
		return prefix != "" && strings.HasPrefix(name, prefix)
	})
}

// object returns what is told of a message.
func object(at place, m *imapclient.FetchMessageBuffer) sinks.Object {
	o := sinks.Object{Location: at.String(), Size: m.RFC822Size, State: state{Flags: flagsShown(m.Flags)}.String()}
	t := traits{size: m.RFC822Size, date: m.InternalDate}
	for _, section := range m.BodySection {
		if t.messageID == "" {
			t.messageID = messageID(section.Bytes)
		}
		if o.Title == "" {
			o.Title = title(field(section.Bytes, "Subject"))
		}
	}
	o.Twin = t.twin()
	return o
}

// flagsShown leaves out what says nothing of the message: \Recent is the server's, and \Deleted a wish.
func flagsShown(flags []imap.Flag) []string {
	out := make([]string, len(flags))
	for i, f := range flags {
		out[i] = string(f)
	}
	return without(out, []string{`\Recent`, `\Deleted`})
}

// twin is the same for copies of a message.
func (t traits) twin() string {
	switch {
	case t.messageID != "":
		return fmt.Sprintf("%d <%s>", t.size, t.messageID)
	case !t.date.IsZero():
		return fmt.Sprintf("%d %d", t.size, t.date.Unix())
	}
	return ""
}

// maxTitle is how many bytes of a subject are shown.
const maxTitle = 200

// title returns a subject as it can be shown.
func title(subject string) string {
	words := new(mime.WordDecoder)
	if decoded, err := words.DecodeHeader(subject); err == nil {
		subject = decoded
	}
	clean := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(subject, "?"))
	clean = strings.Join(strings.Fields(clean), " ")
	if len(clean) > maxTitle {
		clean = strings.ToValidUTF8(clean[:maxTitle], "")
	}
	return clean
}

// Expect is sinks.Inspector's.
func (s *Sink) Expect(p sinks.Proof) sinks.Expectation {
	st, err := parseState(p.Receipt.State)
	if err != nil {
		return sinks.Expectation{}
	}
	return sinks.Expectation{Twin: st.traits().twin(), Also: st.Copies, Foreign: st.Found, Made: st.Made}
}

// Compare is sinks.Inspector's. What a user can do to a message is to change its flags, so that other bytes are damage.
func (s *Sink) Compare(o sinks.Object, p sinks.Proof) sinks.Verdict {
	st, _ := parseState(p.Receipt.State) // one that cannot be read knows nothing
	now, _ := parseState(o.State)
	known := o.Digest != "" && p.Digest != ""
	switch {
	case !known && st.Size > 0 && o.Size >= 0 && o.Size != st.Size, known && o.Digest != p.Digest:
		return sinks.Differs
	case !sameFlags(now.Flags, without(st.Flags, []string{`\Recent`, `\Deleted`})):
		return sinks.Touched
	case known:
		return sinks.Same
	}
	return sinks.Alike
}
