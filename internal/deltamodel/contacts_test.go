package deltamodel

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/carddav"
	"codeberg.org/repatriate/repatriate/sources"
)

// card is a contact as a person sees it.
type card struct {
	shown, family, given, company, note, birthday string
	phones, mails, groups, nicknames              []string
	photo                                         []byte
}

func (c card) text() string {
	for _, list := range [][]string{c.phones, c.mails, c.groups, c.nicknames} {
		slices.Sort(list)
	}
	return fmt.Sprintf("%q (%q, %q) of %q\nnote %q born %s\n%q %q in %q also %q\nphoto %s", c.shown, c.family, c.given, c.company, c.note, c.birthday,
		c.phones, c.mails, c.groups, c.nicknames, digest(c.photo))
}

// readCard says what a card on the target shows.
func readCard(body []byte) (string, error) {
	return once(string(body), func() (string, error) {
		var c card
		text := strings.ReplaceAll(strings.ReplaceAll(string(body), "\r\n ", ""), "\r\n", "\n")
		for line := range strings.Lines(text) {
			if err := c.line(strings.TrimSuffix(line, "\n")); err != nil {
				return "", err
			}
		}
		return c.text(), nil
	})
}

// line reads one content line: its name without group and parameters, and its parts at what is not escaped.
func (c *card) line(text string) (err error) {
	name, value, _ := strings.Cut(text, ":")
	name, _, _ = strings.Cut(name, ";")
	if name == "PHOTO" {
		c.photo, err = base64.StdEncoding.DecodeString(value)
		return err
	}
	parts := cardParts(value)
	switch name {
	case "FN":
		c.shown = parts[0]
	case "N":
		c.family, c.given = parts[0], parts[1]
	case "ORG":
		c.company = parts[0]
	case "NOTE":
		c.note = parts[0]
	case "BDAY":
		c.birthday = parts[0]
	case "TEL":
		c.phones = append(c.phones, parts[0])
	case "EMAIL":
		c.mails = append(c.mails, parts[0])
	case "NICKNAME":
		c.nicknames = append(c.nicknames, parts[0])
	case "CATEGORIES":
		c.groups = parts
	}
	return nil
}

// cardParts takes a value apart and its escapes out (RFC 2426 §4).
func cardParts(value string) []string {
	parts, escaped := []string{""}, false
	for _, r := range value {
		last := &parts[len(parts)-1]
		switch {
		case escaped && (r == 'n' || r == 'N'):
			*last += "\n"
		case !escaped && r == '\\':
			escaped = true
			continue
		case !escaped && (r == ';' || r == ','):
			parts = append(parts, "")
		default:
			*last += string(r)
		}
		escaped = false
	}
	return parts
}

// moveContacts makes one pass over an address book.
func moveContacts(ctx context.Context, s *shelf, c opened[sources.Contact], l checkpoint.Ledger) error {
	sink, err := carddav.Open(ctx, carddav.Options{URL: s.target.UserAddressBookURL(owner), User: owner, Password: password, RoundTripper: s.b.toTarget(),
		Collection: sinks.Collection{ID: c.ID, Name: c.Name, Description: c.Description, Primary: c.Primary}})
	if err != nil {
		return err
	}
	defer func() { _ = sink.Close() }()
	rules := mapping.ContactRules{Version4: sink.Version4()}
	return engine.New(c.source, rules.Contact, sink, s.b.options()).Run(ctx, l)
}
