package httpx

import (
	"encoding/base64"
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

const password = `pa/ss"w<örd>+=1&`

// forms are the ways in which a server may repeat a password.
func forms(s string) []string {
	return []string{s, url.QueryEscape(s), url.PathEscape(s), html.EscapeString(s), strings.ReplaceAll(s, `"`, `\"`),
		base64.StdEncoding.EncodeToString([]byte(s)), base64.URLEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s))}
}

func TestMaskKnowsAllForms(t *testing.T) {
	m := BasicMask("ada", password)
	basic := base64.StdEncoding.EncodeToString([]byte("ada:" + password))
	for _, form := range append(forms(password), "Basic "+basic, "user ada:"+password+" was refused") {
		got := m.Text("before " + form + " after")
		if !strings.Contains(got, Masked) || !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") {
			t.Errorf("%q became %q", form, got)
		}
		for _, f := range forms(password) {
			if strings.Contains(got, strings.TrimRight(f, "=")) {
				t.Errorf("%q became %q", form, got)
			}
		}
	}
	for _, m := range []Mask{{}, NewMask(), NewMask("", "abc")} {
		if got := m.Text("abc"); got != "abc" {
			t.Errorf("%q", got)
		}
	}
}

// echo answers with all that it was sent.
func echo(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		all := r.Header.Get("Authorization") + " " + r.URL.String() + " " + string(body)
		if _, plain, ok := r.BasicAuth(); ok {
			all += " " + plain
		}
		w.Header().Set("Location", "https://elsewhere.example/?from="+url.QueryEscape(all))
		w.Header().Set("X-Echo", strings.ReplaceAll(all, "\n", ""))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, all)
	})
}

func TestUnechoed(t *testing.T) {
	const token, signature = "ya29.a-bearer-token", "a-signature-of-a-pre-authenticated-link"
	form := url.Values{"client_secret": {password}, "assertion": {token}, "grant_type": {"client_credentials"}}.Encode()
	for name, c := range map[string]struct {
		change func(*http.Request)
		body   string
		secret string
		kept   string
	}{
		"bearer": {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }, "", token, "Bearer (secret)"},
		"basic":  {func(r *http.Request) { r.SetBasicAuth("ada", password) }, "", password, "Basic (secret)"},
		"form":   {func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, form, password, "grant_type=client_credentials"},
		"link":   {func(r *http.Request) { r.URL.RawQuery = "id=1&tempauth=" + signature }, "", signature, "id=1"},
	} {
		for _, status := range []int{302, 400, 401, 500} {
			s := httptest.NewServer(echo(status))
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			c.change(r)
			res, err := Unechoed(http.DefaultTransport).RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			s.Close()
			all := string(body) + res.Header.Get("Location") + res.Header.Get("X-Echo")
			for _, f := range append(forms(c.secret), token) {
				if (f == token) == (c.secret == token || name == "form") && strings.Contains(all, strings.TrimRight(f, "=")) {
					t.Errorf("%s, %d: %q stands in %q", name, status, f, all)
				}
			}
			if !strings.Contains(string(body), c.kept) {
				t.Errorf("%s, %d: %q lacks %q", name, status, body, c.kept)
			}
		}
	}
}

// TestUnechoedLeavesContentAlone: what is no error is nobody's to change, and what breaks off stays broken.
func TestUnechoedLeavesContentAlone(t *testing.T) {
	const token = "ya29.a-bearer-token"
	for name, c := range map[string]struct {
		status int
		body   io.Reader
		want   string
		err    error
	}{
		"content": {200, strings.NewReader("my token is " + token), "my token is " + token, nil},
		"part":    {206, strings.NewReader(token), token, nil},
		"error":   {400, strings.NewReader("no " + token), "no (secret)", nil},
		"broken":  {502, io.MultiReader(strings.NewReader("no "+token), broken{}), "no (secret)", ErrStalled},
		"endless": {500, io.MultiReader(strings.NewReader(strings.Repeat("x", maxError-2)), strings.NewReader("endless")), strings.Repeat("x", maxError-2) + "en", nil},
	} {
		next := RoundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: c.status, Header: http.Header{}, Body: io.NopCloser(c.body), Request: r}, nil
		})
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.org/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		res, err := Unechoed(next).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		if string(got) != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %d bytes, %.40q, %v", name, len(got), got, err)
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, ErrStalled }

func FuzzMask(f *testing.F) {
	f.Add("pass", "no pass for pass")
	f.Add(password, "user "+password)
	f.Add("aaaa", "aaaaaaaaa")
	f.Add("(secret)", "(secret)")
	f.Add("\xff\x00\"\\", "\xff\x00\"\\")
	f.Fuzz(func(t *testing.T, secret, text string) {
		got := NewMask(secret).Text(text)
		if len(secret) < leastSecret && got != text {
			t.Errorf("%q of %q", got, text)
		}
		// What is left of the text between two marks holds the secret no more.
		for part := range strings.SplitSeq(got, Masked) {
			if len(secret) >= leastSecret && strings.Contains(part, secret) {
				t.Errorf("%q is left in %q", secret, got)
			}
		}
	})
}
