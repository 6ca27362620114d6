package microsoft

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// maxBatch is the most requests in a batch (learn.microsoft.com/graph/json-batching).
const maxBatch = 20

type batchRequest struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
}

// serveBatch answers several requests at once. Each is counted, throttled and struck by faults by itself.
func (s *Server) serveBatch(w http.ResponseWriter, r *http.Request) {
	w, _, finish, answered := s.Strike(w, r, "batch", refuse)
	if answered {
		return
	}
	defer finish()
	var batch struct {
		Requests []batchRequest `json:"requests"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<20)).Decode(&batch); err != nil {
		writeError(w, errBadRequest("Invalid batch payload format."))
		return
	}
	if no := s.authorize(r, s.options.Permissions); no != nil {
		writeError(w, no)
		return
	}
	if len(batch.Requests) == 0 || len(batch.Requests) > maxBatch {
		writeError(w, errBadRequest("Number of batch requests must be from 1 to %d.", maxBatch))
		return
	}
	responses := make([]object, len(batch.Requests))
	for i, q := range batch.Requests {
		// Graph answers in any order: here the last comes first.
		responses[len(responses)-1-i] = s.within(r, q)
	}
	writeJSON(w, http.StatusOK, encode(object{"responses": responses}))
}

// within answers one request of a batch.
func (s *Server) within(outer *http.Request, q batchRequest) object {
	inner, err := http.NewRequestWithContext(outer.Context(), q.Method, "/v1.0/"+strings.TrimPrefix(q.URL, "/"), nil)
	if err != nil || q.ID == "" {
		return object{"id": q.ID, "status": 400, "headers": object{}, "body": errBadRequest("Invalid batch request.").body()}
	}
	inner.Host, inner.TLS = outer.Host, outer.TLS
	inner.Header.Set("Authorization", outer.Header.Get("Authorization"))
	for name, value := range q.Headers {
		inner.Header.Set(name, value)
	}
	answer := &buffered{header: http.Header{}, status: http.StatusOK}
	s.mux.ServeHTTP(answer, inner)
	if s.options.Strict != nil {
		s.Report(s.options.Strict.check(inner, &cloudsim.Recorder{ResponseWriter: answer, Status: answer.status, Body: answer.body.Bytes()})...)
	}
	headers := object{}
	for name := range answer.header {
		headers[name] = answer.header.Get(name)
	}
	o := object{"id": q.ID, "status": answer.status, "headers": headers}
	switch {
	case json.Valid(answer.body.Bytes()):
		o["body"] = json.RawMessage(answer.body.Bytes())
	case answer.body.Len() > 0:
		o["body"] = base64.StdEncoding.EncodeToString(answer.body.Bytes())
	}
	return o
}

// buffered keeps an answer.
type buffered struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (b *buffered) Header() http.Header         { return b.header }
func (b *buffered) WriteHeader(status int)      { b.status = status }
func (b *buffered) Write(p []byte) (int, error) { return b.body.Write(p) }
