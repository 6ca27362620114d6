package icalendar

import (
	"strings"
	"unicode/utf8"
)

// lineOctets is the length of a content line without its line break that RFC 5545 §3.1 recommends not to exceed.
const lineOctets = 75

// Bytes returns the component as an iCalendar stream.
func (c *Component) Bytes() []byte { return c.Append(nil) }

// Append appends the component as an iCalendar stream to b.
func (c *Component) Append(b []byte) []byte {
	name := token(c.Name)
	b = appendFolded(b, "BEGIN:"+name)
	for _, p := range c.Properties {
		b = p.Append(b)
	}
	for _, child := range c.Components {
		b = child.Append(b)
	}
	return appendFolded(b, "END:"+name)
}

// Append appends the property as a folded content line.
func (p Property) Append(b []byte) []byte {
	var line strings.Builder
	if p.Group != "" {
		line.WriteString(token(p.Group) + ".")
	}
	line.WriteString(token(p.Name))
	for _, q := range p.Params {
		line.WriteByte(';')
		line.WriteString(token(q.Name))
		line.WriteByte('=')
		for i, v := range q.Values {
			if i > 0 {
				line.WriteByte(',')
			}
			writeParamValue(&line, v)
		}
	}
	line.WriteByte(':')
	line.WriteString(printable(p.Value))
	return appendFolded(b, line.String())
}

// appendFolded writes one content line, folded between characters. The space that begins a continuation counts.
func appendFolded(b []byte, line string) []byte {
	room := lineOctets
	for len(line) > room {
		cut := room
		for cut > 0 && !utf8.RuneStart(line[cut]) {
			cut--
		}
		b = append(b, line[:cut]...)
		b = append(b, "\r\n "...)
		line, room = line[cut:], lineOctets-1
	}
	b = append(b, line...)
	return append(b, '\r', '\n')
}

// token returns s with every character replaced that RFC 5545 §3.1 does not allow in a name.
func token(s string) string {
	if s == "" {
		return "X-EMPTY"
	}
	return strings.Map(func(r rune) rune {
		if r == '-' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' {
			return r
		}
		return '-'
	}, s)
}

// printable returns s as valid UTF-8 without the control characters that no value may hold (RFC 5545 §3.1, CONTROL).
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// writeParamValue writes a parameter's value with the escapes of RFC 6868 §3, quoted where RFC 5545 §3.2 demands it.
func writeParamValue(b *strings.Builder, value string) {
	value = paramEscaper.Replace(strings.ToValidUTF8(value, "\uFFFD"))
	value = printable(value)
	if strings.ContainsAny(value, ":;,") || value != strings.TrimSpace(value) {
		value = `"` + value + `"`
	}
	b.WriteString(value)
}

var (
	paramEscaper   = strings.NewReplacer("^", "^^", "\r\n", "^n", "\n", "^n", "\r", "^n", `"`, "^'")
	paramUnescaper = strings.NewReplacer("^^", "^", "^n", "\n", "^'", `"`)
	textEscaper    = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)
	textUnescaper  = strings.NewReplacer(`\\`, `\`, `\;`, ";", `\,`, ",", `\n`, "\n", `\N`, "\n", `\:`, ":")
)

// EscapeText returns text as a value of type TEXT (RFC 5545 §3.3.11).
func EscapeText(text string) string { return textEscaper.Replace(text) }

// UnescapeText returns the text of a value of type TEXT.
func UnescapeText(value string) string { return textUnescaper.Replace(value) }
