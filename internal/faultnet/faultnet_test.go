package faultnet

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// lineServer answers each line with "ok " and the line, and counts lines.
type lineServer struct {
	addr  string
	lines atomic.Int64
}

func startLines(t *testing.T) *lineServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &lineServer{addr: listener.Addr().String()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return s
}

func (s *lineServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		s.lines.Add(1)
		if _, err := fmt.Fprintf(conn, "ok %s\n", lines.Text()); err != nil {
			return
		}
	}
}

func start(t *testing.T, target string, options Options) *Proxy {
	t.Helper()
	p, err := Start(target, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// peer is a client of a lineServer.
type peer struct {
	net.Conn
	reader *bufio.Reader
}

func dial(t *testing.T, p *Proxy) *peer {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	return &peer{conn, bufio.NewReader(conn)}
}

// ask sends a line and returns the answer.
func (p *peer) ask(line string) (string, error) {
	if _, err := io.WriteString(p, line+"\n"); err != nil {
		return "", err
	}
	return p.reader.ReadString('\n')
}

func (p *peer) want(t *testing.T, line string) {
	t.Helper()
	if got, err := p.ask(line); got != "ok "+line+"\n" || err != nil {
		t.Errorf("answer %q, %v", got, err)
	}
}

func (p *peer) wantCut(t *testing.T, line string) {
	t.Helper()
	if got, err := p.ask(line); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("answer %q, %v, want a cut", got, err)
	}
}

// wantRefused: the reset may come before the connection is used, or after.
func wantRefused(t *testing.T, p *Proxy) {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		return
	}
	(&peer{conn, bufio.NewReader(conn)}).wantCut(t, "a")
	_ = conn.Close()
}

func TestPass(t *testing.T) {
	server := startLines(t)
	p := start(t, server.addr, Options{})
	one, two := dial(t, p), dial(t, p)
	one.want(t, "a")
	two.want(t, "b")
	one.want(t, "c")
	if got, want := p.Counters(), (Counters{Connections: 2, Turns: 3, ToServer: 6, ToClient: 15}); got != want {
		t.Errorf("Counters = %+v, want %+v", got, want)
	}
}

// What the client sent before it closed its half still gets its answer.
func TestHalfClose(t *testing.T) {
	p := start(t, startLines(t).addr, Options{})
	client := dial(t, p)
	if _, err := io.WriteString(client, "a\n"); err != nil {
		t.Fatal(err)
	}
	if err := client.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(client); string(got) != "ok a\n" || err != nil {
		t.Errorf("answer %q, %v", got, err)
	}
}

func TestHooks(t *testing.T) {
	tests := []struct {
		name  string
		hook  func() Hook
		asked []string // one after the other, on a new connection after a cut
		cut   []bool
		lines int64 // that reached the server whole
	}{
		{"bytes to server", func() Hook { return CutAfter(ToServer, 3) }, []string{"a", "bc", "d"}, []bool{false, true, false}, 3},
		{"bytes to server, line end", func() Hook { return CutAfter(ToServer, 2) }, []string{"a", "b"}, []bool{true, false}, 2},
		{"bytes to client", func() Hook { return CutAfter(ToClient, 7) }, []string{"a", "b", "c"}, []bool{false, true, false}, 3},
		{"turn", func() Hook { return CutTurn(2) }, []string{"a", "b", "c"}, []bool{false, true, false}, 2},
		{"answer", func() Hook { return DropAnswer(2) }, []string{"a", "b", "c"}, []bool{false, true, false}, 3},
		{"chain", func() Hook { return Chain(CutTurn(1), DropAnswer(2)) }, []string{"a", "b", "c"}, []bool{true, true, false}, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := startLines(t)
			p := start(t, server.addr, Options{Hook: test.hook()})
			client := dial(t, p)
			for i, line := range test.asked {
				if !test.cut[i] {
					client.want(t, line)
					continue
				}
				client.wantCut(t, line)
				client = dial(t, p)
			}
			// The server takes the half line of a cut for a line at its end, if it sees an end and not a reset.
			if got := server.lines.Load(); got > test.lines || got < test.lines-1 {
				t.Errorf("%d lines reached the server, want %d", got, test.lines)
			}
		})
	}
}

func TestDropAnswerReachesServer(t *testing.T) {
	server := startLines(t)
	p := start(t, server.addr, Options{Hook: DropAnswer(1)})
	dial(t, p).wantCut(t, "a")
	if got := server.lines.Load(); got != 1 {
		t.Errorf("%d lines reached the server, want 1", got)
	}
}

func TestHangAnswer(t *testing.T) {
	server := startLines(t)
	p := start(t, server.addr, Options{Hook: HangAnswer(1)})
	client := dial(t, p)
	_ = client.SetDeadline(time.Now().Add(50 * time.Millisecond))
	if got, err := client.ask("a"); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("answer %q, %v, want none", got, err)
	}
	p.SetHook(nil)
	dial(t, p).want(t, "b")
}

func TestTruncateAnswer(t *testing.T) {
	server := startLines(t)
	p := start(t, server.addr, Options{Hook: TruncateAnswer(1, 2)})
	client := dial(t, p)
	if got, err := client.ask("a"); got != "ok" || !errors.Is(err, io.EOF) {
		t.Errorf("answer %q, %v, want its beginning and an end in good order", got, err)
	}
	if got := server.lines.Load(); got != 1 {
		t.Errorf("%d lines reached the server, want 1", got)
	}
	dial(t, p).want(t, "b")
}

