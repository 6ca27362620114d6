package carddav

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

func format() dav.Format {
	const open = `xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><prop><getetag/><C:address-data/></prop>`
	return dav.Format{
		Noun: "contact", Kept: LossKept, Rewritten: LossRewritten, Renamed: LossRenamed, Aside: LossAside, Joined: LossJoined, Copy: copyCard, Join: joinCard, MediaType: "text/vcard; charset=utf-8", Extension: ".vcf", Read: readCard, Stamp: stamp,
		Multiget: func(hrefs string) string {
			return "<C:addressbook-multiget " + open + hrefs + "</C:addressbook-multiget>"
		},
		Query: func(uid string) string {
			return "<C:addressbook-query " + open + `<C:filter><C:prop-filter name="UID"><C:text-match collation="i;octet" match-type="equals">` +
				uid + `</C:text-match></C:prop-filter></C:filter></C:addressbook-query>`
		},
		Data: func(p dav.Prop) string { return p.Card },
	}
}

var errNoUID = errors.New("the card has no UID")

// readCard reads a vCard. What is compared leaves out what servers rewrite: order, groups, VERSION, REV, PRODID, empty properties.
func readCard(data []byte) (dav.Object, error) {
	card, err := icalendar.ParseCard(data)
	if err != nil {
		return dav.Object{}, err
	}
	o := dav.Object{Written: dav.WrittenDigest(card.Value(dav.DigestProperty))}
	var full, core []string
	name, _ := card.Get("FN")
	o.Title = strings.TrimSpace(name.Text())
	for _, p := range card.Properties {
		if p.Name == "UID" && o.UID == "" {
			o.UID = strings.TrimSpace(p.Text())
		}
		line := describe(p)
		if line == "" {
			continue
		}
		full = append(full, line)
		if slices.Contains([]string{"FN", "EMAIL", "TEL"}, p.Name) {
			core = append(core, p.Name+":"+strings.TrimSpace(p.Text()))
		}
	}
	if o.UID == "" {
		return dav.Object{}, errNoUID
	}
	o.Full, o.Core, o.Meaning = dav.Digest(full), dav.Digest(core), meaningOf(card)
	o.Names = dav.CategoryNames(card)
	return o, nil
}

// joinCard returns the card with names of categories that no server parts.
func joinCard(data []byte) ([]byte, error) {
	card, err := icalendar.ParseCard(data)
	if err != nil {
		return nil, err
	}
	dav.JoinNames(card)
	return card.Bytes(), nil
}

// describe returns a property in one way of writing; empty for one that does not count.
func describe(p icalendar.Property) string {
	switch p.Name {
	case dav.DigestProperty, "VERSION", "PRODID", "REV":
		return ""
	case "PHOTO":
		return "PHOTO:" + dav.DigestOf([]byte(pictureOf(p.Value)))
	}
	value := strings.TrimRight(p.Value, "; \t")
	if value == "" {
		return ""
	}
	if p.Name == "CATEGORIES" || p.Name == "NICKNAME" {
		list := p.List()
		slices.Sort(list)
		return p.Name + ":" + strings.Join(list, ",")
	}
	var types []string
	for _, q := range p.Params {
		if q.Name == "TYPE" || q.Name == "PREF" {
			for _, v := range q.Values {
				types = append(types, strings.ToUpper(v))
			}
		}
	}
	slices.Sort(types)
	return p.Name + ";" + strings.Join(types, ",") + ":" + strings.TrimSpace(icalendar.UnescapeText(value))
}

// pictureOf returns the base64 of a PHOTO, however it is written.
func pictureOf(value string) string {
	if _, data, ok := strings.Cut(value, ";base64,"); ok {
		value = data
	}
	return strings.Join(strings.Fields(value), "")
}

// stamp returns data with the digest as the last property of the card.
func stamp(data []byte, digest string) []byte {
	return beforeEnd(data, []byte(dav.DigestProperty+":"+digest+"\r\n"))
}

// beforeEnd returns data with lines before its last one.
func beforeEnd(data, lines []byte) []byte {
	i := bytes.LastIndex(data, []byte("\r\nEND:VCARD"))
	if i < 0 {
		return data
	}
	return slices.Concat(data[:i+2], lines, data[i+2:])
}
