package google

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// call is one request to an API method.
type call struct {
	*Server
	w     http.ResponseWriter
	r     *http.Request
	name  string
	n     int // number of the request among those of its name
	query url.Values
	mask  *mask
	user  *user
}

// serve does what all methods have in common: faults, the token, the quota and the parameters.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, rt route, known map[string]string) {
	query := r.URL.Query()
	c := &call{Server: s, w: w, r: r, name: rt.name, query: query}
	if rt.name == "drive.files.get" && query.Get("alt") == "media" {
		c.name = "drive.files.get.media"
	}
	s.Delay(r)
	people := strings.HasPrefix(rt.name, "people.")
	out, n, finish, answered := s.Strike(w, r, c.name, func(w http.ResponseWriter, f cloudsim.Fault) bool { return refuseAs(w, f, people) })
	if answered {
		return
	}
	defer finish()
	c.w, c.n = out, n
	if err := c.run(rt, known); err != nil {
		var api *apiError
		if !errors.As(err, &api) {
			api = &apiError{code: 500, reason: "backendError", message: err.Error()}
			s.Report(c.name + ": " + err.Error())
		}
		api.people = people
		writeError(c.w, api)
	}
}

func (c *call) run(rt route, known map[string]string) error {
	session, err := c.authorize(rt.scopes)
	if err != nil {
		return err
	}
	if wrong := checkQuery(known, c.query); wrong != nil {
		c.Report(fmt.Sprintf("%s: %s", c.name, wrong.message))
		return wrong
	}
	if c.mask, err = parseMask(c.query.Get("fields")); err != nil {
		c.Report(fmt.Sprintf("%s: fields: %v", c.name, err))
		return &apiError{code: 400, reason: "invalidParameter", location: "fields", message: "Invalid field selection " + c.query.Get("fields")}
	}
	if over := c.quota.spend(c.name, session.email); over != nil {
		c.Refuse()
		return over
	}
	c.data.mu.Lock()
	c.user = c.data.byEmail[session.email]
	c.data.mu.Unlock()
	if c.user == nil {
		return errUnauthorized()
	}
	return rt.serve(c)
}

// reply writes an answer. Whoever leaves out fields gets all of them.
func (c *call) reply(o object) error { return c.replyMasked(o, c.mask) }

func (c *call) replyMasked(o object, m *mask) error {
	writeJSON(c.w, http.StatusOK, appendObject(nil, o, m))
	return nil
}

func writeJSON(w http.ResponseWriter, code int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=UTF-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = w.Write(body)
}

func writeError(w http.ResponseWriter, e *apiError) {
	if e.after != "" {
		w.Header().Set("Retry-After", e.after)
	}
	if e.code == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/", error="invalid_token"`)
	}
	writeJSON(w, e.code, appendObject(nil, e.body(), nil))
}

func (c *call) flag(name string) bool { return c.query.Get(name) == "true" }

// pageSize reads a page size: what is above the limit is lowered to it, as Gmail and Calendar do; Drive refuses.
func (c *call) pageSize(name string, fallback, limit int, refuse bool) (int, error) {
	size := fallback
	if v := c.query.Get(name); v != "" {
		size, _ = strconv.Atoi(v)
		if size < 1 || refuse && size > limit {
			return 0, &apiError{code: 400, reason: "invalid", location: name, message: fmt.Sprintf("Invalid value '%d'. Values must be within the range: [1, %d]", size, limit)}
		}
	}
	if size = min(size, limit); c.options.PageSize > 0 {
		size = min(size, c.options.PageSize)
	}
	if c.options.ShortPages {
		size = c.shorter(size)
	}
	return size, nil
}

// shorter gives a full, a half and an empty page in turn; empty ones only where they have been seen.
func (c *call) shorter(size int) int {
	empty := c.name == "calendar.events.list" || c.name == "drive.changes.list"
	switch {
	case c.n%3 == 0:
		return max(1, size/2)
	case c.n%3 == 2 && empty:
		return 0
	}
	return size
}

// pageToken writes a place to go on at. It is good for this method only, and until the page tokens expire.
func (c *call) pageToken(place string) string {
	return "~" + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s %s", c.data.epoch.Load(), c.name, place))
}

// place reads a page token; found is false when there is none.
func (c *call) place() (place string, found bool, err error) {
	token := c.query.Get("pageToken")
	if token == "" {
		return "", false, nil
	}
	raw, decodeErr := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "~"))
	parts := strings.SplitN(string(raw), " ", 3)
	if decodeErr != nil || len(parts) != 3 || parts[0] != strconv.FormatInt(c.data.epoch.Load(), 10) || parts[1] != c.name {
		return "", false, errInvalid("pageToken", "Invalid Value")
	}
	return parts[2], true, nil
}

// oneOf refuses a parameter that has another value than these; absent is fine.
func (c *call) oneOf(name string, values ...string) error {
	if v := c.query.Get(name); v != "" && !slices.Contains(values, v) {
		c.Report(fmt.Sprintf("%s: %s=%s is not simulated", c.name, name, v))
		return errInvalid(name, "Not simulated: %s=%s", name, v)
	}
	return nil
}

// host is the root of the server as the client names it.
func (c *call) host() string {
	if c.r.TLS != nil {
		return "https://" + c.r.Host
	}
	return "http://" + c.r.Host
}
