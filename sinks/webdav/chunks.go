package webdav

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/pause"
	"codeberg.org/repatriate/repatriate/sinks"
)

// Nextcloud's chunked upload, version 2: a folder for the upload, the chunks in it by number, and a MOVE that puts them
// together (docs.nextcloud.com, developer manual, "Chunked file upload"). The server removes what was idle for a day.
const (
	maxChunks = 10_000  // the server's numbers end there
	minChunk  = 5 << 20 // the server's least, but for the last one
)

// chunks reports whether the payload goes out in chunks.
func (s *Sink) chunks(p *payload) bool {
	return s.cloud != nil && s.cloud.chunking && s.opts.ChunkThreshold >= 0 && p.size > s.opts.ChunkThreshold
}

// upload is one file on its way in chunks.
type upload struct {
	sink  *Sink
	file  sinks.File
	p     *payload
	dir   *url.URL
	chunk int64
	there map[string]int64 // sizes of the chunks that an earlier attempt left
}

func (s *Sink) putChunks(ctx context.Context, item sinks.Item[sinks.File], p *payload, only condition) (sinks.Receipt, error) {
	u := &upload{sink: s, file: item.Content, p: p, chunk: s.chunkSize(p.size)}
	u.dir = s.cloud.uploads.JoinPath(u.name(item) + "/")
	if err := u.begin(ctx); err != nil {
		return sinks.Receipt{}, err
	}
	start := time.Now()
	if err := p.withReader(ctx, u.sendAll); err != nil {
		return sinks.Receipt{}, err
	}
	return u.assemble(ctx, only, start)
}

func (s *Sink) chunkSize(size int64) int64 {
	chunk := s.opts.ChunkSize
	if s.cloud.maxChunk >= minChunk {
		chunk = min(chunk, s.cloud.maxChunk)
	}
	return max(chunk, (size+maxChunks-1)/maxChunks)
}

