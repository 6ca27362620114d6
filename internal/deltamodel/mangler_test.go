package deltamodel

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
)

// mangler answers lists as providers may and simulators do not: in another order, and with items that stand twice, on one page or on the
// one after it.
type mangler struct {
	next http.Handler

	mu    sync.Mutex
	r     *rand.Rand
	carry map[string]json.RawMessage // of the page before, by the path of the list
}

// reset forgets what the last pages held: it may have changed.
func (m *mangler) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.carry = map[string]json.RawMessage{}
}

// listKey is the member with the items of an answer; empty for what is no list of items.
func listKey(r *http.Request) string {
	path := r.URL.Path
	switch {
	case r.Method != http.MethodGet || r.URL.Query().Get("iCalUID") != "":
		return ""
	case strings.HasSuffix(path, "/events") && strings.HasPrefix(path, "/calendar/"), strings.HasSuffix(path, "/tasks"):
		return "items"
	case strings.HasSuffix(path, "/connections"):
		return "connections"
	case strings.HasSuffix(path, "/events"), strings.HasSuffix(path, "/delta"):
		return "value"
	}
	return ""
}

func (m *mangler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := listKey(r)
	if key == "" {
		m.next.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	m.next.ServeHTTP(answer, r)
	body := answer.Body.Bytes()
	var doc map[string]json.RawMessage
	if answer.Code == http.StatusOK && json.Unmarshal(body, &doc) == nil && doc[key] != nil {
		m.mangle(r.URL.Path, key, doc)
		body, _ = json.Marshal(doc) // what was JSON before
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(answer.Code)
	_, _ = w.Write(body)
}

func (m *mangler) mangle(path, key string, doc map[string]json.RawMessage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var items []json.RawMessage
	if json.Unmarshal(doc[key], &items) != nil || m.r.IntN(2) == 0 {
		return
	}
	before := m.carry[path]
	delete(m.carry, path)
	items = m.shuffled(items)
	if before != nil && !holds(items, idOf(before)) {
		items = append([]json.RawMessage{before}, items...)
	}
	if more := doc["nextPageToken"] != nil || doc["@odata.nextLink"] != nil; more && len(items) > 0 && m.carry != nil {
		m.carry[path] = items[len(items)-1]
	}
	doc[key], _ = json.Marshal(items)
}

// shuffled moves items about and doubles some. Those of one id keep their order: the last says how it is.
func (m *mangler) shuffled(items []json.RawMessage) []json.RawMessage {
	byID := map[string][]json.RawMessage{}
	var order []string
	for _, it := range items {
		id := idOf(it)
		byID[id] = append(byID[id], it)
		order = append(order, id)
		if m.r.IntN(6) == 0 {
			byID[id] = append(byID[id], it)
			order = append(order, id)
		}
	}
	m.r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	out := make([]json.RawMessage, 0, len(order))
	for _, id := range order {
		out = append(out, byID[id][0])
		byID[id] = byID[id][1:]
	}
	return out
}

func holds(items []json.RawMessage, id string) bool {
	for _, it := range items {
		if idOf(it) == id {
			return true
		}
	}
	return false
}

func idOf(item json.RawMessage) string {
	var v struct{ ID, ResourceName string }
	if json.NewDecoder(bytes.NewReader(item)).Decode(&v) != nil {
		return ""
	}
	return v.ID + v.ResourceName
}
