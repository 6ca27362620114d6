package imap_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/internal/tcptest"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/imap"
)

// mangled is a way to a server on which each line that the server says goes through change; false ends the connection,
// and an empty line is left out.
func mangled(tb testing.TB, t target, change func(line []byte) ([]byte, bool)) target {
	tb.Helper()
	t.address = tcptest.Serve(tb, tcptest.Between(t.address, tcptest.Copy, tcptest.Lines(change)))
	return t
}

// without leaves words out of what the server says.
func without(words ...string) func([]byte) ([]byte, bool) {
	return func(line []byte) ([]byte, bool) {
		for _, w := range words {
			line = bytes.ReplaceAll(line, []byte(" "+w), nil)
		}
		return line, true
	}
}

// A server without the extensions gets the same messages, only slower, and they are found again.
func TestPlainServer(t *testing.T) {
	for _, words := range [][]string{{"MULTIAPPEND"}, {"LITERAL+"}, {"LITERAL+", "LITERAL-", "MULTIAPPEND", "SASL-IR", "SPECIAL-USE", "NAMESPACE"}, {"AUTH=PLAIN"}} {
		t.Run(strings.Join(words, " "), func(t *testing.T) {
			a := mangled(t, dovecot(t, realserver.DovecotOptions{}), without(words...)).open(t, nil)
			putMany(t, a, 40)
		})
	}
	t.Run("UIDPLUS", func(t *testing.T) {
		a := mangled(t, dovecot(t, realserver.DovecotOptions{}), func(line []byte) ([]byte, bool) {
			line = bytes.ReplaceAll(line, []byte(" UIDPLUS"), nil)
			return bytes.ReplaceAll(line, []byte("[APPENDUID"), []byte("[X")), true
		}).open(t, nil)
		putMany(t, a, 40)
		w := a.put(numbered(100), sinks.Receipt{})
		wantReason(t, a.Remove(t.Context(), w.Receipt), fault.FailItem, fault.TargetUnsupported)
	})
	for name, uid := range map[string]string{"too few": "7 1", "too many": "7 1:4000000000", "not a number": "7 x", "star": "7 1:*", "empty": "", "zero": "0 0"} {
		t.Run("APPENDUID "+name, func(t *testing.T) {
			a := mangled(t, embeddedTarget(t), func(line []byte) ([]byte, bool) {
				if before, _, ok := bytes.Cut(line, []byte("[APPENDUID ")); ok && name != "too few" {
					return fmt.Appendf(nil, "%s[APPENDUID %s] done\r\n", before, uid), true
				}
				return line, true
			}).open(t, nil)
			putMany(t, a, 5)
		})
	}
}

// putMany puts n messages at once, and checks that each receipt leads to its message.
func putMany(t *testing.T, a *account, n int) {
	t.Helper()
	var wg sync.WaitGroup
	receipts := make([]sinks.Receipt, n)
	for i := range n {
		wg.Go(func() {
			w, err := a.Put(t.Context(), numbered(i), sinks.Receipt{})
			if err != nil {
				t.Errorf("message %d: %v", i, err)
			}
			receipts[i] = w.Receipt
		})
	}
	wg.Wait()
	byUID := map[string]string{}
	for _, m := range a.messages() {
		byUID[fmt.Sprint(m.uid)] = string(m.body)
	}
	for i, r := range receipts {
		_, uid, _ := strings.Cut(r.Location, ";UID=")
		if !strings.Contains(byUID[uid], fmt.Sprintf("<m%d@example.org>", i)) {
			t.Errorf("the receipt %q of message %d leads elsewhere", r.Location, i)
		}
	}
	if len(byUID) != n {
		t.Errorf("%d messages are there, want %d", len(byUID), n)
	}
}

// When the connection ends after the messages were sent, each Put is to be repeated, and Find knows which are there.
func TestCutAfterTheLiteral(t *testing.T) {
	var cuts atomic.Int32
	cuts.Store(3)
	a := mangled(t, dovecot(t, realserver.DovecotOptions{}), func(line []byte) ([]byte, bool) {
		return line, !bytes.Contains(line, []byte("APPENDUID")) || cuts.Add(-1) < 0
	}).open(t, nil)
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			it := numbered(i)
			for attempt := 0; ; attempt++ {
				_, err := a.Put(t.Context(), it, sinks.Receipt{})
				if err == nil {
					return
				}
				if f := fault.Of(err); f.Action != fault.Retry || f.Reason != fault.TargetUnavailable || attempt == 5 {
					t.Errorf("message %d: %v", i, err)
					return
				}
				it.Again = true
				found, err := a.Find(t.Context(), it)
				if err != nil {
					t.Errorf("Find %d: %v", i, err)
				}
				if len(found) > 0 {
					return
				}
			}
		})
	}
	wg.Wait()
	if n := len(a.messages()); n != 30 || cuts.Load() == 3 {
		t.Errorf("%d messages are there, %d of 3 cuts are left", n, cuts.Load())
	}
}