// name returns the upload's folder: the same for the same bytes, so that a later attempt finds what is there already.
// Bytes that might be others at the next reading get a name of their own.
func (u *upload) name(item sinks.Item[sinks.File]) string {
	version := item.Content.Body.Version
	if version == "" {
		version = u.p.checksum()
	}
	if version == "" || u.p.spooled {
		version += " " + rand.Text()
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %d %d", item.ID, version, item.Content.Path, u.p.size, u.chunk))
	return "repatriate-" + hex.EncodeToString(sum[:16])
}

// headers are on every request of the upload: without a destination the server takes it for version 1, and with the
// whole length it can say at once that the account is too small.
func (u *upload) headers() http.Header {
	return http.Header{
		"Destination":     {u.sink.dav.resource(u.file.Path).String()},
		"OC-Total-Length": {strconv.FormatInt(u.p.size, 10)},
	}
}

func (u *upload) begin(ctx context.Context) error {
	const what = "beginning a chunked upload"
	a, err := u.sink.dav.do(ctx, request{method: "MKCOL", url: u.dir, header: u.headers(), what: what})
	switch {
	case err != nil:
		return err
	case a.status == http.StatusMethodNotAllowed:
		return u.resume(ctx)
	case !a.ok():
		return u.sink.dav.fault(what, a)
	}
	return nil
}

func (u *upload) resume(ctx context.Context) error {
	u.there = make(map[string]int64)
	err := u.sink.dav.list(ctx, u.dir, func(r resource) error {
		if len(u.there) < maxChunks {
			u.there[r.name()] = r.size
		}
		return nil
	})
	if errors.Is(err, errNotFound) {
		return unavailable("the chunked upload vanished while it was resumed")
	}
	return err
}

// sendAll sends the chunks that are not there yet. The others are read all the same: the end of the body is what proves
// its digest.
func (u *upload) sendAll(ctx context.Context, r *exact) error {
	for n, offset := int64(1), int64(0); offset < u.p.size; n++ {
		size := min(u.chunk, u.p.size-offset)
		name := fmt.Sprintf("%05d", n)
		if have, ok := u.there[name]; ok && have == size {
			if _, err := io.CopyN(io.Discard, r, size); err != nil {
				return err
			}
		} else if err := u.send(ctx, name, io.LimitReader(r, size), size); err != nil {
			return err
		}
		offset += size
	}
	return nil
}

func (u *upload) send(ctx context.Context, name string, chunk io.Reader, size int64) error {
	const what = "sending a chunk"
	a, err := u.sink.dav.do(ctx, request{
		method: http.MethodPut, url: u.dir.JoinPath(name), header: u.headers(), body: chunk, size: size, what: what,
	})
	switch {
	case err != nil:
		return err
	case !a.ok():
		return u.failed(what, a)
	}
	return nil
}

// failed keeps apart what a missing or changed upload folder would look like: it is no conflict of the file.
func (u *upload) failed(what string, a *answer) error {
	err := u.sink.dav.fault(what, a)
	if f := fault.Of(err); f.Reason == fault.TargetConflict {
		return &fault.Error{Action: fault.Retry, Reason: fault.TargetUnavailable, Err: f.Err}
	}
	return err
}

// assemble has the server put the file together. The server may need longer for that than it keeps the connection open.
func (u *upload) assemble(ctx context.Context, only condition, start time.Time) (sinks.Receipt, error) {
	const what = "putting the chunks together"
	if err := u.stillExpected(ctx, only); err != nil {
		return sinks.Receipt{}, err
	}
	header := u.headers()
	addFileHeaders(header, u.file, u.p)
	header.Del("Content-Type")
	if only.isNew {
		header.Set("Overwrite", "F")
	}
	a, err := u.sink.dav.do(ctx, request{method: "MOVE", url: u.dir.JoinPath(".file"), header: header, what: what})
	switch {
	case err != nil && ctx.Err() != nil:
		return sinks.Receipt{}, err
	case err != nil:
		return u.await(ctx, only, err)
	case a.status == http.StatusPreconditionFailed:
		u.abort(ctx)
		return sinks.Receipt{}, u.sink.dav.fault(what, a)
	case a.status == http.StatusLocked, a.status == http.StatusNotFound, a.status/100 == 5 && a.status != http.StatusInsufficientStorage:
		return u.await(ctx, only, u.failed(what, a))
	case !a.ok():
		return sinks.Receipt{}, u.sink.dav.fault(what, a)
	}
	return u.arrived(ctx, a, start)
}

// stillExpected looks whether the file to be replaced is still the one that was compared: the upload took its time, and
// a MOVE cannot carry the condition.
func (u *upload) stillExpected(ctx context.Context, only condition) error {
	if only.isNew {
		return nil
	}
	found, err := u.sink.dav.stat(ctx, u.sink.dav.resource(u.file.Path))
	switch {
	case errors.Is(err, errNotFound), err == nil && only.etag != "" && !sameETag(found.etag, only.etag):
		u.abort(ctx)
		return conflict("the file was changed on the target while its replacement was being sent")
	default:
		return err
	}
}

// arrived looks at the file once: its size is the proof that all chunks are in it.
func (u *upload) arrived(ctx context.Context, a *answer, start time.Time) (sinks.Receipt, error) {
	found, err := u.sink.dav.stat(ctx, u.sink.dav.resource(u.file.Path))
	switch {
	case errors.Is(err, errNotFound):
		return sinks.Receipt{}, unavailable("the file is not there after its chunks were put together")
	case err != nil:
		return sinks.Receipt{}, err
	case found.size != u.p.size:
		return sinks.Receipt{}, fault.New(fault.FailItem, fault.TargetHashMismatch,
			"the target holds %d bytes of the %d that were sent in chunks", found.size, u.p.size)
	}
	receipt := fileReceipt(u.file, u.p, a, start)
	if found.etag != "" {
		receipt.Version = found.etag
	}
	return receipt, nil
}

// await looks a few times whether the file arrives after all. cause is what the MOVE came back with.
func (u *upload) await(ctx context.Context, only condition, cause error) (sinks.Receipt, error) {
	const looks = 3
	for range looks {
		found, err := u.sink.dav.stat(ctx, u.sink.dav.resource(u.file.Path))
		switch {
		case err == nil && found.size == u.p.size && (only.isNew || !sameETag(found.etag, only.etag)):
			return foundReceipt(u.file, found, false), nil
		case err != nil && !errors.Is(err, errNotFound):
			return sinks.Receipt{}, err
		}
		if err := pause.For(ctx, u.sink.opts.AssemblyPause); err != nil {
			return sinks.Receipt{}, err
		}
	}
	return sinks.Receipt{}, fault.Of(cause).WithAfter(max(fault.Of(cause).After, u.sink.opts.AssemblyPause))
}

// abort gives the space back. The server would do it after a day.
func (u *upload) abort(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	_, _ = u.sink.dav.do(ctx, request{method: http.MethodDelete, url: u.dir, what: "giving up a chunked upload"})
}
