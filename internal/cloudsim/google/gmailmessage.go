package google

import (
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// messagesGet answers users.messages.get.
// https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/get
func messagesGet(c *call) error {
	if err := c.oneOf("format", "raw", "minimal", "metadata"); err != nil {
		return err
	}
	format := c.query.Get("format")
	if format == "" {
		c.Report(c.name + ": format=full is not simulated")
		return errInvalid("format", "Not simulated: format=full")
	}
	box, err := c.box()
	if err != nil {
		return err
	}
	found, err := box.find(c.r.PathValue("id"))
	if err != nil {
		c.data.mu.Unlock()
		return errNotFound()
	}
	msg, suspended := *found, c.user.Suspended
	c.data.mu.Unlock()
	if suspended {
		return errForbidden("backendError", "Backend Error")
	}
	head := msg.resource()
	switch {
	case format == "raw" && c.mask.has("raw"):
		return c.rawMessage(msg, head)
	case format == "metadata":
		head = append(head, member{"payload", func() any { return metadata(msg.raw, c.query["metadataHeaders"]) }})
	}
	return c.reply(head)
}

func (msg *message) resource() object {
	raw := msg.raw
	return append(msg.withLabels(), member{"snippet", func() any { return snippet(raw) }},
		member{"sizeEstimate", int(raw.Size())}, member{"historyId", formatHistory(msg.historyID)},
		member{"internalDate", strconv.FormatInt(msg.date, 10)})
}

// rawMessage streams the message as base64url within JSON. Every second message has its padding escaped: Google's
// servers do that at times, and it is the same JSON.
func (c *call) rawMessage(msg message, head object) error {
	before := appendObject(nil, head, c.mask)
	before = before[:len(before)-1]
	if len(before) > 1 {
		before = append(before, ',')
	}
	before = append(before, `"raw":"`...)
	size := msg.raw.Size()
	padding := strings.Repeat("=", int((3-size%3)%3))
	if msg.id%2 == 1 {
		padding = strings.ReplaceAll(padding, "=", `\u003d`)
	}
	after := padding + "\"}\n"
	h := c.w.Header()
	h.Set("Content-Type", "application/json; charset=UTF-8")
	h.Set("Content-Length", strconv.FormatInt(int64(len(before))+int64(base64.RawURLEncoding.EncodedLen(int(size)))+int64(len(after)), 10))
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(before)
	if err := c.encode(msg.raw); err != nil {
		panic(http.ErrAbortHandler) // the answer has begun: all that is left is to cut it
	}
	_, _ = io.WriteString(c.w, after)
	return nil
}

// encoded is a Content that knows its own base64url without padding.
type encoded interface {
	WriteBase64(w io.Writer) error
}

func (c *call) encode(raw cloudsim.Content) error {
	if e, ok := raw.(encoded); ok {
		return e.WriteBase64(c.w)
	}
	r, err := raw.Open(0)
	if err != nil {
		return err
	}
	defer r.Close()
	buffers, _ := c.buffers.Get().(*encodeBuffers)
	if buffers == nil {
		buffers = &encodeBuffers{}
	}
	defer c.buffers.Put(buffers)
	return buffers.encode(c.w, r)
}

// encodeBuffers hold a multiple of three bytes, and their base64.
type encodeBuffers struct {
	in  [24 << 10]byte
	out [32 << 10]byte
}

// encode writes base64url without padding.
func (b *encodeBuffers) encode(w io.Writer, r io.Reader) error {
	for {
		n, err := io.ReadFull(r, b.in[:])
		if n > 0 {
			base64.RawURLEncoding.Encode(b.out[:], b.in[:n])
			if _, err := w.Write(b.out[:base64.RawURLEncoding.EncodedLen(n)]); err != nil {
				return err
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// snippet is the beginning of the text, roughly as Gmail shows it.
func snippet(raw cloudsim.Content) string {
	r, err := raw.Open(0)
	if err != nil {
		return ""
	}
	defer r.Close()
	head, _ := io.ReadAll(io.LimitReader(r, 8<<10))
	text := strings.ReplaceAll(string(head), "\r\n", "\n")
	_, text, _ = strings.Cut(text, "\n\n")
	words := strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "\uFFFD")
	if runes := []rune(words); len(runes) > 100 {
		words = string(runes[:100])
	}
	return html.EscapeString(words)
}

// metadata gives the payload of format=metadata: the header fields alone, all or those that are named.
func metadata(raw cloudsim.Content, names []string) object {
	list := []object{}
	for _, f := range headerFields(raw) {
		if len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, f[0]) }) {
			list = append(list, object{{"name", f[0]}, {"value", f[1]}})
		}
	}
	return object{{"partId", ""}, {"mimeType", "text/plain"}, {"filename", ""}, {"headers", list}}
}

// headerFields reads the fields in their order, unfolded.
func headerFields(raw cloudsim.Content) [][2]string {
	r, err := raw.Open(0)
	if err != nil {
		return nil
	}
	defer r.Close()
	head, _ := io.ReadAll(io.LimitReader(r, 64<<10))
	text, _, _ := strings.Cut(strings.ReplaceAll(string(head), "\r\n", "\n"), "\n\n")
	var out [][2]string
	for line := range strings.SplitSeq(text, "\n") {
		if (strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")) && len(out) > 0 {
			out[len(out)-1][1] += " " + strings.TrimSpace(line)
		} else if name, value, ok := strings.Cut(line, ":"); ok {
			out = append(out, [2]string{name, strings.ToValidUTF8(strings.TrimSpace(value), "\uFFFD")})
		}
	}
	return out
}
