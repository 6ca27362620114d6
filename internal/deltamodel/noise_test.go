package deltamodel

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// noise repeats and reorders what pages list, as providers allow themselves and simulators do not: an item twice in a page, in two
// pages one after the other, in any order among others. Of one item the last state stays the last.
type noise struct {
	mu     sync.Mutex
	d      *dice
	before map[string][]any // the last page of each listing that goes on
}

// listings are the ends of the paths that list items, and lists the members in which they do.
var (
	listings = []string{"/drive/v3/files", "/drive/v3/changes", "/users/me/messages", "/events", "/tasks", "/connections", "/delta"}
	lists    = []string{"files", "changes", "messages", "items", "connections", "value"}
)

// forget has no page repeat what one before listed: it may have changed.
func (n *noise) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.before = map[string][]any{}
}

// isListing reports whether a request is for a page of items.
func isListing(r *http.Request) bool {
	return r.Method == http.MethodGet && !r.URL.Query().Has("iCalUID") &&
		slices.ContainsFunc(listings, func(end string) bool { return strings.HasSuffix(r.URL.Path, end) })
}

// over makes noise of what comes from next.
func (n *noise) over(next http.RoundTripper) http.RoundTripper {
	return httpx.RoundTrip(func(r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		batch := strings.HasSuffix(r.URL.Path, "/$batch")
		if err != nil || resp.StatusCode != http.StatusOK || !batch && !isListing(r) {
			return resp, err
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		resp.Body = io.NopCloser(bytes.NewReader(n.spoil(r, batch, raw)))
		resp.Header.Del("Content-Length")
		resp.ContentLength = -1
		return resp, nil
	})
}

// spoil returns another form of an answer, or the answer itself if it is none that lists.
func (n *noise) spoil(r *http.Request, batch bool, raw []byte) []byte {
	var answer map[string]any
	decode := json.NewDecoder(bytes.NewReader(raw))
	decode.UseNumber()
	if decode.Decode(&answer) != nil {
		return raw
	}
	if responses, ok := answer["responses"].([]any); ok && batch {
		for _, one := range responses {
			response, _ := one.(map[string]any)
			if body, ok := response["body"].(map[string]any); ok && (body["@odata.deltaLink"] != nil || body["@odata.nextLink"] != nil) {
				n.page("", body)
			}
		}
	} else {
		q := r.URL.Query()
		n.page(r.URL.Path+" "+q.Get("q")+" "+q.Get("fields"), answer) // of what one query asks for
	}
	out, err := json.Marshal(answer)
	if err != nil {
		return raw
	}
	return out
}

// page changes a page's list. key names the listing; the empty one repeats nothing of other pages.
func (n *noise) page(key string, answer map[string]any) {
	for _, name := range lists {
		list, ok := answer[name].([]any)
		if !ok {
			continue
		}
		if key != "" {
			list = append(n.unlisted(n.before[key], list), list...)
			if delete(n.before, key); answer["nextPageToken"] != nil || answer["@odata.nextLink"] != nil {
				n.before[key] = list
			}
		}
		answer[name] = n.shuffled(list)
	}
}

// unlisted returns some of the items before that are not in the list.
func (n *noise) unlisted(before, list []any) (out []any) {
	here := map[string]bool{}
	for _, item := range list {
		here[idOf(item)] = true
	}
	for _, item := range slices.Backward(before) { // the last state of each
		id := idOf(item)
		if !here[id] && n.d.chance(3) {
			out = append(out, item)
		}
		here[id] = true
	}
	return out
}

// shuffled repeats items and puts the list into another order, in which those of one id keep theirs.
func (n *noise) shuffled(list []any) []any {
	byID := map[string][]any{}
	var order []string
	for _, item := range list {
		id := idOf(item)
		for range 1 + n.d.IntN(5)/4 {
			byID[id] = append(byID[id], item)
			order = append(order, id)
		}
	}
	n.d.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	out := make([]any, 0, len(order))
	for _, id := range order {
		out = append(out, byID[id][0])
		byID[id] = byID[id][1:]
	}
	return out
}

// idOf returns by what a listed item is known; items without an id are all different.
func idOf(item any) string {
	members, _ := item.(map[string]any)
	for _, name := range []string{"fileId", "id", "resourceName"} {
		if id, ok := members[name].(string); ok {
			return id
		}
	}
	raw, _ := json.Marshal(item)
	return string(raw)
}
