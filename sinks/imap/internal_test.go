package imap

import (
	"bytes"
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"codeberg.org/repatriate/repatriate/sinks"
)

func TestUTF7(t *testing.T) {
	for in, want := range map[string]string{ // the examples of RFC 3501 §5.1.3 among them
		"~peter/mail/台北/日本語": "~peter/mail/&U,BTFw-/&ZeVnLIqe-", "R&D": "R&-D", "ü": "&APw-", "👍": "&2D3cTQ-", "a": "a", "": "",
		"Entwürfe": "Entw&APw-rfe", "☺!": "&Jjo-!",
	} {
		if got := utf7(in); got != want {
			t.Errorf("utf7(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	slash, dot := naming{delim: '/'}, naming{'.', "INBOX."}
	for _, c := range []struct {
		n       naming
		path    []string
		want    string
		changed bool
	}{
		{slash, []string{"INBOX"}, "INBOX", false},
		{dot, []string{"INBOX"}, "INBOX", false},
		{slash, []string{"Work", "2021"}, "Work/2021", false},
		{dot, []string{"Work", "2021"}, "INBOX.Work.2021", false},
		{dot, []string{"example.org"}, "INBOX.example․org", true},
		{slash, []string{"example.org"}, "example.org", false},
		{slash, []string{"a/b"}, "a∕b", true},
		{slash, []string{"R&D (old)"}, "R&D (old)", false},
		{slash, []string{"100%"}, "100％", true},
		{slash, []string{"~x", "~y"}, "～x/~y", true},
		{slash, []string{"inbox", "x"}, "INBOX/x", true},
		{slash, []string{"INBOX", "x"}, "INBOX/x", false},
	} {
		if got, changed := c.n.name(c.path, false); got != c.want || changed != c.changed {
			t.Errorf("%q is %q, %v; want %q, %v", c.path, got, changed, c.want, c.changed)
		}
	}
}

// FuzzNames: each name is legal, the same each time, and no two different labels share one.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"a", "a/b", "inbox", "INBOX", "a∕b", "%", "％", "", " ", ".", "..", "é", "e\u0301", "\xff", strings.Repeat("ü", 300)} {
		f.Add(s, "x", "other", true)
	}
	f.Fuzz(func(t *testing.T, one, two, other string, strict bool) {
		for _, n := range []naming{{delim: '/'}, {'.', "INBOX."}, {delim: 0}} {
			paths := [][]string{{one}, {one, two}, {other}, {other, two}, {one, other, two}}
			seen := map[string][]string{}
			for _, path := range paths {
				name, _ := n.name(path, strict)
				again, _ := n.name(slices.Clone(path), strict)
				if again != name {
					t.Fatalf("%q is %q and %q", path, name, again)
				}
				if !slices.Equal(path, []string{inbox}) {
					checkName(t, n, name)
				}
				if before, ok := seen[name]; ok && !slices.Equal(before, path) && !sameButForCase(before, path) {
					t.Fatalf("%q and %q are both %q", before, path, name)
				}
				seen[name] = path
			}
		}
	})
}

// sameButForCase: beneath the inbox, whose name is the same in any case, two labels may meet.
func sameButForCase(a, b []string) bool {
	return len(a) == len(b) && strings.EqualFold(a[0], b[0]) && slices.Equal(a[1:], b[1:])
}

func checkName(t *testing.T, n naming, name string) {
	t.Helper()
	local := strings.TrimPrefix(name, n.prefix)
	if strings.EqualFold(name, inbox) || local == "" || !utf8.ValidString(name) || strings.ContainsAny(local, "%*\x00\r\n\"\\") || len(utf7(name)) > 255 {
		t.Fatalf("%q is no legal name", name)
	}
	if n.delim == 0 {
		return
	}
	levels := strings.Split(local, string(n.delim))
	if len(levels) > maxDepth || slices.Contains(levels, "") || strings.IndexAny(local, "~#") == 0 {
		t.Fatalf("%q is no legal name", name)
	}
	for _, l := range levels {
		if l == "." || l == ".." || strings.TrimSpace(l) != l {
			t.Fatalf("%q has the level %q", name, l)
		}
	}
}

func TestDifference(t *testing.T) {
	for _, c := range []struct{ base, want, now, add, del string }{
		{"", `\Seen`, "", `\Seen`, ""},
		{`\Seen`, "", `\Seen`, "", `\Seen`},
		{`\Seen`, `\Seen`, "", "", ""},        // the user's unread stays
		{"", "", `\Flagged`, "", ""},          // the user's star stays
		{`\Seen`, "", "", "", ""},             // both took it away
		{"", `\Seen`, `\seen`, "", ""},        // both set it
		{`$a`, `$A $b`, `$a $c`, "$b", ""},    // in any case
		{`$a $b`, `$b`, `$a $b $c`, "", "$a"}, // the source's alone
	} {
		add, del := difference(strings.Fields(c.base), strings.Fields(c.want), strings.Fields(c.now))
		if strings.Join(add, " ") != c.add || strings.Join(del, " ") != c.del {
			t.Errorf("%+v: add %v, delete %v", c, add, del)
		}
	}
}

func TestPermitted(t *testing.T) {
	flags, losses := legalFlags([]string{`\Seen`, `\seen`, `\Recent`, "$a", "with space", "", `\Weird`})
	if !slices.Equal(flags, []string{`\Seen`, "$a"}) || len(losses) != 4 {
		t.Errorf("legal: %v, %v", flags, losses)
	}
	kept, losses := permitted([]string{`\Seen`, `\Draft`, "$a", "$b"}, []string{`\Seen`, "$A"})
	if !slices.Equal(kept, []string{`\Seen`, "$a"}) || len(losses) != 2 || losses[0].Reason != "mail.flag_lost" || losses[1].Reason != "mail.keyword_lost" {
		t.Errorf("permitted: %v, %v", kept, losses)
	}
	if kept, losses = permitted([]string{"$b"}, []string{`\*`}); len(kept) != 1 || losses != nil {
		t.Errorf("permitted by \\*: %v, %v", kept, losses)
	}
}

func TestPlaces(t *testing.T) {
	for _, p := range []place{{"INBOX", 1, 2}, {"a;UIDVALIDITY=3/;UID=4", 5, 6}, {"Größe/日本 %&", 1, 4294967295}} {
		if got, err := parsePlace(p.String()); err != nil || got != p {
			t.Errorf("%v became %v, %v", p, got, err)
		}
	}
	for _, bad := range []string{"", "INBOX", "INBOX;UIDVALIDITY=0/;UID=1", "INBOX;UIDVALIDITY=1/;UID=0", "INBOX;UIDVALIDITY=1/;UID=x", ";UIDVALIDITY=1/;UID=1", "%zz;UIDVALIDITY=1/;UID=1"} {
		if p, err := parsePlace(bad); err == nil {
			t.Errorf("%q is %v", bad, p)
		}
	}
	if _, err := parseState("{"); err == nil {
		t.Error("a broken state is no error")
	}
}

func TestMessageID(t *testing.T) {
	for head, want := range map[string]string{
		"Message-ID: <a@b>\r\n\r\n":                          "a@b",
		"From: x\r\nMESSAGE-id:\r\n\t<folded@b>\r\n\r\n":     "folded@b",
		"Subject: x\r\n\r\nMessage-ID: <body@b>\r\n":         "",
		"Message-ID: <a b@c>\r\n\r\n":                        "",
		"Message-ID: <\"q\"@c>\r\n\r\n":                      "",
		"Message-ID: no-brackets\r\n\r\n":                    "no-brackets",
		"Message-ID: <a@b> (comment)\r\n\r\n":                "",
		"Message-ID: <" + strings.Repeat("x", 300) + ">\r\n": "",
		"": "",
	} {
		if got := messageID([]byte(head)); got != want {
			t.Errorf("%q has the Message-ID %q, want %q", head, got, want)
		}
	}
}

// FuzzNormaliser: whatever the pieces in which a message comes, what is sent has CRLF alone and no NUL, and nothing else
// is changed.
func FuzzNormaliser(f *testing.F) {
	for _, s := range []string{"a\nb\r\nc", "\x00\n", "\r\x00\n", "\r", "\r\r\n", "a\r", "\n\n", "Message-ID: <a>\r\n\r\n"} {
		f.Add([]byte(s), uint8(1))
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		var out bytes.Buffer
		n := &normaliser{w: &out}
		for rest := data; len(rest) > 0; {
			k := min(len(rest), int(step)+1)
			if _, err := n.Write(rest[:k]); err != nil {
				t.Fatal(err)
			}
			rest = rest[k:]
		}
		plain := bytes.ReplaceAll(data, []byte{0}, nil)
		want := bytes.ReplaceAll(bytes.ReplaceAll(plain, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
		if !bytes.Equal(out.Bytes(), want) {
			t.Fatalf("%q became %q, want %q", data, out.Bytes(), want)
		}
		if n.nuls != bytes.Count(data, []byte{0}) || n.endings != len(want)-len(plain) {
			t.Fatalf("%q: %d NULs, %d endings", data, n.nuls, n.endings)
		}
		_ = messageID(n.head)
	})
}

// FuzzGuard: the guard lets pass what it must, whatever the pieces, and never more than its budget.
func FuzzGuard(f *testing.F) {
	f.Add([]byte("* LIST () \"/\" {3}\r\n(((\r\n"))
	f.Add([]byte("* OK {9}\r\n((((((((((\r\n"))
	f.Add([]byte("* 1 FETCH (FLAGS (\\Seen) BODY[] {2}\r\n\"(\"\\\"))\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		near, far := net.Pipe()
		go func() { _, _ = far.Write(data); _ = far.Close() }()
		g := &guard{Conn: near}
		g.allow(1000)
		got, err := io.ReadAll(g)
		if !bytes.HasPrefix(data, got) {
			t.Fatalf("%q became %q", data, got)
		}
		if err == nil && len(data) > 1000 {
			t.Fatalf("%d bytes passed", len(data))
		}
		_ = far.Close()
	})
}

func TestInternalDate(t *testing.T) {
	for in, lost := range map[time.Time]bool{
		{}: false, time.Date(2020, 1, 2, 3, 4, 5, 600, time.UTC): false, time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC): true,
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC): true, time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC): true,
	} {
		got, losses := internalDate(in)
		if lost != (len(losses) > 0) || !lost && got.Unix() != in.Unix() {
			t.Errorf("%v became %v with %v", in, got, losses)
		}
		if y := got.Year(); !in.IsZero() && (y < 1970 || y > 9999) {
			t.Errorf("%v became %v", in, got)
		}
	}
}

