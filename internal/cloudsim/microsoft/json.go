package microsoft

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object.
type object map[string]any

// with returns a copy in which name has the value.
func (o object) with(name string, value any) object {
	out := maps.Clone(o)
	out[name] = value
	return out
}

// only returns a copy with the fields of a $select; "" selects all but those in hidden. Annotations and the id stay.
func (o object) only(selected string, hidden ...string) object {
	out := maps.Clone(o)
	if selected == "" {
		for _, name := range hidden {
			delete(out, name)
		}
		return out
	}
	want := map[string]bool{"id": true}
	for name := range strings.SplitSeq(selected, ",") {
		want[strings.TrimSpace(name)] = true
	}
	for name := range out {
		if !want[name] && !strings.HasPrefix(name, "@") {
			delete(out, name)
		}
	}
	return out
}

func (o object) text(name string) string {
	s, _ := o[name].(string)
	return s
}

// child returns the object of that name, whatever Go type holds it.
func (o object) child(name string) object {
	switch v := o[name].(type) {
	case object:
		return v
	case map[string]any:
		return v
	}
	return nil
}

func encode(o object) []byte {
	raw, err := json.Marshal(o)
	if err != nil {
		panic(err) // texts, numbers and the like
	}
	return raw
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// stamp writes a time as Graph does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