func TestInsteadOfTheAnswer(t *testing.T) {
	p := start(t, startLines(t).addr, Options{Hook: onAnswer(1, Verdict{Action: End, Instead: []byte("bye\n")})})
	client := dial(t, p)
	if got, err := client.ask("a"); got != "bye\n" || err != nil {
		t.Errorf("answer %q, %v", got, err)
	}
	client.wantCut(t, "b")
}

func TestRepeatAnswer(t *testing.T) {
	server := startLines(t)
	p := start(t, server.addr, Options{Hook: RepeatAnswer(1)})
	client := dial(t, p)
	client.want(t, "a")
	if got, err := client.reader.ReadString('\n'); got != "ok a\n" || err != nil {
		t.Errorf("%q, %v, want the answer once more", got, err)
	}
	client.want(t, "b")
	if got, want := p.Counters(), (Counters{Connections: 1, Turns: 2, ToServer: 4, ToClient: 15}); got != want {
		t.Errorf("Counters = %+v, want %+v", got, want)
	}
}

// What was sent before the client hung up still reaches the server, which is at its end when HangUp returns; a client hears
// nothing more, and new connections are as before.
func TestHangUp(t *testing.T) {
	server := startLines(t)
	swallow := func(p Passage) Verdict {
		if p.Direction == ToClient {
			return Verdict{Action: Swallow}
		}
		return Verdict{}
	}
	p := start(t, server.addr, Options{Hook: swallow})
	client := dial(t, p)
	if _, err := io.WriteString(client, "a\nb\n"); err != nil {
		t.Fatal(err)
	}
	for p.Counters().ToServer < 4 {
		runtime.Gosched()
	}
	p.HangUp()
	if got := server.lines.Load(); got != 2 {
		t.Errorf("%d lines reached the server, want 2", got)
	}
	if got, err := client.reader.ReadString('\n'); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("answer %q, %v, want a cut", got, err)
	}
	p.SetHook(nil)
	dial(t, p).want(t, "c")
	p.HangUp()
	p.HangUp() // nothing is open
}

func TestCutRandomlyIsSeeded(t *testing.T) {
	cuts := func(seed uint64) (at []int64) {
		hook := CutRandomly(seed, 100)
		var offset int64
		for range 100 {
			verdict := hook(Passage{Data: make([]byte, 30)})
			if verdict.Action == Cut {
				at = append(at, offset+int64(verdict.Keep))
			}
			offset += 30
		}
		return at
	}
	first, again, other := fmt.Sprint(cuts(1)), fmt.Sprint(cuts(1)), fmt.Sprint(cuts(2))
	if first != again || first == other || len(cuts(1)) < 5 {
		t.Errorf("cuts at %s, again %s, with another seed %s", first, again, other)
	}
}

func TestRefuseAndCutAll(t *testing.T) {
	p := start(t, startLines(t).addr, Options{})
	client := dial(t, p)
	client.want(t, "a")
	p.Refuse(true)
	wantRefused(t, p)
	client.want(t, "c")
	p.CutAll()
	client.wantCut(t, "d")
	p.Refuse(false)
	dial(t, p).want(t, "e")
}

// Close ends connections that are open, their goroutines (see TestMain), and
// what is delayed.
func TestClose(t *testing.T) {
	server := startLines(t)
	p, err := Start(server.addr, Options{Latency: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	client := dial(t, p)
	if _, err := io.WriteString(client, "a\n"); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.reader.ReadString('\n'); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
		t.Errorf("%v, want the end", err)
	}
	if got := server.lines.Load(); got != 0 {
		t.Errorf("%d lines reached the server before the hour was over", got)
	}
}

func TestNoServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	wantRefused(t, start(t, listener.Addr().String(), Options{}))
}

// Chunks that come one after the other are all due one latency later, and not
// one latency after one another; bandwidth spreads them.
func TestSchedule(t *testing.T) {
	start := time.Unix(1000, 0)
	delayed := Options{Latency: time.Second}
	for i := range 3 {
		now := start.Add(time.Duration(i) * time.Millisecond)
		if due, _ := delayed.schedule(now, time.Time{}, 1000); !due.Equal(now.Add(time.Second)) {
			t.Errorf("chunk %d is due %v after it came", i, due.Sub(now))
		}
	}
	narrow := Options{Latency: time.Second, Bandwidth: 1000}
	var free time.Time
	for i := 1; i <= 3; i++ {
		var due time.Time
		due, free = narrow.schedule(start, free, 500)
		if want := start.Add(time.Second + time.Duration(i)*500*time.Millisecond); !due.Equal(want) {
			t.Errorf("chunk %d is due at %v, want %v", i, due.Sub(start), want.Sub(start))
		}
	}
}

func TestHTTP(t *testing.T) {
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		body, _ := io.ReadAll(r.Body) // an answer before the end would be another turn
		_, _ = w.Write(body)
	}))
	defer server.Close()
	p := start(t, strings.TrimPrefix(server.URL, "http://"), Options{Hook: DropAnswer(2)})
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport}
	body := strings.Repeat("x", 1<<20)
	for i, want := range []bool{true, false, true} {
		response, err := client.Post("http://"+p.Addr(), "text/plain", strings.NewReader(body))
		if (err == nil) != want {
			t.Errorf("request %d: %v", i+1, err)
		}
		if err != nil {
			continue
		}
		got, err := io.ReadAll(response.Body)
		if err != nil || string(got) != body {
			t.Errorf("request %d: %d bytes, %v", i+1, len(got), err)
		}
		_ = response.Body.Close()
	}
	if got := requests.Load(); got != 3 {
		t.Errorf("%d requests reached the server, want 3", got)
	}
}
