package webdav

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sinks"
)

const (
	// listedAtOnce is how many members of a folder are kept until the whole answer is there: who takes them one by one may need longer
	// than a server waits. Only what a larger folder has beyond is taken from the connection.
	listedAtOnce = 20_000
	// maxPlace is the longest path that is listed; servers keep no longer ones, and a folder that says that it lies within itself ends.
	maxPlace = 32 << 10
	// maxFile is the size at which the reading of a file without a stated one ends.
	maxFile = 1 << 43
	// growth is how much longer than stated a file may be.
	growth = 1 << 20
)

// List yields the members of one folder. A name that no item of this program could have, such as "..", is left out.
func (s *Sink) List(ctx context.Context, place string) iter.Seq2[sinks.Object, error] {
	return func(yield func(sinks.Object, error) bool) {
		err := s.listFolder(ctx, place, func(o sinks.Object) bool { return yield(o, nil) })
		if err != nil && !errors.Is(err, errNotFound) && !errors.Is(err, errLeft) {
			yield(sinks.Object{}, err)
		}
	}
}

// listFolder ends with errLeft when yield returns false.
func (s *Sink) listFolder(ctx context.Context, place string, yield func(sinks.Object) bool) error {
	path := sinks.LocationPath(place)
	if len(path) > 0 {
		if err := checkPath(path); err != nil {
			return err
		}
	}
	if len(place) > maxPlace {
		return badAnswer("a path of %d bytes", len(place))
	}
	var kept []sinks.Object
	give := func() error {
		for _, o := range kept {
			if !yield(o) {
				return errLeft
			}
		}
		kept = nil
		return nil
	}
	n := 0
	err := s.dav.list(ctx, s.dav.collection(path), func(r resource) error {
		if checkPath([]string{r.name()}) != nil {
			return nil
		}
		kept = append(kept, s.object(path, r))
		if n++; n < listedAtOnce {
			return nil
		}
		return give()
	})
	if err != nil {
		return err
	}
	return give()
}

func (s *Sink) object(folder []string, r resource) sinks.Object {
	name := r.name()
	o := sinks.Object{
		Location: sinks.PathLocation(append(folder[:len(folder):len(folder)], name)), Title: name,
		Folder: r.collection, Size: r.size, Version: r.etag,
	}
	if r.collection {
		o.Size, o.Version = -1, "" // what lies in it changes it
		return o
	}
	o.Twin = twin(r.size)
	if s.cloud == nil { // Nextcloud states the checksum that came with the upload, which it did not check
		o.Digest = statedDigest(r.checksums)
	}
	o.State = objectState(r.size, r.modified)
	return o
}

func objectState(size int64, modified time.Time) string {
	st := state{Size: size}
	if !modified.IsZero() {
		st.Modified = modified.Unix()
	}
	return st.String()
}

// twin: nothing but the size tells a copy without reading it. All empty files would be copies of one another.
func twin(size int64) string {
	if size <= 0 {
		return ""
	}
	return fmt.Sprintf("size:%d", size)
}

// statedDigest returns the SHA-256 among the checksums that a server states. It tells what was stored, and not whether the disk still
// holds it: only Read does.
func statedDigest(stated []string) string {
	for _, checksum := range strings.Fields(strings.Join(stated, " ")) {
		algorithm, sum, _ := strings.Cut(checksum, ":")
		if strings.EqualFold(algorithm, "SHA256") && isHex(sum, sha256.Size) {
			return "sha256:" + strings.ToLower(sum)
		}
	}
	return ""
}

// Read reads a file whole; of a folder there is nothing to read. See sinks.Inspector.
func (s *Sink) Read(ctx context.Context, o sinks.Object) (sinks.Object, error) {
	const what = "GET"
	path := sinks.LocationPath(o.Location)
	if err := checkPath(path); err != nil || o.Folder {
		return o, err
	}
	resp, err := s.dav.open(ctx, request{method: http.MethodGet, url: s.dav.resource(path), what: what, header: http.Header{"Accept-Encoding": {"identity"}}})
	if err != nil {
		return o, err
	}
	defer httpx.Drain(resp.Body)
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return o, sinks.ErrNothing
	default:
		body, _ := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
		return o, s.dav.fault(what, &answer{status: resp.StatusCode, header: resp.Header, body: body})
	}
	most := int64(maxFile)
	if o.Size >= 0 {
		most = min(o.Size, maxFile) + growth
	}
	sum := sha256.New()
	n, err := io.Copy(sum, io.LimitReader(resp.Body, most+1))
	switch {
	case err != nil:
		return o, s.dav.transportFault(ctx, what, err)
	case n > most:
		return o, fault.New(fault.Retry, fault.TargetBadAnswer, "GET: more than %d bytes, and the server stated %d", most, o.Size)
	}
	return reread(o, resp, n, sum.Sum(nil)), nil
}

// reread returns the object as the answer to a GET shows it.
func reread(o sinks.Object, resp *http.Response, size int64, sum []byte) sinks.Object {
	o.Size, o.Digest, o.Twin = size, "sha256:"+hex.EncodeToString(sum), twin(size)
	// A time in the future is cut to the present in the answer to a GET (RFC 9110 §8.8.2.1): what was listed of the same version is better.
	modified := modifiedOf(o)
	etag := cleanETag(resp.Header.Get("ETag"))
	if o.Version == "" || etag != "" && !sameETag(etag, o.Version) {
		o.Version = etag
		if at, err := http.ParseTime(resp.Header.Get("Last-Modified")); err == nil {
			modified = at
		}
	}
	o.State = objectState(size, modified)
	return o
}

// Expect is sinks.Inspector's.
func (s *Sink) Expect(p sinks.Proof) sinks.Expectation {
	st := receiptState(p.Receipt)
	e := sinks.Expectation{Foreign: st.foreign()}
	switch {
	case st.Folder:
	case st.Size >= 0:
		e.Twin = twin(st.Size)
	default:
		e.Twin = twin(p.Bytes)
	}
	return e
}

// Compare is sinks.Inspector's. Folders have no content. Whether somebody changed a file is told by its ETag, and by size and time where
// the server stated none when it was written.
func (s *Sink) Compare(o sinks.Object, p sinks.Proof) sinks.Verdict {
	st := receiptState(p.Receipt)
	if st.Folder || o.Folder {
		if st.Folder && o.Folder {
			return sinks.Same
		}
		return sinks.Touched
	}
	known := o.Digest != "" && p.Digest != ""
	intact := unchanged(resource{size: o.Size, etag: o.Version, modified: modifiedOf(o)}, p.Receipt)
	resized := st.Size >= 0 && o.Size >= 0 && o.Size != st.Size
	switch {
	case known && o.Digest == p.Digest && !resized: // what a server states may be the digest of an upload long ago
		return sinks.Same
	case !intact:
		return sinks.Touched
	case known || resized:
		return sinks.Differs
	}
	return sinks.Alike
}

func modifiedOf(o sinks.Object) time.Time {
	st := receiptState(sinks.Receipt{State: o.State})
	if st.Modified == 0 {
		return time.Time{}
	}
	return time.Unix(st.Modified, 0)
}
