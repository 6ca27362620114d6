package microsoft

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/recur"
	"codeberg.org/repatriate/repatriate/internal/seeds"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sources"
)

// values yields the objects of a Graph answer: itself, or those of its list.
func values(data []byte) []json.RawMessage {
	var list struct{ Value []json.RawMessage }
	if json.Unmarshal(data, &list) == nil && len(list.Value) > 0 {
		return list.Value
	}
	return []json.RawMessage{data}
}

func addGraph(f *testing.F) {
	seeds.Shared(f, "graph-json", ".json", func(data []byte) {
		for _, v := range values(data) {
			f.Add([]byte(v))
		}
	})
}

// checkTitle: what is shown of an item is one line.
func checkTitle(t *testing.T, title string) {
	t.Helper()
	if strings.ContainsAny(title, "\r\n\x00\x1b") || !utf8.ValidString(title) {
		t.Errorf("title %q", title)
	}
}

// calendarOf reads what a mapping made, which has exactly one of each that RFC 5545 wants once.
func calendarOf(t *testing.T, data []byte, uid, component string) {
	t.Helper()
	c, err := icalendar.Parse(data)
	if err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	if len(c.Children(component)) == 0 {
		t.Fatalf("no %s in %q", component, data)
	}
	for _, e := range c.Children(component) {
		if got, _ := e.Get("UID"); got.Text() != uid || len(e.All("UID")) != 1 || len(e.All("DTSTAMP")) != 1 {
			t.Fatalf("UID %q of %q in %q", got.Text(), uid, data)
		}
	}
}

