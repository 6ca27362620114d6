package carddav

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
)

func meaning(tb testing.TB, lines ...string) string {
	tb.Helper()
	data := "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nFN:Jo Doe\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCARD\r\n"
	o, err := readCard([]byte(data))
	if err != nil {
		tb.Fatalf("%v in\n%s", err, data)
	}
	return o.Meaning
}

// TestMeaningSurvivesRewriting by servers, and from one version of vCard to the other.
func TestMeaningSurvivesRewriting(t *testing.T) {
	for _, pair := range [][2]string{
		{"TEL;TYPE=WORK;TYPE=VOICE:+49 30 1", `TEL;VALUE=uri;TYPE="voice,work":tel:+49 30 1`},
		{"TEL;TYPE=WORK,PREF:1", "TEL;TYPE=work;PREF=1:1"},
		{"TEL;HOME:1", "item1.TEL;TYPE=home:1"},
		{"EMAIL;TYPE=INTERNET,HOME:Jo@Example.org", "EMAIL;TYPE=home:jo@example.org"},
		{"N:Doe;Jo;;;", "N:Doe;Jo"},
		{"ORG:One;Two", "ORG:One;Two;"},
		{"ADR;TYPE=HOME:;;Street 1;Berlin;;10115;", "ADR;TYPE=home,postal,parcel:;;Street 1;Berlin;;10115"},
		{"BDAY:1990-02-03", "BDAY;VALUE=DATE:19900203"},
		{"BDAY:1990-02-03T00:00:00Z", "BDAY:19900203"},
		{"BDAY:--02-03", "BDAY:--0203"},
		{"X-ANNIVERSARY:2010-01-02", "ANNIVERSARY:20100102"},
		{`CATEGORIES:b\,c,a`, "CATEGORIES:a\r\nCATEGORIES:b,c"},
		{"PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo=", "PHOTO:data:image/png;base64,iVBORw0KGgo"},
		{"NOTE:one\\n two", "NOTE:one\\ntwo\r\nREV:20200101T000000Z\r\nPRODID:x\r\nX-ABUID:1\r\nKIND:individual"},
	} {
		if meaning(t, pair[0]) != meaning(t, pair[1]) {
			t.Errorf("%q does not mean %q", pair[0], pair[1])
		}
	}
}

// TestMeaningTellsChanges in each field.
func TestMeaningTellsChanges(t *testing.T) {
	for _, pair := range [][2]string{
		{"TEL;TYPE=WORK:+49 30 1", "TEL;TYPE=WORK:+49 30 2"}, {"TEL;TYPE=WORK:+49 30 1", "TEL;TYPE=HOME:+49 30 1"}, {"TEL:1", ""},
		{"EMAIL:a@example.org", "EMAIL:b@example.org"}, {"N:Doe;Jo", "N:Jo;Doe"}, {"ORG:One;Two", "ORG:One"}, {"TITLE:a", "TITLE:b"},
		{"ADR:;;Street 1;Berlin", "ADR:;;Street 1;Bonn"}, {"ADR:;;Street 1;Berlin", "ADR:;Street 1;;Berlin"}, {"BDAY:19900203", "BDAY:19900204"},
		{"ANNIVERSARY:19900203", "BDAY:19900203"}, {"NOTE:a", "NOTE:b"}, {"URL:https://a.example", "URL:https://b.example"},
		{"CATEGORIES:a,b", "CATEGORIES:a"}, {"PHOTO;ENCODING=b:iVBORw0KGgo=", "PHOTO;ENCODING=b:iVBORw0KGg0="}, {"NICKNAME:a", "NICKNAME:b"},
	} {
		if meaning(t, pair[0]) == meaning(t, pair[1]) {
			t.Errorf("%q means %q", pair[0], pair[1])
		}
	}
}

// TestDamagesAreFound in cards that lie on a server.
func TestDamagesAreFound(t *testing.T) {
	server := startEmbedded(t)
	s, err := Open(t.Context(), options(server.UserAddressBookURL("u1"), "u1"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	r := rand.New(rand.NewPCG(1, 2))
	w := witness{o: options(server.UserAddressBookURL("u1"), "u1")}
	damages := [][2]string{{"TEL;TYPE=WORK,FAX:+49 30 1", "TEL;TYPE=WORK,FAX:+49 30 2"}, {"EMAIL;TYPE=INTERNET", "X-EMAIL;TYPE=INTERNET"}, {"\nFN:", "\nFN:The "}, {"\nNOTE:", "\nNOTE:My "}}
	for i := range 40 {
		it := card("3.0", fmt.Sprint("damaged", i), i)
		written, err := s.Put(t.Context(), it, sinks.Receipt{})
		if err != nil {
			t.Fatal(err)
		}
		p, d := sinks.Proof{Receipt: written.Receipt, Digest: written.Digest}, damages[r.IntN(len(damages))]
		w.client().Edit(t, p.Receipt.Location, d[0], d[1])
		o, err := s.Read(t.Context(), sinks.Object{Location: p.Receipt.Location})
		if v := s.Compare(o, p); err != nil || v != sinks.Touched {
			t.Errorf("%q: %v, %v", d[1], v, err)
		}
		o.Version = p.Receipt.Version // as if nobody had done it
		if v := s.Compare(o, p); v != sinks.Differs {
			t.Errorf("%q in silence: %v", d[1], v)
		}
	}
}

// realCards returns the cards of the shared data, as this program would write them: in a version that servers take, with a UID, with
// texts that are escaped, and without values in an encoding that only vCard 2.1 has.
func realCards(tb testing.TB) [][]byte {
	tb.Helper()
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "data", "vcard", "*.vcf"))
	if len(files) == 0 {
		if os.Getenv("CI") == "true" {
			tb.Fatal("the shared data is missing")
		}
		tb.Skip("the shared data is missing")
	}
	var all [][]byte
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		for _, part := range bytes.SplitAfter(data, []byte("END:VCARD")) {
			if card, err := icalendar.ParseCard(part); err == nil && card.Value("FN") != "" {
				all = append(all, legal(card, len(all)))
			}
		}
	}
	return all
}

