package dav

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// List yields the objects of the collection as sinks.Inspector has them, each with its Digest; one that cannot be read has none. Memory
// holds the addresses and versions of all, and one object whole.
func (s *Store) List(ctx context.Context, place string) iter.Seq2[sinks.Object, error] {
	return func(yield func(sinks.Object, error) bool) {
		if place != "" {
			return
		}
		l, err := s.Client.listing(ctx, s.Path)
		if a := AnswerOf(err); a != nil && a.Gone() {
			return
		}
		outside := func(e entry) bool { return !strings.HasPrefix(e.path, s.Path) }
		for rest := slices.DeleteFunc(l.entries, outside); err == nil && len(rest) > 0; {
			n := min(batch, len(rest))
			var found []sinks.Object
			if found, err = s.read(ctx, rest[:n]); err != nil {
				break
			}
			for _, o := range found {
				if !yield(o, nil) {
					return
				}
			}
			rest = rest[n:]
		}
		if err != nil {
			yield(sinks.Object{}, err)
		}
	}
}

// read reads what lies at some addresses. Objects that spoil the answer for all are read by themselves.
func (s *Store) read(ctx context.Context, entries []entry) ([]sinks.Object, error) {
	hrefs := make([]string, len(entries))
	for i, e := range entries {
		hrefs[i] = e.path
	}
	found, gone := map[string]sinks.Object{}, map[string]bool{}
	err := s.multiget(ctx, hrefs, func(path string, r Response) {
		if p := r.Found(); s.Format.Data(p) != "" {
			found[path] = s.object(path, etagOf(p), []byte(s.Format.Data(p)))
		} else if strings.Contains(r.Status, " 404") {
			gone[path] = true
		}
	})
	if err != nil && fault.Of(err).Reason != fault.TargetBadAnswer {
		return nil, err
	}
	var all []sinks.Object
	for _, e := range entries {
		o, ok := found[e.path]
		if !ok && !gone[e.path] {
			o, ok, err = s.alone(ctx, e)
			if err != nil {
				return nil, err
			}
		}
		if ok {
			all = append(all, o)
		}
	}
	return all, nil
}

// alone reads one object that an answer for several did not hold. One that cannot be read is told without its content.
func (s *Store) alone(ctx context.Context, e entry) (sinks.Object, bool, error) {
	bare := sinks.Object{Location: e.path, Version: e.etag, Size: -1}
	o, err := s.Read(ctx, bare)
	switch f := fault.Of(err); {
	case err == nil && strings.HasPrefix(o.Digest, digestRaw):
		return bare, true, nil
	case err == nil:
		return o, true, nil
	case errors.Is(err, sinks.ErrNothing):
		return bare, false, nil
	case ctx.Err() == nil && f.Action == fault.FailItem:
		return bare, true, nil
	}
	return bare, false, err
}

// Read implements sinks.Inspector.
func (s *Store) Read(ctx context.Context, o sinks.Object) (sinks.Object, error) {
	answer, err := s.Client.Do(ctx, http.MethodGet, o.Location, nil, nil)
	switch {
	case err != nil:
		return o, err
	case answer.Gone():
		return o, sinks.ErrNothing
	case !answer.OK():
		return o, s.Client.Fault(answer)
	}
	read := s.object(o.Location, answer.etag(), answer.Body)
	if read.Digest == "" {
		read.Digest = digestRaw + ":" + DigestOf(answer.Body)
	}
	return read, nil
}

// object describes what lies at an address.
func (s *Store) object(path, etag string, data []byte) sinks.Object {
	out := sinks.Object{Location: path, Version: etag, Size: int64(len(data))}
	o, err := s.Format.Read(data)
	if err != nil {
		return out
	}
	out.Digest, out.Twin, out.Title, out.State = o.digest(), o.Written, shortTitle(o.Title), o.Core
	if s.Format.Times != nil {
		out.Digest = WithTimes(out.Digest, s.Format.Times(data))
	}
	return out
}

// maxTitle is how many octets of a title are kept.
const maxTitle = 300

func shortTitle(s string) string {
	if len(s) <= maxTitle {
		return s
	}
	s = s[:maxTitle]
	for s != "" && !utf8.ValidString(s[max(0, len(s)-utf8.UTFMax):]) {
		s = s[:len(s)-1]
	}
	return s
}