func FuzzGraphEvent(f *testing.F) {
	addGraph(f)
	f.Add([]byte(`{"id":"x","iCalUId":"u","subject":"a\u0000b\r\nX:y","start":{"dateTime":"2026-01-01T00:00:00","timeZone":"UTC"},"end":{"dateTime":"2026-01-01T01:00:00","timeZone":"UTC"},
		"recurrence":{"pattern":{"type":"weekly","interval":1,"daysOfWeek":["monday"]},"range":{"type":"numbered","startDate":"2026-01-01","numberOfOccurrences":3}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var e event
		if decodeJSON(data, &e) != nil {
			return
		}
		it := eventView{user: "ada@example.org", zone: "Europe/Berlin"}.item(e)
		checkTitle(t, it.Title)
		if it.Version == "" || it.Version != e.version() {
			t.Errorf("version %q", it.Version)
		}
		if it.Problem != nil {
			return
		}
		if out, _, err := (mapping.EventRules{Zone: "Europe/Berlin"}).Event(it.Content); err == nil {
			calendarOf(t, out.Data, out.UID, "VEVENT")
			if got := recur.Object(out.Data); out.Times != "" && got != out.Times {
				t.Errorf("Graph describes other times than the object has: %q, %q\n%s", out.Times, got, out.Data)
			}
		}
	})
}

func FuzzGraphTask(f *testing.F) {
	addGraph(f)
	f.Add([]byte(`{"id":"x","title":"t","status":"completed","dueDateTime":{"dateTime":"2026-01-01T00:00:00","timeZone":"W. Europe Standard Time"},"checklistItems":[{"displayName":"a\nb"}],
		"linkedResources":[{"webUrl":"javascript:x"}],"recurrence":{"pattern":{"type":"daily","interval":1},"range":{"type":"noEnd","startDate":"2026-01-01"}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v todoTask
		if decodeJSON(data, &v) != nil {
			return
		}
		it := (&taskSource{list: "l", view: eventView{zone: "Europe/Berlin"}}).item(v)
		checkTitle(t, it.Title)
		if it.Problem != nil || it.Deleted {
			return
		}
		if out, _, err := (mapping.TaskRules{Zone: "Europe/Berlin"}).Task(it.Content); err == nil {
			calendarOf(t, out.Data, out.UID, "VTODO")
		}
	})
}

func FuzzGraphContact(f *testing.F) {
	addGraph(f)
	f.Add([]byte(`{"id":"x","displayName":"A\r\nB;C,D","emailAddresses":[{"address":"a@b","name":"n"}],"birthday":"1604-02-29T00:00:00Z","businessAddress":{"street":"s\ns"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v contact
		if decodeJSON(data, &v) != nil {
			return
		}
		it := (&contactSource{}).item(v)
		if it.Deleted {
			return
		}
		for _, version4 := range []bool{false, true} {
			out, _, err := (mapping.ContactRules{Version4: version4}).Contact(it.Content)
			if err != nil {
				continue
			}
			card, err := icalendar.ParseCard(out.Data)
			if err != nil {
				t.Fatalf("%v in %q", err, out.Data)
			}
			if uid, _ := card.Get("UID"); uid.Text() != out.UID || len(card.All("FN")) != 1 && !version4 {
				t.Fatalf("%q", out.Data)
			}
		}
	})
}

func FuzzGraphFile(f *testing.F) {
	addGraph(f)
	f.Add([]byte(`{"id":"x","name":"..","file":{"hashes":{"quickXorHash":"AAAA"}},"size":-1,"parentReference":{"id":"x"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v driveItem
		if decodeJSON(data, &v) != nil {
			return
		}
		it := (&driveSource{client: &Client{root: &url.URL{Scheme: "https", Host: "graph.example", Path: "/v1.0/"}}}).item("d", "root", v)
		checkTitle(t, it.Title)
		if it.Deleted || it.Problem != nil {
			return
		}
		c := it.Content
		if it.Version == "" || c.ParentID == it.ID && it.ID != "" || c.Orphan && c.ParentID != "" || c.ParentID == "root" {
			t.Errorf("item %+v", it)
		}
		name, _ := mapping.FileRules{}.Name(c)
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") || len(name) > 255 || !utf8.ValidString(name) {
			t.Errorf("%q became %q", c.Name, name)
		}
		if out, _, err := (mapping.FileRules{}).File(c); err == nil && c.Type == sources.RegularFile && out.Body.Open == nil {
			t.Errorf("a file without a body: %+v", out)
		}
	})
}

// FuzzGraphError: an error answer, alone or within a batch, is bounded and one line.
func FuzzGraphError(f *testing.F) {
	addGraph(f)
	f.Add([]byte(`{"error":{"code":"a","message":"b\nc","innerError":{"code":"d","innerError":{"code":"e"}}}}`))
	f.Add([]byte(`"eyJlcnJvciI6eyJjb2RlIjoiYSJ9fQ=="`))
	f.Add([]byte(`{"error":{"innerError":[]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, body := range [][]byte{data, plainJSON(data)} {
			e := newError("Graph x.y", 400, http.Header{"Retry-After": {"1"}}, body)
			if s := e.Error(); len(s) > 300*(maxCodes+2) || strings.ContainsAny(s, "\r\n\x00\x1b") || len(e.codes) > maxCodes {
				t.Errorf("%d codes, %.200q", len(e.codes), s)
			}
			if g := classify(getDrive, e); g.Reason == "" || g.Err == nil {
				t.Errorf("%+v", g)
			}
		}
	})
}

// FuzzGraphLink: an answer's link is on the same host, or it is refused.
func FuzzGraphLink(f *testing.F) {
	for _, s := range []string{"https://graph.example/v1.0/users/delta?$skiptoken=x", "https://graph.example:443/v1.0/x", "https://graph.example@evil.example/v1.0/", "//evil.example/v1.0/",
		"https://graph.example/v1.0/../../x", "http://graph.example/v1.0/x", "\\\\evil.example", "https://GRAPH.example/v1.0/%2e%2e/x", ""} {
		f.Add(s)
	}
	c := &Client{root: &url.URL{Scheme: "https", Host: "graph.example", Path: "/v1.0/"}}
	f.Fuzz(func(t *testing.T, raw string) {
		if u, err := c.link(raw); err == nil {
			if u.Scheme != "https" || !strings.EqualFold(u.Host, "graph.example") || u.User != nil {
				t.Errorf("%q leads to %v", raw, u)
			}
			if back, err := c.fromCursor(c.cursorOf(u)); err != nil || back.Host != "graph.example" {
				t.Errorf("%q comes back as %v, %v", raw, back, err)
			}
		}
		if u, err := c.preAuthenticated(raw); err == nil && (u.Scheme != "https" || u.Host == "") {
			t.Errorf("a download from %v", u)
		}
	})
}
