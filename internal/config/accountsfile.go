package config

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// AccountsFile is what an accounts file holds, how it was read and what is wrong with it.
type AccountsFile struct {
	Path   string
	People []Account
	// LeftOut counts the lines that are commented out.
	LeftOut int
	// Encoding and Separator are how it was read, such as "UTF-8" and "comma".
	Encoding, Separator string
	// Notes say what an administrator should know, Findings what keeps the file from being used. Both are in the order of lines.
	Notes, Findings []Finding
}

// ReadAccounts reads an accounts file as spreadsheets write them, too: separated by comma, semicolon or tab; UTF-8 with or without
// a byte order mark, UTF-16 with one. In another encoding, which is read as Windows-1252, it is taken as long as nothing but names
// and comments depends on it. Lines that begin with "#" are left out. It goes on after each mistake.
func ReadAccounts(path string, text []byte) *AccountsFile {
	r := &accountsReader{findings: findings{path: path}}
	r.read(text)
	r.file.Path, r.file.Findings = path, r.list()
	return &r.file
}

// CheckAccounts looks for everything in the job's accounts file that can be seen without asking a server. The error is one of
// reading the file.
func (j *Job) CheckAccounts() (*AccountsFile, error) {
	path := j.AccountsPath()
	text, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("accounts: %w%s", err, howToList(err))
	}
	r := &accountsReader{findings: findings{path: path}}
	r.read(text)
	job := *j
	job.People = slices.Clone(r.file.People)
	if len(r.found) == 0 || len(job.People) > 0 {
		job.checkPeople(&r.findings)
	}
	r.file.Notes = slices.Concat(r.file.Notes, job.loginNotes(), job.absentSecrets())
	r.file.Path, r.file.Findings = path, r.list()
	return &r.file, nil
}

// howToList says how an accounts file that is not there is made.
func howToList(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "; 'repatriate accounts JOB.yaml --output FILE' lists the directory into it"
	}
	return ""
}

// absentSecrets names the passwords that are not here. They may be where the job will run.
func (j *Job) absentSecrets() []Finding {
	f := &findings{}
	for _, p := range j.People {
		for _, ref := range p.passwords() {
			j.checkThere(f, p.Line, ref)
		}
	}
	all := f.list()
	if more := len(all) - mostAbsent; more > 0 {
		all = append(all[:mostAbsent], Finding{Message: fmt.Sprintf("and %d more passwords are not on this machine", more)})
	}
	return all
}

// mostAbsent is how many passwords that are not here are named: a file that is written for another machine has none.
const mostAbsent = 20

// checkThere says that a password is not on this machine.
func (j *Job) checkThere(f *findings, line int, ref string) {
	kind, name, _ := strings.Cut(ref, ":")
	switch kind {
	case "file":
		if _, err := os.Stat(j.path(name)); err != nil {
			f.say(line, "the file of the password %s cannot be found", ref)
		}
	case "env":
		if _, ok := os.LookupEnv(name); !ok {
			f.say(line, "the environment has no variable for the password %s", ref)
		}
	}
}

func (r *accountsReader) note(format string, args ...any) {
	r.file.Notes = append(r.file.Notes, Finding{Message: fmt.Sprintf(format, args...)})
}

func (r *accountsReader) read(text []byte) {
	text, ok := r.decode(text)
	if !ok {
		return
	}
	if bytes.IndexByte(text, '\n') < 0 && bytes.IndexByte(text, '\r') >= 0 {
		text = bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
		r.note("lines end with CR alone, as those of old Macintosh files; it is read so")
	}
	if first, _, _ := bytes.Cut(text, []byte("\n")); separatorLine.Match(first) {
		text = text[len(first):] // an empty line stays, so that lines keep their numbers
	}
	lines := csv.NewReader(bytes.NewReader(text))
	lines.Comma, lines.Comment, lines.FieldsPerRecord = r.separator(text), '#', -1
	lines.TrimLeadingSpace = lines.Comma != '\t' // or empty fields vanish
	r.file.LeftOut = countComments(text)
	r.records(lines)
}

// separatorLine is the line before the header by which some programs tell a spreadsheet how fields are separated.
var separatorLine = regexp.MustCompile(`(?i)^"?sep=.?"?\s*$`)

