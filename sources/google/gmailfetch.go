package google

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/spool"
	"codeberg.org/repatriate/repatriate/sources"
)

// rawFields is what a download asks for beside the message.
const rawFields = "raw,labelIds,internalDate,historyId,threadId,id"

// Fetch implements sources.Source with one request. The body lies in memory or in a temporary file until Release.
func (s *mailSource) Fetch(ctx context.Context, id string) (sources.Item[sources.Message], error) {
	body, m, err := s.download(ctx, id)
	if err != nil {
		return sources.Item[sources.Message]{}, s.refused(ctx, err)
	}
	s.forbidden.Store(0)
	item, err := s.itemOf(ctx, id, m, body)
	if err != nil {
		body.Release()
		return sources.Item[sources.Message]{}, err
	}
	return item, nil
}

func (s *mailSource) itemOf(ctx context.Context, id string, m rawMessage, body *spool.Spool) (sources.Item[sources.Message], error) {
	var none sources.Item[sources.Message]
	if s.leftOut(m.LabelIDs) {
		return none, fmt.Errorf("message %s is in spam, trash or chats: %w", id, sources.ErrGone)
	}
	header, err := readMailHeader(body)
	if err != nil {
		return none, err
	}
	m.ID = id
	item, err := s.item(ctx, m, header)
	item.Release = body.Release
	item.Content.Body = sources.Body{Version: id, Size: body.Size(), Open: func(context.Context) (io.ReadCloser, error) {
		return body.Open()
	}}
	return item, err
}

// item returns the message without a body.
func (s *mailSource) item(ctx context.Context, m rawMessage, h mailHeader) (sources.Item[sources.Message], error) {
	labels, err := s.labels.of(ctx, s, m.LabelIDs)
	if err != nil {
		return sources.Item[sources.Message]{}, err
	}
	has := func(label string) bool { return slices.Contains(m.LabelIDs, label) }
	return sources.Item[sources.Message]{
		ID: m.ID, Version: labels.version(m.LabelIDs), Title: h.title(),
		Link: "https://mail.google.com/mail/#all/" + url.PathEscape(m.ID),
		Content: sources.Message{
			Labels: labels.pick(m.LabelIDs), Received: time.UnixMilli(m.InternalDate).UTC(), MessageID: h.messageID,
			Read: !has("UNREAD"), Starred: has("STARRED"), Important: has("IMPORTANT"), Draft: has("DRAFT"),
			Categories: words(m.LabelIDs),
		},
	}, nil
}

// download reads a message with one request. The official client would hold the whole answer several times over, see
// docs/decisions/0006-gmail-raw-stream.md.
func (s *mailSource) download(ctx context.Context, id string) (*spool.Spool, rawMessage, error) {
	c := s.client
	u := c.endpoint(gmailAPI) + "gmail/v1/users/me/messages/" + url.PathEscape(id) + "?format=raw&prettyPrint=false&fields=" + url.QueryEscape(rawFields)
	res, err := c.get(ctx, s.user, gmailMessagesGet, u, nil)
	if err != nil {
		return nil, rawMessage{}, err
	}
	defer res.Body.Close()
	body := spool.New(0, c.options.TempDir).Within(c.options.Memory)
	m, err := decodeRaw(res.Body, body)
	if err != nil {
		body.Release()
		return nil, m, s.decodeFault(ctx, err)
	}
	return body, m, nil
}

func (s *mailSource) decodeFault(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, httpx.ErrStalled):
		err = fault.New(fault.Retry, fault.SourceBrokenBody, "Gmail messages.get: %w", err)
	case errors.Is(err, errRawSyntax) || errors.Is(err, errRawBase64) || errors.Is(err, errRawLong):
		err = fault.New(fault.Retry, fault.SourceBadAnswer, "Gmail messages.get: %w", err)
	}
	return s.client.fail(ctx, s.user, gmailMessagesGet, err)
}

// lazyBody downloads the message when it is opened.
func (s *mailSource) lazyBody(id string) sources.Body {
	return sources.Body{Version: id, Size: -1, Open: func(ctx context.Context) (io.ReadCloser, error) {
		body, _, err := s.download(ctx, id)
		if err != nil {
			return nil, s.refused(ctx, err)
		}
		r, err := body.Open()
		if err != nil {
			body.Release()
			return nil, err
		}
		return &releasing{ReadCloser: r, release: sync.OnceFunc(body.Release)}, nil
	}}
}

// releasing gives the spool back when its only reader is closed.
type releasing struct {
	io.ReadCloser
	release func()
}

func (r *releasing) Close() error {
	err := r.ReadCloser.Close()
	r.release()
	return err
}

// maxForbidden is how many messages in a row may be refused before the mailbox as a whole counts as refused.
const maxForbidden = 20

// refused returns the meaning of an error about one message. Google refuses every single message of a suspended user, with
// 403 or the reason backendError, while lists still work: then the task is over.
func (s *mailSource) refused(ctx context.Context, err error) error {
	f := fault.Of(err)
	if statusOf(err) != http.StatusForbidden && !hasReason(err, "backendError") || f.Reason == fault.SourceThrottled || f.Action == fault.FailTask {
		return err
	}
	if s.client.suspended(ctx, s.user) {
		return fault.New(fault.FailTask, fault.SourceSuspended, "%s is suspended: %w", httpx.OneLine(s.user), err).
			WithHint("Gmail gives no message of a suspended user: restore the user for the time of the move, or leave the mail out")
	}
	if s.forbidden.Add(1) < maxForbidden {
		return err
	}
	return fault.New(fault.FailTask, fault.SourceForbidden, "%d messages in a row were refused: %w", maxForbidden, err)
}
