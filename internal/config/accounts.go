package config

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"codeberg.org/repatriate/repatriate/internal/secret"
)

// Account is one line of the accounts file.
type Account struct {
	// Source is the account at the provider, Target the account on the target's servers.
	Source, Target string
	// Password references the target account's password.
	Password string
	// Kinds are the kinds to move of this account; empty: the job's.
	Kinds []string
	// Line is where the account stands in the file.
	Line int
}

// columns are those of an accounts file; "state" and "name" are for the reader and passed over.
var columns = []string{"source", "target", "password", "kinds", "state", "name"}

// ParseAccounts reads an accounts file: CSV by RFC 4180 with a header, separated by comma or semicolon, with or without
// a byte order mark. Lines whose source begins with "#" are left out. The error joins all mistakes.
func ParseAccounts(path string, text []byte) ([]Account, error) {
	f := &findings{path: path}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(text) {
		f.add("is not UTF-8: save it as \"CSV UTF-8\"")
		return nil, f.err()
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = separator(text)
	r.FieldsPerRecord, r.TrimLeadingSpace = -1, true
	header, err := r.Read()
	if err != nil {
		f.add("holds no header line: source,target,password")
		return nil, f.err()
	}
	at := f.header(header)
	if len(f.errs) > 0 {
		return nil, f.err()
	}
	var people []Account
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			f.add("%w", err)
			break
		}
		line, _ := r.FieldPos(0)
		if len(fields) > len(header) && strings.TrimSpace(strings.Join(fields[len(header):], "")) != "" {
			f.add("line %d: has more fields than the header line; part several kinds by blanks, as in \"mail calendar\"", line)
			continue
		}
		if a, ok := f.account(at, fields, line); ok {
			people = append(people, a)
		}
	}
	f.twins(people)
	return people, f.err()
}

// separator returns the one that the header line holds more often.
func separator(text []byte) rune {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	if bytes.Count(line, []byte(";")) > bytes.Count(line, []byte(",")) {
		return ';'
	}
	return ','
}

// header returns the index of each column.
func (f *findings) header(header []string) map[string]int {
	at := make(map[string]int)
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		switch _, twice := at[name]; {
		case twice:
			f.add("line 1: the column %q stands twice", name)
		case !slices.Contains(columns, name):
			hint := ""
			if near := Nearest(name, columns); near != "" {
				hint = fmt.Sprintf("; did you mean %q?", near)
			}
			f.add("line 1: there is no column %q%s", name, hint)
		}
		at[name] = i
	}
	for _, name := range columns[:2] {
		if _, ok := at[name]; !ok {
			f.add("line 1: the column %q is missing", name)
		}
	}
	return at
}

func (f *findings) account(at map[string]int, fields []string, line int) (a Account, ok bool) {
	get := func(column string) string {
		if i, ok := at[column]; ok && i < len(fields) {
			return strings.TrimSpace(fields[i])
		}
		return ""
	}
	a = Account{Source: get("source"), Target: get("target"), Password: get("password"), Line: line}
	if strings.HasPrefix(a.Source, "#") || a.Source == "" && a.Target == "" && a.Password == "" {
		return a, false
	}
	for _, k := range strings.FieldsFunc(get("kinds"), func(r rune) bool { return strings.ContainsRune(" ,;|+", r) }) {
		if !slices.Contains(Kinds, k) {
			f.add("line %d: there is no kind %q; the kinds are %s", line, k, strings.Join(Kinds, ", "))
		}
		a.Kinds = append(a.Kinds, k)
	}
	if a.Source == "" || a.Target == "" {
		f.add("line %d: source and target are both needed", line)
	}
	if a.Target == "." || a.Target == ".." {
		f.add("line %d: %q is no name of an account", line, a.Target)
	}
	if hasControl(a.Source) || hasControl(a.Target) {
		f.add("line %d: control characters in a name", line)
	}
	if a.Password != "" {
		if err := secret.Check(a.Password); err != nil {
			f.add("line %d: password of %s: %w", line, a.Source, err)
		}
	}
	return a, true
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

// twins refuses accounts that are moved twice, and two that would be mixed up in one.
func (f *findings) twins(people []Account) {
	sources, targets := map[string]int{}, map[string]int{}
	for _, a := range people {
		if first, twice := sources[strings.ToLower(a.Source)]; twice {
			f.add("line %d: %s stands in line %d already", a.Line, a.Source, first)
		} else if first, twice := targets[strings.ToLower(a.Target)]; twice {
			f.add("line %d: %s is the target of line %d already; two accounts may not become one", a.Line, a.Target, first)
		}
		sources[strings.ToLower(a.Source)], targets[strings.ToLower(a.Target)] = a.Line, a.Line
	}
}

// UserURL returns the URL with the account in the place of {user}, escaped as one path segment.
func UserURL(raw, user string) string {
	return strings.ReplaceAll(raw, "{user}", url.PathEscape(user))
}
