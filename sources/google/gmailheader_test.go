package google

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseMailHeader(t *testing.T) {
	for _, c := range []struct {
		name, text, id, subject string
	}{
		{"plain", "From: a\r\nMessage-ID: <1@example.org>\r\nSubject: Hi\r\n\r\nSubject: body\r\n", "1@example.org", "Hi"},
		{"bare LF", "Subject: Hi\nMESSAGE-ID: <1@example.org>\n\nMessage-ID: <2@example.org>\n", "1@example.org", "Hi"},
		{"folded", "Message-ID:\r\n\t<1@example.org>\r\nSubject: one\r\n two\r\n\tthree\r\n\r\n", "1@example.org", "one two three"},
		{"space before the colon", "Subject : Hi\r\nMessage-ID : <1@example.org>\r\n\r\n", "1@example.org", "Hi"},
		{"encoded", "Subject: =?iso-8859-1?q?Gr=FC=DFe?= =?utf-8?b?8J+Ygg==?=\r\n\r\n", "", "Grüße😂"},
		{"unknown charset", "Subject: =?x-unknown?q?abc?=\r\n\r\n", "", "=?x-unknown?q?abc?="},
		{"the first counts", "Subject: a\r\nSubject: b\r\nMessage-ID: <1@x>\r\nMessage-ID: <2@x>\r\n\r\n", "1@x", "a"},
		{"no brackets", "Message-ID: 1@example.org\r\n\r\n", "1@example.org", ""},
		{"a comment behind", "Message-ID: <1@x> (added by a relay)\r\n\r\n", "1@x", ""},
		{"a space within", "Message-ID: <1 @x>\r\n\r\n", "", ""},
		{"control characters", "Subject: a\x1b[31mb\x00\r\nMessage-ID: <1\x00@x>\r\n\r\n", "", "a [31mb"},
		{"no header", "\r\nSubject: x\r\n", "", ""},
		{"empty", "", "", ""},
		{"cut short", "Subject: abc", "", "abc"},
		{"another field", "X-Subject: x\r\nSubjects: y\r\nNot-Message-ID: <1@x>\r\n\r\n", "", ""},
	} {
		if h := parseMailHeader([]byte(c.text)); h.messageID != c.id || h.subject != c.subject {
			t.Errorf("%s: got %q, %q; want %q, %q", c.name, h.messageID, h.subject, c.id, c.subject)
		}
	}
	long := parseMailHeader([]byte("Subject: " + strings.Repeat("é", 5000) + "\r\nMessage-ID: <" + strings.Repeat("x", 5000) + ">\r\n\r\n"))
	if len(long.subject) > maxSubject+10 || !utf8.ValidString(long.subject) || long.messageID != "" {
		t.Errorf("a long header gives %d bytes of subject and %d of id", len(long.subject), len(long.messageID))
	}
}

func FuzzParseMailHeader(f *testing.F) {
	f.Add([]byte("Message-ID: <1@example.org>\r\nSubject: =?utf-8?q?x?=\r\n y\r\n\r\n"))
	f.Add([]byte("Subject:\n\t\n:\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		h := parseMailHeader(text)
		if len(h.title()) > maxSubject+10 || strings.ContainsAny(h.title()+h.messageID, "\r\n\x00\x1b") || len(h.messageID) > maxMessageID {
			t.Errorf("got %q, %q", h.title(), h.messageID)
		}
	})
}
