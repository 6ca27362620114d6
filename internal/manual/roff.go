package manual

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Page is a man page.
type Page struct {
	// Name is that of its file, such as repatriate-run.1.
	Name, Text string
}

// Pages returns a man page of section 1 for the program and for each of its commands, in the macros of man(7).
func Pages(root *cobra.Command) []Page {
	all := sections(root)
	pages := make([]Page, 0, len(all))
	for _, s := range all {
		pages = append(pages, Page{s.page() + ".1", s.roff(all)})
	}
	return pages
}

func (s section) page() string { return strings.ReplaceAll(s.path, " ", "-") }

func (s section) roff(all []section) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %q 1 \"\" %q \"User commands\"\n", strings.ToUpper(s.page()), all[0].path)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.nf\n%s\n.fi\n", roffText(s.page()), roffText(s.short), roffText(s.usage))
	if len(s.about) > 0 {
		b.WriteString(".SH DESCRIPTION\n")
		for i, p := range s.about {
			s.roffParagraph(&b, i, p)
		}
	}
	if len(s.flags) > 0 {
		b.WriteString(".SH OPTIONS\n")
		for _, f := range s.flags {
			f.roff(&b)
		}
	}
	if s.example != "" {
		fmt.Fprintf(&b, ".SH EXAMPLES\n.nf\n%s\n.fi\n", roffText(unindent(s.example)))
	}
	if len(s.exit) > 0 {
		b.WriteString(".SH EXIT STATUS\n")
		for _, e := range s.exit {
			e.roff(&b)
		}
	}
	s.seeAlso(&b, all)
	return b.String()
}

func (s section) roffParagraph(b *strings.Builder, i int, p paragraph) {
	switch {
	case p.literal:
		fmt.Fprintf(b, ".PP\n.nf\n%s\n.fi\n", roffText(p.text))
	case i == 0:
		fmt.Fprintf(b, "%s\n", roffText(p.text))
	default:
		fmt.Fprintf(b, ".PP\n%s\n", roffText(p.text))
	}
}

func (f flag) roff(b *strings.Builder) {
	name := `\fB` + roffText(f.name) + `\fR`
	if f.value != "" {
		name += ` \fI` + roffText(f.value) + `\fR`
	}
	fmt.Fprintf(b, ".TP\n%s\n%s", name, roffText(f.usage))
	if f.standard != "" {
		fmt.Fprintf(b, " (default: %s)", roffText(f.standard))
	}
	b.WriteString("\n")
}

func (e exitCode) roff(b *strings.Builder) {
	if e.code == "" {
		fmt.Fprintf(b, "%s\n", roffText(e.meaning))
		return
	}
	fmt.Fprintf(b, ".TP\n%s\n%s\n", e.code, roffText(e.meaning))
}

// seeAlso names the program's page, and on that one all others.
func (s section) seeAlso(b *strings.Builder, all []section) {
	others := all[:1]
	if s.path == all[0].path {
		others = all[1:]
	}
	names := make([]string, 0, len(others))
	for _, o := range others {
		names = append(names, `\fB`+roffText(o.page())+`\fR(1)`)
	}
	fmt.Fprintf(b, ".SH SEE ALSO\n%s\n", strings.Join(names, ",\n"))
}

var roffSpecial = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\u2026", "...", "\u2013", `\(en`, "\u2019", `\(cq`)

// roffText writes a text so that nothing in it is a request or an escape.
func roffText(text string) string {
	lines := strings.Split(roffSpecial.Replace(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
