package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// step is what a server says once a line that contains the words has come.
type step struct{ expect, say string }

// play connects to a server that follows the script, and returns what the client sent.
func play(t *testing.T, steps ...step) (*Conn, func() string) {
	t.Helper()
	near, far := net.Pipe()
	sent := make(chan string, 1)
	go func() {
		var log strings.Builder
		defer func() { sent <- log.String() }()
		defer func() { _ = far.Close() }()
		r := bufio.NewReader(far)
		for _, s := range steps {
			for s.expect != "" {
				line, err := r.ReadString('\n')
				log.WriteString(line)
				if err != nil {
					return
				}
				if strings.Contains(line, s.expect) {
					break
				}
			}
			if _, err := io.WriteString(far, s.say); err != nil {
				return
			}
		}
		rest, _ := io.ReadAll(r)
		log.Write(rest)
	}()
	c, err := New(near, 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return c, func() string {
		_ = c.Close()
		return <-sent
	}
}

func messages(texts ...string) []Message {
	var out []Message
	for _, text := range texts {
		out = append(out, Message{Flags: []string{`\Seen`}, Size: int64(len(text)), Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(text)), nil
		}})
	}
	return out
}

// exchange appends the messages as they go fastest, and returns the answers that came.
func exchange(c *Conn, mailbox string, messages []Message) (answers []Answer, err error) {
	parts := [][]Message{messages}
	if !c.Atomic() {
		parts = slices.Collect(slices.Chunk(messages, 1))
	}
	var sent []Sent
	read := func() error {
		got, err := c.Answer(sent[0])
		sent, answers = sent[1:], append(answers, got...)
		return err
	}
	for _, part := range parts {
		s, sendErr := c.Send(mailbox, part)
		if err = sendErr; err != nil {
			break
		}
		if sent = append(sent, s); !c.Pipelines() {
			err = errors.Join(err, read())
		}
	}
	for len(sent) > 0 {
		if answerErr := read(); answerErr != nil {
			return answers, answerErr
		}
	}
	return answers, err
}

const greeting = "* OK [CAPABILITY IMAP4rev1 LITERAL+ MULTIAPPEND UIDPLUS] hello\r\n"

func TestMultiappend(t *testing.T) {
	c, sent := play(t, step{"", greeting}, step{"two", "* 7 EXISTS\r\nA1 OK [APPENDUID 9 4:5] done\r\n"})
	answers, err := exchange(c, `a"b`, messages("one\r\n", "two\r\n"))
	if err != nil || len(answers) != 2 || answers[0] != (Answer{9, 4, nil}) || answers[1] != (Answer{9, 5, nil}) {
		t.Errorf("answers = %+v, %v", answers, err)
	}
	want := "A1 APPEND \"a\\\"b\" (\\Seen) {5+}\r\none\r\n (\\Seen) {5+}\r\ntwo\r\n\r\n"
	if got := sent(); got != want {
		t.Errorf("sent %q\nwant %q", got, want)
	}
}

// Of messages whose answer got lost nobody knows whether they are stored.
func TestLostMultiappend(t *testing.T) {
	c, _ := play(t, step{"", greeting}, step{"two", "* BYE tired\r\n"})
	if answers, err := exchange(c, "x", messages("one\r\n", "two\r\n")); err == nil || len(answers) > 0 {
		t.Errorf("answers = %+v, %v", answers, err)
	}
}

// Without MULTIAPPEND the commands follow one another, and each has its own answer.
func TestPipeline(t *testing.T) {
	c, sent := play(t, step{"", strings.Replace(greeting, " MULTIAPPEND", "", 1)},
		step{"three", "A1 OK [APPENDUID 9 4] done\r\nA2 NO [TOOBIG] no\r\nA3 OK done\r\n"})
	answers, err := exchange(c, "x", messages("one\r\n", "two\r\n", "three\r\n"))
	var status *StatusError
	if err != nil || len(answers) != 3 || answers[0].UID != 4 || !errors.As(answers[1].Err, &status) || status.Code != "TOOBIG" || answers[2].Err != nil {
		t.Errorf("answers = %+v, %v", answers, err)
	}
	if got := sent(); strings.Count(got, "APPEND") != 3 {
		t.Errorf("sent %q", got)
	}
}

