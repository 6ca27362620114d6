package config

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// Account is one line of the accounts file.
type Account struct {
	// Source is the account at the provider, Target the account on the target's servers.
	Source, Target string
	// Password references the target account's password.
	Password string
	// Own are the names and passwords that the servers of single kinds have; what is empty is as above. See Login.
	Own map[string]Login
	// Kinds are the kinds to move of this account; empty: the job's.
	Kinds []string
	// Line is where the account stands in the file.
	Line int
}

// columns are those of an accounts file. What a job reads stands in the first four and in those of single kinds; the rest is for the reader
// and passed over.
var columns = slices.Concat([]string{"source", "target", "password", "kinds"}, loginColumns(), []string{"state", "name", "comment"})

// drivePrefix marks a shared drive or a document library: what follows is its id.
const drivePrefix = "drive:"

// ParseAccounts reads an accounts file: CSV by RFC 4180 with a header, as ReadAccounts reads it. The error joins all mistakes.
func ParseAccounts(path string, text []byte) ([]Account, error) {
	r := &accountsReader{findings: findings{path: path}}
	r.read(text)
	return r.file.People, r.err()
}

// ParseNames is ParseAccounts for a file of names that others made: columns that an accounts file does not have are passed over.
func ParseNames(path string, text []byte) ([]Account, error) {
	r := &accountsReader{findings: findings{path: path}, loose: true}
	r.read(text)
	return r.file.People, r.err()
}

// accountsReader reads one accounts file.
type accountsReader struct {
	findings
	file AccountsFile
	// at is the index of each column, fields the number of them.
	at     map[string]int
	fields int
	// loose says that columns which are not known are for the reader.
	loose bool
	// legacy says that letters beyond ASCII may be others than they seem.
	legacy bool
}

// records reads the lines. A line that cannot be read keeps no other from being read.
func (r *accountsReader) records(lines *csv.Reader) {
	header, err := lines.Read()
	if err != nil {
		r.add("holds no header line: source,target,password")
		return
	}
	line, _ := lines.FieldPos(0)
	if r.header(line, header); len(r.found) > 0 {
		return
	}
	for {
		fields, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			r.unreadable(err)
			continue
		}
		line, _ := lines.FieldPos(0)
		if a, ok := r.account(fields, line); ok {
			r.file.People = append(r.file.People, a)
		}
	}
	r.twins()
}

func (r *accountsReader) unreadable(err error) {
	var e *csv.ParseError
	if !errors.As(err, &e) {
		r.add("%v", err)
		return
	}
	r.say(e.StartLine, "a quotation mark stands where none can: put the whole field into quotation marks, and double those within it")
}

// header notes where each column is. Columns without a name are what spreadsheets leave behind the last one.
func (r *accountsReader) header(line int, header []string) {
	r.at, r.fields = make(map[string]int), len(header)
	if whole := strings.Join(header, ""); len(header) == 1 && strings.ContainsAny(whole, "|:") && strings.Contains(strings.ToLower(whole), "source") {
		r.say(line, "columns are separated by commas, semicolons or tabs")
		return
	}
	if slices.ContainsFunc(header, func(name string) bool { return isAccount(strings.TrimSpace(name)) }) {
		r.say(line, "the first line names the columns, as in source,target,password; an account stands there already")
		return
	}
	for i, name := range header {
		name = columnName(name)
		switch _, twice := r.at[name]; {
		case name == "":
			continue
		case twice:
			r.say(line, "the column %q stands twice", name)
		case !slices.Contains(columns, name) && !r.loose:
			hint := ""
			if near := Nearest(name, columns); near != "" {
				hint = fmt.Sprintf("; did you mean %q?", near)
			}
			r.say(line, "there is no column %q%s", name, hint)
		}
		r.at[name] = i
	}
	for _, name := range columns[:2] {
		if _, ok := r.at[name]; !ok {
			r.say(line, "the column %q is missing", name)
		}
	}
}

func columnName(name string) string {
	return strings.ToLower(strings.Trim(strings.TrimSpace(name), `"`))
}

