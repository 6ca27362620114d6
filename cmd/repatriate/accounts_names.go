package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/secret"
)

// rule returns the name of an account on the target, or why there is none.
type rule func(accountLine) (target, problem string)

// naming suggests what accounts are called on the target.
type naming struct {
	rule rule
	// kinds are the rules of single kinds.
	kinds map[string]rule
	// taken are the names that were given, in lower case behind their kind, with the account that has each.
	taken map[[2]string]string
	// passwords are the references to each account's passwords by kind, with {user} for its name; "" is the kind of the account's own.
	passwords map[string]string
	files     []*nameFile
}

const columnRule = "column:"

// newNaming returns the rules by their names: local, keep, first.last or column:FILE, with KIND= before one of a single kind.
func newNaming(rules []string) (*naming, error) {
	n := &naming{taken: map[[2]string]string{}, kinds: map[string]rule{}, passwords: map[string]string{}}
	for _, text := range rules {
		kind, name := ofKind(text)
		r, err := n.byName(kind, name)
		switch {
		case err != nil:
			return nil, err
		case kind != "" && n.kinds[kind] != nil, kind == "" && n.rule != nil:
			return nil, fmt.Errorf("%q: there is a rule for these names already", text)
		case kind != "":
			n.kinds[kind] = r
		default:
			n.rule = r
		}
	}
	if n.rule == nil {
		n.rule = people(byAddress)
	}
	return n, nil
}

// ofKind takes the kind off a text such as "mail=keep".
func ofKind(text string) (kind, rest string) {
	if kind, rest, ok := strings.Cut(text, "="); ok && slices.Contains(config.Kinds, kind) {
		return kind, rest
	}
	return "", text
}

func (n *naming) byName(kind, name string) (rule, error) {
	switch path, column := strings.CutPrefix(name, columnRule); {
	case column:
		f, err := loadNames(path, kind)
		if err != nil {
			return nil, err
		}
		n.files = append(n.files, f)
		return f.rule, nil
	case name == "local":
		return people(byAddress), nil
	case name == "keep":
		return people(func(l accountLine) (string, string) { return l.source, "" }), nil
	case name == "first.last":
		return people(byName), nil
	}
	return nil, fmt.Errorf("%q is none of local, keep, first.last, column:FILE.csv", name)
}

func byAddress(l accountLine) (target, problem string) { return localPart(l.source), "" }

func localPart(address string) string {
	local, _, _ := strings.Cut(address, "@")
	return local
}

// people applies a rule to whom has an address. A shared drive goes where an administrator says.
func people(r rule) rule {
	return func(l accountLine) (string, string) {
		if l.account.Shared {
			return "", "name the account that it goes to"
		}
		return r(l)
	}
}

// name gives a line its names, its passwords and its comment. Lines that are commented out keep no name from others.
func (n *naming) name(l accountLine) accountLine {
	problems := []string{special(l)}
	target, problem := n.rule(l)
	l.target, problem = n.give(l, "", target, problem)
	l.password = n.passwordOf("", l.target)
	problems = append(problems, problem)
	l.own = map[string]config.Login{}
	for _, kind := range n.ownKinds() {
		own := config.Login{}
		if l.kinds != "" && !slices.Contains(strings.Fields(l.kinds), kind) {
			continue // nothing of that kind is moved
		}
		if r := n.kinds[kind]; r != nil {
			target, problem := r(l)
			if problem != "" {
				problem = config.TargetColumn(kind) + ": " + problem
			}
			own.Target, problem = n.give(l, kind, target, problem)
			problems = append(problems, problem)
		}
		own.Password = n.passwordOf(kind, cmp.Or(own.Target, l.target))
		l.own[kind] = own
	}
	for _, f := range n.files {
		f.fill(&l)
	}
	l.comment = joined(problems...)
	return l
}

// give gives a name that nobody else has.
func (n *naming) give(l accountLine, kind, target, problem string) (string, string) {
	key := [2]string{kind, strings.ToLower(target)}
	if owner, taken := n.taken[key]; taken && target != "" {
		column := "target"
		if kind != "" {
			column = config.TargetColumn(kind)
		}
		return "", fmt.Sprintf("choose a %s: %s has %s", column, owner, target)
	}
	if target != "" && !l.out {
		n.taken[key] = l.source
	}
	return target, problem
}