// A server that says no before the literal gets the next command on the same connection.
func TestRefusedBeforeTheLiteral(t *testing.T) {
	c, sent := play(t, step{"", "* OK [CAPABILITY IMAP4rev1] hello\r\n"},
		step{"{5}", "A1 NO [TOOBIG] no\r\n"}, step{"{5}", "+ go on\r\n"}, step{"two", ""}, step{"\r\n", "A2 OK done\r\n"})
	answers, err := exchange(c, "x", messages("one\r\n", "two\r\n"))
	if err != nil || len(answers) != 2 || answers[0].Err == nil || answers[1].Err != nil {
		t.Errorf("answers = %+v, %v", answers, err)
	}
	if got := sent(); strings.Contains(got, "one") {
		t.Errorf("sent %q", got)
	}
}

func TestByeInTheMiddle(t *testing.T) {
	c, _ := play(t, step{"", strings.Replace(greeting, " MULTIAPPEND", "", 1)}, step{"two", "A1 OK done\r\n* BYE tired\r\n"})
	answers, err := exchange(c, "x", messages("one\r\n", "two\r\n"))
	var status *StatusError
	if len(answers) != 1 || answers[0].Err != nil || !errors.As(err, &status) || status.Status != "BYE" {
		t.Errorf("answers = %+v, %v", answers, err)
	}
}

// What the server says before it cuts the connection amid a literal is the error.
func TestLastWords(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		far, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(far, greeting)
		_, _ = bufio.NewReader(far).ReadString('\n')
		_, _ = io.WriteString(far, "* BYE [TOOBIG] no more\r\n")
		_ = far.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, far)
	}()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(near, 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, err = exchange(c, "x", messages(strings.Repeat("x", 1<<20)))
	var status *StatusError
	if !errors.As(err, &status) || status.Status != "BYE" {
		t.Errorf("Send: %v", err)
	}
}

func TestNothingIsInjected(t *testing.T) {
	for _, m := range []Message{
		{Flags: []string{`\Seen) "01-Jan-2020 00:00:00 +0000" {1+}`}, Size: 1},
		{Flags: []string{"a b"}, Size: 1}, {Flags: []string{""}, Size: 1}, {Flags: []string{"a\r\nb"}, Size: 1}, {Size: 0}, {Size: -1},
	} {
		c, sent := play(t, step{"", greeting})
		if _, err := exchange(c, "x", []Message{m}); err == nil {
			t.Errorf("%q was accepted", m.Flags)
		}
		if got := sent(); got != "" {
			t.Errorf("sent %q", got)
		}
	}
	if got := quote("a\r\nb\x00\"\\"); got != `"ab\"\\"` {
		t.Errorf("quoted as %s", got)
	}
}

func TestGreeting(t *testing.T) {
	for _, bad := range []string{"", "HTTP/1.1 400 Bad Request\r\n", "* BYE busy\r\n", "A1 OK hello\r\n", strings.Repeat("x", 1<<20), "* OK [CAPABILITY"} {
		near, far := net.Pipe()
		go func() { _, _ = io.WriteString(far, bad); _ = far.Close() }()
		if _, err := New(near, time.Second); err == nil {
			t.Errorf("%.40q is taken for a greeting", bad)
		}
	}
}

// A reader that yields less than announced must not complete the command.
func TestShortMessage(t *testing.T) {
	c, sent := play(t, step{"", greeting})
	m := messages("short")
	m[0].Size = 10
	if _, err := exchange(c, "x", m); err == nil {
		t.Error("Send succeeded")
	}
	if got := sent(); strings.HasSuffix(got, "\r\n") && !strings.HasSuffix(got, "}\r\n") {
		t.Errorf("sent %q", got)
	}
}