var byteOrderMarks = []struct {
	mark, name string
	order      binary.ByteOrder // nil: UTF-8
}{
	{"\xef\xbb\xbf", "UTF-8 with a byte order mark", nil},
	{"\xff\xfe", "UTF-16", binary.LittleEndian},
	{"\xfe\xff", "UTF-16", binary.BigEndian},
}

// decode returns the text as UTF-8.
func (r *accountsReader) decode(text []byte) (decoded []byte, ok bool) {
	r.file.Encoding = "UTF-8"
	marked := false
	for _, m := range byteOrderMarks {
		if !bytes.HasPrefix(text, []byte(m.mark)) {
			continue
		}
		marked, text, r.file.Encoding = true, text[len(m.mark):], m.name
		if m.order != nil {
			r.note("is UTF-16, as \"Unicode text\" of a spreadsheet is; it is read so")
			text = fromUTF16(m.order, text)
		}
		break
	}
	switch line := badLine(text); {
	case bytes.IndexByte(text, 0) >= 0:
		r.say(1+bytes.Count(text[:bytes.IndexByte(text, 0)], []byte("\n")), "holds NUL bytes, which no CSV file has: save it as \"CSV UTF-8\"")
		return nil, false
	case line > 0 && marked:
		r.say(line, "is no %s, although the file begins as such: it is damaged, or was put together of several; save it as \"CSV UTF-8\"", r.file.Encoding)
		return nil, false
	case line > 0:
		return r.fromWindows(line, text), true
	}
	return text, true
}

// badLine returns the first line that is no UTF-8, or 0.
func badLine(text []byte) int {
	line := 0
	for part := range bytes.Lines(text) {
		if line++; !utf8.Valid(part) {
			return line
		}
	}
	return 0
}

// fromUTF16 leaves what is no UTF-16 as bytes that are no UTF-8.
func fromUTF16(order binary.ByteOrder, text []byte) []byte {
	out := make([]byte, 0, len(text))
	for ; len(text) >= 2; text = text[2:] {
		c := rune(order.Uint16(text))
		if utf16.IsSurrogate(c) && len(text) >= 4 {
			if pair := utf16.DecodeRune(c, rune(order.Uint16(text[2:]))); pair != utf8.RuneError {
				c, text = pair, text[2:]
			}
		}
		if utf16.IsSurrogate(c) {
			out = append(out, 0xff)
			continue
		}
		out = utf8.AppendRune(out, c)
	}
	if len(text) > 0 {
		out = append(out, 0xff)
	}
	return out
}

// fromWindows reads the text as Windows-1252, which spreadsheets write in the west of Europe. Other encodings look the same, so that
// nothing but what is for the reader may depend on it.
func (r *accountsReader) fromWindows(line int, text []byte) []byte {
	decoded, err := charmap.Windows1252.NewDecoder().Bytes(text)
	if err != nil {
		decoded = bytes.ToValidUTF8(text, []byte("\ufffd"))
	}
	r.file.Encoding, r.legacy = "Windows-1252", true
	r.note("line %d is not UTF-8; the file is read as Windows-1252, which is safe for names and comments alone", line)
	return decoded
}

// separators are those that a file may have.
var separators = []struct {
	char rune
	name string
}{{',', "comma"}, {';', "semicolon"}, {'\t', "tab"}}

// separator returns the one that makes known columns of the header line.
func (r *accountsReader) separator(text []byte) rune {
	header := headerLine(text)
	best, most := 0, 0
	for i, s := range separators {
		parts := strings.Split(header, string(s.char))
		known := 0
		for _, name := range parts {
			if slices.Contains(columns, columnName(name)) {
				known++
			}
		}
		if n := known*len(header) + len(parts) - 1; n > most {
			best, most = i, n
		}
	}
	r.file.Separator = separators[best].name
	return separators[best].char
}

// headerLine returns the first line that is neither empty nor a comment.
func headerLine(text []byte) string {
	for line := range bytes.Lines(text) {
		if s := strings.TrimRight(string(line), "\r\n"); s != "" && s[0] != '#' {
			return s
		}
	}
	return ""
}

func countComments(text []byte) int {
	n := 0
	for line := range bytes.Lines(text) {
		if line[0] == '#' {
			n++
		}
	}
	return n
}
