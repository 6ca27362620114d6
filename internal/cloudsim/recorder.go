package cloudsim

import (
	"net/http"
	"strings"
)

// Recorder keeps a copy of an answer in JSON, to be checked.
type Recorder struct {
	http.ResponseWriter
	Status int
	Body   []byte
	// Spoiled says that a fault changed the answer.
	Spoiled bool
}

// WriteHeader notes the status.
func (w *Recorder) WriteHeader(code int) {
	w.Status = code
	w.ResponseWriter.WriteHeader(code)
}

func (w *Recorder) Write(p []byte) (int, error) {
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		w.Body = append(w.Body, p...)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *Recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
