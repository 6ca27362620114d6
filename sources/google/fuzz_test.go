package google

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/api/googleapi"
	"google.golang.org/api/people/v1"
	"google.golang.org/api/tasks/v1"

	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/seeds"
	"codeberg.org/repatriate/repatriate/mapping"
)

func addGoogle(f *testing.F) {
	seeds.Shared(f, "google-json", ".json", func(data []byte) { f.Add(data) })
}

// decoded reads an answer as the official client gets it.
func decoded(data []byte, out any) error {
	return json.NewDecoder(httpx.NoNulls(bytes.NewReader(data))).Decode(out)
}

func FuzzPerson(f *testing.F) {
	addGoogle(f)
	f.Add([]byte(`{"resourceName":"people/1","etag":"e","names":[{"displayName":"A\r\nB;C"}],"birthdays":[{"date":{"month":2,"day":29}}],"emailAddresses":[null,{}],"memberships":[{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p people.Person
		if decoded(data, &p) != nil {
			return
		}
		it := (&contactSource{}).item(&p, groupNames{})
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
			if uid, _ := card.Get("UID"); uid.Text() != out.UID {
				t.Fatalf("UID %q in %q", out.UID, out.Data)
			}
		}
	})
}

func FuzzTask(f *testing.F) {
	addGoogle(f)
	f.Add([]byte(`{"id":"t","title":"a\nb\u0000","due":"2026-13-99T","updated":"x","links":[{"type":"email"}],"assignmentInfo":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v tasks.Task
		if decoded(data, &v) != nil {
			return
		}
		it := taskItem(&v)
		if it.Deleted {
			return
		}
		out, _, err := (mapping.TaskRules{Zone: "Europe/Berlin"}).Task(it.Content)
		if err != nil {
			return
		}
		c, err := icalendar.Parse(out.Data)
		if err != nil || len(c.Children("VTODO")) != 1 {
			t.Fatalf("%v in %q", err, out.Data)
		}
	})
}

// FuzzAPIError: an error answer is bounded and one line, whatever stands in it.
func FuzzAPIError(f *testing.F) {
	f.Add(403, []byte(`{"error":{"code":403,"message":"a\nb","errors":[{"reason":"rateLimitExceeded"}],"details":[{"reason":"x"},7]}}`))
	f.Add(429, []byte(`{"error":{"message":"User-rate limit exceeded. Retry after 2999-05-04T03:02:01.000Z"}}`))
	f.Add(500, []byte(`<html>`))
	f.Add(400, []byte(`{"error":"invalid_grant","error_description":7}`))
	c := offline(f, "unlimited")
	f.Fuzz(func(t *testing.T, code int, data []byte) {
		if code < 400 || code > 599 {
			return
		}
		g := c.classify("Gmail x.y", gmailGetProfile, &googleapi.Error{Code: code, Body: string(data)})
		s := g.Error()
		if len(s) > 300*(maxReasons+4) || strings.ContainsAny(s, "\r\n\x00\x1b") || !utf8.ValidString(s) || g.Reason == "" {
			t.Errorf("%s: %.300q", g.Reason, s)
		}
		if g.After < 0 || g.After.Hours() > 24 {
			t.Errorf("a pause of %v", g.After)
		}
	})
}

// FuzzKeyFile: what is no key file is refused, and nothing of it is repeated.
func FuzzKeyFile(f *testing.F) {
	f.Add([]byte(`{"type":"service_account","client_email":"a@b","private_key":"-----BEGIN PRIVATE KEY-----\nTOPSECRET\n-----END PRIVATE KEY-----\n","token_uri":"https://x.example/"}`))
	f.Add([]byte(`TOPSECRET`))
	f.Add([]byte(`{"type":"TOPSECRET","private_key":"TOPSECRET"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := parseKey(data)
		if err == nil && k.tokenHost == "" {
			t.Errorf("a key without a place for tokens: %q", data)
		}
		var text struct {
			Key string `json:"private_key"`
		}
		_ = json.Unmarshal(data, &text) // what is no JSON holds no key
		if err != nil && len(text.Key) > 20 && strings.Contains(err.Error(), text.Key) {
			t.Errorf("the key stands in %q", err)
		}
	})
}
