package mapping

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sources"
)

// markup finds what tells a description in HTML from one in plain text.
var markup = regexp.MustCompile(`(?i)</?(a|b|i|u|br|p|div|span|ul|ol|li|strong|em|h[1-6]|table|tr|td|html|body|blockquote|font|pre|hr|img)(\s[^<>]*)?/?>|&(amp|lt|gt|nbsp|quot|#\d{1,7});`)

// description adds the description as text, one in HTML also as it is (X-ALT-DESC, MS-OXCICAL §2.1.3.1.1.20.38), and
// below it the ways into the conference, which clients without RFC 7986 would not show.
func (m *eventMapper) description(c *icalendar.Component, o sources.Occurrence) {
	text := o.Description
	isHTML := markup.MatchString(text)
	if isHTML {
		text = plainText(text)
	}
	if lines := conferenceText(o, text); lines != "" {
		text = strings.TrimLeft(strings.TrimRight(text, "\n")+"\n\n"+lines, "\n")
	}
	if o.Type == "outOfOffice" && o.TypeDetail != "" {
		text = strings.TrimLeft(strings.TrimRight(text, "\n")+"\n\n"+o.TypeDetail, "\n")
	}
	addText(c, "DESCRIPTION", text)
	if isHTML {
		c.Add(icalendar.Text("X-ALT-DESC", o.Description, icalendar.P("FMTTYPE", "text/html")))
	}
}

// conferenceText is what the description, of which text is the plain one, does not say of the conference.
func conferenceText(o sources.Occurrence, text string) string {
	said := func(s string) bool { return s == "" || strings.Contains(o.Description, s) || strings.Contains(text, s) }
	var lines []string
	if !said(o.ConferenceLink) {
		lines = append(lines, cmp.Or(o.ConferenceName, "Conference")+": "+o.ConferenceLink)
	}
	for _, w := range o.ConferenceWays {
		codes := slices.DeleteFunc(slices.Clone(w.Codes), func(code string) bool { return said(code[strings.Index(code, ": ")+1:]) })
		known := w.URL == o.ConferenceLink || said(w.URL) || w.Kind != "more" && w.Label != "" && said(w.Label)
		if known && len(codes) == 0 {
			continue
		}
		lines = append(lines, joined(wayText(w, codes)))
	}
	if notes := strings.TrimSpace(plainText(o.ConferenceNotes)); !said(notes) {
		lines = append(lines, notes)
	}
	return strings.Join(lines, "\n")
}

// wayNames are words for the ways into a conference.
var wayNames = map[string]string{"video": "Video", "phone": "Phone", "sip": "SIP", "more": "More numbers"}

// wayText is a way into a conference as a line. A number is shown as people write it; other addresses must be whole.
func wayText(w sources.ConferenceWay, codes []string) string {
	address := w.URL
	if w.Kind == "phone" {
		address = cmp.Or(w.Label, strings.TrimPrefix(w.URL, "tel:"))
	}
	line := cmp.Or(wayNames[w.Kind], "Conference") + ": " + address
	if len(codes) > 0 {
		line += " (" + strings.Join(codes, ", ") + ")"
	}
	return line
}

// plainText returns the text of HTML, with line breaks where blocks end and the addresses of links.
func plainText(source string) string {
	var t textWriter
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return t.text()
		case html.TextToken:
			if t.hidden == 0 {
				t.write(string(z.Text()))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			t.open(token)
		case html.EndTagToken:
			t.close(z.Token().Data)
		}
	}
}

type textWriter struct {
	b      strings.Builder
	hidden int
	link   string
	mark   int // where the text of the link begins
}

func (t *textWriter) write(s string) {
	t.b.WriteString(strings.ReplaceAll(s, "\u00a0", " "))
}

func (t *textWriter) open(token html.Token) {
	switch token.Data {
	case "br", "hr":
		t.b.WriteByte('\n')
	case "p", "div", "ul", "ol", "tr", "table", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6":
		t.breakLine()
	case "li":
		t.breakLine()
		t.b.WriteString("- ")
	case "script", "style", "title":
		t.hidden++
	case "a":
		t.mark, t.link = t.b.Len(), ""
		for _, a := range token.Attr {
			if a.Key == "href" {
				t.link = a.Val
			}
		}
	}
}

func (t *textWriter) close(name string) {
	switch name {
	case "p", "div", "ul", "ol", "tr", "table", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6":
		t.breakLine()
	case "td", "th":
		t.b.WriteByte('\t')
	case "script", "style", "title":
		t.hidden = max(t.hidden-1, 0)
	case "a":
		shown := t.b.String()[min(t.mark, t.b.Len()):]
		if t.link != "" && !strings.Contains(shown, t.link) && strings.TrimPrefix(t.link, "mailto:") != strings.TrimSpace(shown) {
			t.b.WriteString(" <" + t.link + ">")
		}
		t.link = ""
	}
}

// breakLine starts a new line unless the text is at one.
func (t *textWriter) breakLine() {
	if s := t.b.String(); s != "" && !strings.HasSuffix(s, "\n") {
		t.b.WriteByte('\n')
	}
}

// manyBreaks are more empty lines than a text needs.
var manyBreaks = regexp.MustCompile(`\n{3,}`)

func (t *textWriter) text() string {
	return strings.TrimSpace(manyBreaks.ReplaceAllString(t.b.String(), "\n\n"))
}