// A batch is full at 64 messages or 4 MiB; large messages and those of an interrupted Put go alone.
func TestBatches(t *testing.T) {
	sizes := func(jobs ...*job) (out []int) {
		q := &queue{jobs: jobs}
		for len(q.jobs) > 0 {
			out = append(out, len(q.next()))
		}
		return out
	}
	of := func(size int64, alone bool) *job {
		j := &job{ctx: context.Background(), alone: alone}
		j.message.Size = size
		return j
	}
	many := func(n int, size int64) (out []*job) {
		for range n {
			out = append(out, of(size, false))
		}
		return out
	}
	for _, c := range []struct {
		jobs []*job
		want []int
	}{
		{many(130, 10), []int{64, 64, 2}},
		{many(10, 900_000), []int{4, 4, 2}},
		{append(many(2, 10), of(2<<20, false), of(10, false)), []int{2, 1, 1}},
		{append(many(2, 10), of(10, true), of(10, true), of(10, false)), []int{2, 1, 1, 1}},
	} {
		if got := sizes(c.jobs...); !slices.Equal(got, c.want) {
			t.Errorf("batches of %v, want %v", got, c.want)
		}
	}
}

var _ sinks.Sink[sinks.Message] = (*Sink)(nil)

// TestInherit keeps the note of mailboxes when a message that was taken away is written once more.
func TestInherit(t *testing.T) {
	at := place{"a/b", 7, 42}.String()
	of := func(made ...string) string { return state{Flags: []string{`\Seen`}, Made: made}.String() }
	for name, c := range map[string]struct{ written, before, want sinks.Receipt }{
		"never written":   {sinks.Receipt{Location: at, State: of("a/b")}, sinks.Receipt{}, sinks.Receipt{Location: at, State: of("a/b")}},
		"written before":  {sinks.Receipt{Location: at, State: of("a/b")}, sinks.Receipt{State: of("a", "a/b")}, sinks.Receipt{Location: at, State: of("a", "a/b")}},
		"nothing written": {sinks.Receipt{}, sinks.Receipt{State: of("a")}, sinks.Receipt{}},
		"no state":        {sinks.Receipt{Location: at, State: of()}, sinks.Receipt{State: "x"}, sinks.Receipt{Location: at, State: of()}},
	} {
		if got := inherit(sinks.Written{Receipt: c.written}, c.before).Receipt; got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
