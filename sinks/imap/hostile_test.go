package imap_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/hostile"
	"codeberg.org/repatriate/repatriate/internal/tcptest"
	"codeberg.org/repatriate/repatriate/sinks/imap"
)

// most is how much of an endless answer is sent.
const most = 1 << 30

// saying starts a server that answers every command with OK, but for one, which it answers with a beginning and then again and again with
// the same.
func saying(t *testing.T, command, begin, again string) (address string) {
	t.Helper()
	return tcptest.Serve(t, func(conn net.Conn) { say(conn, command, begin, again) })
}

func say(conn net.Conn, command, begin, again string) {
	endless := func() {
		chunk := []byte(strings.Repeat(again, 1+(64<<10)/len(again)))
		_, err := io.WriteString(conn, begin)
		for n := 0; n < most && err == nil; n += len(chunk) {
			_, err = conn.Write(chunk)
		}
	}
	if command == "" {
		endless()
		return
	}
	_, _ = io.WriteString(conn, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\r\n")
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		tag, rest, _ := strings.Cut(lines.Text(), " ")
		if strings.HasPrefix(rest, command) {
			endless()
			return
		}
		if strings.HasPrefix(rest, "CAPABILITY") {
			_, _ = io.WriteString(conn, "* CAPABILITY IMAP4rev1\r\n")
		}
		_, _ = fmt.Fprintf(conn, "%s OK done\r\n", tag)
	}
}

// TestHostileServers: whatever a server says, before the login, to it and after it, the error is named and short, and memory stays small.
func TestHostileServers(t *testing.T) {
	for name, c := range map[string]struct{ command, begin, again string }{
		"an endless greeting":     {"", "* OK ", "x"},
		"endless lines first":     {"", "", "* BYTES\r\n"},
		"an endless answer":       {"AUTHENTICATE", "A1 NO ", "x"},
		"endless chatter":         {"AUTHENTICATE", "", "* OK still here\r\n"},
		"a large literal":         {"AUTHENTICATE", "* LIST () \"/\" {999999999999}\r\n", "x"},
		"endless capabilities":    {"AUTHENTICATE", "* CAPABILITY", " X"},
		"an endless list":         {"LIST", "", "* LIST () \"/\" x\r\n"},
		"an endless name":         {"LIST", "* LIST () \"/\" \"", "x"},
		"a literal without end":   {"LIST", "* LIST () \"/\" {4294967295}\r\n", "x"},
		"endless nesting":         {"LIST", "* LIST ", "("},
		"an endless status":       {"LIST", "* OK [", "x "},
		"no lines":                {"LIST", "", "\x00"},
		"an endless mailbox list": {"LIST", "* LIST (", "\\Marked "},
	} {
		t.Run(name, func(t *testing.T) {
			address := saying(t, c.command, c.begin, c.again)
			hostile.Bounded(t, 256<<20, func() {
				k, err := imap.Open(t.Context(), imap.Options{URL: "imap://" + address, Insecure: true, User: "ada", Password: "secret"})
				if err == nil {
					_ = k.Close()
					t.Fatal("no error")
				}
				if f := fault.Of(err); f.Reason != fault.TargetBadAnswer && f.Reason != fault.TargetUnavailable && f.Reason != fault.TargetAuth || len(err.Error()) > 1000 {
					t.Errorf("%s: %.300v (%d bytes)", f.Reason, err, len(err.Error()))
				}
			})
		})
	}
}
