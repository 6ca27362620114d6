// Package hostile has answers of servers that mean harm, for the tests of clients: without an end, nested without an end, small ones
// that unpack to large ones.
package hostile

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

// most is how much of an endless answer is sent at the most, so that a client that takes all of it fails and does not hang.
const most = 3 << 30

// Answers are what a server says, by what is wrong with it.
type Answers map[string]http.HandlerFunc

// XML are hostile multistatus documents by RFC 4918.
func XML() Answers {
	const begin = `<?xml version="1.0"?><d:multistatus xmlns:d="DAV:"><d:response>`
	a := of("application/xml", http.StatusMultiStatus)
	return Answers{
		"endless headers":  endlessHeaders,
		"endless text":     a.endless(begin+"<d:href>", "x"),
		"endless name":     a.endless(begin+"<", "x"),
		"endless nesting":  a.endless(begin, "<a>"),
		"nesting outside":  a.endless(`<d:multistatus xmlns:d="DAV:">`, "<a>"),
		"endless comment":  a.endless(begin+"<!--", "x"),
		"endless prologue": a.endless("<?xml ", "x"),
		"entities":         a.fixed(laughs()),
		"outer entity":     a.fixed(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + begin + "<d:href>&e;</d:href></d:response></d:multistatus>"),
		"a long name":      a.fixed(begin + "<" + strings.Repeat("n", 1e6) + ">"),
		"gzip bomb":        a.zipped(begin+"<d:href>", "x"),
		"nothing":          a.fixed(""),
		"no XML":           a.fixed("\x00\x01\x02"),
	}
}

// laughs is the document of a billion laughs.
func laughs() string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE x [<!ENTITY a0 "ha">`)
	for i := range 30 {
		n := string(rune('a' + i%26))
		b.WriteString(`<!ENTITY ` + n + `1 "&a0;&a0;&a0;&a0;&a0;&a0;&a0;&a0;&a0;&a0;">`)
	}
	b.WriteString(`]><d:multistatus xmlns:d="DAV:"><d:response><d:href>&z1;</d:href></d:response></d:multistatus>`)
	return b.String()
}

// JSON are hostile documents of the status, which may be one of an error.
func JSON(status int) Answers {
	a := of("application/json", status)
	return Answers{
		"endless headers": endlessHeaders,
		"endless text":    a.endless(`{"value":"`, "x"),
		"endless name":    a.endless(`{"`, "x"),
		"endless lists":   a.endless(`{"value":`, "["),
		"endless objects": a.endless(``, `{"error":`),
		"endless numbers": a.endless(`{"value":[`, "1,"),
		"endless blanks":  a.endless("", " "),
		"a long name":     a.fixed(`{"` + strings.Repeat("n", 1e6) + `":` + "["),
		"gzip bomb":       a.zipped(`{"value":"`, "x"),
		"no JSON":         a.fixed("\x00\x01\x02"),
		"a list":          a.fixed(`[1,2,3]`),
		"other types":     a.fixed(`{"value": 7, "error": 7, "messages": 7, "items": 7, "files": 7, "users": 7}`),
	}
}

type kind struct {
	media  string
	status int
}

func of(media string, status int) kind { return kind{media, status} }

func (k kind) head(w http.ResponseWriter) {
	w.Header().Set("Content-Type", k.media)
	w.WriteHeader(k.status)
}

func (k kind) fixed(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		k.head(w)
		_, _ = io.WriteString(w, text)
	}
}

func (k kind) endless(begin, again string) http.HandlerFunc {
	chunk := []byte(strings.Repeat(again, (1<<20)/len(again)))
	return func(w http.ResponseWriter, _ *http.Request) {
		k.head(w)
		_, err := io.WriteString(w, begin)
		for n := 0; n < most && err == nil; n += len(chunk) {
			_, err = w.Write(chunk)
		}
	}
}

// zipped is endless, and a thousandth of it goes over the wire.
func (k kind) zipped(begin, again string) http.HandlerFunc {
	member := func(text string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, text)
		_ = z.Close()
		return b.Bytes()
	}
	first, chunk := member(begin), member(strings.Repeat(again, (1<<20)/len(again)))
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			k.fixed("")(w, r) // who does not ask for it cannot be fooled by it
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		k.head(w)
		_, err := w.Write(first)
		for n := 0; n < most && err == nil; n += 1 << 20 {
			_, err = w.Write(chunk)
		}
	}
}

// endlessHeaders never comes to the body.
func endlessHeaders(w http.ResponseWriter, _ *http.Request) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	line := "X-Endless: " + strings.Repeat("x", 64<<10) + "\r\n"
	_, err = buffered.WriteString("HTTP/1.1 200 OK\r\n")
	for n := 0; n < most && err == nil; n += len(line) {
		_, err = buffered.WriteString(line)
	}
}

// Bounded calls do and fails the test if the heap grew beyond so many bytes meanwhile, by what the system had to give.
// A buffer that doubles leaves three times its size behind until the collector, which runs beside it, comes round: bytes
// is eight times the most that the client may hold of an answer, which is well below the 3 GiB that are sent.
func Bounded(t testing.TB, bytes uint64, do func()) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(20)) // what grows is what is held, and not when it was collected
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	if grown := after.HeapSys - before.HeapSys; after.HeapSys > before.HeapSys && grown > bytes {
		t.Errorf("the heap grew by %d MiB, more than %d", grown>>20, bytes>>20)
	}
}
