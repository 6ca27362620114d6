package microsoft

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
)

const anybody = "a@example.org"

// client asks a simulated Graph, whose answers are all checked against the document.
type client struct {
	*testing.T
	server *Server
	http   *httptest.Server
	token  string
}

// serveStrictly ends with the test, which fails on answers that the document does not allow. Requests that are refused as unknown are
// expected when refused says so.
func serveStrictly(t *testing.T, data *Data, refused ...string) *client {
	t.Helper()
	const document = "../../../../shared/data/specs/oas-graph.json"
	if _, err := os.Stat(document); err != nil && os.Getenv("CI") == "" {
		t.Skip("the document is not at hand")
	}
	schema, err := LoadSchema(document)
	if err != nil {
		t.Fatal(err)
	}
	s := New(data, Options{Strict: schema})
	c := &client{T: t, server: s, http: httptest.NewServer(s)}
	t.Cleanup(func() {
		c.http.Close()
		s.Close()
		problems := strings.Join(s.Problems(), "\n")
		for _, want := range refused {
			if !strings.Contains(problems, want) {
				t.Errorf("no problem %q", want)
			}
		}
		if len(s.Problems()) != len(refused) {
			t.Errorf("problems: %s", problems)
		}
	})
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {ClientID}, "client_secret": {Secret}, "scope": {"x"}}
	answer, err := http.PostForm(c.http.URL+"/"+data.Domain()+"/oauth2/v2.0/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var token struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil {
		t.Fatal(err)
	}
	c.token = token.Token
	return c
}

func (c *client) do(method, address, body, prefer string) (int, http.Header, []byte) {
	c.Helper()
	if !strings.HasPrefix(address, "http") {
		address = c.http.URL + "/v1.0/" + address
	}
	r, err := http.NewRequestWithContext(c.Context(), method, strings.ReplaceAll(address, " ", "%20"), strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Add("Prefer", `IdType="ImmutableId"`)
	if prefer != "" {
		r.Header.Add("Prefer", prefer)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		c.Fatal(err)
	}
	return answer.StatusCode, answer.Header, raw
}

// get wants status and, of errors, the code.
func (c *client) get(address string, status int, code string) object {
	c.Helper()
	got, _, raw := c.do("GET", address, "", "odata.maxpagesize=3")
	var o object
	if err := json.Unmarshal(raw, &o); err != nil {
		c.Fatalf("%s: %v: %.200s", address, err, raw)
	}
	if got != status || o.child("error").text("code") != code {
		c.Fatalf("%s: HTTP %d %.300s, want %d %s", address, got, raw, status, code)
	}
	return o
}

// all follows next links and gives all values by their ids, their number, and the delta link.
func (c *client) all(address string) (byID map[string]object, pages int, deltaLink string) {
	c.Helper()
	byID = map[string]object{}
	for address != "" {
		o := c.get(address, 200, "")
		pages++
		for _, v := range o["value"].([]any) {
			o := object(v.(map[string]any))
			byID[o.text("id")] = o
		}
		address, deltaLink = o.text("@odata.nextLink"), o.text("@odata.deltaLink")
	}
	return byID, pages, deltaLink
}

// must fails the test on an error, and passes the value on.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func oneUser() *Data {
	data := NewData("example.org")
	if err := data.AddUser(User{Email: anybody, TimeZone: "W. Europe Standard Time"}); err != nil {
		panic(err)
	}
	return data
}