// account reads a line; ok is false for one that is left out.
func (r *accountsReader) account(fields []string, line int) (a Account, ok bool) {
	get := func(column string) string {
		if i, ok := r.at[column]; ok && i < len(fields) {
			return strings.TrimSpace(fields[i])
		}
		return ""
	}
	a = Account{Source: get("source"), Target: get("target"), Password: get("password"), Own: r.logins(get), Line: line}
	switch {
	case strings.HasPrefix(a.Source, "#"):
		r.file.LeftOut++
		return a, false
	case a.Source == "" && a.Target == "" && a.Password == "" && a.Own == nil:
		return a, false
	case !r.width(fields, line):
		return a, false
	}
	clean := true
	for _, column := range columns[:len(columns)-3] {
		clean = r.checkText(line, column, get(column)) && clean
	}
	if clean { // or one mistake would be told twice
		r.checkNames(a)
	}
	a.Kinds = r.kinds(line, get("kinds"))
	r.checkLogins(a)
	return a, true
}

// width looks whether the line has the header's form.
func (r *accountsReader) width(fields []string, line int) bool {
	if len(fields) == 1 && r.fields > 1 && strings.ContainsAny(fields[0], ",;\t") {
		r.say(line, "is separated by another character than the header line, which has the %s", r.file.Separator)
		return false
	}
	if len(fields) > r.fields && strings.TrimSpace(strings.Join(fields[r.fields:], "")) != "" {
		r.say(line, "has more fields than the header line; part several kinds by blanks, as in \"mail calendar\"")
		return false
	}
	return true
}

// checkText looks for characters that nobody means, and for those that may have been read wrongly.
func (r *accountsReader) checkText(line int, column, text string) (clean bool) {
	beyondASCII := func(c rune) bool { return c > unicode.MaxASCII }
	if r.legacy && strings.ContainsFunc(text, beyondASCII) {
		r.say(line, "the file is not UTF-8, so that %q in the column %s may be read wrongly: save it as \"CSV UTF-8\"", text, column)
	}
	if strings.HasSuffix(column, "password") {
		return true // a command line may hold what it likes
	}
	for _, c := range text {
		switch {
		case unicode.IsControl(c):
			r.say(line, "control characters in the column %s: is a quotation mark missing?", column)
			return false
		case unicode.Is(unicode.Cf, c):
			r.say(line, "an invisible character (%U) in the column %s: type the text anew instead of pasting it", c, column)
			return false
		}
	}
	return true
}

func (r *accountsReader) kinds(line int, text string) []string {
	var kinds []string
	for _, k := range strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(" ,;|+", c) }) {
		k = strings.ToLower(k)
		if !slices.Contains(Kinds, k) {
			r.say(line, "there is no kind %q; the kinds are %s", k, strings.Join(Kinds, ", "))
		}
		kinds = append(kinds, k)
	}
	return kinds
}

func (r *accountsReader) checkNames(a Account) {
	switch {
	case a.Source == "":
		r.say(a.Line, "source and target are both needed; the source is empty")
	case !isAccount(a.Source):
		r.say(a.Line, "%q is no address like ada@example.org, and no shared drive like drive:0AExampleId", a.Source)
	}
	switch {
	case a.Target == "":
		r.say(a.Line, "source and target are both needed; the target of %s is empty", a.Source)
	case notAName(a.Target):
		r.say(a.Line, "%q is no name of an account", a.Target)
	}
}

// isAccount reports whether the source is an address, or a drive with its id.
func isAccount(source string) bool {
	if id, drive := strings.CutPrefix(source, drivePrefix); drive {
		return id != "" && !strings.ContainsAny(id, notInAddress)
	}
	return IsAddress(source)
}

const notInAddress = " <>,;\"()"

// IsAddress reports whether the text can be the address of an account: one address alone, without a name.
func IsAddress(text string) bool {
	if strings.ContainsAny(text, notInAddress) || strings.ContainsFunc(text, unicode.IsControl) {
		return false
	}
	local, domain, ok := strings.Cut(text, "@")
	return ok && local != "" && domain != "" && !strings.Contains(domain, "@")
}

// twins refuses accounts that are moved twice, and two that would be mixed up in one.
func (r *accountsReader) twins() {
	sources, targets := map[string]int{}, map[string]int{}
	for _, a := range r.file.People {
		source, target := strings.ToLower(a.Source), strings.ToLower(a.Target)
		if first := sources[source]; first > 0 && source != "" {
			r.say(a.Line, "%s stands in line %d already", a.Source, first)
		} else if first := targets[target]; first > 0 && target != "" {
			r.say(a.Line, "%s is the target of line %d already; two accounts may not become one", a.Target, first)
		}
		sources[source], targets[target] = a.Line, a.Line
	}
}

// UserURL returns the URL with the account in the place of {user}, escaped as one path segment.
func UserURL(raw, user string) string {
	return strings.ReplaceAll(raw, "{user}", url.PathEscape(user))
}
