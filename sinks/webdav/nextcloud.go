package webdav

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"codeberg.org/repatriate/repatriate/fault"
)

// nextcloud is what a Nextcloud offers beyond WebDAV.
type nextcloud struct {
	// dav is …/remote.php/dav/ and uploads …/remote.php/dav/uploads/USER/.
	dav, uploads *url.URL
	// prefix is the path, from the user's root, of the folder that the sink writes into: empty, or with a slash in front.
	prefix         string
	chunking, bulk bool
	// maxChunk is the largest chunk that the server wants, 0 for any.
	maxChunk int64
}

const filesMark = "/remote.php/dav/files/"

// detectNextcloud returns nil if the server is none. Only a URL of Nextcloud's form is looked into.
func (s *Sink) detectNextcloud(ctx context.Context) (*nextcloud, error) {
	before, after, ok := strings.Cut(s.dav.base.EscapedPath(), filesMark)
	if !ok {
		return nil, nil
	}
	user, rest, _ := strings.Cut(after, "/")
	prefix, err := url.PathUnescape(strings.TrimSuffix(rest, "/"))
	if err != nil || user == "" {
		return nil, nil
	}
	if prefix != "" {
		prefix = "/" + prefix
	}
	n := &nextcloud{
		dav:     s.dav.sibling(before + "/remote.php/dav/"),
		uploads: s.dav.sibling(before + "/remote.php/dav/uploads/" + user + "/"),
		prefix:  prefix,
	}
	found, err := s.capabilities(ctx, s.dav.sibling(before+"/ocs/v2.php/cloud/capabilities"), n)
	if err != nil || !found {
		return nil, err
	}
	return n, nil
}

// sibling returns the URL of an escaped path on the same server.
func (c *client) sibling(escaped string) *url.URL {
	u := *c.base
	u.RawPath = escaped
	u.Path, _ = url.PathUnescape(escaped) // a part of a URL that was parsed, with plain text added
	return &u
}

// capabilities reads what the server says of itself. A server that does not answer as a Nextcloud does is taken for
// plain WebDAV.
func (s *Sink) capabilities(ctx context.Context, u *url.URL, n *nextcloud) (bool, error) {
	const what = "asking for the capabilities"
	u.RawQuery = "format=json"
	a, err := s.dav.do(ctx, request{
		method: http.MethodGet, url: u, what: what, limit: 4 << 20,
		header: http.Header{"OCS-APIRequest": {"true"}, "Accept": {"application/json"}},
	})
	switch {
	case err != nil:
		return false, err
	case a.status == http.StatusUnauthorized, a.status == http.StatusTooManyRequests, a.status == http.StatusServiceUnavailable:
		return false, s.dav.fault(what, a)
	case a.status != http.StatusOK:
		return false, nil
	}
	return n.read(a.body), nil
}

func (n *nextcloud) read(body []byte) bool {
	var v struct {
		OCS struct {
			Data struct {
				Capabilities struct {
					DAV struct {
						Chunking   string `json:"chunking"`
						BulkUpload string `json:"bulkupload"`
					} `json:"dav"`
					Files struct {
						Chunked struct {
							MaxSize int64 `json:"max_size"`
						} `json:"chunked_upload"`
					} `json:"files"`
				} `json:"capabilities"`
			} `json:"data"`
		} `json:"ocs"`
	}
	if json.Unmarshal(body, &v) != nil {
		return false
	}
	c := v.OCS.Data.Capabilities
	n.chunking = c.DAV.Chunking == "1.0"
	n.bulk = c.DAV.BulkUpload == "1.0"
	n.maxChunk = c.Files.Chunked.MaxSize
	return true
}

// unavailable is the fault of a batch or an assembly whose end nobody saw.
func unavailable(format string, args ...any) *fault.Error {
	return fault.New(fault.Retry, fault.TargetUnavailable, format, args...)
}
