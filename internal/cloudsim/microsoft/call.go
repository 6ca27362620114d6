package microsoft

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// call is one request to a method.
type call struct {
	*Server
	w     http.ResponseWriter
	r     *http.Request
	name  string
	query url.Values
	user  *user // of the path, if it names one
}

// serve does what all methods have in common: faults, the token, the quota and the parameters.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, rt route, known []string) {
	c := &call{Server: s, w: w, r: r, name: rt.name, query: r.URL.Query()}
	out, _, finish, answered := s.Strike(w, r, c.name, refuse)
	if answered {
		return
	}
	defer finish()
	c.w = out
	if err := c.run(rt, known); err != nil {
		var api *apiError
		if !errors.As(err, &api) {
			api = &apiError{status: 500, code: "generalException", message: err.Error()}
			s.Report(c.name + ": " + err.Error())
		}
		writeError(c.w, api)
	}
}

func (c *call) run(rt route, known []string) error {
	if no := c.authorize(c.r, strings.Fields(rt.permissions)); no != nil {
		return no
	}
	for name, values := range c.query {
		if !slices.Contains(known, name) || len(values) > 1 {
			c.Report(fmt.Sprintf("%s: parameter %s", c.name, name))
			return errNotSimulated("parameter " + name)
		}
	}
	if rt.name == "driveItem.delta" && c.query.Get("token") == "" {
		rt.cost = 2
	}
	leave, refusal := c.quota.enter(rt, c.budget())
	if refusal != nil {
		c.Refuse()
		return refusal
	}
	defer leave()
	if name := c.r.PathValue("user"); name != "" {
		c.data.mu.Lock()
		c.user = c.data.find(name)
		c.data.mu.Unlock()
		if c.user == nil {
			return errUserNotFound(name)
		}
	}
	return rt.serve(c)
}

// budget names the drive, or the mailbox by one of its names, so that all of them share it.
func (c *call) budget() string {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	if u := c.data.find(c.r.PathValue("user")); u != nil {
		return u.id
	}
	return c.r.PathValue("drive")
}

func (c *call) reply(o object) error {
	writeJSON(c.w, http.StatusOK, encode(o))
	return nil
}

// selected is $select.
func (c *call) selected() string { return c.query.Get("$select") }

// size reads $top; it is at most limit.
func (c *call) size(fallback, limit int) (int, error) {
	size := fallback
	if v := c.query.Get("$top"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return 0, errBadRequest("Invalid value '%s' for $top", v)
		}
		size = n
	}
	return c.cap(min(size, limit)), nil
}

func (c *call) cap(size int) int {
	if c.options.PageSize > 0 {
		return min(size, c.options.PageSize)
	}
	return size
}

// page is where a listing goes on: good for one method and epoch. From is a place within it, and Select and Expand what was asked for.
type page struct {
	Epoch  int64  `json:"e"`
	Name   string `json:"n"`
	Of     string `json:"o"`
	From   int    `json:"f"`
	Until  int    `json:"u,omitempty"`
	Change bool   `json:"c,omitempty"`
	Select string `json:"s,omitempty"`
	Expand string `json:"x,omitempty"`
	Size   int    `json:"z,omitempty"`
}

func (c *call) token(p page) string {
	p.Epoch, p.Name = c.data.epoch.Load(), c.name
	raw, _ := json.Marshal(p) // texts and numbers
	return base64.RawURLEncoding.EncodeToString(raw)
}

// place reads a token.
func (c *call) place(token string) (p page, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || json.Unmarshal(raw, &p) != nil {
		return p, false
	}
	return p, p.Epoch == c.data.epoch.Load() && p.Name == c.name
}

// link is this request's address with one parameter.
func (c *call) link(name, value string) string {
	path := c.r.URL.EscapedPath()
	return c.host() + path + "?" + url.Values{name: {value}}.Encode()
}

// host is the root of the server as the client names it.
func (c *call) host() string {
	if c.r.TLS != nil {
		return "https://" + c.r.Host
	}
	return "http://" + c.r.Host
}

// list answers with one page of a collection that fits into memory.
func (c *call) list(all []object, fallback, limit int, hidden ...string) error {
	size, err := c.size(fallback, limit)
	if err != nil {
		return err
	}
	p := page{Select: withExpanded(c.selected(), c.query.Get("$expand")), Size: size}
	if t := c.query.Get("$skiptoken"); t != "" {
		ok := false
		if p, ok = c.place(t); !ok {
			return errBadRequest("The skip token is not valid.")
		}
	}
	from, to := min(p.From, len(all)), min(p.From+p.Size, len(all))
	values := make([]object, 0, to-from)
	for _, o := range all[from:to] {
		values = append(values, o.only(p.Select, hidden...))
	}
	answer := object{"@odata.context": c.host() + "/v1.0/$metadata#" + c.name, "value": values}
	if to < len(all) {
		p.From = to
		answer["@odata.nextLink"] = c.link("$skiptoken", c.token(p))
	}
	return c.reply(answer)
}
