package imap

import (
	"bytes"
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"codeberg.org/repatriate/repatriate/sinks"
)

// maxCandidates bounds how many messages of the same date and size are looked at.
const maxCandidates = 500

// candidate is a message on the server that may be the one looked for.
type candidate struct {
	place
	flags []string
}

// Find looks in the wanted mailbox for messages of the same Message-ID, size and date; where several are alike, or there
// is no Message-ID to search for, for those with the same bytes.
func (s *Sink) Find(ctx context.Context, item sinks.Item[sinks.Message]) ([]sinks.Receipt, error) {
	box, _ := s.boxes.resolve(item.Content.Mailbox)
	if !s.boxes.exists(box) {
		return nil, nil
	}
	p, err := s.prepare(ctx, item.Content.Body, true)
	if err != nil {
		return nil, err
	}
	defer p.hold()()
	date, dateLosses := internalDate(item.Content.InternalDate)
	what := traits{messageID: p.messageID, size: p.Size(), date: date, digest: p.digest}
	found, err := s.lookup(ctx, box, what)
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	flags, _ := legalFlags(item.Content.Flags)
	receipts := make([]sinks.Receipt, len(found))
	for i, c := range found {
		st := what.state()
		// What the user set or took away meanwhile is not known, so that nothing but what is there counts as written.
		st.Flags, st.Losses, st.Found = intersect(flags, c.flags), append(p.losses, dateLosses...), !s.boxes.since(c.place)
		s.noteKept(ctx, c.place, p, &st)
		receipts[i] = sinks.Receipt{Location: c.place.String(), BodyVersion: item.Content.Body.Version, State: st.String()}
	}
	return receipts, nil
}

// lookup returns the messages of a mailbox with the traits, in order of their UIDs.
func (s *Sink) lookup(ctx context.Context, box string, what traits) (found []candidate, err error) {
	err = s.sessions.look(ctx, box, func(x *session) error {
		if found, err = x.search(what); err != nil || what.digest == nil || len(found) == 1 && what.messageID != "" {
			return err
		}
		var same []candidate
		for _, c := range found {
			sum := sha256.New()
			if _, err := x.read(c.uid, nil, what.size, sum); err != nil {
				return err
			}
			if bytes.Equal(sum.Sum(nil), what.digest) {
				same = append(same, c)
			}
		}
		if len(same) > 0 || what.messageID == "" { // servers that change bytes are not asked for the impossible
			found = same
		}
		return nil
	})
	return found, err
}

// newest returns the latest message with the traits: the one that was just written to a server that does not tell UIDs.
func (s *Sink) newest(ctx context.Context, box string, what traits) (place, error) {
	found, err := s.lookup(ctx, box, what)
	if err != nil {
		return place{}, err
	}
	if len(found) == 0 {
		return place{}, conflict("the message vanished from the mailbox as soon as it was written")
	}
	return found[len(found)-1].place, nil
}

// search asks the server, and checks what it returns: it need only compare dates by the day.
func (x *session) search(what traits) ([]candidate, error) {
	x.count(1)
	data, err := x.UIDSearch(what.criteria(), nil).Wait()
	if err != nil {
		return nil, err
	}
	uids := data.AllUIDs()
	slices.Sort(uids)
	uids = uids[max(0, len(uids)-maxCandidates):]
	if len(uids) == 0 {
		return nil, nil
	}
	x.count(1)
	list, err := x.Fetch(imap.UIDSetNum(uids...), &imap.FetchOptions{UID: true, Flags: true, InternalDate: true, RFC822Size: true}).Collect()
	if err != nil {
		return nil, err
	}
	var out []candidate
	for _, m := range list {
		if what.matches(m) && slices.Contains(uids, m.UID) {
			c := candidate{place: place{x.mailbox, x.selected.UIDValidity, uint32(m.UID)}}
			for _, f := range m.Flags {
				c.flags = append(c.flags, string(f))
			}
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b candidate) int { return int(int64(a.uid) - int64(b.uid)) })
	return out, nil
}

// criteria leaves a day on both sides: servers compare dates without regard to time zones.
func (t traits) criteria() *imap.SearchCriteria {
	c := &imap.SearchCriteria{Larger: t.size - 1, Smaller: t.size + 1}
	if !t.date.IsZero() {
		day := t.date.UTC().Truncate(24 * time.Hour)
		c.Since, c.Before = day.AddDate(0, 0, -1), day.AddDate(0, 0, 2)
	}
	if t.messageID != "" {
		c.Header = []imap.SearchCriteriaHeaderField{{Key: "Message-ID", Value: t.messageID}}
	}
	return c
}

func (t traits) matches(m *imapclient.FetchMessageBuffer) bool {
	return m.RFC822Size == t.size && (t.date.IsZero() || m.InternalDate.Unix() == t.date.Unix())
}
