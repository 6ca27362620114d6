package cloudsim

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"testing"
	"time"
)

func TestGeneratedMail(t *testing.T) {
	for _, size := range []int64{0, 100, 1000, 2048, 65_000, 70_000, 2_000_000} {
		for seed := range uint64(4) {
			m := GeneratedMail(seed*999_999_999, size, "user@example.org", time.Unix(1_700_000_000, 0))
			r, err := m.Open(0)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(r)
			if err != nil || int64(len(raw)) != m.Size() {
				t.Fatalf("size %d: %d bytes, announced %d: %v", size, len(raw), m.Size(), err)
			}
			if size > 1000 && (m.Size() > size || m.Size() < size-2*bodyLine) {
				t.Errorf("%d bytes for a size of %d", m.Size(), size)
			}
			var coded bytes.Buffer
			if err := m.(generatedMail).WriteBase64(&coded); err != nil {
				t.Fatal(err)
			}
			if got, err := base64.RawURLEncoding.DecodeString(coded.String()); err != nil || !bytes.Equal(got, raw) {
				t.Errorf("size %d: the base64 is of something else: %v", size, err)
			}
			checkStructure(t, raw, size > attachFrom)
		}
	}
}

// checkStructure parses the message and reads all of its parts.
func checkStructure(t *testing.T, raw []byte, attachment bool) {
	t.Helper()
	if bytes.Count(raw, []byte("\n")) != bytes.Count(raw, []byte("\r\n")) {
		t.Error("a bare line feed")
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || (kind == "multipart/mixed") != attachment {
		t.Fatalf("content type %s: %v", kind, err)
	}
	if !attachment {
		return
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for i := 0; ; i++ {
		part, err := parts.NextPart()
		if err == io.EOF && i == 3 {
			return
		}
		if err != nil {
			t.Fatalf("part %d: %v", i, err)
		}
		body := io.Reader(part)
		if part.Header.Get("Content-Transfer-Encoding") == "base64" {
			body = base64.NewDecoder(base64.StdEncoding, part)
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			t.Errorf("part %d: %v", i, err)
		}
	}
}

func TestGeneratedContentSumsAndSeeks(t *testing.T) {
	for _, size := range []int64{0, 1, 31, 32, 33, 4095, 4096, 5000, chunkSize - 1, chunkSize + 40, 3*chunkSize + 5} {
		body := Generated(42, size)
		r, err := body.Open(0)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := io.ReadAll(r)
		if int64(len(raw)) != size {
			t.Fatalf("%d bytes of %d", len(raw), size)
		}
		var quick, slow Checksums
		m, s := quick.Of(body)
		if wantM, wantS := slow.Of(Bytes(raw)); m != wantM || s != wantS {
			t.Errorf("size %d: checksums differ from those of the bytes", size)
		}
		for _, at := range []int64{0, 1, 7, 8, 9, size / 2, size - 33, size - 1, size, size + 5} {
			r, _ := body.Open(max(0, at))
			got, _ := io.ReadAll(r)
			if !bytes.Equal(got, raw[min(max(0, at), size):]) {
				t.Errorf("size %d from %d: %d bytes that differ", size, at, len(got))
			}
		}
	}
}
