package deltamodel

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/emersion/go-vcard"

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
		v, err := vcard.NewDecoder(bytes.NewReader(body)).Decode()
		if err != nil {
			return "", err
		}
		c := card{shown: v.Value("FN"), note: v.Value("NOTE"), birthday: v.Value("BDAY"), phones: v.Values("TEL"), mails: v.Values("EMAIL"),
			nicknames: v.Values("NICKNAME")}
		if v.Value("CATEGORIES") != "" {
			c.groups = v.Categories()
		}
		if n := v.Name(); n != nil {
			c.family, c.given = n.FamilyName, n.GivenName
		}
		c.company = v.Value("ORG")
		if text := v.Value("PHOTO"); text != "" {
			if c.photo, err = base64.StdEncoding.DecodeString(text); err != nil {
				return "", err
			}
		}
		return c.text(), nil
	})
}

// moveContacts makes one pass over an address book.
func moveContacts(ctx context.Context, g *rig, src sources.Source[sources.Contact], c sources.Collection, l checkpoint.Ledger) error {
	sink, err := carddav.Open(ctx, carddav.Options{URL: g.target.UserAddressBookURL(owner), User: owner, Password: password, RoundTripper: g.wire,
		Collection: sinks.Collection{ID: c.ID, Name: c.Name, Description: c.Description, Primary: c.Primary}})
	if err != nil {
		return err
	}
	defer func() { _ = sink.Close() }()
	rules := mapping.ContactRules{Version4: sink.Version4()}
	return engine.New(src, rules.Contact, sink, g.options()).Run(ctx, l)
}
