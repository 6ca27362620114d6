package webdav

import (
	"context"
	"errors"

	"codeberg.org/repatriate/repatriate/sinks"
)

var _ sinks.Tracer[sinks.File] = (*Sink)(nil)

// trace is what is remembered of a file that is to be written for the first time, to know it again if the answer to that gets lost.
type trace struct {
	Body string `json:"body,omitempty"` // the Body's Version
	// MD5 and SHA256 are the body's digests, if they were known before it was read.
	MD5    string `json:"md5,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
	// Modified is the item's own time, in Unix seconds.
	Modified int64 `json:"mtime,omitempty"`
	// Since is the server's own time, in Unix seconds, at which nothing had been written yet; 0 if it is not known.
	Since int64 `json:"since,omitempty"`
}

// Trace implements sinks.Tracer.
func (s *Sink) Trace(f sinks.File, noted string) string {
	t := &trace{Body: f.Body.Version}
	now := state{Folder: true, Trace: t}
	if !f.Folder {
		t.MD5, t.SHA256 = f.Body.MD5, f.Body.SHA256
		if !f.Modified.IsZero() {
			t.Modified = f.Modified.Unix()
		}
		now = state{Size: f.Body.Size, Trace: t}
	}
	if was := receiptState(sinks.Receipt{State: noted}).Trace; was != nil {
		if t.Since = was.Since; now.String() == noted {
			return noted
		}
	}
	t.Since = s.dav.clock.Load()
	return now.String()
}

// writtenSince reports whether the server says that the resource came there after the trace was made. A time that is the item's own says
// nothing: its user may have brought it along as well.
func (t *trace) writtenSince(r resource) bool {
	own := t.Modified != 0 && r.modified.Unix() == t.Modified
	return t.Since != 0 && (r.created.Unix() >= t.Since || r.uploaded.Unix() >= t.Since || r.modified.Unix() >= t.Since && !own)
}

// Recover implements sinks.Recoverer. A file is the item's by its bytes, or by its size and the item's own time to the second, which the
// server keeps; one that was written before and moved, by size and time. A folder in which something lies may be its user's. Of the
// others, only the server's own times tell whether they lay there before.
func (s *Sink) Recover(ctx context.Context, _ string, p sinks.Proof) ([]sinks.Receipt, error) {
	path := sinks.LocationPath(p.Receipt.Location)
	if len(path) == 0 {
		return nil, nil
	}
	if err := checkPath(path); err != nil {
		return nil, err
	}
	found, err := s.look(ctx, path)
	if errors.Is(err, errNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	st := receiptState(p.Receipt)
	at := p.Receipt
	switch {
	case st.Folder != found.collection:
		return nil, nil
	case st.Folder && st.Trace != nil:
		at.State = state{Folder: true, Doubt: !st.Trace.writtenSince(found)}.String()
		at.BodyVersion = st.Trace.Body
		return s.recoverFolder(ctx, path, at)
	case st.Folder:
		return []sinks.Receipt{at}, nil
	case st.Trace == nil:
		at.Version = found.etag
		if sameFile(found, p.Receipt) {
			return []sinks.Receipt{at}, nil
		}
		return nil, nil
	}
	return s.recoverFile(ctx, path, st, found)
}

// recoverFolder returns the folder if nothing lies in it: what an interrupted run made is empty, as what belongs there is put after it.
func (s *Sink) recoverFolder(ctx context.Context, path []string, at sinks.Receipt) ([]sinks.Receipt, error) {
	err := s.dav.list(ctx, s.dav.collection(path), func(resource) error { return errLeft })
	switch {
	case errors.Is(err, errLeft), errors.Is(err, errNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []sinks.Receipt{at}, nil
}

func (s *Sink) recoverFile(ctx context.Context, path []string, st state, found resource) ([]sinks.Receipt, error) {
	if st.Size >= 0 && found.size >= 0 && st.Size != found.size {
		return nil, nil
	}
	same, known, err := s.traced(ctx, path, st, found)
	switch {
	case err != nil:
		return nil, err
	case !known:
		return nil, conflict("what lies at the place may be what an interrupted write left, or its user's")
	case !same:
		return nil, nil
	}
	at := foundReceipt(sinks.File{Path: path, Body: sinks.Body{Version: st.Trace.Body}}, found, false)
	if !st.Trace.writtenSince(found) {
		doubted := receiptState(at)
		doubted.Doubt = true
		at.State = doubted.String()
	}
	return []sinks.Receipt{at}, nil
}

// traced reports whether the file is the one of which there is a trace; known is false where nothing tells.
func (s *Sink) traced(ctx context.Context, path []string, st state, found resource) (same, known bool, err error) {
	p := &payload{size: found.size, md5: st.Trace.MD5, sha256: st.Trace.SHA256}
	if same, known = p.compareChecksums(found.checksums); known {
		return same, true, nil
	}
	if st.Trace.Modified != 0 && !found.modified.IsZero() && found.modified.Unix() == st.Trace.Modified {
		return true, true, nil
	}
	if h, _ := p.digest(); h == nil || found.size < 0 {
		return false, false, nil
	}
	same, err = s.holdsBytes(ctx, path, p)
	return same, true, err
}
