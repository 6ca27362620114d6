package google

import (
	"encoding/json"
	"testing"
)

func TestMask(t *testing.T) {
	o := object{{"a", "1"}, {"b", []object{{{"c", 2}, {"d", object{{"e", true}, {"f", nil}}}}}}, {"g", func() any { return nil }}}
	for fields, want := range map[string]string{
		"":             `{"a":"1","b":[{"c":2,"d":{"e":true}}]}`,
		"*":            `{"a":"1","b":[{"c":2,"d":{"e":true}}]}`,
		"a":            `{"a":"1"}`,
		"b/c":          `{"b":[{"c":2}]}`,
		"b(c),a":       `{"a":"1","b":[{"c":2}]}`,
		"b(d/e)":       `{"b":[{"d":{"e":true}}]}`,
		"b/c,b/d/e":    `{"b":[{"c":2,"d":{"e":true}}]}`,
		"b(*)":         `{"b":[{"c":2,"d":{"e":true}}]}`,
		"b/d,b":        `{"b":[{"c":2,"d":{"e":true}}]}`,
		"z":            `{}`,
		"b(d(e)),z(y)": `{"b":[{"d":{"e":true}}]}`,
	} {
		m, err := parseMask(fields)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendObject(nil, o, m)); got != want {
			t.Errorf("%q gives %s, want %s", fields, got, want)
		}
	}
	for _, bad := range []string{",", "a,", "a(", "a(b", "a)", "a//b", "()"} {
		if _, err := parseMask(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"a":[1,2.5e3,"x\u0000\n<&>",null,true,{"b":{}}],"ü":"\ud800"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := parseObject(data)
		if err != nil {
			return
		}
		out := appendObject(nil, o, nil)
		if !json.Valid(out) {
			t.Fatalf("%q became %q", data, out)
		}
		if _, err := parseObject(out); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzQuery(f *testing.F) {
	f.Add("'me' in owners and (trashed = false or not mimeType != 'a\\'b') and sharedWithMe and modifiedTime > '2024-01-01T00:00:00Z'")
	f.Fuzz(func(t *testing.T, q string) {
		match, err := parseQuery(q, "a@example.org")
		if err == nil {
			match(&fileView{})
		}
	})
}

func FuzzMask(f *testing.F) {
	f.Add("nextPageToken,files(id,owners/emailAddress,*)")
	f.Fuzz(func(t *testing.T, fields string) {
		if m, err := parseMask(fields); err == nil {
			m.has("files", "id")
		}
	})
}

func FuzzImportICS(f *testing.F) {
	f.Add([]byte("BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:x\r\nX-LIC-LOCATION:Europe/Berlin\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=x:20240101T\r\n 100000\r\nDURATION:P1DT2H\r\nRRULE:FREQ=DAILY\r\nEXDATE;TZID=x:20240102T100000\r\nATTENDEE;CN=\"a:b\";PARTSTAT=ACCEPTED:mailto:a@b\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID;VALUE=DATE:20240103\r\nDTSTART;VALUE=DATE:20240104\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := NewData("example.org")
		if err := d.AddUser(User{Email: "a@example.org"}); err != nil {
			t.Fatal(err)
		}
		ids, _, err := d.ImportICS("a@example.org", "", data)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(d.Events("a@example.org", "")); n > len(ids) {
			t.Fatalf("%d events of %d ids", n, len(ids))
		}
	})
}
