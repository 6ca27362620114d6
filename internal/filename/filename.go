// Package filename makes names of files from others: with something before the extension, and short enough for every system.
package filename

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Max is how long a name may be in bytes. Nextcloud takes 250, most file systems 255.
const Max = 250

// With returns stem, suffix and extension of the name, in at most Max bytes: the stem gives way. A folder has no extension.
func With(name, suffix string, folder bool) string {
	if len(name)+len(suffix) <= Max && suffix == "" {
		return name
	}
	stem, ext := split(name, folder)
	return Cut(stem, Max-len(suffix)-len(ext)) + suffix + ext
}

// split returns the extension with its dot. What is long or holds spaces is none, and .tar belongs to what follows it.
func split(name string, folder bool) (stem, ext string) {
	i := strings.LastIndexByte(name, '.')
	if folder || i <= 0 || len(name)-i > 20 || strings.ContainsFunc(name[i:], unicode.IsSpace) {
		return name, ""
	}
	if t := strings.TrimSuffix(strings.ToLower(name[:i]), ".tar"); t != "" && len(t) == i-len(".tar") {
		i -= len(".tar")
	}
	return name[:i], name[i:]
}

// Cut returns as many whole runes of s as fit into n bytes.
func Cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
