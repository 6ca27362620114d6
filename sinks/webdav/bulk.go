package webdav

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// Bounds of one bulk request, and how many are under way at once: what comes meanwhile makes the next one.
const (
	bulkFiles    = 50
	bulkBytes    = 10 << 20
	bulkRequests = 2
)

// bulk gathers small new files into few requests, as a database gathers commits: the first file goes out alone, and what
// is put while the requests are under way goes with the next. Nobody waits for files that may never come.
type bulk struct {
	sink   *Sink
	places places

	mu      sync.Mutex
	waiting []*bulkPart
	flying  int
}

func newBulk(s *Sink) *bulk { return &bulk{sink: s, places: places{known: make(map[string]*place)}} }

// bulkPart is one file of a request.
type bulkPart struct {
	ctx     context.Context
	file    sinks.File
	p       *payload
	path    string // from the user's root
	data    []byte
	started time.Time
	result  chan bulkResult // has room for the one result
}

type bulkResult struct {
	receipt sinks.Receipt
	// alone says that the file has to be sent by itself: the request as a whole or this part of it failed.
	alone bool
	err   error
}

// takes reports whether the file may go in bulk. The request knows no conditions, so that only what is new may, and
// names that its header lines cannot carry must not.
func (b *bulk) takes(item sinks.Item[sinks.File], p *payload) bool {
	if item.Again || p.size > b.sink.opts.BulkSize {
		return false
	}
	for _, segment := range item.Content.Path {
		if strings.ContainsFunc(segment, unicode.IsControl) {
			return false
		}
	}
	last := item.Content.Path[len(item.Content.Path)-1]
	return strings.TrimSpace(last) == last
}

// put sends the file with others. done is false if it has to go alone.
func (b *bulk) put(ctx context.Context, item sinks.Item[sinks.File], p *payload) (w sinks.Written, done bool, err error) {
	free, err := b.claim(ctx, item.Content.Path)
	if err != nil || !free {
		return sinks.Written{}, err != nil, err
	}
	part := &bulkPart{
		ctx: ctx, file: item.Content, p: p, started: time.Now(), result: make(chan bulkResult, 1),
		path: b.sink.cloud.prefix + "/" + sinks.PathLocation(item.Content.Path),
	}
	err = p.withReader(ctx, func(_ context.Context, r *exact) (err error) {
		part.data, err = io.ReadAll(r)
		return err
	})
	if err != nil {
		return sinks.Written{}, true, err
	}
	b.enqueue(part)
	select {
	case r := <-part.result:
		return sinks.Written{Receipt: r.receipt}, !r.alone, r.err
	case <-ctx.Done():
		return sinks.Written{}, true, ctx.Err()
	}
}

func (b *bulk) enqueue(part *bulkPart) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = append(b.waiting, part)
	if b.flying < bulkRequests {
		b.flying++
		go b.fly(b.next())
	}
}

// next takes parts off the queue for one request. The caller holds the lock.
func (b *bulk) next() []*bulkPart {
	b.waiting = slices.DeleteFunc(b.waiting, func(p *bulkPart) bool { return p.ctx.Err() != nil })
	n, size := 0, int64(0)
	for n < len(b.waiting) && n < bulkFiles && (n == 0 || size+b.waiting[n].p.size <= bulkBytes) {
		size += b.waiting[n].p.size
		n++
	}
	batch := b.waiting[:n:n]
	b.waiting = append([]*bulkPart(nil), b.waiting[n:]...)
	return batch
}

// fly sends requests until nobody waits any more.
func (b *bulk) fly(batch []*bulkPart) {
	for len(batch) > 0 {
		b.send(batch)
		b.mu.Lock()
		if batch = b.next(); len(batch) == 0 {
			b.flying--
		}
		b.mu.Unlock()
	}
}

// send makes one request. It is given up when all who wait for it have gone.
func (b *bulk) send(batch []*bulkPart) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(batch[0].ctx))
	defer cancel()
	stop := cancelWithAll(batch, cancel)
	defer stop()
	results, err := b.exchange(ctx, batch)
	for _, part := range batch {
		switch r, ok := results[part.path]; {
		case err != nil && !standsForEach(err):
			part.result <- bulkResult{alone: true}
		case err != nil:
			part.result <- bulkResult{err: err}
		case !ok || r.Error:
			part.result <- bulkResult{alone: true}
		default:
			part.result <- bulkResult{receipt: part.receipt(r)}
		}
	}
}

