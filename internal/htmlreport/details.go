package htmlreport

import (
	"regexp"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/report"
)

// phrase is a form in which a detail is written, and what a language says instead. Words in braces stand for what somebody else wrote.
type phrase struct {
	form *regexp.Regexp
	says string
}

// phrases are the forms by reason, in the order in which they are tried. "*.kept" has those of all reasons that end so.
type phrases map[string][]phrase

// inBraces is a word in braces.
var inBraces = regexp.MustCompile(`\{([a-z]+)\}`)

// phrasesOf makes the forms of a table that has pairs of a detail and what is said instead.
func phrasesOf(table map[string][][2]string, provider string) phrases {
	out := make(phrases, len(table))
	for reason, pairs := range table {
		for _, p := range pairs {
			out[reason] = append(out[reason], phrase{formOf(p[0]), strings.ReplaceAll(p[1], "{provider}", provider)})
		}
	}
	return out
}

func formOf(text string) *regexp.Regexp {
	var b strings.Builder
	at := 0
	for _, m := range inBraces.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(regexp.QuoteMeta(text[at:m[0]]) + "(?P<" + text[m[2]:m[3]] + ">.+)")
		at = m[1]
	}
	return regexp.MustCompile("(?s)^" + b.String() + regexp.QuoteMeta(text[at:]) + "$")
}

// of returns the forms of a reason.
func (p phrases) of(reason string) []phrase {
	_, end, _ := strings.Cut(reason, ".")
	return append(slices.Clone(p[reason]), p["*."+end]...)
}

// say returns what the language says in place of the detail; false if no form fits.
func (p phrase) say(detail string) (string, bool) {
	m := p.form.FindStringSubmatch(detail)
	if m == nil {
		return "", false
	}
	values := make(map[string]string, len(m))
	for i, name := range p.form.SubexpNames() {
		values["{"+name+"}"] = m[i]
	}
	return inBraces.ReplaceAllStringFunc(p.says, func(name string) string { return values[name] }), true
}

// maxDetails is how many details of one item are told apart: they are joined by semicolons, which names have as well.
const maxDetails = 30

// detail returns what was said of an item in the language, with what others wrote as it is. What has no form stays, in quotation marks.
func (l *language) detail(reason, text string) string {
	forms := l.phrases.of(reason)
	switch parts := strings.Split(text, "; "); {
	case text == "" || len(l.phrases) == 0:
		return text
	case len(parts) <= maxDetails:
		if said, ok := told(forms, parts); ok {
			return strings.Join(said, l.Text["also"])
		}
	}
	if said, ok := told(forms, []string{text}); ok {
		return said[0]
	}
	if l.Text["quoted"] == "{text}" {
		return text
	}
	return l.say("quoted", "text", text)
}

// shownDetail returns what was said of an item, fit to be shown and bounded. What others wrote is cleaned first, since the language's own marks
// stand next to blanks that do not break.
func (l *language) shownDetail(i Item) string {
	runes := []rune(l.detail(i.Reason, report.Clean(i.Detail, 2*maxDetail)))
	if len(runes) > longDetail {
		return string(runes[:longDetail-1]) + "…"
	}
	return string(runes)
}

// told says a list of details that may hold semicolons of their own: each takes as few parts as make all of them fit.
func told(forms []phrase, parts []string) (said []string, ok bool) {
	fits := make([][]string, len(parts)+1) // by the part at which the rest begins
	fits[len(parts)] = []string{}
	for i := len(parts) - 1; i >= 0; i-- {
		for j := i + 1; j <= len(parts) && fits[i] == nil; j++ {
			if fits[j] == nil {
				continue
			}
			if text, ok := first(forms, strings.Join(parts[i:j], "; ")); ok {
				fits[i] = append([]string{text}, fits[j]...)
			}
		}
	}
	return fits[0], fits[0] != nil
}

func first(forms []phrase, detail string) (string, bool) {
	for _, p := range forms {
		if text, ok := p.say(detail); ok {
			return text, true
		}
	}
	return "", false
}
