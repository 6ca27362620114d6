package preflight

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// longestGreeting bounds what is read of a server's first line, in bytes.
const longestGreeting = 8 << 10

// greeted waits for an IMAP server's greeting (RFC 9051 §7.1.5). One that says BYE, closes or says nothing is of no more use to anybody
// than one that cannot be reached: it is overloaded, being restarted or brought up to date, or it keeps this machine out.
func (s Server) greeted(ctx context.Context, l *Log, conn net.Conn, address string) bool {
	if until, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(until)
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	line, err := bufio.NewReader(io.LimitReader(conn, longestGreeting)).ReadString('\n')
	if ctx.Err() == context.Canceled {
		return false
	}
	do := "look at the mail server and its log: whether it is being restarted or brought up to date, has reached a limit, or keeps this machine out"
	if err != nil {
		l.Refuse(s.Reason, fmt.Sprintf("%s takes connections and ends them without a greeting: %v", address, plainly(err)), s.remedy(do))
		return false
	}
	if word := strings.Fields(line); len(word) > 1 && word[0] == "*" && strings.EqualFold(word[1], "BYE") {
		l.Refuse(s.Reason, fmt.Sprintf("%s refuses everybody: %s", address, httpx.OneLine(strings.Join(word[1:], " "))), s.remedy(do))
		return false
	}
	return true
}
