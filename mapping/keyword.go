package mapping

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxKeyword is the length of the longest keyword that Dovecot takes by default (mail_max_keyword_length).
const maxKeyword = 50

// reserved are the keywords with a meaning of their own in the IANA registry, which a label must not get. Thunderbird's
// and Nextcloud Mail's $label1 to $label5 are kept free too.
var reserved = []string{"$forwarded", "$mdnsent", "$junk", "$notjunk", "$phishing", "$important", "$submitted", "$submitpending"}

// keyword returns the IMAP keyword of a label by its levels. Its form is that in which Nextcloud Mail stores tags: "$",
// small letters, "_" for a space, and modified UTF-7 beyond ASCII. Where another label could get the same keyword, since
// the name holds what an atom (RFC 9051 §9) cannot, or is too long, or taken, it ends in a digest of the name.
func keyword(levels ...string) string {
	name := strings.ToLower(strings.ToValidUTF8(strings.Join(levels, "/"), "\ufffd"))
	k := spell(name)
	unsure := strings.ContainsFunc(name, func(r rune) bool { return r == '_' || r == '&' || r != ' ' && r < 0x80 && atomByte(byte(r)) != byte(r) })
	switch {
	case unsure, k == "$", slices.Contains(reserved, k), strings.HasPrefix(k, "$label") && len(k) == len("$label1"), len(k) > maxKeyword:
		sum := sha256.Sum256([]byte(name))
		k = k[:min(len(k), maxKeyword-9)] + "_" + hex.EncodeToString(sum[:4])
	}
	return k
}

// spell writes a name with the letters that a keyword may have.
func spell(name string) string {
	var b strings.Builder
	b.WriteByte('$')
	for name != "" {
		if n := leadingUnicode(name); n > 0 {
			writeUTF7(&b, name[:n])
			name = name[n:]
			continue
		}
		b.WriteByte(atomByte(name[0]))
		name = name[1:]
	}
	return b.String()
}

// leadingUnicode returns the length of what lies beyond ASCII at the beginning of s.
func leadingUnicode(s string) int {
	n := 0
	for n < len(s) && s[n] >= utf8.RuneSelf {
		n++
	}
	return n
}

// atomByte returns c, or "_" if an atom cannot hold it.
func atomByte(c byte) byte {
	if c <= ' ' || c >= 0x7f || strings.IndexByte(`(){%*"\]`, c) >= 0 {
		return '_'
	}
	return c
}

// writeUTF7 writes text beyond ASCII as RFC 3501 §5.1.3 has it in mailbox names.
func writeUTF7(b *strings.Builder, s string) {
	var raw []byte
	for _, u := range utf16.Encode([]rune(s)) {
		raw = append(raw, byte(u>>8), byte(u))
	}
	b.WriteByte('&')
	b.WriteString(strings.ReplaceAll(base64.RawStdEncoding.EncodeToString(raw), "/", ","))
	b.WriteByte('-')
}
