package google

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"sync"
)

// rawMessage is what an answer of messages.get holds beside the message itself.
type rawMessage struct {
	ID           string   `json:"id"`
	ThreadID     string   `json:"threadId"`
	LabelIDs     []string `json:"labelIds"`
	HistoryID    uint64   `json:"historyId,string"`
	InternalDate int64    `json:"internalDate,string"` // milliseconds since 1970
}

var (
	errRawSyntax = errors.New("the answer is not the JSON that messages.get gives")
	errRawBase64 = errors.New("raw is not base64url")
	errRawLong   = errors.New("raw or another field is longer than a message can be")
)

const (
	scanBuffer = 64 << 10
	// maxRaw bounds a decoded message; Google takes at most 70 MB.
	maxRaw = 256 << 20
	// maxFields bounds all other fields together.
	maxFields = 1 << 20
	maxDepth  = 32
)

// decodeRaw reads an answer of messages.get?format=raw to its end, writes the decoded message to w, and returns the other
// fields. Neither the JSON nor the message is in memory as a whole. An answer that ends too early is
// io.ErrUnexpectedEOF.
func decodeRaw(r io.Reader, w io.Writer) (rawMessage, error) {
	s := scanners.Get().(*rawScanner)
	defer scanners.Put(s)
	*s = rawScanner{r: r, in: s.in, out: s.out, fields: s.fields[:0], w: w}
	m, err := s.object()
	s.r, s.w = nil, nil
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return m, err
}

var scanners = sync.Pool{New: func() any {
	return &rawScanner{in: make([]byte, scanBuffer), out: make([]byte, scanBuffer)}
}}

// rawScanner reads one JSON object (RFC 8259). It copies all members but "raw" into fields, whose sense
// encoding/json finds out afterwards, and decodes "raw" (RFC 4648 §5) on the way.
type rawScanner struct {
	r        io.Reader
	in       []byte
	pos, end int
	fields   []byte // the object without raw
	seen     bool   // raw was there

	w       io.Writer
	out     []byte
	quad    [4]byte // the beginning of a group of four characters
	have    int     // how many of them there are
	padded  bool    // "=" was there, so that nothing but "=" may follow
	written int64
}

func (s *rawScanner) object() (rawMessage, error) {
	var m rawMessage
	if err := s.members(); err != nil {
		return m, err
	}
	if err := s.atEnd(); err != nil {
		return m, err
	}
	if !s.seen {
		return m, errRawSyntax
	}
	if err := json.Unmarshal(s.fields, &m); err != nil {
		return m, errRawSyntax
	}
	return m, nil
}

// members reads from "{" to "}".
func (s *rawScanner) members() error {
	c, err := s.token()
	if err != nil {
		return err
	}
	if c != '{' {
		return errRawSyntax
	}
	s.fields = append(s.fields, '{')
	for first := true; ; first = false {
		c, err := s.token()
		switch {
		case err != nil:
			return err
		case c == '}':
			s.fields = append(s.fields, '}')
			return nil
		case first == (c == ','):
			return errRawSyntax
		}
		if c == ',' {
			if c, err = s.token(); err != nil {
				return err
			}
		}
		if c != '"' {
			return errRawSyntax
		}
		if err := s.member(); err != nil {
			return err
		}
	}
}

// member reads a name, whose quote has been read, and its value.
func (s *rawScanner) member() error {
	start := len(s.fields)
	if start > 1 {
		s.fields = append(s.fields, ',')
	}
	name := len(s.fields)
	s.fields = append(s.fields, '"')
	if err := s.copyString(); err != nil {
		return err
	}
	isRaw := string(s.fields[name:]) == `"raw"`
	c, err := s.token()
	if err != nil {
		return err
	}
	if c != ':' {
		return errRawSyntax
	}
	if c, err = s.token(); err != nil {
		return err
	}
	if isRaw {
		s.fields = s.fields[:start]
		if c != '"' || s.seen {
			return errRawSyntax
		}
		s.seen = true
		return s.raw()
	}
	s.fields = append(s.fields, ':')
	return s.copyValue(c)
}

