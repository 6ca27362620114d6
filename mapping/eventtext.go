package mapping

import (
	"cmp"
	"regexp"
	"strings"

	"golang.org/x/net/html"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sources"
)

// markup finds what tells a description in HTML from one in plain text.
var markup = regexp.MustCompile(`(?i)</?(a|b|i|u|br|p|div|span|ul|ol|li|strong|em|h[1-6]|table|tr|td|html|body|blockquote|font|pre|hr|img)(\s[^<>]*)?/?>|&(amp|lt|gt|nbsp|quot|#\d{1,7});`)

// description adds the description as text, one in HTML also as it is (X-ALT-DESC, MS-OXCICAL §2.1.3.1.1.20.38), and
// below it the address of the conference, which clients without RFC 7986 would not show.
func (m *eventMapper) description(c *icalendar.Component, o sources.Occurrence) {
	text := o.Description
	isHTML := markup.MatchString(text)
	if isHTML {
		text = plainText(text)
	}
	if o.ConferenceLink != "" && !strings.Contains(o.Description, o.ConferenceLink) {
		text = strings.TrimLeft(strings.TrimRight(text, "\n")+"\n\n"+cmp.Or(o.ConferenceName, "Conference")+": "+o.ConferenceLink, "\n")
	}
	if o.Type == "outOfOffice" && o.TypeDetail != "" {
		text = strings.TrimLeft(strings.TrimRight(text, "\n")+"\n\n"+o.TypeDetail, "\n")
	}
	addText(c, "DESCRIPTION", text)
	if isHTML {
		c.Add(icalendar.Text("X-ALT-DESC", o.Description, icalendar.P("FMTTYPE", "text/html")))
	}
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
