package google

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// answerOf writes an answer of messages.get as Google does, with the message in the middle.
func answerOf(raw string) string {
	return "{\n  \"id\": \"19a\",\n  \"threadId\": \"19b\",\n  \"labelIds\": [\"INBOX\", \"Label_1\"],\n \"raw\": \"" + raw +
		"\",\n  \"payload\": {\"headers\": [{\"name\": \"raw\", \"value\": \"\\\"}\"}], \"n\": 1.5e3},\n" +
		"  \"historyId\": \"4711\", \"internalDate\": \"1700000000123\", \"sizeEstimate\": 12\n}\n"
}

var wantFields = rawMessage{ID: "19a", ThreadID: "19b", LabelIDs: []string{"INBOX", "Label_1"}, HistoryID: 4711, InternalDate: 1700000000123}

func TestDecodeRaw(t *testing.T) {
	message := bytes.Repeat([]byte("\x00\xff\xfe?>~ \r\n"), 30_000)
	for length := range 40 {
		check := func(name, encoded string, want []byte) {
			t.Helper()
			var got bytes.Buffer
			m, err := decodeRaw(strings.NewReader(answerOf(encoded)), &got)
			if err != nil || !bytes.Equal(got.Bytes(), want) || !reflect.DeepEqual(m, wantFields) {
				t.Errorf("%s, %d bytes: got %d bytes, %+v, %v", name, len(want), got.Len(), m, err)
			}
		}
		padded := base64.URLEncoding.EncodeToString(message[:length])
		check("padded", padded, message[:length])
		check("escaped", strings.ReplaceAll(padded, "=", `\u003d`), message[:length])
		check("unpadded", strings.TrimRight(padded, "="), message[:length])
		long := message[:len(message)-length]
		check("long", base64.URLEncoding.EncodeToString(long), long)
		check("long and escaped", strings.ReplaceAll(base64.URLEncoding.EncodeToString(long), "_", `\u005F`), long)
	}
}

func TestDecodeRawReadsAnyPieces(t *testing.T) {
	answer := answerOf(strings.ReplaceAll(base64.URLEncoding.EncodeToString([]byte("Subject: x\r\n\r\nbody")), "=", `\u003d`))
	for name, r := range map[string]io.Reader{
		"bytes":     iotest.OneByteReader(strings.NewReader(answer)),
		"halves":    iotest.HalfReader(strings.NewReader(answer)),
		"with EOF":  iotest.DataErrReader(strings.NewReader(answer)),
		"raw first": strings.NewReader(`{"raw":"U3ViamVjdDogeA0KDQpib2R5","id":"19a","threadId":"19b","labelIds":["INBOX","Label_1"],"historyId":"4711","internalDate":"1700000000123"}`),
	} {
		var got bytes.Buffer
		m, err := decodeRaw(r, &got)
		if err != nil || got.String() != "Subject: x\r\n\r\nbody" || !reflect.DeepEqual(m, wantFields) {
			t.Errorf("%s: got %q, %+v, %v", name, got.String(), m, err)
		}
	}
}

func TestDecodeRawNeverTakesAShortAnswer(t *testing.T) {
	answer := strings.TrimSpace(answerOf("U3ViamVjdDogeA0KDQpib2R5"))
	for cut := range len(answer) {
		if _, err := decodeRaw(strings.NewReader(answer[:cut]), io.Discard); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut after %d bytes (%q): got %v", cut, answer[:cut], err)
		}
	}
	reset := errors.New("connection reset")
	for cut := range len(answer) {
		r := io.MultiReader(strings.NewReader(answer[:cut]), iotest.ErrReader(reset))
		if _, err := decodeRaw(r, io.Discard); !errors.Is(err, reset) {
			t.Fatalf("reset after %d bytes: got %v", cut, err)
		}
	}
}

func TestDecodeRawRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		want   error
	}{
		"no raw":               {`{"id":"1"}`, errRawSyntax},
		"raw twice":            {`{"raw":"QQ==","raw":"QQ=="}`, errRawSyntax},
		"raw is a number":      {`{"raw":1}`, errRawSyntax},
		"an array":             {`["raw"]`, errRawSyntax},
		"more behind it":       {`{"raw":"QQ=="} {}`, errRawSyntax},
		"two commas":           {`{"id":"1",,"raw":"QQ=="}`, errRawSyntax},
		"no comma":             {`{"id":"1" "raw":"QQ=="}`, errRawSyntax},
		"comma first":          {`{,"raw":"QQ=="}`, errRawSyntax},
		"comma last":           {`{"raw":"QQ==",}`, errRawSyntax},
		"unbalanced":           {`{"id":]},"raw":"QQ=="}`, errRawLong},
		"two numbers":          {`{"x":[1 2],"raw":"QQ=="}`, errRawSyntax},
		"standard alphabet":    {`{"raw":"+/+/"}`, errRawBase64},
		"a line break":         {"{\"raw\":\"QUJD\nRA\"}", errRawBase64},
		"an escaped break":     {`{"raw":"QUJD\nRA"}`, errRawBase64},
		"one character over":   {`{"raw":"QUJDR"}`, errRawBase64},
		"data after padding":   {`{"raw":"QQ==QQ=="}`, errRawBase64},
		"a wide escape":        {`{"raw":"\u0141"}`, errRawBase64},
		"history is no number": {`{"raw":"QQ==","historyId":"x"}`, errRawSyntax},
		"too deep":             {`{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `,"raw":"QQ=="}`, errRawLong},
		"too long a field":     {`{"x":"` + strings.Repeat("y", maxFields+1) + `","raw":"QQ=="}`, errRawLong},
		"too many numbers":     {`{"x":[1` + strings.Repeat(",1", maxFields/2) + `],"raw":"QQ=="}`, errRawLong},
	} {
		if _, err := decodeRaw(strings.NewReader(c.answer), io.Discard); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	full := errors.New("disk full")
	if _, err := decodeRaw(strings.NewReader(`{"raw":"QUJD"}`), failingWriter{full}); !errors.Is(err, full) {
		t.Errorf("writer's error: got %v", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// FuzzDecodeRaw compares with encoding/json: what the scanner takes, encoding/json takes as the same.
func FuzzDecodeRaw(f *testing.F) {
	f.Add([]byte(answerOf("U3ViamVjdDogeA0KDQpib2R5")))
	f.Add([]byte(answerOf(`QQ\u003d\u003d`)))
	f.Add([]byte(`{"raw":"","x":[{"y":null},true,-1.5],"labelIds":null}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		var got bytes.Buffer
		m, err := decodeRaw(bytes.NewReader(answer), &got)
		if err != nil {
			return
		}
		var want struct {
			rawMessage
			Raw string `json:"raw"`
		}
		if err := json.Unmarshal(answer, &want); err != nil {
			t.Fatalf("encoding/json refuses it: %v", err)
		}
		if _, exact := membersOf(answer)["raw"]; !exact {
			t.Fatal("there is no raw")
		}
		if !reflect.DeepEqual(m, want.rawMessage) {
			t.Fatalf("got %+v, want %+v", m, want.rawMessage)
		}
		if b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(want.Raw, "=")); err == nil && !bytes.Equal(b, got.Bytes()) {
			t.Fatalf("got %q, want %q", got.Bytes(), b)
		}
	})
}

func membersOf(object []byte) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	_ = json.Unmarshal(object, &m)
	return m
}

func BenchmarkDecodeRaw(b *testing.B) {
	for _, size := range []int{2 << 10, 26 << 10, 1 << 20, 25 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			answer := []byte(answerOf(base64.URLEncoding.EncodeToString(bytes.Repeat([]byte("0123456789\r\n"), size/12))))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decodeRaw(bytes.NewReader(answer), io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
