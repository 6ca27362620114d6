package docs

import (
	"regexp"
	"strings"
	"sync"
)

// Reason is what reasons.md says of one reason or loss, as plain text.
type Reason struct {
	Name string `json:"reason"`
	// Section is the heading under which it stands, such as "The source".
	Section string `json:"section"`
	Meaning string `json:"meaning"`
	// Action is what to do about it.
	Action string `json:"action"`
}

var reasonLine = regexp.MustCompile("^\\| `([a-z_.]+)` \\| ([^|]+) \\| ([^|]+) \\|$")

// ListReasons returns all reasons and losses in the document's order. The slice belongs to everybody.
var ListReasons = sync.OnceValue(func() []Reason {
	var list []Reason
	section := ""
	for line := range strings.Lines(Reasons) {
		line = strings.TrimRight(line, "\r\n")
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			section = heading
		}
		if m := reasonLine.FindStringSubmatch(line); m != nil {
			plain := strings.NewReplacer("`", "").Replace
			list = append(list, Reason{m[1], section, plain(m[2]), plain(m[3])})
		}
	}
	return list
})
