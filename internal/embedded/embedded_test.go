package embedded

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

var people = []User{{"alice@example.org", "a"}, {"bob", "b"}}

// call is one request of a table.
type call struct {
	method, path string
	header       map[string]string // "user" is not sent: it says who asks, alice if nobody
	body         string
	want         int
	wantBody     string // a part of it
}

// do sends the request and checks the answer.
func (c call) do(t *testing.T, root string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), c.method, root+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("alice@example.org", "a")
	for name, value := range c.header {
		if name == "user" {
			user, password, _ := strings.Cut(value, ":")
			request.SetBasicAuth(user, password)
			continue
		}
		request.Header.Set(name, value)
	}
	request.Close = true // no idle connections for goleak to find
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatalf("%s %s: %v", c.method, c.path, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != c.want || !strings.Contains(string(body), c.wantBody) {
		t.Errorf("%s %s %v: %s, want %d with %q\n%s", c.method, c.path, c.header, response.Status, c.want, c.wantBody, body)
	}
	return response
}

func TestStart(t *testing.T) {
	targets, err := Start(t.TempDir(), people)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{targets.Files.URL, targets.Calendar.URL} {
		if !strings.HasPrefix(form, "http://127.0.0.1:") || !strings.HasSuffix(form, "/{user}/") {
			t.Errorf("URL %q", form)
		}
	}
	if !strings.HasPrefix(targets.Mail.URL, "imap://127.0.0.1:") {
		t.Errorf("URL %q", targets.Mail.URL)
	}
	call{method: "PUT", path: "/files/bob/a.txt", header: map[string]string{"user": "bob:b"}, body: "x", want: 201}.do(t, targets.Files.root)
	if err := targets.Close(); err != nil {
		t.Error(err)
	}
	if _, err := http.Get(targets.Files.root); err == nil {
		t.Error("the server still answers")
	}
}

func TestStartRefusesNames(t *testing.T) {
	for _, users := range [][]User{{{"..", "x"}}, {{"a/b", "x"}}, {{"", "x"}}, {{"a", "x"}, {"a", "y"}}, {{Master.Name, "x"}}, {{"a:b", "x"}}} {
		if targets, err := Start(t.TempDir(), users); err == nil {
			_ = targets.Close()
			t.Errorf("%+v was taken", users)
		}
	}
}

func TestPreconditions(t *testing.T) {
	tests := []struct {
		match, noneMatch, etag string
		want                   bool
	}{
		{"", "", `"1"`, true},
		{`"1"`, "", `"1"`, true},
		{`"0", "1"`, "", `"1"`, true},
		{`"0"`, "", `"1"`, false},
		{`"1"`, "", "", false},
		{"*", "", `"1"`, true},
		{"*", "", "", false},
		{"", "*", "", true},
		{"", "*", `"1"`, false},
		{"", `"1"`, `"1"`, false},
		{"", `"0"`, `"1"`, true},
	}
	for _, test := range tests {
		header := http.Header{}
		if test.match != "" {
			header.Set("If-Match", test.match)
		}
		if test.noneMatch != "" {
			header.Set("If-None-Match", test.noneMatch)
		}
		if got := preconditionsHold(header, test.etag); got != test.want {
			t.Errorf("%+v = %v", test, got)
		}
	}
}
