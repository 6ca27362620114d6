package httpx

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Masked stands where a secret was.
const Masked = "(secret)"

// Mask takes secrets out of what the other side says, in the forms in which servers and proxies repeat a request in their error
// pages: as they are, escaped for URLs, HTML, JSON and Go, and in base64. The zero Mask takes nothing out.
type Mask struct{ replacer *strings.Replacer }

// leastSecret is the length of the shortest secret that is taken out: shorter ones are parts of ordinary words.
const leastSecret = 4

// NewMask returns a Mask of the secrets.
func NewMask(secrets ...string) Mask {
	var forms []string
	for _, s := range secrets {
		if len(s) >= leastSecret {
			forms = append(forms, formsOf(s)...)
		}
	}
	if len(forms) == 0 {
		return Mask{}
	}
	// Of two forms at one place the longer one counts.
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	var pairs []string
	for _, f := range slices.Compact(forms) {
		pairs = append(pairs, f, Masked)
	}
	return Mask{strings.NewReplacer(pairs...)}
}

func formsOf(s string) []string {
	inJSON, _ := json.Marshal(s) // a string can always be written
	inGo := strconv.Quote(s)
	return []string{
		s, url.QueryEscape(s), url.PathEscape(s), html.EscapeString(s), string(inJSON[1 : len(inJSON)-1]), inGo[1 : len(inGo)-1],
		base64.RawStdEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s)),
	}
}

// BasicMask returns the Mask of who logs in with a name and a password.
func BasicMask(user, password string) Mask {
	return NewMask(password, base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
}

// Text returns the text without the secrets.
func (m Mask) Text(s string) string {
	if m.replacer == nil {
		return s
	}
	return m.replacer.Replace(s)
}

// Unechoed takes out of redirects and error answers, before anybody reads them, what was secret in the request: its Authorization,
// or what is long in the query of a signed URL where it has none, what a request for a token holds, and the secrets given. Of their
// bodies, 1 MiB is read at most.
func Unechoed(next http.RoundTripper, secrets ...string) http.RoundTripper {
	return RoundTrip(func(r *http.Request) (*http.Response, error) {
		r, form, err := withForm(r)
		if err != nil {
			return nil, err
		}
		res, err := next.RoundTrip(r)
		if err != nil || res.StatusCode < http.StatusMultipleChoices {
			return res, err
		}
		m := NewMask(slices.Concat(secrets, form, credentialsOf(r))...)
		if m.replacer == nil {
			return res, nil
		}
		for _, values := range res.Header {
			for i, v := range values {
				values[i] = m.Text(v)
			}
		}
		res.Status = m.Text(res.Status)
		res.Body = limited{&maskedReader{from: res.Body, mask: m}, res.Body}
		res.ContentLength = -1
		res.Header.Del("Content-Length")
		return res, nil
	})
}

// maxForm bounds the body of a request for a token.
const maxForm = 1 << 20

// withForm returns the secrets of a form, and a request that still holds its body.
func withForm(r *http.Request) (*http.Request, []string, error) {
	if r.Body == nil || r.Body == http.NoBody || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return r, nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxForm))
	if err != nil {
		return nil, nil, err
	}
	if err := r.Body.Close(); err != nil {
		return nil, nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return r, nil, nil // not for us to judge
	}
	var secrets []string
	for _, name := range []string{"client_secret", "client_assertion", "assertion", "refresh_token", "password"} {
		secrets = append(secrets, form[name]...)
	}
	return r, secrets, nil
}

func credentialsOf(r *http.Request) []string {
	if r.Header.Get("Authorization") == "" {
		return signatureOf(r.URL)
	}
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	secrets := []string{value}
	if strings.EqualFold(scheme, "Basic") {
		if plain, err := base64.StdEncoding.DecodeString(value); err == nil {
			_, password, _ := strings.Cut(string(plain), ":")
			secrets = append(secrets, password)
		}
	}
	return secrets
}

// leastSignature is the length from which a value in a query is taken for a signature.
const leastSignature = 24

func signatureOf(u *url.URL) (secrets []string) {
	for _, values := range u.Query() {
		for _, v := range values {
			if len(v) >= leastSignature {
				secrets = append(secrets, v)
			}
		}
	}
	return secrets
}

// maskedReader reads the whole body when it is first asked.
type maskedReader struct {
	from io.Reader
	mask Mask
	text *strings.Reader
	err  error // of the body, after what came of it
}

func (m *maskedReader) Read(p []byte) (int, error) {
	if m.text == nil {
		var body []byte
		body, m.err = io.ReadAll(io.LimitReader(m.from, maxError))
		m.text = strings.NewReader(m.mask.Text(string(body)))
	}
	n, err := m.text.Read(p)
	if err == io.EOF && m.err != nil {
		err = m.err
	}
	return n, err
}
