package wire

import (
	"bytes"
	"io"
	"net"
	"slices"
	"strings"
)

// implied are the capabilities that IMAP4rev2 contains (RFC 9051 appendix E), as far as they matter to a client.
var implied = []string{"NAMESPACE", "UNSELECT", "UIDPLUS", "ENABLE", "SASL-IR", "LIST-EXTENDED", "LIST-STATUS", "MOVE", "LITERAL-", "SPECIAL-USE", "CHILDREN"}

// Release hands the logged-in connection over to another client. What that reads first is a greeting of the kind PREAUTH
// with the capabilities, as if the connection had been authenticated from the start. Of a server that speaks both
// revisions IMAP4rev2 is not shown, since its mailbox names and search answers hold only once they are enabled. The Conn is
// of no use afterwards.
func (c *Conn) Release() net.Conn {
	caps := make([]string, 0, len(c.caps)+len(implied))
	for name := range c.caps {
		caps = append(caps, name)
	}
	if c.Has("IMAP4REV2") && c.Has("IMAP4REV1") {
		caps = slices.DeleteFunc(caps, func(s string) bool { return s == "IMAP4REV2" })
		caps = append(caps, implied...)
	}
	slices.Sort(caps)
	list := strings.Join(slices.Compact(caps), " ")
	list = strings.NewReplacer("IMAP4REV1", "IMAP4rev1", "IMAP4REV2", "IMAP4rev2", "]", "", "(", "", ")", "").Replace(list)
	buffered, _ := c.r.Peek(c.r.Buffered())
	first := append([]byte("* PREAUTH [CAPABILITY "+list+"] ready\r\n"), buffered...)
	_ = c.net.SetDeadline(noDeadline)
	return &released{c.net, io.MultiReader(bytes.NewReader(first), c.net)}
}

type released struct {
	net.Conn
	r io.Reader
}

func (r *released) Read(p []byte) (int, error) { return r.r.Read(p) }
