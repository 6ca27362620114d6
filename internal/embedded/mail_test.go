package embedded

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
)

const mail = "Subject: one\r\nMessage-ID: <one@example.org>\r\n\r\nHello\r\n"

func startMail(t *testing.T) *Mail {
	t.Helper()
	m, err := StartMail(people)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

func connect(t *testing.T, m *Mail) *imapclient.Client {
	t.Helper()
	client, err := imapclient.DialInsecure(m.Addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func login(t *testing.T, m *Mail, user, password string) *imapclient.Client {
	t.Helper()
	client := connect(t, m)
	if err := client.Login(user, password).Wait(); err != nil {
		t.Fatal(err)
	}
	return client
}

func appendMail(t *testing.T, client *imapclient.Client, mailbox, body string, options *imap.AppendOptions) *imap.AppendData {
	t.Helper()
	cmd := client.Append(mailbox, int64(len(body)), options)
	_, _ = io.WriteString(cmd, body)
	_ = cmd.Close()
	data, err := cmd.Wait()
	if err != nil {
		t.Fatalf("append: %v", err)
	}
	return data
}

func TestMailAppend(t *testing.T) {
	m := startMail(t)
	client := login(t, m, "bob", "b")
	for _, name := range []imap.Cap{imap.CapLiteralPlus, imap.CapUIDPlus, imap.CapMove, imap.CapSpecialUse, imap.CapCreateSpecialUse, imap.CapNamespace} {
		if !client.Caps().Has(name) {
			t.Errorf("no %s", name)
		}
	}
	if err := client.Create("Work/Gesendet ü", &imap.CreateOptions{SpecialUse: []imap.MailboxAttr{imap.MailboxAttrSent}}).Wait(); err != nil {
		t.Fatal(err)
	}
	if err := client.Subscribe("Work/Gesendet ü").Wait(); err != nil {
		t.Fatal(err)
	}
	received := time.Date(2020, 2, 3, 4, 5, 6, 0, time.FixedZone("", 3600))
	data := appendMail(t, client, "Work/Gesendet ü", mail, &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen, "$Important", "Projekt"}, Time: received})
	if data.UID != 1 || data.UIDValidity == 0 {
		t.Errorf("APPENDUID %+v", data)
	}
	appendMail(t, client, "inbox", mail, nil)
	boxes, err := m.Mailboxes("bob")
	if err != nil || len(boxes) != 3 {
		t.Fatalf("Mailboxes = %+v, %v", boxes, err)
	}
	if boxes[0].Name != "INBOX" || len(boxes[0].Messages) != 1 || boxes[1].Name != "Work" || len(boxes[1].Messages) != 0 {
		t.Errorf("Mailboxes = %+v", boxes)
	}
	sent := boxes[2]
	if sent.Name != "Work/Gesendet ü" || sent.Use != `\Sent` || !sent.Subscribed || len(sent.Messages) != 1 {
		t.Fatalf("Mailbox = %+v", sent)
	}
	message := sent.Messages[0]
	wantFlags := []string{"$important", `\seen`, "projekt"}
	if string(message.Body) != mail || !message.InternalDate.Equal(received) || !slices.EqualFunc(message.Flags, wantFlags, strings.EqualFold) {
		t.Errorf("message = %q %v %v", message.Body, message.InternalDate, message.Flags)
	}
}

func TestMailLogin(t *testing.T) {
	m := startMail(t)
	tests := []struct {
		user, password string
		want           bool
	}{
		{"bob", "b", true},
		{"bob", "a", false},
		{"nobody", "b", false},
		{"bob*" + Master.Name, Master.Password, true},
		{"bob*" + Master.Name, "b", false},
		{"bob*alice@example.org", "a", false},
		{Master.Name, Master.Password, false},
	}
	for _, test := range tests {
		if err := connect(t, m).Login(test.user, test.password).Wait(); (err == nil) != test.want {
			t.Errorf("%s with %s: %v", test.user, test.password, err)
		}
	}
	if err := connect(t, m).Authenticate(sasl.NewPlainClient("bob", Master.Name, Master.Password)); err != nil {
		t.Errorf("authorization identity: %v", err)
	}
	if err := connect(t, m).Authenticate(sasl.NewPlainClient("bob", "alice@example.org", "a")); err == nil {
		t.Error("a user may act for another")
	}
}

func TestMailboxes(t *testing.T) {
	m := startMail(t)
	client := login(t, m, "bob", "b")
	for _, bad := range []string{"", "/", "a//b", "/a"} {
		if err := client.Create(bad, nil).Wait(); err == nil {
			t.Errorf("%q was created", bad)
		}
	}
	if err := client.Create("INBOX", nil).Wait(); err == nil {
		t.Error("INBOX was created")
	}
	if err := client.Delete("inbox").Wait(); err == nil {
		t.Error("INBOX was deleted")
	}
	if err := client.Create("a", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if err := client.Rename("a", "b", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if err := client.Delete("b").Wait(); err != nil {
		t.Fatal(err)
	}
	if err := client.Subscribe("b").Wait(); err == nil {
		t.Error("what is not there was subscribed to")
	}
	if boxes, err := m.Mailboxes("bob"); err != nil || len(boxes) != 1 {
		t.Errorf("Mailboxes = %+v, %v", boxes, err)
	}
}

func TestMailMove(t *testing.T) {
	m := startMail(t)
	client := login(t, m, "bob", "b")
	appendMail(t, client, "INBOX", mail, nil)
	if err := client.Create("b", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	data, err := client.Move(imap.UIDSetNum(1), "b").Wait()
	if err != nil || data.DestUIDs == nil {
		t.Fatalf("MOVE = %+v, %v", data, err)
	}
	boxes, err := m.Mailboxes("bob")
	if err != nil || len(boxes[0].Messages) != 0 || len(boxes[1].Messages) != 1 {
		t.Errorf("Mailboxes = %+v, %v", boxes, err)
	}
}

// Literals of any size need no round trip (LITERAL+), and one that is cut is no
// message.
func TestMailLiterals(t *testing.T) {
	m := startMail(t)
	body := "Subject: big\r\n\r\n" + strings.Repeat("x", 100_000) + "\r\n"
	conn, err := net.Dial("tcp", m.Addr)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(conn, "a LOGIN bob b\r\nb APPEND INBOX {%d+}\r\n%s\r\nc APPEND INBOX {%d+}\r\nhalf", len(body), body, len(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(answer), "b OK [APPENDUID") || strings.Contains(string(answer), "c OK") {
		t.Errorf("answer %s, %v", answer, err)
	}
	_ = conn.Close()
	boxes, err := m.Mailboxes("bob")
	if err != nil || len(boxes[0].Messages) != 1 || string(boxes[0].Messages[0].Body) != body {
		t.Errorf("%d messages, %v, want the whole one", len(boxes[0].Messages), err)
	}
}

func TestMailboxKeepsAllFlags(t *testing.T) {
	client := login(t, startMail(t), "bob", "b")
	data, err := client.Select("INBOX", nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []imap.Flag{imap.FlagSeen, imap.FlagFlagged, imap.FlagDraft, imap.FlagWildcard} {
		if !slices.Contains(data.PermanentFlags, f) {
			t.Errorf("an empty mailbox does not keep %s: %v", f, data.PermanentFlags)
		}
	}
}

func TestMailFault(t *testing.T) {
	m := startMail(t)
	client := login(t, m, "bob", "b")
	m.SetFault(func(command string) error {
		if command == "CREATE" {
			return Unavailable()
		}
		return nil
	})
	var refusal *imap.Error
	if err := client.Create("Work", nil).Wait(); !errors.As(err, &refusal) || refusal.Code != imap.ResponseCodeUnavailable {
		t.Errorf("CREATE: %v", err)
	}
	appendMail(t, client, "INBOX", mail, nil)
	m.SetFault(nil)
	if boxes, err := m.Mailboxes("bob"); err != nil || len(boxes) != 1 || len(boxes[0].Messages) != 1 {
		t.Errorf("Mailboxes = %+v, %v", boxes, err)
	}
	if err := client.Create("Work", nil).Wait(); err != nil {
		t.Error(err)
	}
}
