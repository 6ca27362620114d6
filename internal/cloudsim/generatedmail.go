package cloudsim

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	bodyLine     = 76 + 2 // a line of base64 with its end: a multiple of three
	bodyPoolSize = 8192 * bodyLine
	attachFrom   = 64 << 10 // larger messages have an attachment
	mailTail     = "\r\n--part\r\nContent-Type: text/plain\r\n\r\nEnd.\r\n--part--\r\n"
)

// GeneratedMail is a message of about the given size that is made up while it is read. Small ones are text, large ones
// have an attachment; all lines end in CRLF. Different seeds give different messages.
func GeneratedMail(seed uint64, size int64, to string, date time.Time) Content {
	m := generatedMail{seed: seed, to: to, date: date.Unix(), attachment: size > attachFrom}
	m.headSize = len(m.head())
	m.lines = int(max(1, (size-int64(m.headSize+len(m.tail())))/bodyLine))
	return m
}

// generatedMail is small, as there may be millions of them.
type generatedMail struct {
	seed       uint64
	to         string
	date       int64
	headSize   int
	lines      int
	attachment bool
}

// head is all before the lines that come from the pool. Its length is a multiple of three, so that its base64 and
// that of the lines can be joined.
func (m generatedMail) head() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: Sender %d <sender%d@example.net>\r\nTo: <%s>\r\nSubject: Message %016x\r\nDate: %s\r\nMessage-ID: <%016x.%d@example.net>\r\nMIME-Version: 1.0\r\n",
		m.seed%1000, m.seed%1000, m.to, m.seed, time.Unix(m.date, 0).UTC().Format(time.RFC1123Z), m.seed, m.date)
	content := "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
	if m.attachment {
		content = "Content-Type: multipart/mixed; boundary=\"part\"\r\n\r\n--part\r\nContent-Type: text/plain\r\n\r\nSee the attachment.\r\n" +
			"--part\r\nContent-Type: application/octet-stream; name=\"data.bin\"\r\nContent-Disposition: attachment; filename=\"data.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	}
	const padding = "X-Padding: \r\n"
	short := (3 - (b.Len()+len(padding)+len(content))%3) % 3
	b.WriteString(padding[:len(padding)-2] + "xx"[:short] + "\r\n" + content)
	return b.Bytes()
}

func (m generatedMail) tail() string {
	if m.attachment {
		return mailTail
	}
	return ""
}

func (m generatedMail) Size() int64 {
	return int64(m.headSize + m.lines*bodyLine + len(m.tail()))
}

func (m generatedMail) Open(offset int64) (io.ReadCloser, error) {
	return &generatedMailReader{mail: m, head: m.head(), at: offset}, nil
}

// WriteBase64 writes the message as base64url without padding; the lines were encoded long ago.
func (m generatedMail) WriteBase64(w io.Writer) error {
	if _, err := w.Write(base64.RawURLEncoding.AppendEncode(nil, m.head())); err != nil {
		return err
	}
	pool := encodedPool()
	for left := m.lines * bodyLine / 3 * 4; left > 0; {
		n, err := w.Write(pool[:min(left, len(pool))])
		if err != nil {
			return err
		}
		left -= n
	}
	_, err := w.Write(base64.RawURLEncoding.AppendEncode(nil, []byte(m.tail())))
	return err
}

type generatedMailReader struct {
	mail generatedMail
	head []byte
	at   int64
}

func (r *generatedMailReader) Read(p []byte) (int, error) {
	total := 0
	for total < len(p) {
		n := copy(p[total:], r.next())
		if n == 0 {
			break
		}
		total += n
		r.at += int64(n)
	}
	if total == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return total, nil
}

func (r *generatedMailReader) Close() error { return nil }

// next gives the bytes from here to the next seam.
func (r *generatedMailReader) next() []byte {
	at, head, body := r.at, int64(len(r.head)), int64(r.mail.lines*bodyLine)
	if at < head {
		return r.head[at:]
	}
	if at -= head; at < body {
		piece := bodyPool()[at%bodyPoolSize:]
		return piece[:min(int64(len(piece)), body-at)]
	}
	tail := r.mail.tail()
	return []byte(tail[min(at-body, int64(len(tail))):])
}

// bodyPool is the text that all bodies are cut from, over and over.
var bodyPool = sync.OnceValue(func() []byte {
	noise, pool := commonStream().noise, make([]byte, 0, bodyPoolSize)
	for len(pool) < bodyPoolSize {
		pool = base64.StdEncoding.AppendEncode(pool, noise[:57])
		pool = append(pool, '\r', '\n')
		noise = noise[57:]
	}
	return pool
})

var encodedPool = sync.OnceValue(func() []byte { return base64.RawURLEncoding.AppendEncode(nil, bodyPool()) })
