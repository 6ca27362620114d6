package webdav

import (
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sinks"
)

// FuzzExplanation: what a server says of an error is short and one line.
func FuzzExplanation(f *testing.F) {
	f.Add([]byte(`<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:message>no hunter22` + "\x1b[31m" + `</s:message></d:error>`))
	f.Add([]byte(`<html>`))
	mask := httpx.BasicMask("ada", "hunter22")
	f.Fuzz(func(t *testing.T, body []byte) {
		s := explanation(body, mask)
		if strings.Contains(s, "hunter22") || strings.ContainsAny(s, "\r\n\x00\x1b") || len([]rune(s)) > 201 {
			t.Errorf("%q", s)
		}
	})
}

// FuzzCapabilities: what is no capabilities is refused, and nothing of it is kept.
func FuzzCapabilities(f *testing.F) {
	f.Add([]byte(`{"ocs":{"data":{"capabilities":{"dav":{"chunking":"1.0","bulkupload":"1.0"},"files":{"chunked_upload":{"max_size":104857600}}}}}}`))
	f.Add([]byte(`{"ocs":{"data":[]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var n nextcloud
		if !n.read(body) && (n.chunking || n.bulk || n.maxChunk != 0) {
			t.Errorf("%+v of %q", n, body)
		}
	})
}

// FuzzState: the state of a receipt comes back as it was, and one that was damaged says nothing.
func FuzzState(f *testing.F) {
	f.Add(`{"size":1}`)
	f.Add(`{"size":`)
	f.Fuzz(func(t *testing.T, text string) {
		s := receiptState(sinks.Receipt{State: text})
		if again := receiptState(sinks.Receipt{State: s.String()}); again != s {
			t.Errorf("%q: %+v, then %+v", text, s, again)
		}
	})
}
