package realserver

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
)

const message = "From: a@example.org\r\nTo: b@example.org\r\nSubject: test\r\n\r\nHello\r\n"

const event = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example.org//test//EN\r\nBEGIN:VEVENT\r\nUID:one@example.org\r\n" +
	"DTSTAMP:20260101T000000Z\r\nDTSTART:20260102T100000Z\r\nDTEND:20260102T110000Z\r\nSUMMARY:One\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

func TestDovecotKeepsMail(t *testing.T) {
	server := Dovecot(t, DovecotOptions{Accounts: Accounts{Count: 1, Names: []string{"alice@example.org"}}})
	for _, account := range server.Accounts {
		client := login(t, server.IMAP, account)
		appendMessage(t, client, "INBOX")
		if got := count(t, client, "INBOX"); got != 1 {
			t.Errorf("%s has %d messages, want 1", account.User, got)
		}
	}
}

func TestDovecotMasterUser(t *testing.T) {
	server := Dovecot(t, DovecotOptions{})
	client := login(t, server.IMAP, Account{User: "u2*" + server.Master.User, Password: server.Master.Password})
	appendMessage(t, client, "INBOX")
	byAuthzid := dial(t, server.IMAP)
	if err := byAuthzid.Authenticate(sasl.NewPlainClient("u2", server.Master.User, server.Master.Password)); err != nil {
		t.Fatal(err)
	}
	if got := count(t, byAuthzid, "INBOX"); got != 1 {
		t.Errorf("u2 has %d messages, want the one that the master user wrote", got)
	}
	if got := count(t, login(t, server.IMAP, server.User(1)), "INBOX"); got != 0 {
		t.Errorf("u1 has %d messages, want none", got)
	}
}

func TestDovecotOptions(t *testing.T) {
	tests := []struct {
		name      string
		opts      DovecotOptions
		separator rune
	}{
		{"fs", DovecotOptions{}, '/'},
		{"++", DovecotOptions{Layout: "++", Fsync: "never"}, '.'},
		{"mdbox", DovecotOptions{Format: "mdbox"}, '/'},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client := login(t, Dovecot(t, test.opts).IMAP, Account{"u1", "secret"})
			boxes, err := client.List("", "", nil).Collect()
			if err != nil || len(boxes) != 1 || boxes[0].Delim != test.separator {
				t.Errorf("LIST = %+v, %v, want the separator %q", boxes, err, test.separator)
			}
		})
	}
}

func TestDovecotQuota(t *testing.T) {
	server := Dovecot(t, DovecotOptions{QuotaMessages: 1})
	client := login(t, server.IMAP, server.User(1))
	appendMessage(t, client, "INBOX")
	cmd := client.Append("INBOX", int64(len(message)), nil)
	_, _ = io.WriteString(cmd, message)
	_ = cmd.Close()
	_, err := cmd.Wait()
	var refused *imap.Error
	if !errors.As(err, &refused) || refused.Code != imap.ResponseCodeOverQuota {
		t.Errorf("second APPEND: %v, want OVERQUOTA", err)
	}
}