// ownKinds are the kinds that have columns of their own, in their order.
func (n *naming) ownKinds() (kinds []string) {
	for _, k := range config.Kinds {
		inFile := slices.ContainsFunc(n.files, func(f *nameFile) bool { return f.kinds[k] })
		if n.kinds[k] != nil || n.passwords[k] != "" || inFile {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// userMark stands for the name of an account on the target.
const userMark = "{user}"

// passwordOf returns the reference to an account's password. A name that would lead out of a folder has none: it is the provider's text.
func (n *naming) passwordOf(kind, target string) string {
	if target == "" || strings.ContainsAny(target, `/\`) || strings.HasPrefix(target, ".") {
		return ""
	}
	return strings.ReplaceAll(n.passwords[kind], userMark, target)
}

// refer takes the references to each account's passwords, with KIND= before one of a single kind. A command is none: what users are called
// would stand in a shell's line.
func (n *naming) refer(references []string) error {
	for _, text := range references {
		kind, reference := ofKind(text)
		if err := secret.Check(reference); err != nil {
			return err
		}
		switch {
		case strings.HasPrefix(reference, "cmd:"):
			return errors.New("cmd: is not taken here, since names would become a part of a shell's command line; write such references by hand")
		case !strings.Contains(reference, userMark):
			return fmt.Errorf("write {user} into %q where the account's name belongs: all accounts would have one password otherwise", reference)
		case n.passwords[kind] != "":
			return fmt.Errorf("%q: there is a reference for these passwords already", text)
		}
		n.passwords[kind] = reference
	}
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

// nameFile is a file of names, and its lines by source.
type nameFile struct {
	path string
	// kind is the one whose names it has; empty: it has the accounts' own.
	kind  string
	lines map[string]config.Account
	named map[string]bool
	// kinds are those for which it has names or passwords of their own.
	kinds map[string]bool
}

// loadNames reads a file of names: it has the form of an accounts file.
func loadNames(path, kind string) (*nameFile, error) {
	if path == "" {
		return nil, errors.New("name a CSV file with the columns source and target: column:names.csv")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines, err := config.ParseNames(path, text)
	if err != nil {
		return nil, err
	}
	f := &nameFile{path: path, kind: kind, lines: make(map[string]config.Account, len(lines)), named: map[string]bool{}, kinds: map[string]bool{}}
	for _, line := range lines {
		f.lines[strings.ToLower(line.Source)] = line
		for k := range line.Own {
			f.kinds[k] = kind == ""
		}
	}
	return f, nil
}

func (f *nameFile) rule(l accountLine) (target, problem string) {
	line, ok := f.lines[strings.ToLower(l.source)]
	if !ok {
		return "", "not in the file of names"
	}
	f.named[strings.ToLower(l.source)] = true
	return line.Target, ""
}

// fill takes over what the file has beside the name: whoever lists anew with an accounts file keeps its passwords.
func (f *nameFile) fill(l *accountLine) {
	line, ok := f.lines[strings.ToLower(l.source)]
	if !ok {
		return
	}
	if f.kind != "" {
		own := l.own[f.kind]
		own.Password = cmp.Or(line.Password, own.Password)
		l.own[f.kind] = own
		return
	}
	l.password = cmp.Or(line.Password, l.password)
	for kind, own := range line.Own {
		l.own[kind] = config.Login{Target: cmp.Or(own.Target, l.own[kind].Target), Password: cmp.Or(own.Password, l.own[kind].Password)}
	}
}

// report names what in files of names nobody has: most likely it is misspelt.
func (n *naming) report(out io.Writer) {
	for _, f := range n.files {
		var first config.Account
		for source, line := range f.lines {
			if !f.named[source] && (first.Line == 0 || line.Line < first.Line) {
				first = line
			}
		}
		if unknown := len(f.lines) - len(f.named); unknown > 0 {
			fmt.Fprintf(out, "repatriate: %s: %d of %d lines name nobody in the directory, the first is line %d: %s\n",
				f.path, unknown, len(f.lines), first.Line, first.Source)
		}
	}
}
