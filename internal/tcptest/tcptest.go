// Package tcptest has the listening half of servers for tests that speak a protocol by hand, and of what stands between a client and a
// real server.
package tcptest

import (
	"bufio"
	"io"
	"net"
	"sync"
	"testing"
)

// Serve answers each connection to a free port of this machine with handle, which runs beside the others; the connection is closed
// behind it. The test's end closes the listener and waits for what is still being handled.
func Serve(tb testing.TB, handle func(net.Conn)) (address string) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	return ServeOn(tb, l, handle)
}

// ServeOn is Serve with a listener of its own, such as one of TLS.
func ServeOn(tb testing.TB, l net.Listener, handle func(net.Conn)) (address string) {
	var all sync.WaitGroup
	tb.Cleanup(func() { _ = l.Close(); all.Wait() })
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { defer conn.Close(); handle(conn) })
		}
	})
	return l.Addr().String()
}

// Way carries what one side of a connection says to the other, until one of them ends.
type Way func(to io.Writer, from io.Reader)

// Between returns what handles a connection by another one to the address, with a way for what the client asks and one for what the
// server answers.
func Between(address string, ask, answer Way) (handle func(net.Conn)) {
	return func(near net.Conn) {
		far, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		var both sync.WaitGroup
		both.Go(func() { defer far.Close(); ask(far, near) })
		both.Go(func() { defer near.Close(); answer(near, far) })
		both.Wait()
	}
}

// Copy is the way that changes nothing.
func Copy(to io.Writer, from io.Reader) { _, _ = io.Copy(to, from) }

// Lines returns the way on which each line goes through change; false ends the connection, and an empty line is left out.
func Lines(change func(line []byte) ([]byte, bool)) Way {
	return func(to io.Writer, from io.Reader) {
		r := bufio.NewReader(from)
		for {
			line, err := r.ReadBytes('\n')
			if err != nil {
				return
			}
			line, ok := change(line)
			if !ok {
				return
			}
			if _, err := to.Write(line); err != nil {
				return
			}
		}
	}
}