func TestDovecotTLS(t *testing.T) {
	server := Dovecot(t, DovecotOptions{})
	pem, err := os.ReadFile(server.CertFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	client, err := imapclient.DialTLS(server.IMAPS, &imapclient.Options{TLSConfig: &tls.Config{RootCAs: pool}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	if err := client.Login("u1", "secret").Wait(); err != nil {
		t.Error(err)
	}
}

// A second server on the same directory finds the mail of the first one, which
// was killed.
func TestDovecotRestart(t *testing.T) {
	dir := shortDir(t)
	first := started(t)(StartDovecot(dir, DovecotOptions{}))
	appendMessage(t, login(t, first.IMAP, first.User(1)), "INBOX")
	if err := first.Kill(); err != nil {
		t.Fatal(err)
	}
	second := started(t)(StartDovecot(dir, DovecotOptions{}))
	if got := count(t, login(t, second.IMAP, second.User(1)), "INBOX"); got != 1 {
		t.Errorf("%d messages after the restart, want 1", got)
	}
}

func TestCyrus(t *testing.T) {
	server := Cyrus(t, CyrusOptions{Accounts: Accounts{Count: 2, Names: []string{"alice@example.org"}}})
	for _, account := range server.Accounts {
		client := login(t, server.IMAP, account)
		appendMessage(t, client, "INBOX")
		if got := count(t, client, "INBOX"); got != 1 {
			t.Errorf("%s has %d messages, want 1", account.User, got)
		}
	}
	byAuthzid := dial(t, server.IMAP)
	if err := byAuthzid.Authenticate(sasl.NewPlainClient("u1", server.Master.User, server.Master.Password)); err != nil {
		t.Error(err)
	}
	u1 := server.User(1)
	wantStatus(t, 201, u1, "PUT", server.CalendarsURL("u1")+"Default/one.ics", "text/calendar; charset=utf-8", event)
	wantStatus(t, 201, u1, "PUT", server.FilesURL("u1")+"one.txt", "text/plain", "1")
	wantStatus(t, 207, u1, "PROPFIND", server.AddressBooksURL("u1"), "text/xml", `<propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>`)
	wantStatus(t, 401, Account{"u1", "wrong"}, "GET", server.CalendarsURL("u1"), "", "")
}

func TestCyrusOptions(t *testing.T) {
	server := Cyrus(t, CyrusOptions{Scheduling: true, MaxCalendarObject: 100})
	u1 := server.User(1)
	wantStatus(t, 403, u1, "PUT", server.CalendarsURL("u1")+"Default/one.ics", "text/calendar; charset=utf-8", event)
	response := wantStatus(t, 200, u1, "OPTIONS", server.CalendarsURL("u1"), "", "")
	if !strings.Contains(strings.Join(response.Header.Values("DAV"), ","), "calendar-auto-schedule") {
		t.Errorf("DAV: %q does not offer scheduling", response.Header.Values("DAV"))
	}
}

func TestRadicale(t *testing.T) {
	server := Radicale(t, RadicaleOptions{Accounts: Accounts{Names: []string{"alice@example.org"}}})
	for _, account := range []Account{server.User(1), server.User(9)} {
		home := server.CalendarsURL(account.User)
		wantStatus(t, 201, account, "MKCALENDAR", home+"work/", "", "")
		wantStatus(t, 201, account, "PUT", home+"work/one.ics", "text/calendar; charset=utf-8", event)
		wantStatus(t, 200, account, "GET", home+"work/one.ics", "", "")
	}
	wantStatus(t, 403, server.User(2), "GET", server.CalendarsURL("u1")+"work/one.ics", "", "")
}

func TestApache(t *testing.T) {
	server := Apache(t, ApacheOptions{MaxBody: 1000})
	u1 := server.User(1)
	wantStatus(t, 201, u1, "PUT", server.FilesURL("u1")+"one.txt", "", "1")
	wantStatus(t, 413, u1, "PUT", server.FilesURL("u1")+"big.txt", "", strings.Repeat("x", 1001))
	wantStatus(t, 201, u1, "PUT", server.FilesURL("u1")+".htaccess", "", "nonsense")
	wantStatus(t, 200, u1, "GET", server.FilesURL("u1")+"one.txt", "", "")
	wantStatus(t, 401, u1, "GET", server.FilesURL("u2"), "", "")
	wantStatus(t, 204, server.Master, "DELETE", server.FilesURL("u1")+"one.txt", "", "")
	if _, err := os.Stat(filepath.Join(server.Dir, "data/u1/one.txt")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the deleted file is still there: %v", err)
	}
}

func TestApacheQuota(t *testing.T) {
	server := Apache(t, ApacheOptions{Quota: "1M"})
	wantStatus(t, 507, server.User(1), "PUT", server.FilesURL("u1")+"big", "", strings.Repeat("x", 2<<20))
}

// Stop ends every process of a server and frees its ports.
func TestStopLeavesNothing(t *testing.T) {
	starts := map[string]func(dir string) (*Server, error){
		"dovecot":  func(dir string) (*Server, error) { return StartDovecot(dir, DovecotOptions{}) },
		"cyrus":    func(dir string) (*Server, error) { return StartCyrus(dir, CyrusOptions{}) },
		"radicale": func(dir string) (*Server, error) { return StartRadicale(dir, RadicaleOptions{}) },
		"apache":   func(dir string) (*Server, error) { return StartApache(dir, ApacheOptions{}) },
	}
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			server := started(t)(start(shortDir(t)))
			if err := server.Stop(); err != nil {
				t.Fatal(err)
			}
			if err := server.Stop(); err != nil {
				t.Errorf("second Stop: %v", err)
			}
			group := -server.process.cmd.Process.Pid
			if err := syscall.Kill(group, 0); !errors.Is(err, syscall.ESRCH) {
				t.Errorf("process group %d: %v, want no such process", -group, err)
			}
			for _, addr := range []string{server.IMAP, strings.TrimPrefix(server.HTTP, "http://")} {
				if addr == "" {
					continue
				}
				if conn, err := net.Dial("tcp", addr); err == nil {
					_ = conn.Close()
					t.Errorf("%s still answers", addr)
				}
			}
			select {
			case <-server.Done():
			default:
				t.Error("Done is not closed")
			}
		})
	}
}

