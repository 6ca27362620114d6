package e2e

import (
	"net/url"
	"strings"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/faultnet"
)

// moments counts what happens between the program and both sides, and does something at a chosen count.
type moments struct {
	mu    sync.Mutex
	count int
	at    int // 0: never
	do    func()
}

// pass counts one event.
func (m *moments) pass() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count++
	if m.count == m.at {
		m.do()
	}
}

// watch counts a piece of data to or from a server.
func (m *moments) watch(faultnet.Passage) faultnet.Verdict {
	m.pass()
	return faultnet.Verdict{}
}

// arm counts anew and calls do at the given event.
func (m *moments) arm(at int, do func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count, m.at, m.do = 0, at, do
}

func (m *moments) disarm() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = 0
}

func (m *moments) reset() { m.arm(0, nil) }

func (m *moments) passed() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count
}

// proxied puts a bad network before the server of a URL.
func proxied(tb testing.TB, raw string, hook faultnet.Hook) (string, *faultnet.Proxy) {
	tb.Helper()
	u, err := url.Parse(raw)
	must(tb, err)
	p, err := faultnet.Start(u.Host, faultnet.Options{Hook: hook})
	must(tb, err)
	tb.Cleanup(func() { _ = p.Close() })
	return strings.Replace(raw, u.Host, p.Addr(), 1), p
}

// watched returns the targets with whatever passes to and from them counted.
func (m *moments) watched(tb testing.TB, s *servers) urls {
	tb.Helper()
	targets := s.urls()
	for _, at := range []*string{&targets.mail, &targets.files, &targets.calendar} {
		*at, _ = proxied(tb, *at, m.watch)
	}
	return targets
}
