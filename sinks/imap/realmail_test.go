package imap_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/sinktest"
)

// corpus returns the messages that are kept outside of the repository.
func corpus(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, dir := range []string{"mail", "mail-synthetic"} {
		names, _ := filepath.Glob(filepath.Join("../../../shared/data", dir, "*.eml"))
		if len(names) == 0 && os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing", dir)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			out[filepath.Base(name)] = data
		}
	}
	if len(out) == 0 {
		t.Skip("the messages are not on this machine")
	}
	return out
}

// onTheWire is what the server must hold of a message: bare line feeds as CRLF, NUL left out, written another way than
// the sink's.
func onTheWire(data []byte) []byte {
	data = bytes.ReplaceAll(data, []byte{0}, nil)
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
}

// Dovecot must hold every message byte for byte.
func TestRealMailDovecot(t *testing.T) {
	realMail(t, dovecot(t, realserver.DovecotOptions{}), 0)
}

// Cyrus refuses what has no valid header, and replaces bytes beyond ASCII in headers, which must be told.
func TestRealMailCyrus(t *testing.T) {
	realMail(t, cyrus(t), 10)
}

func realMail(t *testing.T, target target, mayRefuse int) {
	messages := corpus(t)
	a := target.open(t, nil)
	var mu sync.Mutex
	var wg sync.WaitGroup
	want, refused := map[string]int{}, 0
	for name, data := range messages {
		wg.Go(func() {
			it := item(name, "", nil)
			it.Content.Body = sinktest.Bytes("v", data)
			w, err := a.Put(t.Context(), it, sinks.Receipt{})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				want[sinktest.Digest(stored(t, name, data, w.Losses))]++
			case fault.Of(err).Reason == fault.TargetInvalid:
				refused++
			default:
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	wg.Wait()
	if refused > mayRefuse {
		t.Errorf("%d of %d messages were refused", refused, len(messages))
	}
	for _, m := range a.messages() {
		want[sinktest.Digest(m.body)]--
	}
	for d, n := range want {
		if n != 0 {
			t.Errorf("%+d messages with the digest %s", -n, d)
		}
	}
}

// stored returns what the server must hold after these losses, and checks that they are those there had to be.
func stored(t *testing.T, name string, data []byte, losses []sinks.Loss) []byte {
	t.Helper()
	out := onTheWire(data)
	told := map[string]bool{}
	for _, l := range losses {
		told[l.Reason] = true
	}
	if changed := !bytes.Equal(out, data); changed != (told["mail.line_endings"] || told["mail.nul_removed"]) {
		t.Errorf("%s: losses %v, and the bytes were changed: %v", name, losses, changed)
	}
	if nul := bytes.IndexByte(data, 0) >= 0; nul != told["mail.nul_removed"] {
		t.Errorf("%s: losses %v, and NULs: %v", name, losses, nul)
	}
	if told["mail.header_changed"] {
		head, _, _ := bytes.Cut(out, []byte("\r\n\r\n"))
		for i, b := range head {
			if b >= 0x80 {
				out[i] = 'X'
			}
		}
	}
	return out
}
