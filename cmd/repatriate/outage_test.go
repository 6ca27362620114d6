package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/simulation"
	"codeberg.org/repatriate/repatriate/internal/tcptest"
)

// noTokens has nobody given a token any more, as when the service account's key was deleted.
func noTokens(t *testing.T, s *simulation.Simulation) {
	t.Helper()
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`)
	}))
	t.Cleanup(refusing.Close)
	path := filepath.Join(filepath.Dir(s.Job), "sa.json")
	var key map[string]any
	if err := json.Unmarshal([]byte(readText(t, path)), &key); err != nil {
		t.Fatal(err)
	}
	key["token_uri"] = refusing.URL
	text, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestNoTokenForAnybody: of six accounts, one after the other, three find it out. The others are not begun, by run and by plan.
func TestNoTokenForAnybody(t *testing.T) {
	s := simulated(t, simulation.Options{Source: demoGoogle(t)})
	edit(t, s.Job, "\ntarget:", "\nconcurrency: {accounts: 1}\ntarget:")
	noTokens(t, s)
	p := ran(t, exitStopped, "run", s.Job)
	read(t, p, "The provider cannot be used by any account:", "invalid_grant", "What to do: the key was deleted", "Not even begun for it: 3 accounts.")
	if out := p.stdout.String(); strings.Count(out, "invalid_grant") != 1 || strings.Contains(out, "\nStopped: ") {
		t.Errorf("one cause, and it is told more than once:\n%s", out)
	}
	r := reported(t, ran(t, exitStopped, "run", "--json", s.Job))
	if len(r.Accounts) != 3 || len(r.Outages) != 1 || len(r.Outages[0].Left) < 3 || r.Outages[0].Reason != "source.auth" {
		t.Errorf("%d accounts were begun; %+v", len(r.Accounts), r.Outages)
	}
	read(t, ran(t, exitStopped, "plan", s.Job), "The provider cannot be used by any account:", "Not even begun for it:",
		"The plan is not whole. Mend the cause above, then: repatriate plan "+s.Job)
	read(t, ran(t, exitStopped, "run", "--final", s.Job), "The provider cannot be used by any account:", "The ledger is NOT closed: not everything is decided")
}

// TestTargetOfAKindIsGone: the other kinds are moved all the same, and verify and undo leave alone what lies there.
func TestTargetOfAKindIsGone(t *testing.T) {
	s := simulated(t, simulation.Options{Source: demoGoogle(t)})
	ran(t, exitIncomplete, "run", s.Job, "--kind", "files")
	edit(t, s.Job, `{webdav: "http://`, `{webdav: "https://`)
	edit(t, s.Job, "\ntarget:", "\nconcurrency: {accounts: 1}\ntarget:")
	gone := []string{"The target of files cannot be used by any account:", "does not speak TLS", "Not even begun for it:"}
	p := ran(t, exitStopped, "run", s.Job)
	read(t, p, gone...)
	r := reported(t, ran(t, exitStopped, "run", "--json", s.Job))
	for _, k := range r.Kinds {
		if k.Kind != "files" && k.Listed == 0 {
			t.Errorf("nothing was moved of %s", k.Kind)
		}
	}
	read(t, ran(t, exitStopped, "verify", s.Job), gone...)
	read(t, ran(t, exitStopped, "undo", s.Job, "--yes", "--kind", "files"), gone...)
	if left := reported(t, ran(t, exitStopped, "status", "--json", s.Job)); left.Totals.Copied == 0 {
		t.Error("undo forgot what it could not reach")
	}
}

// TestMailServerThatSaysBye: it takes connections and refuses everybody. Three accounts find it out; the others are not begun.
func TestMailServerThatSaysBye(t *testing.T) {
	s := simulated(t, simulation.Options{Source: demoGoogle(t)})
	edit(t, s.Job, "\ntarget:", "\nconcurrency: {accounts: 1}\ntarget:")
	at := tcptest.Serve(t, func(conn net.Conn) { _, _ = io.WriteString(conn, "* BYE [UNAVAILABLE] being upgraded\r\n") })
	edit(t, s.Job, strings.TrimPrefix(s.Targets.Mail.URL, "imap://"), at)
	out := ran(t, exitStopped, "run", s.Job, "--kind", "mail").stdout.String()
	for _, say := range []string{"The target of mail cannot be used by any account:", "refuses everybody: BYE [UNAVAILABLE] being upgraded (target.unavailable)",
		"look at the mail server and its log", "Not even begun for it: "} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), say) {
			t.Errorf("%q is not in\n%s", say, out)
		}
	}
}
