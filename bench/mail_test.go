package bench

import (
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	"codeberg.org/repatriate/repatriate/internal/faultnet"
	"codeberg.org/repatriate/repatriate/internal/realserver"
)

// mailMin and mailMax are the sizes between which messages lie, evenly.
const mailMin, mailMax = 2 << 10, 50 << 10

// delay is what the benchmarks of a far target add to each round trip on either side.
const delay = 20 * time.Millisecond

// mails makes messages like those of the simulated provider.
func mails(tb testing.TB, n int) [][]byte {
	tb.Helper()
	rng := rand.New(rand.NewPCG(7, 7))
	out := make([][]byte, n)
	for i := range out {
		body, err := cloudsim.GeneratedMail(rng.Uint64(), mailMin+rng.Int64N(mailMax-mailMin+1), "u@example.org", time.Unix(1_600_000_000+int64(i), 0)).Open(0)
		if err != nil {
			tb.Fatal(err)
		}
		if out[i], err = io.ReadAll(body); err != nil {
			tb.Fatal(err)
		}
	}
	return out
}

// BenchmarkMail moves mail of 2 to 50 KB into a Dovecot that keeps a maildir on disk with its usual fsync.
func BenchmarkMail(b *testing.B) { benchmarkMail(b, 0) }

// BenchmarkMailFar is BenchmarkMail with a delay on both sides; the limit is that without.
func BenchmarkMailFar(b *testing.B) { benchmarkMail(b, delay) }

func benchmarkMail(b *testing.B, far time.Duration) {
	n := items(b, 5000)
	server := realserver.Dovecot(b, realserver.DovecotOptions{Accounts: realserver.Accounts{Count: 40}})
	source := startProvider(b, "--mail", fmt.Sprint(n), "--files", "0", "--events", "0", "--latency", far.String())
	addr := away(b, server.IMAP, far)
	messages := mails(b, n)
	for b.Loop() {
		s := series{server: server, items: n}
		for i := range rounds(b) {
			s.limit(func() float64 { return rawIMAP(b, server.IMAP, server.User(3*i+1).User, messages, 4, nil) })
			if far == 0 {
				s.fetchingLimit(rawIMAP(b, server.IMAP, server.User(3*i+2).User, messages, 4, source.messages(b)))
			}
			s.migration(source, func() outcome {
				return source.migrate(b, job{kind: "mail", target: fmt.Sprintf("{mail: {imap: %q}}", "imap://"+addr), user: server.User(3*i + 3).User})
			})
		}
		s.report(b, "mails")
	}
}

// away returns an address that leads to addr with the delay, half of it each way.
func away(tb testing.TB, addr string, far time.Duration) string {
	tb.Helper()
	if far == 0 {
		return addr
	}
	proxy, err := faultnet.Start(addr, faultnet.Options{Latency: far / 2})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = proxy.Close() })
	return proxy.Addr()
}