// copyValue copies one value that begins with c. Brackets are only counted: encoding/json checks their order.
func (s *rawScanner) copyValue(c byte) error {
	depth := 0
	for {
		s.fields = append(s.fields, c)
		switch c {
		case '"':
			if err := s.copyString(); err != nil {
				return err
			}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if depth < 0 || depth > maxDepth || len(s.fields) > maxFields {
			return errRawLong
		}
		if err := s.fill(); err != nil {
			return err
		}
		c = s.in[s.pos]
		if depth == 0 && (c == ',' || c == '}') {
			return nil
		}
		s.pos++
	}
}

// copyString copies the rest of a string with its closing quote.
func (s *rawScanner) copyString() error {
	for {
		if err := s.fill(); err != nil {
			return err
		}
		chunk := s.in[s.pos:s.end]
		i := bytes.IndexAny(chunk, `"\`)
		if i < 0 {
			i = len(chunk)
		}
		s.fields = append(s.fields, chunk[:i]...)
		s.pos += i
		if len(s.fields) > maxFields {
			return errRawLong
		}
		if i == len(chunk) {
			continue
		}
		c := chunk[i]
		s.pos++
		s.fields = append(s.fields, c)
		if c == '"' {
			return nil
		}
		if err := s.fill(); err != nil {
			return err
		}
		s.fields = append(s.fields, s.in[s.pos])
		s.pos++
	}
}

// raw decodes the rest of a string.
func (s *rawScanner) raw() error {
	for {
		if err := s.fill(); err != nil {
			return err
		}
		chunk := s.in[s.pos:s.end]
		escape := bytes.IndexByte(chunk, '\\')
		if escape >= 0 {
			chunk = chunk[:escape]
		}
		stop := bytes.IndexByte(chunk, '"')
		if stop >= 0 {
			chunk = chunk[:stop]
		}
		s.pos += len(chunk)
		if err := s.decode(chunk); err != nil {
			return err
		}
		switch {
		case stop >= 0:
			s.pos++
			return s.decodeEnd()
		case escape >= 0:
			s.pos++
			if err := s.rawEscape(); err != nil {
				return err
			}
		}
	}
}

// rawEscape decodes an escape of which the backslash has been read. Google writes "=" as \u003d at times.
func (s *rawScanner) rawEscape() error {
	c, err := s.next()
	if err != nil || c != 'u' {
		return firstOf(err, errRawBase64)
	}
	var hex [4]byte
	for i := range hex {
		if hex[i], err = s.next(); err != nil {
			return err
		}
	}
	n, err := strconv.ParseUint(string(hex[:]), 16, 8)
	if err != nil {
		return errRawBase64
	}
	return s.decode([]byte{byte(n)})
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// decode writes the bytes that the characters stand for, up to the last full group of four.
func (s *rawScanner) decode(chunk []byte) error {
	if i := bytes.IndexByte(chunk, '='); i >= 0 || s.padded {
		if s.padded {
			i = 0
		}
		if len(bytes.Trim(chunk[i:], "=")) > 0 {
			return errRawBase64
		}
		s.padded = true
		chunk = chunk[:i]
	}
	for s.have > 0 && s.have < 4 && len(chunk) > 0 {
		s.quad[s.have] = chunk[0]
		s.have++
		chunk = chunk[1:]
	}
	if s.have == 4 {
		s.have = 0
		if err := s.emit(s.quad[:]); err != nil {
			return err
		}
	}
	if len(chunk) == 0 {
		return nil
	}
	full := len(chunk) &^ 3
	s.have = copy(s.quad[:], chunk[full:])
	return s.emit(chunk[:full])
}

// decodeEnd writes what an incomplete last group stands for.
func (s *rawScanner) decodeEnd() error {
	n := s.have
	s.have = 0
	return s.emit(s.quad[:n])
}

func (s *rawScanner) emit(chars []byte) error {
	if len(chars) == 0 {
		return nil
	}
	// Decode skips line breaks, which would put the groups out of step.
	n, err := base64.RawURLEncoding.Decode(s.out, chars)
	if err != nil || n != base64.RawURLEncoding.DecodedLen(len(chars)) {
		return errRawBase64
	}
	if s.written += int64(n); s.written > maxRaw {
		return errRawLong
	}
	_, err = s.w.Write(s.out[:n])
	return err
}

// fill makes sure that at least one byte is there.
func (s *rawScanner) fill() error {
	for empty := 0; s.pos == s.end; empty++ {
		if empty > 100 {
			return io.ErrNoProgress
		}
		n, err := s.r.Read(s.in)
		s.pos, s.end = 0, n
		if n == 0 && err != nil {
			return err
		}
	}
	return nil
}

// next returns the next byte.
func (s *rawScanner) next() (byte, error) {
	if err := s.fill(); err != nil {
		return 0, err
	}
	s.pos++
	return s.in[s.pos-1], nil
}

// peek returns the next byte that is no white space, without reading it.
func (s *rawScanner) peek() (byte, error) {
	for {
		if err := s.fill(); err != nil {
			return 0, err
		}
		switch c := s.in[s.pos]; c {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return c, nil
		}
	}
}

// token reads the next byte that is no white space.
func (s *rawScanner) token() (byte, error) {
	c, err := s.peek()
	if err == nil {
		s.pos++
	}
	return c, err
}

// atEnd reads on to the end of the answer, where compressed or chunked transfer proves to be whole.
func (s *rawScanner) atEnd() error {
	_, err := s.peek()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return firstOf(err, errRawSyntax)
}
