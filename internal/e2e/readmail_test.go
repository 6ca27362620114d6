package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// storedMessage is a message as FETCH gives it.
type storedMessage struct {
	body  []byte
	flags []string // sorted, without \Recent
	date  time.Time
	// uid is the server's, with the validity of its mailbox.
	validity, uid uint32
}

// dialMail logs in to an IMAP server.
func dialMail(tb testing.TB, addr, user string) *imapclient.Client {
	tb.Helper()
	c, err := imapclient.DialInsecure(addr, nil)
	must(tb, err)
	tb.Cleanup(func() { _ = c.Close() })
	must(tb, c.Login(user, password).Wait())
	return c
}

// readMail returns the messages of all mailboxes that hold any.
func readMail(tb testing.TB, addr, user string) map[string][]storedMessage {
	tb.Helper()
	c := dialMail(tb, addr, user)
	defer func() { _ = c.Close() }()
	boxes, err := c.List("", "*", nil).Collect()
	must(tb, err)
	all := make(map[string][]storedMessage)
	for _, b := range boxes {
		if slices.Contains(b.Attrs, imap.MailboxAttrNoSelect) {
			continue
		}
		if messages := readMailbox(tb, c, b.Mailbox); len(messages) > 0 {
			all[b.Mailbox] = messages
		}
	}
	return all
}

func readMailbox(tb testing.TB, c *imapclient.Client, name string) []storedMessage {
	tb.Helper()
	selected, err := c.Select(name, &imap.SelectOptions{ReadOnly: true}).Wait()
	must(tb, err)
	if selected.NumMessages == 0 {
		return nil
	}
	section := &imap.FetchItemBodySection{Peek: true}
	fetched, err := c.Fetch(imap.SeqSet{{Start: 1}}, &imap.FetchOptions{
		UID: true, Flags: true, InternalDate: true, BodySection: []*imap.FetchItemBodySection{section},
	}).Collect()
	must(tb, err)
	if len(fetched) != int(selected.NumMessages) {
		tb.Errorf("%s holds %d messages, FETCH gave %d", name, selected.NumMessages, len(fetched))
	}
	var out []storedMessage
	for _, f := range fetched {
		m := storedMessage{body: f.FindBodySection(section), date: f.InternalDate, validity: selected.UIDValidity, uid: uint32(f.UID)}
		for _, flag := range f.Flags {
			if flag != "\\Recent" {
				m.flags = append(m.flags, string(flag))
			}
		}
		slices.Sort(m.flags)
		out = append(out, m)
	}
	return out
}

// mailState returns a line for each message, sorted.
func mailState(boxes map[string][]storedMessage) map[string][]string {
	out := make(map[string][]string)
	for name, messages := range boxes {
		for _, m := range messages {
			line := fmt.Sprintf("%s %s %s", digest(m.body), strings.Join(m.flags, ","), m.date.UTC().Format(time.RFC3339))
			out[name] = append(out[name], line)
		}
		slices.Sort(out[name])
	}
	return out
}

// repaired returns a message as IMAP can hold it: with CRLF at the end of each line, and without NUL.
func repaired(raw []byte) []byte {
	s := strings.ReplaceAll(string(raw), "\x00", "")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return []byte(strings.ReplaceAll(s, "\n", "\r\n"))
}