func TestAlive(t *testing.T) {
	c, _ := play(t, step{"", greeting + "* OK still here\r\n"})
	for range 2 {
		if !c.Alive() {
			t.Error("a quiet connection is taken for dead")
		}
	}
	c, _ = play(t, step{"", greeting + "* BYE idle for too long\r\n"})
	if c.Alive() {
		t.Error("a connection is alive after BYE")
	}
	c, sent := play(t, step{"", greeting})
	sent()
	if c.Alive() {
		t.Error("a closed connection is alive")
	}
}

func TestRelease(t *testing.T) {
	c, sent := play(t, step{"", "* OK [CAPABILITY IMAP4rev1 IMAP4rev2 IDLE] hello\r\n"}, step{"NOOP", "x OK done\r\n"})
	nc := c.Release()
	r := bufio.NewReader(nc)
	line, err := r.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "* PREAUTH [CAPABILITY ") || strings.Contains(line, "rev2") || !strings.Contains(line, " MOVE ") {
		t.Errorf("greeting %q, %v", line, err)
	}
	if _, err := io.WriteString(nc, "x NOOP\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := r.ReadString('\n'); line != "x OK done\r\n" {
		t.Errorf("answer %q, %v", line, err)
	}
	sent()
}

func TestAppendUIDs(t *testing.T) {
	for _, c := range []struct {
		args string
		n    int
		want []uint32
	}{
		{"5 1", 1, []uint32{1}}, {"5 1:3", 3, []uint32{1, 2, 3}}, {"5 3:1", 3, []uint32{1, 2, 3}}, {"5 7,2:3", 3, []uint32{7, 2, 3}},
		{"5 1", 2, nil}, {"5 1:3", 2, nil}, {"5 1:4294967295", 3, nil}, {"0 1", 1, nil}, {"5 0", 1, nil}, {"5 *", 1, nil}, {"5", 1, nil},
		{"", 1, nil}, {"5 1,", 1, nil}, {"5 1:", 1, nil}, {"99999999999 1", 1, nil}, {"5 1 2", 1, nil},
	} {
		if _, got, ok := appendUIDs(c.args, c.n); ok != (c.want != nil) || ok && !slices.Equal(got, c.want) {
			t.Errorf("%q for %d: %v, %v", c.args, c.n, got, ok)
		}
	}
}

// FuzzResponse: whatever a server says, reading it ends, is bounded and does not panic.
func FuzzResponse(f *testing.F) {
	for _, s := range []string{greeting, "A1 OK [APPENDUID 1 2:3] ok\r\n", "* LIST () \"/\" {3}\r\nabc\r\n", "+ go\r\n", "* OK {9}\r\n", "*\r\n", "A1\r\n", "* {99999999999999999999}\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bufio.NewReader(bytes.NewReader(data))
		for {
			line, err := readLine(r)
			if err != nil {
				return
			}
			if len(line) > maxLine {
				t.Fatalf("a line of %d bytes", len(line))
			}
			if p, err := parse(line); err == nil {
				if p.tag == "" || strings.ContainsAny(p.code, " ]") {
					t.Fatalf("%q is %+v", line, p)
				}
				if _, uids, ok := appendUIDs(p.args, 3); ok && len(uids) != 3 {
					t.Fatalf("%q has %d UIDs", p.args, len(uids))
				}
			}
		}
	})
}

func TestDates(t *testing.T) {
	c, sent := play(t, step{"", greeting}, step{"one", "A1 OK done\r\n"})
	m := messages("one\r\n")
	m[0].Date = time.Date(2021, 3, 4, 5, 6, 7, 0, time.FixedZone("", -5400))
	if _, err := exchange(c, "x", m); err != nil {
		t.Fatal(err)
	}
	if got, want := sent(), fmt.Sprintf("%q", "04-Mar-2021 05:06:07 -0130"); !strings.Contains(got, want) {
		t.Errorf("sent %q, want %s in it", got, want)
	}
}