// standsForEach reports whether an error of the whole request would meet each file alone as well.
func standsForEach(err error) bool {
	var status *statusError
	if !errors.As(err, &status) {
		return fault.Of(err).Reason == fault.TargetUnavailable
	}
	switch status.status {
	case http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return true
	default:
		return false
	}
}

// cancelWithAll calls cancel when the contexts of all parts have ended. stop ends the watch.
func cancelWithAll(batch []*bulkPart, cancel func()) (stop func()) {
	var mu sync.Mutex
	left := len(batch)
	stops := make([]func() bool, len(batch))
	for i, part := range batch {
		stops[i] = context.AfterFunc(part.ctx, func() {
			mu.Lock()
			defer mu.Unlock()
			if left--; left == 0 {
				cancel()
			}
		})
	}
	return func() {
		for _, s := range stops {
			s()
		}
	}
}

// bulkAnswer is what the server says of one file.
type bulkAnswer struct {
	Error bool   `json:"error"`
	ETag  string `json:"etag"`
}

func (part *bulkPart) receipt(r bulkAnswer) sinks.Receipt {
	st := state{Size: part.p.size}
	if !part.file.Modified.IsZero() && part.file.Modified.Unix() > 0 {
		st.Modified = part.file.Modified.Unix()
	}
	return sinks.Receipt{
		Location: sinks.PathLocation(part.file.Path), Version: cleanETag(r.ETag),
		BodyVersion: part.file.Body.Version, State: st.String(),
	}
}

// exchange sends the files as one multipart/related body and returns what the server says of each path.
func (b *bulk) exchange(ctx context.Context, batch []*bulkPart) (map[string]bulkAnswer, error) {
	const what = "uploading in bulk"
	boundary := "repatriate" + hex.EncodeToString(md5Of(batch[0].data)) + fmt.Sprintf("%d", time.Now().UnixNano())
	body, size := multipart(batch, boundary)
	a, err := b.sink.dav.do(ctx, request{
		method: http.MethodPost, url: b.sink.cloud.dav.JoinPath("bulk"), what: what, body: body, size: size, limit: 1 << 20,
		header: http.Header{"Content-Type": {"multipart/related; boundary=" + boundary}},
	})
	switch {
	case err != nil:
		return nil, err
	case a.status != http.StatusOK:
		return nil, b.sink.dav.fault(what, a)
	}
	var results map[string]bulkAnswer
	if err := json.Unmarshal(a.body, &results); err != nil {
		return nil, badAnswer("bulk upload: %v", err)
	}
	return results, nil
}

// multipart returns the body of the request; the files' bytes are not copied once more.
func multipart(batch []*bulkPart, boundary string) (io.Reader, int64) {
	var readers []io.Reader
	var size int64
	add := func(data []byte) {
		readers = append(readers, bytes.NewReader(data))
		size += int64(len(data))
	}
	for _, part := range batch {
		add(part.head(boundary))
		add(part.data)
		add([]byte("\r\n"))
	}
	add([]byte("--" + boundary + "--\r\n"))
	return io.MultiReader(readers...), size
}

// head returns the boundary and the header lines of one file. Servers before 32 want the MD5 under its old name.
func (part *bulkPart) head(boundary string) []byte {
	var h bytes.Buffer
	sum := hex.EncodeToString(md5Of(part.data))
	fmt.Fprintf(&h, "--%s\r\nContent-Length: %d\r\nX-File-Path: %s\r\nX-File-MD5: %s\r\nOC-Checksum: MD5:%s\r\n",
		boundary, len(part.data), part.path, sum, sum)
	if t := part.file.Modified.Unix(); !part.file.Modified.IsZero() && t > 0 {
		fmt.Fprintf(&h, "X-OC-Mtime: %d\r\nX-File-Mtime: %d\r\n", t, t)
	}
	h.WriteString("\r\n")
	return h.Bytes()
}

func md5Of(data []byte) []byte {
	sum := md5.Sum(data)
	return sum[:]
}
