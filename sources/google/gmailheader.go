package google

import (
	"bytes"
	"mime"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/spool"
)

// maxHeader is how much of a message is searched for its header fields.
const maxHeader = 64 << 10

// maxSubject bounds what is kept of a subject, in bytes.
const maxSubject = 300

// mailHeader holds the fields of a message that are of use without its body.
type mailHeader struct {
	messageID string // without angle brackets
	subject   string // decoded, in one bounded line
}

// title is what a report calls the message.
func (h mailHeader) title() string {
	if h.subject != "" {
		return h.subject
	}
	return httpx.OneLine(h.messageID)
}

// readMailHeader reads the fields of a message (RFC 5322 §2.2).
func readMailHeader(body *spool.Spool) (mailHeader, error) {
	start, err := body.Start(maxHeader)
	if err != nil {
		return mailHeader{}, err
	}
	return parseMailHeader(start), nil
}

func parseMailHeader(text []byte) mailHeader {
	var h mailHeader
	for len(text) > 0 && text[0] != '\n' && !bytes.HasPrefix(text, []byte("\r\n")) {
		var field []byte
		field, text = cutField(text)
		name, value, ok := bytes.Cut(field, []byte(":"))
		name = bytes.TrimRight(name, " \t")
		if ok && (len(name) == len("Subject") || len(name) == len("Message-ID")) {
			h.note(string(name), string(value))
		}
	}
	return h
}

// cutField returns the first field with its folded lines, and the rest.
func cutField(text []byte) (field, rest []byte) {
	end := 0
	for {
		i := bytes.IndexByte(text[end:], '\n')
		if i < 0 {
			return text, nil
		}
		end += i + 1
		if end == len(text) || text[end] != ' ' && text[end] != '\t' {
			return text[:end], text[end:]
		}
	}
}

// note keeps the value if the field is of use. The first of several fields of one name counts.
func (h *mailHeader) note(name, value string) {
	switch {
	case h.messageID == "" && strings.EqualFold(name, "Message-ID"):
		h.messageID = messageID(value)
	case h.subject == "" && strings.EqualFold(name, "Subject"):
		h.subject = subject(value)
	}
}

// maxMessageID is the longest line of RFC 5322 §2.1.1.
const maxMessageID = 998

// messageID returns the value without angle brackets, folding and comments behind it; empty if it is none.
func messageID(value string) string {
	if _, inner, ok := strings.Cut(value, "<"); ok {
		value, _, _ = strings.Cut(inner, ">")
	}
	value = strings.TrimSpace(value)
	if len(value) > maxMessageID || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return ""
	}
	return value
}

// unfolded takes line ends out.
var unfolded = strings.NewReplacer("\r", "", "\n", "")

// subject decodes encoded words (RFC 2047) of the character sets that package mime knows.
func subject(value string) string {
	value = unfolded.Replace(value)
	if len(value) > 4*maxSubject {
		value = value[:4*maxSubject]
	}
	if decoded, err := new(mime.WordDecoder).DecodeHeader(value); err == nil {
		value = decoded
	}
	return httpx.OneLine(value)
}
