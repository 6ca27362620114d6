package google

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	bodyLine     = 76 + 2 // a line of base64 with its end
	bodyPoolSize = 8192 * bodyLine
	attachFrom   = 64 << 10 // larger messages have an attachment
)

// GeneratedMail is a message of about the given size that is made up while it is read. Small ones are text, large ones
// have an attachment; all lines end in CRLF. Different seeds give different messages.
func GeneratedMail(seed uint64, size int64, to string, date time.Time) Content {
	m := generatedMail{head: mailHead(seed, size, to, date)}
	if size > attachFrom {
		m.tail = []byte("\r\n--part\r\nContent-Type: text/plain\r\n\r\nEnd.\r\n--part--\r\n")
	}
	m.lines = max(1, (size-int64(len(m.head)+len(m.tail)))/bodyLine)
	return m
}

func mailHead(seed uint64, size int64, to string, date time.Time) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: Sender %d <sender%d@example.net>\r\nTo: <%s>\r\nSubject: Message %016x\r\nDate: %s\r\nMessage-ID: <%016x.%d@example.net>\r\nMIME-Version: 1.0\r\n",
		seed%1000, seed%1000, to, seed, date.Format(time.RFC1123Z), seed, date.Unix())
	if size > attachFrom {
		b.WriteString("Content-Type: multipart/mixed; boundary=\"part\"\r\n\r\n--part\r\nContent-Type: text/plain\r\n\r\nSee the attachment.\r\n" +
			"--part\r\nContent-Type: application/octet-stream; name=\"data.bin\"\r\nContent-Disposition: attachment; filename=\"data.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	} else {
		b.WriteString("Content-Type: text/plain; charset=us-ascii\r\n\r\n")
	}
	return b.Bytes()
}

type generatedMail struct {
	head, tail []byte
	lines      int64
}

func (m generatedMail) Size() int64 {
	return int64(len(m.head)) + m.lines*bodyLine + int64(len(m.tail))
}

func (m generatedMail) Open(offset int64) (io.ReadCloser, error) {
	return &generatedMailReader{m, offset}, nil
}

type generatedMailReader struct {
	mail generatedMail
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
	at, head := r.at, int64(len(r.mail.head))
	if at < head {
		return r.mail.head[at:]
	}
	at -= head
	if body := r.mail.lines * bodyLine; at >= body {
		return r.mail.tail[min(at-body, int64(len(r.mail.tail))):]
	} else {
		piece := bodyPool()[at%bodyPoolSize:]
		return piece[:min(int64(len(piece)), body-at)]
	}
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