func legal(card *icalendar.Component, n int) []byte {
	c := icalendar.New("VCARD")
	version := "3.0"
	if card.Value("VERSION") == "4.0" {
		version = "4.0"
	}
	c.Add(icalendar.Raw("VERSION", version), icalendar.Text("UID", fmt.Sprint("real-", n)))
	for _, p := range card.Properties {
		encoded := p.Param("ENCODING") != "" || slices.ContainsFunc(p.Params, func(q icalendar.Param) bool { return q.Name == "QUOTED-PRINTABLE" })
		if p.Name == "VERSION" || p.Name == "UID" || encoded && p.Name != "PHOTO" {
			continue
		}
		if slices.Contains([]string{"FN", "NOTE", "TITLE", "TEL", "EMAIL", "URL"}, p.Name) {
			p.Value = icalendar.EscapeText(p.Text())
		}
		c.Add(p)
	}
	if card.Value("N") == "" {
		c.Add(icalendar.Structured("N", []string{"x", "", "", "", ""}))
	}
	return c.Bytes()
}

// TestRealCardsAreTheSame as they were written, on servers that rewrite them.
func TestRealCardsAreTheSame(t *testing.T) {
	cards := realCards(t)
	embedded := startEmbedded(t)
	radicale := realserver.Radicale(t, realserver.RadicaleOptions{})
	cyrus := realserver.Cyrus(t, realserver.CyrusOptions{Accounts: realserver.Accounts{Count: 2}})
	for name, o := range map[string]Options{
		"embedded": options(embedded.UserAddressBookURL("u1"), "u1"),
		"Radicale": options(radicale.AddressBooksURL("u1"), "u1"),
		"Cyrus":    options(cyrus.AddressBooksURL(cyrus.User(1).User), cyrus.User(1).User),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			same(t, s, cards)
		})
	}
}

// same writes all cards and checks that each is found as it was written. Those that a server refuses do not count.
func same(t *testing.T, s *Sink, cards [][]byte) {
	t.Helper()
	proofs, data, rewritten := map[string]sinks.Proof{}, map[string]string{}, 0
	for i, c := range cards {
		w, err := s.Put(t.Context(), sinks.Item[sinks.Contact]{ID: fmt.Sprint("real", i), Content: sinks.Contact{Data: c}}, sinks.Receipt{})
		if err != nil {
			continue
		}
		rewritten += len(w.Losses)
		proofs[w.Receipt.Location] = sinks.Proof{Receipt: w.Receipt, Digest: w.Digest}
		data[w.Receipt.Location] = string(c)
	}
	byMeaning := 0
	for o, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		p, ours := proofs[o.Location]
		if v := s.Compare(o, p); !ours || v != sinks.Same || o.Twin != s.Expect(p).Twin {
			answer, _ := s.client.Do(context.Background(), http.MethodGet, o.Location, nil, nil)
			t.Errorf("%s is %v: %s, not %s\n%s\n%s", o.Location, v, o.Digest, p.Digest, data[o.Location], answer.Body)
		}
		if o.Digest != p.Digest {
			byMeaning++
		}
		delete(proofs, o.Location)
	}
	t.Logf("%d of %d cards, %d rewritten at once, %d the same by their meaning alone", len(data), len(cards), rewritten, byMeaning)
	if len(data) < 15 || len(proofs) > 0 {
		t.Errorf("%d cards were compared, and %d are not listed", len(data), len(proofs))
	}
}

func FuzzMeaning(f *testing.F) {
	f.Add(card("3.0", "x", 1).Content.Data)
	f.Add([]byte("BEGIN:VCARD\nUID:1\nTEL;;=;TYPE=\"a,:1\nN:\\;\\\nPHOTO:data:;base64,=\nBDAY:--T"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := readCard(data)
		if b, again := readCard(data); a != b || (err == nil) != (again == nil) {
			t.Errorf("%+v is not %+v", a, b)
		}
	})
}
