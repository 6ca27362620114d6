package webdav

import (
	"bufio"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sinks"
)

// holds reports whether the resource holds the item's bytes. What the server states decides where it can; otherwise
// the bytes are read back.
func (s *Sink) holds(ctx context.Context, item sinks.Item[sinks.File], p *payload, found resource) (bool, error) {
	if found.collection {
		return false, nil
	}
	if equal, known := p.compareChecksums(found.checksums); known && equal && found.size == p.size {
		return true, nil
	} else if known && !p.spooled {
		return false, nil
	}
	// An interrupted write left the item's own time to the second. A document that is converted anew at each reading
	// has other bytes now, and is still the same document.
	kept := !item.Content.Modified.IsZero() && found.modified.Unix() == item.Content.Modified.Unix()
	switch {
	case item.Again && kept && (p.spooled || found.size == p.size):
		return true, nil
	case found.size >= 0 && found.size != p.size:
		return false, nil
	}
	return s.holdsBytes(ctx, item.Content.Path, p)
}

// compareChecksums compares with what the server states; known is false if no algorithm is known to both.
func (p *payload) compareChecksums(stated []string) (equal, known bool) {
	for _, field := range strings.Fields(strings.Join(stated, " ")) {
		algorithm, sum, _ := strings.Cut(field, ":")
		var ours string
		switch strings.ToUpper(algorithm) {
		case "SHA256":
			ours = p.sha256
		case "MD5":
			ours = p.md5
		}
		if ours != "" {
			return strings.EqualFold(ours, sum), true
		}
	}
	return false, false
}

// holdsBytes reads the resource and compares it by digest if the item's is known, and byte by byte otherwise.
func (s *Sink) holdsBytes(ctx context.Context, path []string, p *payload) (bool, error) {
	const what = "GET"
	resp, err := s.dav.open(ctx, request{method: http.MethodGet, url: s.dav.resource(path), what: what, header: http.Header{"Accept-Encoding": {"identity"}}})
	if err != nil {
		return false, err
	}
	defer httpx.Drain(resp.Body)
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
		return false, s.dav.fault(what, &answer{status: resp.StatusCode, header: resp.Header, body: body})
	}
	there := &target{r: resp.Body}
	var same bool
	if h, want := p.digest(); h != nil {
		same, err = sameDigest(there, h, want, p.size)
	} else {
		err = p.withReader(ctx, func(_ context.Context, here *exact) (err error) {
			same, err = sameBytes(here, there)
			return err
		})
	}
	if there.err != nil {
		return false, s.dav.transportFault(ctx, what, there.err)
	}
	return same, err
}

// target remembers errors of the target's stream, to tell them from those of the item's body.
type target struct {
	r   io.Reader
	err error
}

func (t *target) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if err != nil && err != io.EOF {
		t.err = err
	}
	return n, err
}

func (p *payload) digest() (hash.Hash, string) {
	switch {
	case isHex(p.sha256, sha256.Size):
		return sha256.New(), p.sha256
	case isHex(p.md5, md5.Size):
		return md5.New(), p.md5
	default:
		return nil, ""
	}
}

// sameDigest reads no more than one byte beyond size.
func sameDigest(r io.Reader, h hash.Hash, want string, size int64) (bool, error) {
	n, err := io.Copy(h, io.LimitReader(r, size+1))
	if err != nil {
		return false, fmt.Errorf("reading a file back: %w", err)
	}
	return n == size && strings.EqualFold(hex.EncodeToString(h.Sum(nil)), want), nil
}

func sameBytes(a, b io.Reader) (bool, error) {
	x, y := bufio.NewReaderSize(a, 64<<10), bufio.NewReaderSize(b, 64<<10)
	for {
		c, errA := x.ReadByte()
		d, errB := y.ReadByte()
		switch {
		case errA == io.EOF && errB == io.EOF:
			return true, nil
		case errA == io.EOF || errB == io.EOF:
			return false, nil
		case errA != nil:
			return false, errA
		case errB != nil:
			return false, errB
		case c != d:
			return false, nil
		}
	}
}
