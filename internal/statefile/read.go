package statefile

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
)

// longest bounds a line; the longest records are some hundred kilobytes of losses.
const longest = 16 << 20

// reader reads the lines of an export.
type reader struct {
	in     *bufio.Reader
	sum    hash.Hash
	number int64
	buf    []byte
}

func newReader(r io.Reader) *reader {
	return &reader{in: bufio.NewReaderSize(r, 64<<10), sum: sha256.New()}
}

// about says on which line an error of the export lies.
func (r *reader) about(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("line %d: %w", r.number, err)
}

// raw returns the next line with its end; it holds until the next call. io.EOF after the last, io.ErrUnexpectedEOF if it
// has no end.
func (r *reader) raw() ([]byte, error) {
	r.buf = r.buf[:0]
	r.number++
	for {
		part, err := r.in.ReadSlice('\n')
		r.buf = append(r.buf, part...)
		switch {
		case len(r.buf) > longest:
			return nil, fmt.Errorf("%w: it is longer than %d bytes", ErrFormat, longest)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(r.buf) > 0:
			return nil, io.ErrUnexpectedEOF
		}
		return r.buf, err
	}
}

// parse takes what is exactly a line of an export.
func parse(raw []byte) (l line, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return l, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if d.More() {
		return l, fmt.Errorf("%w: something follows after its end", ErrFormat)
	}
	return l, nil
}

// header reads the first line. Of a newer release's, only format and version need be as they are here.
func (r *reader) header(job string) (*header, error) {
	raw, err := r.raw()
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, ErrFormat) {
		return nil, err
	}
	var first struct{ Header *header }
	if err != nil || json.Unmarshal(raw, &first) != nil || first.Header == nil || first.Header.Format != Format {
		return nil, fmt.Errorf("%w: it does not begin as one; 'repatriate state export' makes them", ErrFormat)
	}
	switch h := first.Header; {
	case h.Version > Version:
		return nil, fmt.Errorf("%w: it was written by a newer release (version %d, this release knows %d)", ErrFormat, h.Version, Version)
	case h.Version < 1:
		return nil, fmt.Errorf("%w: it has no version", ErrFormat)
	case string(h.Job) != job:
		return nil, fmt.Errorf("%w: it belongs to the job %q, not to %q", ErrFormat, h.Job, job)
	}
	if _, err := parse(raw); err != nil {
		return nil, r.about(err)
	}
	r.sum.Write(raw)
	return first.Header, nil
}

// next reads a line after the first. The digest is compared with that of the last line.
func (r *reader) next() (line, error) {
	raw, err := r.raw()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return line{}, fmt.Errorf("%w: it breaks off at line %d; make or copy it once more", ErrFormat, r.number)
	}
	if err != nil {
		return line{}, r.about(err)
	}
	l, err := parse(raw)
	if err != nil {
		return l, r.about(err)
	}
	if l.End != nil && l.End.SHA256 != hex.EncodeToString(r.sum.Sum(nil)) {
		return l, fmt.Errorf("%w: it was changed or damaged since it was made: the digest at its end is another", ErrFormat)
	}
	r.sum.Write(raw)
	return l, nil
}

func (r *reader) nothingMore() error {
	if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
		if err != nil {
			return err
		}
		return fmt.Errorf("%w: something follows after its end", ErrFormat)
	}
	return nil
}
