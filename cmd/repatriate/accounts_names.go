package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/secret"
)

// naming suggests what accounts are called on the target.
type naming struct {
	// rule returns the name for an account, or why there is none.
	rule func(accountLine) (target, problem string)
	// taken are the names that were given, in lower case, with the account that has each.
	taken map[string]string
	// file and lines are a file of names and its lines by source; what was used is taken out.
	file  string
	lines map[string]config.Account
	total int
	// password is the reference to each account's password, with {user} for its name; empty: none is written.
	password string
}

const columnRule = "column:"

// newNaming returns a rule by its name: local, keep, first.last or column:FILE.
func newNaming(rule string) (*naming, error) {
	n := &naming{taken: make(map[string]string)}
	switch path, column := strings.CutPrefix(rule, columnRule); {
	case column:
		n.rule = n.fromFile
		return n, n.load(path)
	case rule == "local":
		n.rule = people(func(l accountLine) (string, string) { return localPart(l.source), "" })
	case rule == "keep":
		n.rule = people(func(l accountLine) (string, string) { return l.source, "" })
	case rule == "first.last":
		n.rule = people(byName)
	default:
		return nil, fmt.Errorf("%q is none of local, keep, first.last, column:FILE.csv", rule)
	}
	return n, nil
}

func localPart(address string) string {
	local, _, _ := strings.Cut(address, "@")
	return local
}

// people applies a rule to whom has an address. A shared drive goes where an administrator says.
func people(rule func(accountLine) (string, string)) func(accountLine) (string, string) {
	return func(l accountLine) (string, string) {
		if l.account.Shared {
			return "", "name the account that it goes to"
		}
		return rule(l)
	}
}

// name gives a line its target and its comment. Lines that are commented out keep no name from others.
func (n *naming) name(l accountLine) accountLine {
	target, problem := n.rule(l)
	l.target = target
	if owner, taken := n.taken[strings.ToLower(target)]; taken && target != "" {
		l.target, problem = "", fmt.Sprintf("choose a target: %s has %s", owner, target)
	}
	if l.target != "" && !l.out {
		n.taken[strings.ToLower(target)] = l.source
	}
	l.password = n.passwordOf(l.target)
	l.comment = joined(special(l), problem)
	return l
}

// userMark stands for the name of an account on the target.
const userMark = "{user}"

// passwordOf returns the reference to an account's password. A name that would lead out of a folder has none: it is the provider's text.
func (n *naming) passwordOf(target string) string {
	if target == "" || strings.ContainsAny(target, `/\`) || strings.HasPrefix(target, ".") {
		return ""
	}
	return strings.ReplaceAll(n.password, userMark, target)
}

// passwords takes the reference to each account's password. A command is none: what users are called would stand in a shell's line.
func (n *naming) passwords(reference string) error {
	if reference == "" {
		return nil
	}
	if err := secret.Check(reference); err != nil {
		return err
	}
	if strings.HasPrefix(reference, "cmd:") {
		return errors.New("cmd: is not taken here, since names would become a part of a shell's command line; write such references by hand")
	}
	if !strings.Contains(reference, userMark) {
		return fmt.Errorf("write {user} into %q where the account's name belongs: all accounts would have one password otherwise", reference)
	}
	n.password = reference
	return nil
}

func joined(parts ...string) string {
	var some []string
	for _, p := range parts {
		if p != "" {
			some = append(some, p)
		}
	}
	return strings.Join(some, "; ")
}

// special says what an administrator should know of an account.
func special(l accountLine) string {
	if l.account.Shared {
		return "shared drive or library"
	}
	return map[string]string{
		"suspended":  "suspended: cannot be read until it is restored",
		"archived":   "archived user",
		"disabled":   "sign-in is blocked",
		"unlicensed": "without a licence: nothing is kept for it",
		"no_mailbox": "without a mailbox",
		"shared":     "shared mailbox",
		"room":       "mailbox of a room",
		"equipment":  "mailbox of equipment",
	}[l.account.State]
}

// letters are those that do not come apart into a letter and an accent.
var letters = strings.NewReplacer("\u00df", "ss", "\u00e6", "ae", "\u0153", "oe", "\u00f8", "o", "\u0142", "l", "\u0111", "d", "\u00f0", "d",
	"\u00fe", "th", "\u0131", "i", "'", "", "\u2019", "", ".", " ")

// byName returns the first and the last word of a display name, without accents.
func byName(l accountLine) (target, problem string) {
	name, _, _ := strings.Cut(l.account.Name, "(") // "Ada Lovelace (Analysis)"
	if last, first, ok := strings.Cut(name, ","); ok {
		name = first + " " + last
	}
	name = strings.Map(func(c rune) rune {
		if unicode.Is(unicode.Mn, c) {
			return -1
		}
		return unicode.ToLower(c)
	}, norm.NFD.String(name))
	words := strings.Fields(letters.Replace(name))
	if len(words) < 2 {
		return localPart(l.source), "the name is a single word: named by the address"
	}
	target = words[0] + "." + words[len(words)-1]
	if strings.ContainsFunc(target, func(c rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789.-", c) }) {
		return localPart(l.source), "the name has other letters than a to z: named by the address"
	}
	return target, ""
}

// load reads a file of names: it has the form of an accounts file.
func (n *naming) load(path string) error {
	if path == "" {
		return errors.New("name a CSV file with the columns source and target: column:names.csv")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines, err := config.ParseAccounts(path, text)
	if err != nil {
		return err
	}
	n.file, n.total, n.lines = path, len(lines), make(map[string]config.Account, len(lines))
	for _, line := range lines {
		n.lines[strings.ToLower(line.Source)] = line
	}
	return nil
}

func (n *naming) fromFile(l accountLine) (target, problem string) {
	line, ok := n.lines[strings.ToLower(l.source)]
	if !ok {
		return "", "not in the file of names"
	}
	delete(n.lines, strings.ToLower(l.source))
	return line.Target, ""
}

// report names what in a file of names nobody has: most likely it is misspelt.
func (n *naming) report(out io.Writer) {
	if len(n.lines) == 0 {
		return
	}
	var first config.Account
	for _, line := range n.lines {
		if first.Line == 0 || line.Line < first.Line {
			first = line
		}
	}
	fmt.Fprintf(out, "repatriate: %s: %d of %d lines name nobody in the directory, the first is line %d: %s\n",
		n.file, len(n.lines), n.total, first.Line, first.Source)
}
