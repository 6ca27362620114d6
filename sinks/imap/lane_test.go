package imap

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/tcptest"
	"codeberg.org/repatriate/repatriate/sinks/imap/wire"
)

// What may break the connection waits for the answers to what is on its way, and nothing follows it before its own.
func TestTheGuiltyTravelsAlone(t *testing.T) {
	address := tcptest.Serve(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "* OK [CAPABILITY IMAP4rev1 LITERAL+ MULTIAPPEND UIDPLUS] hello\r\n")
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			if tag, _, is := strings.Cut(lines.Text(), " APPEND "); is {
				_, _ = fmt.Fprintf(conn, "%s OK done\r\n", tag)
			}
		}
	})
	near, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := wire.New(near, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	l := &lane{g: newGatherer(t.Context(), &Sink{}, 1), conn: conn}
	for _, c := range []struct {
		alone    bool
		underWay int
	}{{false, 1}, {true, 0}, {true, 0}, {false, 1}, {false, 1}} {
		j := &job{ctx: t.Context(), mailbox: "INBOX", alone: c.alone, finished: func() {}, done: make(chan wire.Answer, 1)}
		j.message = wire.Message{Size: 3, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x\r\n")), nil }}
		l.carry(&batch{queue: l.g.queue("INBOX"), jobs: []*job{j}, size: 1})
		if len(l.sent) != c.underWay || l.conn == nil {
			t.Fatalf("alone %v: %d are under way, want %d; lost: %v", c.alone, len(l.sent), c.underWay, l.lost)
		}
	}
}
