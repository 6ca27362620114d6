package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	maxLine    = 64 << 10 // of one response, its literals left out
	maxLiteral = 1 << 20  // of one response, skipped
)

// response is one response of a server, in as much detail as appending needs.
type response struct {
	// tag is the command's tag, "*" for an untagged response, "+" for a continuation request.
	tag string
	// status is OK, NO, BAD, BYE or PREAUTH, and empty for other untagged responses.
	status string
	// code is the response code in upper case, args what follows it inside the brackets.
	code, args string
	// text is what a human may read, or all of an untagged response without a status.
	text string
}

// failure is the response as an error.
func (r response) failure() error {
	if r.status == "" || r.status == "OK" || r.status == "PREAUTH" {
		return fmt.Errorf("%w: unexpected response", ErrProtocol)
	}
	return &StatusError{Status: r.status, Code: r.code, Text: r.text}
}

// readLine returns one response without its CRLF. Literals in it are skipped.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	skipped := int64(0)
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			return nil, fmt.Errorf("%w: a line of more than %d bytes", ErrProtocol, maxLine)
		}
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) > 0:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		n, ok := literalSize(line)
		if !ok {
			return line, nil
		}
		if skipped += n; skipped > maxLiteral {
			return nil, fmt.Errorf("%w: a literal of %d bytes", ErrProtocol, n)
		}
		if _, err := io.CopyN(io.Discard, r, n); err != nil {
			return nil, err
		}
	}
}

// literalSize returns the size of the literal that an untagged data response announces at the end of its line. The text
// of a status response may end in anything.
func literalSize(line []byte) (int64, bool) {
	if !bytes.HasPrefix(line, []byte("* ")) || !bytes.HasSuffix(line, []byte("}")) || statusOf(string(word(line[2:]))) != "" {
		return 0, false
	}
	open := bytes.LastIndexByte(line, '{')
	n, err := strconv.ParseUint(string(line[open+1:len(line)-1]), 10, 62)
	return int64(n), open >= 0 && err == nil
}

func word(b []byte) []byte {
	if i := bytes.IndexByte(b, ' '); i >= 0 {
		return b[:i]
	}
	return b
}

// parse takes a response apart (RFC 9051 §9, response).
func parse(line []byte) (response, error) {
	if len(line) > 0 && line[0] == '+' {
		return response{tag: "+", text: strings.TrimPrefix(string(line[1:]), " ")}, nil
	}
	tag, rest, ok := strings.Cut(string(line), " ")
	if !ok || tag == "" || len(tag) > 32 {
		return response{}, fmt.Errorf("%w: no tag", ErrProtocol)
	}
	r := response{tag: tag}
	first, after, _ := strings.Cut(rest, " ")
	if r.status = statusOf(first); r.status == "" {
		if tag != "*" {
			return response{}, fmt.Errorf("%w: no status", ErrProtocol)
		}
		r.text = rest
		return r, nil
	}
	r.text = after
	if strings.HasPrefix(after, "[") {
		code, text, ok := strings.Cut(after[1:], "]")
		if !ok {
			return response{}, fmt.Errorf("%w: an open response code", ErrProtocol)
		}
		r.code, r.args, _ = strings.Cut(code, " ")
		r.code, r.text = strings.ToUpper(r.code), strings.TrimPrefix(text, " ")
	}
	return r, nil
}

// statusOf returns the status that a word stands for, or nothing.
func statusOf(word string) string {
	switch up := strings.ToUpper(word); up {
	case "OK", "NO", "BAD", "BYE", "PREAUTH":
		return up
	}
	return ""
}

// appendUIDs reads the arguments of APPENDUID (RFC 4315 §3): the UIDVALIDITY and exactly n UIDs in the order in which
// the messages were sent. ok is false when they are not just that.
func appendUIDs(args string, n int) (validity uint32, uids []uint32, ok bool) {
	first, set, _ := strings.Cut(args, " ")
	v, err := number(first)
	if err != nil {
		return 0, nil, false
	}
	for part := range strings.SplitSeq(set, ",") {
		low, high, isRange := strings.Cut(part, ":")
		if !isRange {
			high = low
		}
		a, errA := number(low)
		b, errB := number(high)
		if errA != nil || errB != nil {
			return 0, nil, false
		}
		a, b = min(a, b), max(a, b)
		if uint64(b)-uint64(a)+1 > uint64(n-len(uids)) {
			return 0, nil, false
		}
		for uid := uint64(a); uid <= uint64(b); uid++ {
			uids = append(uids, uint32(uid))
		}
	}
	return v, uids, len(uids) == n
}

// number reads an nz-number.
func number(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err == nil && n == 0 {
		err = ErrProtocol
	}
	return uint32(n), err
}
