package microsoft

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	gomessage "github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/verify"
	"codeberg.org/repatriate/repatriate/sources"
)

var (
	getWholeMessage        = method{exchange, "message.get (parts)", 1, "Mail.Read"}
	listMessageAttachments = method{exchange, "message.attachments.list", 1, "Mail.Read"}
	attachmentValue        = method{exchange, "message.attachment.get ($value)", 1, "Mail.Read"}
)

// corrupt are Graph's words for a message of which Exchange cannot make the MIME.
var corrupt = []string{"ErrorCorruptData", "ErrorInvalidRecipients", "ErrorCannotOpenFileAttachment"}

// mailBody is a message that is put together from its parts where Exchange cannot give it as a whole.
type mailBody struct {
	source  *mailSource
	id      string
	rebuilt atomic.Bool
}

// Open starts the message. Where the parts cannot be had either, the error is what Graph said of the whole.
func (b *mailBody) Open(ctx context.Context) (io.ReadCloser, error) {
	whole, err := b.source.value(ctx, b.id)
	b.rebuilt.Store(false)
	if !hasCode(err, corrupt...) {
		return whole, err
	}
	parts, failed := b.source.rebuild(ctx, b.id)
	if failed != nil && fault.Of(failed).Action == fault.Retry {
		return nil, failed
	}
	if failed != nil {
		return nil, errors.Join(err, failed)
	}
	b.rebuilt.Store(true)
	return parts, nil
}

func (b *mailBody) how() string {
	if b.rebuilt.Load() {
		return sources.Rebuilt
	}
	return ""
}

// value opens the message's MIME. Exchange makes it anew for each request, so that a cut stream cannot be continued
// (learn.microsoft.com/graph/outlook-get-mime-message).
func (s *mailSource) value(ctx context.Context, id string) (io.ReadCloser, error) {
	return s.stream(ctx, call{method: messageValue, of: s.user, url: s.path(nil, "messages", id, "$value"), header: mailHeader, stream: true})
}

func (s *mailSource) stream(ctx context.Context, k call) (io.ReadCloser, error) {
	return verify.Body(ctx, verify.Want{Size: -1}, func(ctx context.Context, _ int64) (io.ReadCloser, int64, error) {
		res, err := s.client.do(ctx, k)
		if err != nil {
			return nil, 0, err
		}
		return verify.Part(res, 0)
	}, verify.Options{Once: true})
}

// messageParts are what a message consists of (learn.microsoft.com/graph/api/resources/message).
type messageParts struct {
	Headers []struct{ Name, Value string } `json:"internetMessageHeaders"`
	Subject string                         `json:"subject"`
	ID      string                         `json:"internetMessageId"`
	Sent    string                         `json:"sentDateTime"`
	From    *attendee                      `json:"from"`
	To      []attendee                     `json:"toRecipients"`
	CC      []attendee                     `json:"ccRecipients"`
	BCC     []attendee                     `json:"bccRecipients"`
	Body    struct {
		Type    string `json:"contentType"`
		Content string `json:"content"`
	} `json:"body"`
	Attached bool `json:"hasAttachments"`
}

type messageAttachment struct {
	Type        string `json:"@odata.type"`
	ID          string `json:"id"`
	Name        string `json:"name"`
	ContentType string `json:"contentType"`
}

// rebuild puts a message together. The bytes are the same each time.
func (s *mailSource) rebuild(ctx context.Context, id string) (io.ReadCloser, error) {
	var m messageParts
	query := url.Values{"$select": {"internetMessageHeaders,subject,internetMessageId,sentDateTime,from,toRecipients,ccRecipients,bccRecipients,body,hasAttachments"}}
	if err := s.client.get(ctx, call{method: getWholeMessage, of: s.user, url: s.path(query, "messages", id), header: mailHeader}, &m); err != nil {
		return nil, err
	}
	var files []messageAttachment
	if m.Attached {
		at := s.path(url.Values{"$select": {"id,name,contentType"}, "$top": {"100"}}, "messages", id, "attachments")
		for a, err := range pages[messageAttachment](ctx, s.client, call{method: listMessageAttachments, of: s.user, url: at, header: mailHeader}) {
			if err != nil {
				return nil, err
			}
			files = append(files, a)
		}
	}
	r, w := io.Pipe()
	go func() { _ = w.CloseWithError(s.write(ctx, w, id, m, files)) }()
	return r, nil
}

