package microsoft

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
)

// batchSize is the most requests that Graph takes in one batch (learn.microsoft.com/graph/json-batching).
const batchSize = 20

// batchAnswer is the answer to one request of a batch: a body, or an error that carries a fault.Error.
type batchAnswer struct {
	body json.RawMessage
	err  error
}

func (a batchAnswer) decode(out any) error {
	if a.err != nil {
		return a.err
	}
	return decodeJSON(a.body, out)
}

type batchRequest struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitempty"`
}

type batchResponse struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
}

// batchRounds is how often those requests of a batch are sent again that failed in passing. Without that, a batch of many would hardly
// ever get through where one request in ten fails.
const batchRounds = 8

// batch sends GET requests of one method, twenty at a time, and returns their answers in the same order. Each counts against the
// budget. What fails in passing inside a batch is sent again, as soon as the budgets that heard of a refusal let it. The error is for
// a batch that failed as a whole.
func (c *Client) batch(ctx context.Context, m method, of string, header map[string]string, urls []*url.URL) ([]batchAnswer, error) {
	answers := make([]batchAnswer, 0, len(urls))
	for len(urls) > 0 {
		n := min(batchSize, len(urls))
		generation := c.tokens.generation()
		some, err := c.oneBatch(ctx, call{method: m, of: of, header: header, requests: n}, urls[:n])
		if err == nil && slices.ContainsFunc(some, refusedToken) {
			c.tokens.renew(generation)
		}
		for round := 0; round < batchRounds && err == nil; round++ {
			err = c.again(ctx, call{method: m, of: of, header: header}, urls[:n], some, round == 0)
		}
		if err != nil {
			return nil, err
		}
		answers, urls = append(answers, some...), urls[n:]
	}
	return answers, nil
}

// refusedToken reports whether an answer says that the token is good no longer.
func refusedToken(a batchAnswer) bool { return statusOf(a.err) == http.StatusUnauthorized }

// again sends once more what failed in passing, and puts the new answers into their places. renewed says that the token is another one
// than that of the answers.
func (c *Client) again(ctx context.Context, k call, urls []*url.URL, answers []batchAnswer, renewed bool) error {
	var failed []int
	var list []*url.URL
	for i, a := range answers {
		if a.err != nil && (fault.Of(a.err).Action == fault.Retry || renewed && refusedToken(a)) {
			failed, list = append(failed, i), append(list, urls[i])
		}
	}
	if len(failed) == 0 {
		return nil
	}
	k.requests = len(list)
	some, err := c.oneBatch(ctx, k, list)
	for i, a := range some {
		answers[failed[i]] = a
	}
	if f, known := asFault(err); known && f.Action == fault.Retry {
		return nil // the answers still say what failed
	}
	return err
}

var errBatch = errors.New("an answer to a batch lacks one of its requests or holds one twice")

func (c *Client) oneBatch(ctx context.Context, k call, urls []*url.URL) ([]batchAnswer, error) {
	start := time.Now()
	body, err := json.Marshal(map[string]any{"requests": c.batchRequests(k, urls)})
	if err != nil {
		return nil, err
	}
	outer := k
	outer.url, outer.body, outer.header = c.path(nil, "$batch"), body, nil
	var reply struct {
		Responses []batchResponse `json:"responses"`
	}
	if err := c.get(ctx, outer, &reply); err != nil {
		return nil, err
	}
	answers := make([]batchAnswer, len(urls))
	seen := 0
	for _, r := range reply.Responses {
		i, err := strconv.Atoi(r.ID)
		if err != nil || i < 0 || i >= len(urls) || answers[i].body != nil || answers[i].err != nil {
			return nil, fault.New(fault.Retry, fault.SourceBadAnswer, "%s: %w", k.method, errBatch)
		}
		answers[i], seen = c.batchAnswer(ctx, k, r, start), seen+1
	}
	if seen != len(urls) {
		return nil, fault.New(fault.Retry, fault.SourceBadAnswer, "%s: %w", k.method, errBatch)
	}
	return answers, nil
}

func (c *Client) batchRequests(k call, urls []*url.URL) []batchRequest {
	requests := make([]batchRequest, len(urls))
	for i, u := range urls {
		requests[i] = batchRequest{ID: strconv.Itoa(i), Method: http.MethodGet, URL: "/" + string(c.cursorOf(u)), Headers: k.header}
		requests[i].URL = strings.TrimSuffix(requests[i].URL, "?")
	}
	return requests
}

// batchAnswer reads one answer of a batch.
func (c *Client) batchAnswer(ctx context.Context, k call, r batchResponse, start time.Time) batchAnswer {
	body := r.Body
	if len(body) == 0 {
		body = json.RawMessage("null")
	}
	if r.Status >= 200 && r.Status < 300 {
		c.quota.served(k, start)
		return batchAnswer{body: body}
	}
	header := http.Header{}
	for name, value := range r.Headers {
		header.Set(name, value)
	}
	e := newError(k.method.String(), r.Status, header, []byte(c.tokens.mask().Text(string(plainJSON(body)))))
	return batchAnswer{err: c.quota.refused(ctx, k, start, c.fail(ctx, k, e))}
}

// plainJSON undoes the base64 in which a batch may wrap a body.
func plainJSON(body json.RawMessage) []byte {
	var wrapped string
	if json.Unmarshal(body, &wrapped) != nil {
		return body
	}
	raw, err := base64.StdEncoding.DecodeString(wrapped)
	if err != nil {
		return fmt.Appendf(nil, "%s", wrapped)
	}
	return raw
}