// A server that was ended comes back at the same addresses.
func TestRestart(t *testing.T) {
	starts := map[string]func(dir string) (*Server, error){
		"dovecot":  func(dir string) (*Server, error) { return StartDovecot(dir, DovecotOptions{}) },
		"cyrus":    func(dir string) (*Server, error) { return StartCyrus(dir, CyrusOptions{}) },
		"radicale": func(dir string) (*Server, error) { return StartRadicale(dir, RadicaleOptions{}) },
		"apache":   func(dir string) (*Server, error) { return StartApache(dir, ApacheOptions{}) },
	}
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			server := started(t)(start(shortDir(t)))
			addr := server.IMAP
			if addr == "" {
				addr = strings.TrimPrefix(server.HTTP, "http://")
			}
			for _, end := range []func() error{server.Crash, server.Halt} {
				if err := end(); err != nil {
					t.Fatal(err)
				}
				if conn, err := net.Dial("tcp", addr); err == nil {
					_ = conn.Close()
					t.Errorf("%s still answers", addr)
				}
				if err := server.Restart(); err != nil {
					t.Fatal(err)
				}
				if conn, err := net.Dial("tcp", addr); err != nil {
					t.Error(err)
				} else {
					_ = conn.Close()
				}
			}
		})
	}
}

// A server that cannot start says why.
func TestStartFails(t *testing.T) {
	dir := shortDir(t)
	_, err := StartDovecot(dir, DovecotOptions{Fsync: "perhaps"})
	if errors.Is(err, ErrNotInstalled) {
		started(t)(nil, err)
	}
	if err == nil || !strings.Contains(err.Error(), "perhaps") {
		t.Errorf("error %v does not show what the server complained of", err)
	}
}

func TestNotInstalled(t *testing.T) {
	err := needFiles("nothing", "/bin/sh", "/nowhere/nothing")
	if !errors.Is(err, ErrNotInstalled) || !strings.Contains(err.Error(), "/nowhere/nothing") {
		t.Errorf("error = %v", err)
	}
}

func TestAccounts(t *testing.T) {
	tests := []struct {
		accounts Accounts
		want     []Account
	}{
		{Accounts{Count: 2}, []Account{{"u1", "secret"}, {"u2", "secret"}}},
		{Accounts{Count: -1, Names: []string{"a"}, Password: "p"}, []Account{{"a", "p"}}},
	}
	for _, test := range tests {
		if got := test.accounts.list(); !slices.Equal(got, test.want) {
			t.Errorf("%+v = %v, want %v", test.accounts, got, test.want)
		}
	}
	if got := len(Accounts{}.list()); got != 8 {
		t.Errorf("the zero value has %d accounts, want 8", got)
	}
}

// started applies the rule of the test functions to a Start function's result.
func started(t *testing.T) func(*Server, error) *Server {
	return func(server *Server, err error) *Server {
		t.Helper()
		if errors.Is(err, ErrNotInstalled) && os.Getenv("CI") != "true" {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Stop() })
		return server
	}
}

func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func dial(t *testing.T, addr string) *imapclient.Client {
	t.Helper()
	client, err := imapclient.DialInsecure(addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func login(t *testing.T, addr string, account Account) *imapclient.Client {
	t.Helper()
	client := dial(t, addr)
	if err := client.Login(account.User, account.Password).Wait(); err != nil {
		t.Fatalf("login %s: %v", account.User, err)
	}
	return client
}

func appendMessage(t *testing.T, client *imapclient.Client, mailbox string) {
	t.Helper()
	cmd := client.Append(mailbox, int64(len(message)), nil)
	_, _ = io.WriteString(cmd, message)
	_ = cmd.Close()
	if _, err := cmd.Wait(); err != nil {
		t.Fatalf("append: %v", err)
	}
}

func count(t *testing.T, client *imapclient.Client, mailbox string) uint32 {
	t.Helper()
	data, err := client.Select(mailbox, nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	return data.NumMessages
}

func wantStatus(t *testing.T, want int, account Account, method, url, contentType, body string) *http.Response {
	t.Helper()
	response, text := exchange(t, account, method, url, contentType, body, nil)
	if response.StatusCode != want {
		t.Errorf("%s %s: %s, want %d\n%s", method, url, response.Status, want, text)
	}
	return response
}

// exchange sends a request with Depth: 0 and returns the answer and its body.
func exchange(t *testing.T, account Account, method, url, contentType, body string, header map[string]string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(account.User, account.Password)
	request.Header.Set("Depth", "0")
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	client := http.Client{Timeout: time.Minute}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, _ := io.ReadAll(response.Body)
	return response, string(text)
}
