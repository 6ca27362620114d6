package imap

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	inbox = "INBOX"
	// maxLevel, maxName and maxDepth hold for every server known: a Maildir++ keeps the whole path in one file name of 255
	// bytes, Stalwart takes ten levels. The bytes are those of modified UTF-7.
	maxLevel = 150
	maxName  = 230
	maxDepth = 10
)

// naming is how a server writes mailbox names.
type naming struct {
	// delim separates the levels; zero on a server without hierarchy.
	delim rune
	// prefix starts the names of the user's own mailboxes, such as "INBOX." (RFC 2342).
	prefix string
}

// name returns the server's name of a path, and whether a person would notice a difference. It depends on nothing but
// the path, so that it is the same in every pass, and different paths get different names: a character that may not
// stand in a name is replaced by one that looks like it, and where that could be mistaken a part of the path's digest is
// added. With strict, only letters, digits, spaces and hyphens are left: a second try for a name that the server refused.
func (n naming) name(path []string, strict bool) (name string, changed bool) {
	if len(path) == 1 && path[0] == inbox {
		return inbox, false
	}
	levels := make([]string, len(path))
	for i, level := range path {
		levels[i] = n.level(level, i == 0, strict)
		if i == 0 && strings.EqualFold(levels[0], inbox) {
			levels[0] = n.inboxLevel(level, len(path) > 1)
		}
		changed = changed || levels[i] != level
	}
	if len(levels) > maxDepth || n.delim == 0 && len(levels) > 1 || len(utf7(n.join(levels))) > maxName || len(levels) == 0 {
		levels, changed = n.flatten(path, levels), true
	}
	return n.join(levels), changed
}

func (n naming) join(levels []string) string {
	return n.prefix + strings.Join(levels, string(n.delim))
}

// inboxLevel: INBOX is one name in any case (RFC 9051 §5.1), and only the inbox itself may have it. Beneath it names are
// written in capitals.
func (n naming) inboxLevel(level string, parent bool) string {
	if parent && n.prefix == "" {
		return inbox
	}
	return level + tail(level)
}

// flatten gives a path that is too deep or too long for the server a name of at most two levels.
func (n naming) flatten(path, levels []string) []string {
	if len(levels) == 0 {
		return []string{"_"}
	}
	last := shorten(levels[len(levels)-1], 60) + tail(strings.Join(path, "\x00"))
	if len(levels) == 1 || n.delim == 0 {
		return []string{last}
	}
	return []string{shorten(levels[0], 60), last}
}

// lookalikes replace what the protocol or a server gives a meaning of its own.
var lookalikes = map[rune]rune{
	'/': '∕', '.': '․', '\\': '＼', '^': '＾', '%': '％', '*': '＊', '"': '＂', '~': '～', '#': '＃',
	'{': '｛', '}': '｝', // Cyrus ends the connection over "{5}"
}

// level returns one level of a name as the server takes it.
func (n naming) level(level string, first, strict bool) string {
	clean := norm.NFC.String(strings.ToValidUTF8(level, "_"))
	var b strings.Builder
	ambiguous := clean != level || clean == ""
	for i, r := range clean {
		to, unsure := n.letter(r, first && i == 0, clean == "." || clean == "..", strict)
		ambiguous = ambiguous || unsure
		b.WriteRune(to)
	}
	out := strings.TrimSpace(b.String())
	ambiguous = ambiguous || out != b.String() || out == ""
	if out == "" {
		out = "_"
	}
	if len(utf7(out)) > maxLevel {
		out, ambiguous = shorten(out, maxLevel-12), true
	}
	if ambiguous || strict {
		out += tail(level)
	}
	return out
}

// letter returns what stands for r; unsure says that another rune could stand for the same.
func (n naming) letter(r rune, first, dots, strict bool) (to rune, unsure bool) {
	switch {
	case strict && r != ' ' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r):
		return '_', true
	case unicode.IsControl(r), r == utf8.RuneError, unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
		return '_', true
	case r == n.delim, r == '%', r == '*', r == '"', r == '\\', r == '{', r == '}', first && (r == '~' || r == '#'), dots && r == '.':
		if like, ok := lookalikes[r]; ok {
			return like, false
		}
		return '_', true
	}
	for _, like := range lookalikes {
		if r == like {
			return r, true
		}
	}
	return r, false
}

// tail returns a part of the digest of what a name was made from.
func tail(original string) string {
	sum := sha256.Sum256([]byte(original))
	return "-" + hex.EncodeToString(sum[:4])
}

// shorten cuts s at a rune so that at most n bytes of modified UTF-7 are left.
func shorten(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		s = string(runes[:n])
	}
	for len(utf7(s)) > n {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return strings.TrimSpace(s)
}