func (s *mailSource) write(ctx context.Context, w io.Writer, id string, m messageParts, files []messageAttachment) error {
	h := m.header()
	sum := digestOf(id)
	h.SetContentType("multipart/mixed", map[string]string{"boundary": "repatriate-" + sum})
	out, err := gomessage.CreateWriter(w, h.Header)
	if err != nil {
		return err
	}
	if err := m.writeText(out); err != nil {
		return err
	}
	for _, f := range files {
		if err := s.writeFile(ctx, out, id, f); err != nil {
			return fmt.Errorf("attachment %q: %w", httpx.OneLine(f.Name), err)
		}
	}
	return out.Close()
}

// header returns the message's own header where Exchange kept it, as for mail that was received, and else one from what is known.
func (m messageParts) header() mail.Header {
	var h mail.Header
	for _, f := range slices.Backward(m.Headers) { // Add puts a field before the others
		name := strings.ToLower(f.Name)
		if isToken(name) && !strings.HasPrefix(name, "content-") && name != "mime-version" {
			h.Add(f.Name, httpx.OneLine(f.Value))
		}
	}
	if len(m.Headers) > 0 {
		return h
	}
	h.SetSubject(m.Subject)
	if at := timeOf(m.Sent); !at.IsZero() {
		h.SetDate(at)
	}
	if id := strings.Trim(m.ID, "<> "); id != "" && isPrintable(id) {
		h.SetMessageID(id)
	}
	if m.From != nil {
		h.SetAddressList("From", addresses([]attendee{*m.From}))
	}
	for name, list := range map[string][]attendee{"To": m.To, "Cc": m.CC, "Bcc": m.BCC} {
		if len(list) > 0 {
			h.SetAddressList(name, addresses(list))
		}
	}
	return h
}

// isToken reports whether a text may be the name of a header field (RFC 5322 §2.2).
func isToken(s string) bool { return s != "" && isPrintable(s) && !strings.Contains(s, ":") }

func isPrintable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

func addresses(list []attendee) (out []*mail.Address) {
	for _, a := range list {
		out = append(out, &mail.Address{Name: httpx.OneLine(a.Email.Name), Address: httpx.OneLine(a.Email.Address)})
	}
	return out
}

func (m messageParts) writeText(out *gomessage.Writer) error {
	var h mail.InlineHeader
	kind := "text/plain"
	if strings.EqualFold(m.Body.Type, "html") {
		kind = "text/html"
	}
	h.SetContentType(kind, map[string]string{"charset": "utf-8"})
	h.Set("Content-Transfer-Encoding", "base64")
	part, err := out.CreatePart(h.Header)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(part, m.Body.Content); err != nil {
		return err
	}
	return part.Close()
}

// writeFile copies an attachment. What is only a link has no bytes and stays out.
func (s *mailSource) writeFile(ctx context.Context, out *gomessage.Writer, id string, f messageAttachment) error {
	if f.ID == "" || strings.HasSuffix(f.Type, "referenceAttachment") {
		return nil
	}
	body, err := s.stream(ctx, call{method: attachmentValue, of: s.user, url: s.path(nil, "messages", id, "attachments", f.ID, "$value"), header: mailHeader, stream: true})
	if err != nil {
		return err
	}
	defer body.Close()
	var h mail.AttachmentHeader
	h.SetContentType("application/octet-stream", nil)
	if kind, sub, ok := strings.Cut(f.ContentType, "/"); ok && isToken(kind) && isToken(sub) && !strings.EqualFold(kind, "message") && !strings.ContainsAny(f.ContentType, ";\"()<>@,") {
		h.SetContentType(strings.ToLower(f.ContentType), nil)
	}
	h.SetFilename(httpx.OneLine(f.Name))
	h.Set("Content-Transfer-Encoding", "base64")
	part, err := out.CreatePart(h.Header)
	if err != nil {
		return err
	}
	if _, err := io.Copy(part, body); err != nil {
		return err
	}
	return part.Close()
}
