package imap

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
)

// modifiedBase64 is the alphabet of RFC 3501 §5.1.3.
var modifiedBase64 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

// utf7 returns a mailbox name in modified UTF-7 (RFC 3501 §5.1.3), as every server but one that speaks IMAP4rev2 alone
// takes it.
func utf7(name string) string {
	var b strings.Builder
	var run []rune
	flush := func() {
		if len(run) == 0 {
			return
		}
		units := utf16.Encode(run)
		raw := make([]byte, 0, 2*len(units))
		for _, u := range units {
			raw = append(raw, byte(u>>8), byte(u))
		}
		b.WriteString("&" + modifiedBase64.EncodeToString(raw) + "-")
		run = run[:0]
	}
	for _, r := range name {
		switch {
		case r < ' ' || r > '~':
			run = append(run, r)
			continue
		case r == '&':
			flush()
			b.WriteString("&-")
		default:
			flush()
			b.WriteRune(r)
		}
	}
	flush()
	return b.String()
}
