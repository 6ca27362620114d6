package google

import (
	"fmt"
	"strings"
	"time"
)

// parseQuery reads the parameter q of files.list: terms joined with and, or, not and parentheses. The terms are those
// that a migration has use for.
// https://developers.google.com/workspace/drive/api/guides/ref-search-terms
func parseQuery(q, me string) (func(*fileView) bool, error) {
	if strings.TrimSpace(q) == "" {
		return func(*fileView) bool { return true }, nil
	}
	tokens, err := queryTokens(q)
	if err != nil {
		return nil, err
	}
	p := &queryParser{tokens: tokens, me: me}
	match, err := p.either()
	if err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("unexpected %q", p.tokens[0])
	}
	return match, err
}

// queryTokens splits into words, operators and strings; a string keeps its opening quote.
func queryTokens(q string) ([]string, error) {
	var out []string
	for q = strings.TrimSpace(q); q != ""; q = strings.TrimSpace(q) {
		n := strings.IndexAny(q, " \t()=!<>'")
		switch {
		case q[0] == '\'':
			text, rest, ok := quoted(q[1:])
			if !ok {
				return nil, fmt.Errorf("string without an end")
			}
			out, q = append(out, "'"+text), rest
			continue
		case strings.HasPrefix(q, "!=") || strings.HasPrefix(q, "<=") || strings.HasPrefix(q, ">="):
			n = 2
		case n == 0:
			n = 1
		case n < 0:
			n = len(q)
		}
		out, q = append(out, q[:n]), q[n:]
	}
	return out, nil
}

// quoted reads up to the closing quote; \' and \\ stand for themselves.
func quoted(q string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(q); i++ {
		switch {
		case q[i] == '\\' && i+1 < len(q):
			i++
			b.WriteByte(q[i])
		case q[i] == '\'':
			return b.String(), q[i+1:], true
		default:
			b.WriteByte(q[i])
		}
	}
	return "", "", false
}

type queryParser struct {
	tokens []string
	me     string
	depth  int
}

func (p *queryParser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

func (p *queryParser) accept(word string) bool {
	if len(p.tokens) > 0 && p.tokens[0] == word {
		p.tokens = p.tokens[1:]
		return true
	}
	return false
}

func (p *queryParser) either() (func(*fileView) bool, error) {
	left, err := p.all()
	for err == nil && p.accept("or") {
		var right func(*fileView) bool
		before := left
		if right, err = p.all(); err == nil {
			left = func(v *fileView) bool { return before(v) || right(v) }
		}
	}
	return left, err
}

func (p *queryParser) all() (func(*fileView) bool, error) {
	left, err := p.one()
	for err == nil && p.accept("and") {
		var right func(*fileView) bool
		before := left
		if right, err = p.one(); err == nil {
			left = func(v *fileView) bool { return before(v) && right(v) }
		}
	}
	return left, err
}

func (p *queryParser) one() (func(*fileView) bool, error) {
	if p.depth++; p.depth > 200 {
		return nil, fmt.Errorf("too many terms")
	}
	if p.accept("not") {
		inner, err := p.one()
		return func(v *fileView) bool { return !inner(v) }, err
	}
	if p.accept("(") {
		inner, err := p.either()
		if err == nil && !p.accept(")") {
			err = fmt.Errorf("missing )")
		}
		return inner, err
	}
	if t := p.next(); strings.HasPrefix(t, "'") {
		return p.membership(t[1:])
	} else {
		return p.comparison(t)
	}
}

// membership is 'value' in field.
func (p *queryParser) membership(value string) (func(*fileView) bool, error) {
	if !p.accept("in") {
		return nil, fmt.Errorf("in expected")
	}
	if value == "me" {
		value = p.me
	}
	switch field := p.next(); field {
	case "owners":
		return func(v *fileView) bool { return v.ownerEmail == value }, nil
	case "parents":
		return func(v *fileView) bool { return v.parent != "" && v.parent == value }, nil
	case "writers":
		return func(v *fileView) bool { return strength(roleIn(v.perms, value)) >= strength("writer") }, nil
	case "readers":
		return func(v *fileView) bool { return roleIn(v.perms, value) != "" }, nil
	default:
		return nil, fmt.Errorf("field %q is not simulated", field)
	}
}

// comparison is field operator value; sharedWithMe may stand alone.
func (p *queryParser) comparison(field string) (func(*fileView) bool, error) {
	if field == "sharedWithMe" && !(len(p.tokens) > 0 && p.tokens[0] == "=") {
		return func(v *fileView) bool { return v.sharedOwn && !v.owned }, nil
	}
	operator, value := p.next(), p.next()
	switch field {
	case "trashed", "starred", "sharedWithMe":
		return booleanTerm(field, operator, value)
	case "mimeType", "name":
		return textTerm(field, operator, value)
	case "modifiedTime", "createdTime":
		return timeTerm(field, operator, value)
	}
	return nil, fmt.Errorf("field %q is not simulated", field)
}

func booleanTerm(field, operator, value string) (func(*fileView) bool, error) {
	if operator != "=" && operator != "!=" || value != "true" && value != "false" {
		return nil, fmt.Errorf("%s wants = or != with true or false", field)
	}
	want := (value == "true") == (operator == "=")
	return func(v *fileView) bool {
		is := v.inTrash
		switch field {
		case "starred":
			is = v.Starred
		case "sharedWithMe":
			is = v.sharedOwn && !v.owned
		}
		return is == want
	}, nil
}

func textTerm(field, operator, value string) (func(*fileView) bool, error) {
	if operator != "=" && operator != "!=" || !strings.HasPrefix(value, "'") {
		return nil, fmt.Errorf("%s wants = or != with a string", field)
	}
	return func(v *fileView) bool {
		is := v.MimeType
		if field == "name" {
			is = v.Name
		}
		return (is == value[1:]) == (operator == "=")
	}, nil
}

func timeTerm(field, operator, value string) (func(*fileView) bool, error) {
	at, err := time.Parse(time.RFC3339, strings.TrimPrefix(value, "'"))
	if err != nil || operator != "<" && operator != ">" {
		return nil, fmt.Errorf("%s wants < or > with a time", field)
	}
	return func(v *fileView) bool {
		is := v.Modified
		if field == "createdTime" {
			is = v.Created
		}
		return operator == ">" && is.After(at) || operator == "<" && is.Before(at)
	}, nil
}
