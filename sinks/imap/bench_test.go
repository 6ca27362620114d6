package imap_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	"codeberg.org/repatriate/repatriate/internal/faultnet"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/imap"
	"codeberg.org/repatriate/repatriate/sinks/sinktest"
)

const (
	benchMessages = 3000
	inFlight      = 128
)

// benchMail returns messages of 2 to 50 KB, the same in each run.
func benchMail() [][]byte {
	out := make([][]byte, benchMessages)
	raw := make([]byte, 57)
	for i := range out {
		r := rand.New(rand.NewSource(int64(i)))
		n := 2048 + r.Intn(48<<10)
		var b bytes.Buffer
		fmt.Fprintf(&b, "From: a@example.org\r\nTo: b@example.org\r\nSubject: Number %d\r\nMessage-ID: <bench%d@example.org>\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\nContent-Type: application/octet-stream\r\n\r\n", i, i)
		for b.Len() < n {
			_, _ = r.Read(raw)
			b.WriteString(base64.StdEncoding.EncodeToString(raw) + "\r\n")
		}
		out[i] = b.Bytes()
	}
	return out
}

// BenchmarkAppend compares the sink, with 128 Puts in flight, with plain MULTIAPPENDs of 32 over 4 connections into the
// same Dovecot: maildir on disk, with fsync. The two take turns, each time with an account of its own, since a disk that
// others use too is not the same a minute later; the medians count. "rtt" adds 20 ms to each round trip of both.
func BenchmarkAppend(b *testing.B) {
	mail := benchMail()
	for _, network := range []struct {
		name  string
		delay time.Duration
	}{{"loopback", 0}, {"rtt=20ms", 10 * time.Millisecond}} {
		for _, boxes := range []int{1, 4} {
			b.Run(fmt.Sprintf("%s/mailboxes=%d", network.name, boxes), func(b *testing.B) {
				s := realserver.Dovecot(b, realserver.DovecotOptions{Accounts: realserver.Accounts{Count: 200}})
				address := s.IMAP
				if network.delay > 0 {
					address = delayed(b, address, network.delay)
				}
				var plain, sink []float64
				for b.Loop() {
					k := 2 * len(plain) % 200
					plain = append(plain, rate(func() { plainMultiappend(b, address, s.User(k+1).User, boxes, mail) }))
					sink = append(sink, rate(func() { sinkAppend(b, address, s.User(k+2).User, boxes, mail) }))
				}
				b.ReportMetric(median(plain), "plain/s")
				b.ReportMetric(median(sink), "sink/s")
				b.ReportMetric(100*median(sink)/median(plain), "%")
			})
		}
	}
}

// rate returns how many messages a second f moved.
func rate(f func()) float64 {
	begin := time.Now()
	f()
	return benchMessages / time.Since(begin).Seconds()
}

func median(rates []float64) float64 {
	slices.Sort(rates)
	return rates[len(rates)/2]
}

func sinkAppend(b *testing.B, address, user string, boxes int, mail [][]byte) {
	s, err := imap.Open(b.Context(), imap.Options{URL: "imap://" + address, Insecure: true, User: user, Password: "secret"})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	next := make(chan int)
	var wg sync.WaitGroup
	for range inFlight {
		wg.Go(func() {
			for i := range next {
				it := sinks.Item[sinks.Message]{ID: fmt.Sprint(i), Content: sinks.Message{
					Mailbox: sinks.Mailbox{Path: []string{fmt.Sprintf("Box%d", i%boxes)}},
					Flags:   []string{`\Seen`}, InternalDate: dateA, Body: sinktest.Bytes("v", mail[i]),
				}}
				if _, err := s.Put(b.Context(), it, sinks.Receipt{}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for i := range mail {
		next <- i
	}
	close(next)
	wg.Wait()
}

// plainMultiappend sends MULTIAPPENDs of 32 over 4 connections. It is the limit to measure against: a loop that does nothing else.
func plainMultiappend(b *testing.B, address, user string, boxes int, mail [][]byte) {
	createBoxes(b, address, user, boxes)
	var wg sync.WaitGroup
	for k := range 4 {
		wg.Go(func() {
			c, err := net.Dial("tcp", address)
			if err != nil {
				b.Error(err)
				return
			}
			defer func() { _ = c.Close() }()
			r, w := bufio.NewReader(c), bufio.NewWriterSize(c, 256<<10)
			command := func(format string, args ...any) {
				_, _ = fmt.Fprintf(w, format, args...)
				_ = w.Flush()
				for {
					line, err := r.ReadString('\n')
					if err != nil {
						b.Error(err)
						return
					}
					if strings.HasPrefix(line, "x ") {
						return
					}
				}
			}
			if _, err := r.ReadString('\n'); err != nil {
				b.Error(err)
			}
			command("x LOGIN %s secret\r\n", user)
			for from := k * 32; from < len(mail); from += 4 * 32 {
				_, _ = fmt.Fprintf(w, "x APPEND Box%d", k%boxes)
				for _, m := range mail[from:min(from+32, len(mail))] {
					_, _ = fmt.Fprintf(w, " (\\Seen) \"04-Mar-2021 23:06:07 +0500\" {%d+}\r\n", len(m))
					_, _ = w.Write(m)
				}
				command("\r\n")
			}
		})
	}
	wg.Wait()
}

// delayed is a way to the address on which each byte takes a while in both directions, as over a long line.
func delayed(tb testing.TB, address string, delay time.Duration) string {
	tb.Helper()
	proxy, err := faultnet.Start(address, faultnet.Options{Latency: delay})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = proxy.Close() })
	return proxy.Addr()
}

// createBoxes makes the mailboxes one after the other: Dovecot 2.3 does not survive two CREATEs at once.
func createBoxes(b *testing.B, address, user string, boxes int) {
	b.Helper()
	c, err := imapclient.DialInsecure(address, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Login(user, "secret").Wait(); err != nil {
		b.Fatal(err)
	}
	for i := range boxes {
		if err := c.Create(fmt.Sprintf("Box%d", i), nil).Wait(); err != nil {
			b.Fatal(err)
		}
	}
}
