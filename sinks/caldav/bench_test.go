package caldav

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
)

// BenchmarkPut writes events over 4 connections, in turns with a plain loop of PUTs of the same objects, and reports both
// rates and their ratio. The turns share what the machine and the server do meanwhile.
func BenchmarkPut(b *testing.B) {
	for _, c := range []struct {
		name  string
		start func(testing.TB) *realserver.Server
	}{
		{"cyrus", func(tb testing.TB) *realserver.Server { return realserver.Cyrus(tb, realserver.CyrusOptions{}) }},
		{"radicale", func(tb testing.TB) *realserver.Server { return realserver.Radicale(tb, realserver.RadicaleOptions{}) }},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkPut(b, c.start(b)) })
	}
}

const (
	connections = 4
	round       = 40 // events of one turn
)

func benchmarkPut(b *testing.B, server *realserver.Server) {
	transport := httpx.NewTransport()
	defer transport.CloseIdleConnections()
	sinkOptions, plainOptions := options(server.CalendarsURL("u1"), "u1"), options(server.CalendarsURL("u2"), "u2")
	sinkOptions.RoundTripper, plainOptions.RoundTripper = transport, transport
	s, err := Open(b.Context(), sinkOptions)
	if err != nil {
		b.Fatal(err)
	}
	p, err := Open(b.Context(), plainOptions)
	if err != nil {
		b.Fatal(err)
	}
	var spent, spentPlain time.Duration
	n := 0
	for b.Loop() {
		items := make([]sinks.Item[sinks.Event], round)
		for i := range items {
			n++
			items[i] = item(fmt.Sprintf("bench%d", n), n, 0)
		}
		spent += parallel(b, items, func(it sinks.Item[sinks.Event]) error {
			_, err := s.Put(b.Context(), it, sinks.Receipt{})
			return err
		})
		spentPlain += parallel(b, items, func(it sinks.Item[sinks.Event]) error {
			return plainPut(transport, plainOptions.URL, p.Calendar()+s.store.Format.ObjectName(it.ID), it.Content.Data)
		})
	}
	rate, plain := float64(n)/spent.Seconds(), float64(n)/spentPlain.Seconds()
	b.ReportMetric(rate, "events/s")
	b.ReportMetric(plain, "plain/s")
	b.ReportMetric(100*rate/plain, "%of-plain")
	b.ReportMetric(0, "ns/op")
}

func parallel(b *testing.B, items []sinks.Item[sinks.Event], do func(sinks.Item[sinks.Event]) error) time.Duration {
	start := time.Now()
	queue := make(chan sinks.Item[sinks.Event])
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for it := range queue {
				if err := do(it); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for _, it := range items {
		queue <- it
	}
	close(queue)
	wg.Wait()
	return time.Since(start)
}

func plainPut(transport http.RoundTripper, home, path string, data []byte) error {
	c, err := (Options{URL: home, RoundTripper: transport}).client()
	if err != nil {
		return err
	}
	u, err := c.Resolve(path)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPut, u.String(), bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.SetBasicAuth("u2", "secret")
	req.Header.Set("Content-Type", "text/calendar")
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return resp.Body.Close()
}
