package verify

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// Range returns the value of the header Range by RFC 9110 §14.2 for all bytes from offset on; empty for the whole.
func Range(offset int64) string {
	if offset <= 0 {
		return ""
	}
	return fmt.Sprintf("bytes=%d-", offset)
}

// Part returns the body of an answer to a request for the bytes from offset on, and where it starts, as OpenAt wants
// them: 206 tells where in Content-Range, 200 starts at the beginning. 416 and everything else is a fault, and the
// answer's body is then closed.
func Part(resp *http.Response, offset int64) (io.ReadCloser, int64, error) {
	switch resp.StatusCode {
	case http.StatusOK:
		return resp.Body, 0, nil
	case http.StatusPartialContent:
		at, ok := rangeStart(resp.Header.Get("Content-Range"))
		if ok && at <= offset {
			return resp.Body, at, nil
		}
		httpx.Drain(resp.Body)
		return nil, 0, fault.New(fault.Retry, fault.SourceBrokenBody, "asked for the bytes from %d, got the range %.80q", offset, resp.Header.Get("Content-Range"))
	}
	httpx.Drain(resp.Body)
	return nil, 0, fault.New(fault.Retry, fault.SourceBrokenBody, "asked for the bytes from %d, got the status %d", offset, resp.StatusCode)
}

// rangeStart reads the first number of "bytes 5-9/10", RFC 9110 §14.4.
func rangeStart(v string) (int64, bool) {
	v, ok := strings.CutPrefix(strings.TrimSpace(v), "bytes ")
	if !ok {
		return 0, false
	}
	first, _, ok := strings.Cut(v, "-")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(first), 10, 64)
	return n, err == nil && n >= 0
}
