package embedded

import (
	"net/http"
	"strings"
)

// preconditionsHold evaluates If-Match and If-None-Match (RFC 9110 §13.1)
// against the entity tag that the resource has, which is empty when there is
// none.
func preconditionsHold(header http.Header, etag string) bool {
	if match := header.Get("If-Match"); match != "" && !etagListed(match, etag) {
		return false
	}
	if noneMatch := header.Get("If-None-Match"); noneMatch != "" && etagListed(noneMatch, etag) {
		return false
	}
	return true
}

// etagListed says whether a list of entity tags, or "*", has the one that
// exists. Entity tags here never contain a comma.
func etagListed(list, etag string) bool {
	if etag == "" {
		return false
	}
	for entry := range strings.SplitSeq(list, ",") {
		if entry = strings.TrimSpace(entry); entry == "*" || entry == etag {
			return true
		}
	}
	return false
}
