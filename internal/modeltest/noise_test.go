package modeltest

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

// lists are the members in which providers list items.
var lists = []string{"files", "changes", "messages", "items", "connections", "value"}

// forget begins a new pass: no page repeats what one of an earlier pass listed.
func (w *wire) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before = map[string][]any{}
}

// noise repeats and reorders what pages list, as providers allow themselves: an item twice in a page, in two pages one after the
// other, in any order among others. Of one item the last state stays the last. noisy tells which requests list.
func (w *wire) noise(seed uint64, noisy func(r *http.Request) bool, next http.RoundTripper) http.RoundTripper {
	var mu sync.Mutex
	d := newDice(seed)
	return httpx.RoundTrip(func(r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		batch := strings.HasSuffix(r.URL.Path, "/$batch")
		if err != nil || resp.StatusCode != http.StatusOK || !batch && !noisy(r) {
			return resp, err
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		resp.Body = io.NopCloser(bytes.NewReader(w.spoil(d, r, batch, raw)))
		resp.Header.Del("Content-Length")
		resp.ContentLength = -1
		return resp, nil
	})
}

// spoil returns another form of an answer, or the answer itself if it is none that lists.
func (w *wire) spoil(d *dice, r *http.Request, batch bool, raw []byte) []byte {
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
				w.shuffleLists(d, "", body)
			}
		}
	} else {
		q := r.URL.Query()
		w.shuffleLists(d, r.URL.Path+" "+q.Get("q")+" "+q.Get("fields"), answer) // of what one query asks for
	}
	out, err := json.Marshal(answer)
	if err != nil {
		return raw
	}
	return out
}

// shuffleLists changes the answer's list. key names the listing; the empty one repeats nothing of other pages.
func (w *wire) shuffleLists(d *dice, key string, answer map[string]any) {
	for _, name := range lists {
		list, ok := answer[name].([]any)
		if !ok {
			continue
		}
		w.mu.Lock()
		if key != "" {
			list = append(unlisted(d, w.before[key], list), list...)
			if w.before != nil {
				w.before[key] = list
			}
		}
		w.mu.Unlock()
		answer[name] = shuffled(d, list)
	}
}

// unlisted returns some of the items before that are not in the list.
func unlisted(d *dice, before, list []any) (out []any) {
	here := map[string]bool{}
	for _, item := range list {
		here[idOf(item)] = true
	}
	for _, item := range slices.Backward(before) { // the last state of each
		id := idOf(item)
		if !here[id] && d.chance(3) {
			out = append(out, item)
		}
		here[id] = true
	}
	return out
}

// shuffled repeats items and puts the list into another order, in which those of one id keep theirs.
func shuffled(d *dice, list []any) []any {
	byID := map[string][]any{}
	var order []string
	for _, item := range list {
		id := idOf(item)
		for n := 1 + d.IntN(5)/4; n > 0; n-- {
			byID[id] = append(byID[id], item)
			order = append(order, id)
		}
	}
	d.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
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
