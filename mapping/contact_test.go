package mapping

import (
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sources"
)

func card(t *testing.T, c sources.Contact, v4 bool) (*icalendar.Component, []Loss) {
	t.Helper()
	out, losses, err := ContactRules{Version4: v4}.Contact(c)
	if err != nil {
		t.Fatal(err)
	}
	read, err := icalendar.ParseCard(out.Data)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.Data)
	}
	return read, losses
}

// TestContactLines compares the lines that one field makes, in both versions.
func TestContactLines(t *testing.T) {
	tests := map[string]struct {
		in     sources.Contact
		v3, v4 string
		losses string
	}{
		"phone of one's own label": {
			sources.Contact{Name: sources.ContactName{Full: "A"}, Phones: []sources.Labelled{{Label: "Ferienhaus", Value: "+49 1", Primary: true}}},
			"ITEM1.TEL;TYPE=VOICE;TYPE=PREF:+49 1|ITEM1.X-ABLABEL:Ferienhaus", "ITEM1.TEL;PREF=1:+49 1|ITEM1.X-ABLABEL:Ferienhaus", ContactLabel,
		},
		"fax at work": {
			sources.Contact{Name: sources.ContactName{Full: "A"}, Phones: []sources.Labelled{{Label: "workFax", Value: "1"}}},
			"TEL;TYPE=VOICE;TYPE=WORK,FAX:1", "TEL;TYPE=work,fax:1", "",
		},
		"birthday without year": {
			sources.Contact{Name: sources.ContactName{Full: "A"}, Birthdays: []sources.ContactDate{{Month: 2, Day: 29}}},
			"BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29", "BDAY:--0229", "",
		},
		"no birthday": {
			sources.Contact{Name: sources.ContactName{Full: "A"}, Birthdays: []sources.ContactDate{{Year: 1999, Month: 2, Day: 29}}},
			"NOTE:Birthday: 1999-02-29", "NOTE:Birthday: 1999-02-29", ContactInNote + " " + ContactDateInvalid,
		},
		"spouse": {
			sources.Contact{Name: sources.ContactName{Full: "A"}, Relations: []sources.Labelled{{Label: "spouse", Value: "B; C"}}},
			`ITEM1.X-ABRELATEDNAMES:B\; C|ITEM1.X-ABLABEL:spouse`, `RELATED;TYPE=spouse;VALUE=text:B\; C`, "",
		},
		"an address that is none": {
			sources.Contact{Name: sources.ContactName{Full: "A"}, Emails: []sources.Labelled{{Value: "a b@"}}},
			"NOTE:E-mail: a b@", "NOTE:E-mail: a b@", ContactInNote + " " + ContactAddressInvalid,
		},
		"street in parts": {
			sources.Contact{Name: sources.ContactName{Full: "A"}, Addresses: []sources.PostalAddress{{Label: "home", Street: "S 1\n2. Stock", City: "a;b", Formatted: "x"}}},
			`ADR;TYPE=HOME:;;S 1\n2. Stock;a\;b;;;`, `ADR;TYPE=home:;;S 1\n2. Stock;a\;b;;;`, "",
		},
		"messenger": {
			sources.Contact{Name: sources.ContactName{Full: "A"}, IMs: []sources.Labelled{{Protocol: "jabber", Value: "a@b"}}},
			"IMPP;X-SERVICE-TYPE=jabber:xmpp:a@b", "IMPP;X-SERVICE-TYPE=jabber:xmpp:a@b", "",
		},
		"notes in HTML": {
			sources.Contact{Name: sources.ContactName{Full: "A"}, Notes: []string{"plain <b>"}, NotesHTML: []string{"a <b>c</b>", "<p></p>"}},
			`NOTE:plain <b>\n\na c`, `NOTE:plain <b>\n\na c`, "",
		},
		"groups": {
			sources.Contact{Name: sources.ContactName{Full: "A"}, Groups: []string{"a,b", "c"}, Starred: true},
			`CATEGORIES:a\,b,c,Starred`, `CATEGORIES:a\,b,c,Starred`, "",
		},
	}
	for name, test := range tests {
		for v4, want := range map[bool]string{false: test.v3, true: test.v4} {
			read, losses := card(t, test.in, v4)
			if got := linesOf(read); got != want {
				t.Errorf("%s: 4.0 %v:\n%s\nwant\n%s", name, v4, got, want)
			}
			if got := reasonsOf(losses); got != test.losses {
				t.Errorf("%s: losses %q, want %q", name, got, test.losses)
			}
		}
	}
}

// linesOf returns all but what every card has.
func linesOf(c *icalendar.Component) string {
	var lines []string
	for _, p := range c.Properties {
		switch p.Name {
		case "VERSION", "PRODID", "UID", "FN", "N":
			continue
		}
		p.Name, p.Group = strings.ToUpper(p.Name), strings.ToUpper(p.Group)
		lines = append(lines, strings.TrimSpace(strings.ReplaceAll(string(p.Append(nil)), "\r\n ", "")))
	}
	return strings.Join(lines, "|")
}

func reasonsOf(losses []Loss) string {
	var list []string
	for _, l := range losses {
		list = append(list, l.Reason)
	}
	return strings.Join(list, " ")
}

// TestTruncatedContacts: what the provider keeps to itself is a loss.
func TestTruncatedContacts(t *testing.T) {
	_, losses := card(t, sources.Contact{Name: sources.ContactName{Given: "Many"}, Truncated: true}, false)
	if reasonsOf(losses) != ContactTruncated {
		t.Errorf("%v", losses)
	}
}

func TestNamelessContacts(t *testing.T) {
	tests := map[string]sources.Contact{
		"Stadtwerke":   {Organizations: []sources.Organization{{Name: "Stadtwerke", Title: "x"}}},
		"a@example.de": {Emails: []sources.Labelled{{Value: "a@example.de"}}},
		"+49 30 1":     {Phones: []sources.Labelled{{Value: "+49 30 1"}}},
		"Am Markt 1":   {Addresses: []sources.PostalAddress{{Street: "Am Markt 1"}}},
		"Hof 2 Anbau":  {Addresses: []sources.PostalAddress{{Street: "Hof 2\nAnbau"}}},
		"Nick":         {Nicknames: []string{"Nick"}},
		"first line":   {Notes: []string{"first line"}},
		"(no name)":    {},
	}
	for want, in := range tests {
		read, losses := card(t, in, false)
		if fn, _ := read.Get("FN"); fn.Text() != want || reasonsOf(losses) != ContactNameless {
			t.Errorf("FN %q, want %q; %v", fn.Text(), want, losses)
		}
		if _, ok := read.Get("N"); !ok {
			t.Errorf("%s: no N", want)
		}
	}
}
