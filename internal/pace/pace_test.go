package pace_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"codeberg.org/repatriate/repatriate/internal/pace"
)

func TestPaceIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(100_000)
		begin := time.Now()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				got, err := io.ReadAll(p.Reader(t.Context(), strings.NewReader(strings.Repeat("x", 500_000))))
				if err != nil || len(got) != 500_000 {
					t.Errorf("%d bytes, %v", len(got), err)
				}
			})
		}
		all.Wait()
		// 2 MB at 100 kB/s, but for what may pass at once.
		if took := time.Since(begin); took < 19900*time.Millisecond || took > 20*time.Second {
			t.Errorf("four readers of a half megabyte took %v by a clock of its own", took)
		}
	})
}

func TestNoPace(t *testing.T) {
	r := strings.NewReader("text")
	if got := pace.New(0).Reader(t.Context(), r); got != io.Reader(r) {
		t.Errorf("without a bound the reader is %T", got)
	}
}

func TestPaceEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		n, err := io.Copy(io.Discard, pace.New(10_000).Reader(ctx, strings.NewReader(strings.Repeat("x", 1_000_000))))
		if !errors.Is(err, context.Canceled) || n > 20_000 {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
}

func TestParse(t *testing.T) {
	for text, want := range map[string]int64{
		"50M": 50_000_000, "50MB": 50_000_000, "50 MB/s": 50_000_000, "400Mbit": 50_000_000, "400mbit/s": 50_000_000, "1.5G": 1_500_000_000,
		"64k": 64_000, "5000000": 5_000_000, "1Gbit": 125_000_000, " 100Mbps ": 12_500_000,
		"0": 0, "": 0, "63K": 0, "-5M": 0, "5T": 0, "M": 0, "50MM": 0, "1e9": 0, "99999999999999999999999G": 0, "400Mib": 0, "50Mb": 0, "50mb/s": 0,
	} {
		if got, err := pace.Parse(text); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q is %d, want %d (%v)", text, got, want, err)
		}
	}
}
