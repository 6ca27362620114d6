package cloudsim

import (
	"net"
	"net/http"
	"strconv"
)

// FaultyWriter spoils an answer.
type FaultyWriter struct {
	http.ResponseWriter
	front   *Front
	request *http.Request
	fault   Fault

	begun bool
	left  int64 // what may still be sent
	sent  int64
}

// Spoil returns a writer that does to an answer what the fault says. Finish must be called when the answer is complete. A Recorder
// learns of it.
func (f *Front) Spoil(w http.ResponseWriter, r *http.Request, fault Fault) *FaultyWriter {
	if checked, ok := w.(*Recorder); ok {
		checked.Spoiled = true
	}
	return &FaultyWriter{ResponseWriter: w, front: f, request: r, fault: fault}
}

// WriteHeader decides how much of the body is to come.
func (w *FaultyWriter) WriteHeader(code int) {
	w.begun = true
	length, err := strconv.ParseInt(w.Header().Get("Content-Length"), 10, 64)
	told := err == nil
	if !told {
		length = 256
	}
	w.left = length
	switch w.fault.Kind {
	case "reset":
		w.cut()
	case "truncate":
		w.left = length / 2
	case "length":
		if w.left = length / 2; told {
			w.Header().Set("Content-Length", strconv.FormatInt(w.left, 10))
		}
	}
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *FaultyWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *FaultyWriter) Write(p []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	switch w.fault.Kind {
	case "slow":
		return w.trickle(p)
	case "corrupt":
		return w.corrupt(p)
	case "truncate", "length":
		return w.part(p)
	}
	return w.ResponseWriter.Write(p)
}

// part sends what is left, and swallows the rest or cuts the connection.
func (w *FaultyWriter) part(p []byte) (int, error) {
	n := min(int64(len(p)), w.left)
	if _, err := w.ResponseWriter.Write(p[:n]); err != nil {
		return 0, err
	}
	w.left -= n
	if w.left == 0 && w.fault.Kind == "truncate" {
		_ = http.NewResponseController(w.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return len(p), nil
}

func (w *FaultyWriter) trickle(p []byte) (int, error) {
	size := max(1, len(p)/8)
	for sent := 0; sent < len(p); {
		n, err := w.ResponseWriter.Write(p[sent:min(sent+size, len(p))])
		sent += n
		if err != nil {
			return sent, err
		}
		_ = http.NewResponseController(w.ResponseWriter).Flush()
		w.front.Pause(w.request, w.front.behaviour.SlowPause)
	}
	return len(p), nil
}

// corrupt changes the byte in the middle of the body: a bit that keeps text text.
func (w *FaultyWriter) corrupt(p []byte) (int, error) {
	at := w.left/2 - w.sent
	w.sent += int64(len(p))
	if at >= 0 && at < int64(len(p)) {
		p = append([]byte(nil), p...)
		p[at] ^= 1
	}
	return w.ResponseWriter.Write(p)
}

// Finish cuts what has not begun: an answer without a body.
func (w *FaultyWriter) Finish() {
	if !w.begun && w.fault.Kind == "reset" {
		w.cut()
	}
}

// cut resets the connection.
func (w *FaultyWriter) cut() {
	conn, _, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		conn.Close()
	}
	panic(http.ErrAbortHandler)
}
