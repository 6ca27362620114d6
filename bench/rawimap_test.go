package bench

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// multiappend is how many messages one command of the limit's loop carries, by RFC 3502.
const multiappend = 32

// rawIMAP appends all messages over the given number of connections, each into a mailbox of its own, and returns how
// many a second went in. before is called ahead of each message of a connection; it may be nil.
func rawIMAP(tb testing.TB, addr, user string, messages [][]byte, connections int, before func(i int) error) float64 {
	tb.Helper()
	conns := make([]*rawConn, connections)
	for i := range conns {
		c, err := dialRaw(addr, user)
		if err != nil {
			tb.Fatal(err)
		}
		defer c.conn.Close()
		conns[i] = c
		if err := c.command(fmt.Sprintf("CREATE Raw%d", i)); err != nil {
			tb.Fatal(err)
		}
	}
	start := time.Now()
	var g errgroup.Group
	for i, c := range conns {
		g.Go(func() error {
			for at := i * multiappend; at < len(messages); at += connections * multiappend {
				end := min(at+multiappend, len(messages))
				for j := at; j < end && before != nil; j++ {
					if err := before(j); err != nil {
						return err
					}
				}
				if err := c.append(fmt.Sprintf("Raw%d", i), messages[at:end]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		tb.Fatal(err)
	}
	return float64(len(messages)) / time.Since(start).Seconds()
}

// rawConn is an IMAP connection that knows nothing but APPEND with non-synchronizing literals (RFC 7888).
type rawConn struct {
	conn net.Conn
	r    *bufio.Reader
	w    *bufio.Writer
	tag  int
}

func dialRaw(addr, user string) (*rawConn, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &rawConn{conn: conn, r: bufio.NewReader(conn), w: bufio.NewWriterSize(conn, 256<<10)}
	if _, err := c.r.ReadString('\n'); err != nil {
		return nil, err
	}
	return c, c.command("LOGIN " + user + " secret")
}

func (c *rawConn) command(text string) error {
	c.tag++
	if _, err := fmt.Fprintf(c.w, "a%d %s\r\n", c.tag, text); err != nil {
		return err
	}
	return c.answer()
}

func (c *rawConn) append(mailbox string, messages [][]byte) error {
	c.tag++
	fmt.Fprintf(c.w, "a%d APPEND %s", c.tag, mailbox)
	for _, m := range messages {
		fmt.Fprintf(c.w, " (\\Seen) \"01-Jan-2024 10:00:00 +0000\" {%d+}\r\n", len(m))
		_, _ = c.w.Write(m)
	}
	_, _ = io.WriteString(c.w, "\r\n")
	return c.answer()
}

func (c *rawConn) answer() error {
	if err := c.w.Flush(); err != nil {
		return err
	}
	tag := fmt.Sprintf("a%d ", c.tag)
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return err
		}
		if strings.HasPrefix(line, tag) {
			if !strings.HasPrefix(line, tag+"OK") {
				return fmt.Errorf("the server said %q", line)
			}
			return nil
		}
	}
}