// silent returns a target that says nothing more once an APPEND has come.
func silent(t *testing.T) target {
	return mangled(t, embeddedTarget(t), func(line []byte) ([]byte, bool) {
		if bytes.Contains(line, []byte("APPENDUID")) {
			return nil, true
		}
		return line, true
	})
}

func TestSilentServer(t *testing.T) {
	a := silent(t).open(t, func(o *imap.Options) { o.Timeout = 300 * time.Millisecond })
	_, err := a.Put(t.Context(), numbered(1), sinks.Receipt{})
	wantReason(t, err, fault.Retry, fault.TargetUnavailable)
}

func TestCancelOfASilentServer(t *testing.T) {
	a := silent(t).open(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if _, err := a.Put(ctx, numbered(i), sinks.Receipt{}); !errors.Is(err, context.Canceled) {
				t.Errorf("Put returned %v", err)
			}
		})
	}
	for len(a.messages()) == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	wg.Wait()
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if _, err := a.Put(t.Context(), numbered(1), sinks.Receipt{}); err == nil {
		t.Error("a closed sink takes messages")
	}
}

// Each is what a hostile server says at a certain point; the sink must end with an error, in bounded time and memory.
func TestHostileServer(t *testing.T) {
	deep := strings.Repeat("(", 1<<20)
	for name, c := range map[string]struct{ at, say string }{
		"endless line":             {"LIST", strings.Repeat("x", 20<<20)},
		"deep list":                {"LIST", "* 1 FETCH (BODYSTRUCTURE " + deep + "\r\n"},
		"deep list behind a trick": {"LIST", "* OK {9999999}\r\n* 1 FETCH (BODYSTRUCTURE " + deep + "\r\n"},
		"huge literal":             {"LIST", "* LIST () \"/\" {99999999999}\r\n" + strings.Repeat("x", 9<<20)},
		"bye":                      {"LIST", "* BYE enough\r\n"},
		"nonsense":                 {"LIST", "\x00\xff\r\n"},
		"endless append answer":    {"APPENDUID", "* OK " + strings.Repeat("x", 1<<20)},
		"append literal":           {"APPENDUID", "* LIST () \"/\" {99999999999}\r\n"},
		"wrong tag":                {"APPENDUID", "zzz OK done\r\n"},
		"no tag":                   {"APPENDUID", "\r\n"},
		"chatter":                  {"APPENDUID", strings.Repeat("* OK still here\r\n", 20_000)},
	} {
		t.Run(name, func(t *testing.T) {
			tg := mangled(t, embeddedTarget(t), func(line []byte) ([]byte, bool) {
				if bytes.Contains(line, []byte(c.at+" ")) && !bytes.Contains(line, []byte("CAPABILITY")) {
					return []byte(c.say), true
				}
				return line, true
			})
			user, password := tg.login()
			s, err := imap.Open(t.Context(), imap.Options{URL: "imap://" + tg.address, Insecure: true, User: user, Password: password, Timeout: 2 * time.Second})
			if c.at == "LIST" {
				if err == nil {
					t.Error("Open succeeded")
					_ = s.Close()
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			if _, err := s.Put(t.Context(), numbered(1), sinks.Receipt{}); err == nil || fault.Of(err).Action != fault.Retry {
				t.Errorf("Put returned %v", err)
			}
		})
	}
}

// TestAnswers gives each answer to an APPEND its meaning.
func TestAnswers(t *testing.T) {
	for answer, want := range map[string]struct {
		action fault.Action
		reason fault.Reason
	}{
		"NO [OVERQUOTA] full":            {fault.FailTask, fault.TargetQuota},
		"NO [TOOBIG] too big":            {fault.FailItem, fault.TargetTooBig},
		"NO [LIMIT] enough":              {fault.FailItem, fault.TargetLimit},
		"NO [NOPERM] not you":            {fault.FailItem, fault.TargetForbidden},
		"NO [UNAVAILABLE] later":         {fault.Retry, fault.TargetUnavailable},
		"NO [ALREADYEXISTS] a race":      {fault.Retry, fault.TargetUnavailable},
		"NO [inuse] later":               {fault.Retry, fault.TargetLocked},
		"NO [AUTHORIZATIONFAILED] gone":  {fault.FailTask, fault.TargetAuth},
		"NO [TRYCREATE] no such mailbox": {fault.Retry, fault.TargetConflict},
		"NO whatever\x1b[31m":            {fault.FailItem, fault.TargetInvalid},
		"BAD what":                       {fault.FailItem, fault.TargetInvalid},
		"OK [APPENDUID":                  {fault.Retry, fault.TargetBadAnswer},
	} {
		t.Run(answer, func(t *testing.T) {
			a := mangled(t, embeddedTarget(t), func(line []byte) ([]byte, bool) {
				if tag, _, ok := bytes.Cut(line, []byte(" OK [APPENDUID ")); ok {
					return fmt.Appendf(nil, "%s %s\r\n", tag, answer), true
				}
				return line, true
			}).open(t, nil)
			_, err := a.Put(t.Context(), numbered(1), sinks.Receipt{})
			wantReason(t, err, want.action, want.reason)
			if strings.Contains(err.Error(), "\x1b") {
				t.Errorf("the error %q holds control characters", err)
			}
		})
	}
}

func TestLogin(t *testing.T) {
	s := realserver.Dovecot(t, realserver.DovecotOptions{})
	c := realserver.Cyrus(t, realserver.CyrusOptions{})
	u := s.User(1)
	for name, o := range map[string]struct {
		imap.Options
		fail fault.Reason
	}{
		"password":          {imap.Options{URL: "imap://" + s.IMAP, Insecure: true, User: u.User, Password: u.Password}, ""},
		"wrong password":    {imap.Options{URL: "imap://" + s.IMAP, Insecure: true, User: u.User, Password: "wrong"}, fault.TargetAuth},
		"master separator":  {imap.Options{URL: "imap://" + s.IMAP, Insecure: true, User: "u2", Password: s.Master.Password, Master: imap.Master{User: s.Master.User, Separator: "*"}}, ""},
		"master authzid":    {imap.Options{URL: "imap://" + s.IMAP, Insecure: true, User: "u3", Password: s.Master.Password, Master: imap.Master{User: s.Master.User}}, ""},
		"cyrus authzid":     {imap.Options{URL: "imap://" + c.IMAP, Insecure: true, User: "u3", Password: c.Master.Password, Master: imap.Master{User: c.Master.User}}, ""},
		"untrusted":         {imap.Options{URL: "imaps://" + s.IMAPS, User: u.User, Password: u.Password}, fault.TargetUnavailable},
		"untrusted upgrade": {imap.Options{URL: "imap://" + s.IMAP, User: u.User, Password: u.Password}, fault.TargetUnavailable},
		"imaps":             {imap.Options{URL: "imaps://" + s.IMAPS, TLS: trusting(t, s), User: u.User, Password: u.Password}, ""},
		"STARTTLS":          {imap.Options{URL: "imap://" + s.IMAP, TLS: trusting(t, s), User: u.User, Password: u.Password}, ""},
		"no STARTTLS":       {imap.Options{URL: "imap://" + embeddedTarget(t).address, User: "u1", Password: "secret"}, fault.TargetUnsupported},
		"no server":         {imap.Options{URL: "imap://127.0.0.1:1", Insecure: true, User: "u1", Password: "secret"}, fault.TargetUnavailable},
		"no URL":            {imap.Options{URL: "https://example.org"}, fault.TargetUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := imap.Open(t.Context(), o.Options)
			if o.fail != "" {
				if fault.Of(err) == nil || fault.Of(err).Reason != o.fail {
					t.Fatalf("Open: %v, want %s", err, o.fail)
				}
				if o.Password != "" && strings.Contains(err.Error(), o.Password) {
					t.Errorf("the password stands in %q", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = k.Close() }()
			if _, err := k.Put(t.Context(), numbered(1), sinks.Receipt{}); err != nil {
				t.Error(err)
			}
			if err := k.Remove(t.Context(), sinks.Receipt{Location: "nonsense"}); err == nil {
				t.Error("a receipt of nonsense is no error")
			}
		})
	}
}
