package webdav_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/sinktest"
	"codeberg.org/repatriate/repatriate/sinks/webdav"
)

// workers is how many files are under way at once in the benchmarks.
const workers = 8

// BenchmarkApache compares new files of 4 to 200 KB through the sink with a plain loop of PUTs.
func BenchmarkApache(b *testing.B) {
	server := realserver.Apache(b, realserver.ApacheOptions{})
	l := userOf(server)
	bodies := make([][]byte, 64)
	for i := range bodies {
		bodies[i] = bytes.Repeat([]byte{byte(i)}, 4<<10+rand.IntN(196<<10))
	}
	b.Run("sink", func(b *testing.B) {
		opts, _ := l.account(b)
		sink, err := webdav.Open(b.Context(), opts)
		if err != nil {
			b.Fatal(err)
		}
		defer sink.Close()
		perFile(b, func(i int) error {
			item := file(i)
			item.Content.Body = sinktest.Bytes("v", bodies[i%len(bodies)])
			_, err := sink.Put(b.Context(), item, sinks.Receipt{})
			return err
		})
	})
	b.Run("plain PUT loop", func(b *testing.B) {
		opts, _ := l.account(b)
		client := &http.Client{Transport: httpx.NewTransport()}
		defer client.CloseIdleConnections()
		perFile(b, func(i int) error {
			return plainPut(b.Context(), client, opts, fmt.Sprintf("file%%20%d.txt", i), bodies[i%len(bodies)])
		})
	})
}

func perFile(b *testing.B, put func(int) error) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range workers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := put(int(i)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "files/s")
}

func plainPut(ctx context.Context, client *http.Client, opts webdav.Options, name string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, opts.URL+name, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.SetBasicAuth(opts.User, opts.Password)
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// BenchmarkLargeFile sends one stream into Apache.
func BenchmarkLargeFile(b *testing.B) {
	const size = 500 << 20
	opts, _ := userOf(realserver.Apache(b, realserver.ApacheOptions{})).account(b)
	sink, err := webdav.Open(b.Context(), opts)
	if err != nil {
		b.Fatal(err)
	}
	defer sink.Close()
	b.SetBytes(size)
	for i := 0; b.Loop(); i++ {
		item := file(i)
		item.Content.Body = sinks.Body{Version: "v", Size: size, Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(io.LimitReader(zeros{}, size)), nil
		}}
		if _, err := sink.Put(b.Context(), item, sinks.Receipt{}); err != nil {
			b.Fatal(err)
		}
	}
}
