package microsoft

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/verify"
)

// opener returns what opens a file. The body goes on after a cut and proves what it received; where nothing is known of it, the
// length that the answer announces is what counts.
func (s *driveSource) opener(drive, id string, want verify.Want) func(context.Context) (io.ReadCloser, error) {
	return func(ctx context.Context) (io.ReadCloser, error) {
		d := &download{client: s.client, call: call{method: driveContent, of: drive, url: s.client.path(nil, "drives", drive, "items", id, "content")}}
		return verify.Body(ctx, want, d.from, verify.Options{})
	}
}

// download reads one file through the pre-authenticated URL that Graph redirects to. The URL ends after a while and is then asked for
// anew (learn.microsoft.com/graph/api/driveitem-get-content).
type download struct {
	client *Client
	call   call

	mu   sync.Mutex
	url  *url.URL
	etag string // of the bytes that came so far, if the store told
}

// from implements verify.OpenAt.
func (d *download) from(ctx context.Context, offset int64) (io.ReadCloser, int64, error) {
	for renewed := false; ; renewed = true {
		u, fresh, err := d.target(ctx)
		if err != nil {
			return nil, 0, err
		}
		res, err := d.fetch(ctx, u, offset)
		if err == nil {
			return d.part(res, offset)
		}
		if !linkEnded(err) {
			return nil, 0, err
		}
		d.forget()
		if fresh || renewed {
			return nil, 0, fault.New(fault.Retry, fault.SourceUnavailable, "the download link was refused: %w", err)
		}
	}
}

var errChanged = errors.New("the file was changed while it was downloaded")

// part returns the body of an answer, unless it goes on with other bytes than those that came before.
func (d *download) part(res *http.Response, offset int64) (io.ReadCloser, int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	tag := res.Header.Get("ETag")
	if offset > 0 && d.etag != "" && tag != "" && tag != d.etag {
		httpx.Drain(res.Body)
		return nil, 0, fault.New(fault.FailItem, fault.SourceBrokenBody, "%w", errChanged)
	}
	d.etag = tag
	return verify.Part(res, offset)
}

// linkEnded reports whether an answer says that the pre-authenticated URL does not serve any more.
func linkEnded(err error) bool {
	switch statusOf(err) {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		return true
	}
	return false
}

// target returns the pre-authenticated URL, and whether it was made for this call.
func (d *download) target(ctx context.Context) (u *url.URL, fresh bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.url != nil {
		return d.url, false, nil
	}
	res, err := d.client.do(ctx, d.call)
	if err != nil {
		return nil, false, err
	}
	httpx.Drain(res.Body)
	if res.StatusCode < http.StatusMultipleChoices {
		return nil, false, fault.New(fault.Retry, fault.SourceBadAnswer, "%s: HTTP %d instead of a download link", d.call.method, res.StatusCode)
	}
	d.url, err = d.client.preAuthenticated(res.Header.Get("Location"))
	return d.url, true, err
}

func (d *download) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.url = nil
}

// fetch requests the bytes from an offset on. Our token does not go along; without Accept some of Microsoft's stores refuse ranges.
func (d *download) fetch(ctx context.Context, u *url.URL, offset int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "*/*")
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", d.client.options.UserAgent)
	if offset > 0 {
		req.Header.Set("Range", verify.Range(offset))
	}
	start := time.Now()
	res, err := d.client.plain.Do(req)
	if err != nil {
		return nil, d.client.fail(ctx, d.call, err)
	}
	if res.StatusCode < http.StatusBadRequest {
		d.client.quota.served(d.call, start)
		return res, nil
	}
	answer := readError("download of a file", res)
	if linkEnded(answer) || answer.status == http.StatusRequestedRangeNotSatisfiable {
		return nil, fault.New(fault.Retry, fault.SourceBrokenBody, "%w", answer)
	}
	return nil, d.client.quota.refused(ctx, d.call, start, d.client.fail(ctx, d.call, answer))
}
