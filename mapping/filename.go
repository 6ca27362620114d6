package mapping

import (
	"iter"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"codeberg.org/repatriate/repatriate/internal/filename"
	"codeberg.org/repatriate/repatriate/sources"
)

// unnamed is what a name becomes of which nothing is left.
const unnamed = "unnamed"

// Name returns the node's name on the target, and the loss file.renamed if it is another one than at the source. What a
// converted document or a shortcut gets as its extension is no renaming.
func (r FileRules) Name(f sources.File) (name string, loss *Loss) {
	wanted := f.Name + extension(f)
	name = r.legal(wanted, f.Type == sources.Folder)
	if name != wanted {
		loss = &Loss{Reason: FileRenamed, Detail: detail(Renaming(wanted, name))}
	}
	return name, loss
}

// Renaming says in words what a name became. Characters that look alike or cannot be seen are written as their code points.
func Renaming(old, now string) string {
	quote := strconv.Quote
	if norm.NFKC.String(old) == norm.NFKC.String(now) {
		quote = strconv.QuoteToASCII
	}
	return quote(old) + " is now " + quote(now)
}

// extension returns what the name lacks.
func extension(f sources.File) string {
	ext := f.Extension
	if f.Type == sources.Shortcut {
		ext = ".url"
	}
	if f.Type == sources.Folder || strings.HasSuffix(strings.ToLower(f.Name), strings.ToLower(ext)) {
		return ""
	}
	return ext
}

// legal returns the name as the target takes it. A legal name is returned as it is.
func (r FileRules) legal(name string, folder bool) string {
	// One step may make room for another, such as a cut that ends in a space; each only shortens or adds once.
	for range 10 {
		next := r.legalOnce(name, folder)
		if next == name {
			return name
		}
		name = next
	}
	return unnamed
}

func (r FileRules) legalOnce(name string, folder bool) string {
	name = norm.NFC.String(strings.ToValidUTF8(name, "_"))
	name = strings.Map(r.character, strings.TrimSpace(name))
	name = r.trim(name)
	if name == "" || name == "." || name == ".." {
		return unnamed
	}
	return filename.With(r.unreserve(name), "", folder)
}

// character returns what stands for c in a name, or -1 for nothing.
func (r FileRules) character(c rune) rune {
	switch {
	case c == '/', c == '\\', unicode.Is(unicode.Cc, c), unicode.Is(unicode.Zl, c), unicode.Is(unicode.Zp, c), isNoncharacter(c):
		return '_'
	case c >= 0x202A && c <= 0x202E, c >= 0x2066 && c <= 0x2069, c == 0xFEFF:
		// Embeddings, overrides and isolates can show an extension that is not the file's; a byte order mark shows nothing.
		// The plain marks LRM and RLM and the joiners belong to names of their scripts, and stay.
		return -1
	case !r.KeepUnportable && strings.ContainsRune(`<>:"|?*`, c):
		return '_'
	default:
		return c
	}
}

// isNoncharacter reports the code points that Unicode keeps out of interchange (Core Specification §23.7).
func isNoncharacter(c rune) bool { return c&0xFFFE == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF) }

// trim takes away space around the name, and dots at its end.
func (r FileRules) trim(name string) string {
	name = strings.TrimSpace(name)
	if r.KeepUnportable {
		return name
	}
	return strings.TrimRightFunc(name, func(c rune) bool { return c == '.' || unicode.IsSpace(c) })
}

// unreserve changes names that mean something to a server or to Windows.
func (r FileRules) unreserve(name string) string {
	lower := strings.ToLower(name)
	switch {
	case lower == ".htaccess", lower == ".dav", strings.HasSuffix(lower, ".part"), strings.HasSuffix(lower, ".filepart"):
		// Nextcloud refuses the first and the last ones; Apache keeps its properties in .DAV and shows no such name.
		return name + "_"
	case r.KeepUnportable:
		return name
	}
	if base := deviceBase(name); isDevice(base) {
		return base + "_" + name[len(base):]
	}
	return name
}

// deviceBase returns the name up to its first dot beyond the first byte: CON.txt is the console, too.
func deviceBase(name string) string {
	if i := strings.IndexByte(name[1:], '.'); i >= 0 {
		return name[:i+1]
	}
	return name
}

// isDevice reports the names of Windows' devices.
func isDevice(base string) bool {
	base = strings.ToLower(strings.TrimRight(base, " "))
	switch base {
	case "con", "prn", "aux", "nul", "conin$", "conout$":
		return true
	}
	for _, port := range []string{"com", "lpt"} {
		if n, ok := strings.CutPrefix(base, port); ok && utf8.RuneCountInString(n) == 1 && strings.Contains("0123456789¹²³", n) {
			return true
		}
	}
	return false
}

// Variants yields the name, and then for ever others that are made from it: "name (2).ext", "name (3).ext" and so on.
// All are different, and legal if the name is.
func Variants(name string, folder bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield(name) {
			return
		}
		for n := 2; ; n++ {
			v := filename.With(name, " ("+strconv.Itoa(n)+")", folder)
			if v != name && !yield(v) {
				return
			}
		}
	}
}

// Beside yields for ever the names of a node that lies beside something of the target's user that has its name: "name (source).ext",
// "name (source 2).ext" and so on, beginning with the from-th. All are different, and legal if the name is.
func Beside(name string, folder bool, from int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for n := from; yield(beside(name, folder, n)); n++ {
		}
	}
}

func beside(name string, folder bool, n int) string {
	if n == 1 {
		return filename.With(name, " (source)", folder)
	}
	return filename.With(name, " (source "+strconv.Itoa(n)+")", folder)
}

// mostBeside bounds how many names beside another are told from other names.
const mostBeside = 100

// BesideNumber tells which of Beside's names of a node a name is; 0: none.
func BesideNumber(wanted, name string, folder bool) int {
	for n := 1; n <= mostBeside; n++ {
		if strings.EqualFold(beside(wanted, folder, n), name) {
			return n
		}
	}
	return 0
}
