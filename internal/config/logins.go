package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/secret"
)

// Login is how an account is known to a server of the target: its name there, which fills {user}, and the reference to its password.
type Login struct{ Target, Password string }

// Login returns that of a kind: the account's own, but for what the columns of the kind say otherwise.
func (a Account) Login(kind string) Login {
	l, own := Login{a.Target, a.Password}, a.Own[kind]
	if own.Target != "" {
		l.Target = own.Target
	}
	if own.Password != "" {
		l.Password = own.Password
	}
	return l
}

// Elsewhere returns the names that the account has for single kinds, where they are others than Target; nil if there are none.
func (a Account) Elsewhere() map[string]string {
	var names map[string]string
	for _, k := range a.Kinds {
		if name := a.Login(k).Target; name != a.Target {
			if names == nil {
				names = map[string]string{}
			}
			names[k] = name
		}
	}
	return names
}

// passwords returns the references to all of the account's passwords.
func (a Account) passwords() []string {
	refs := []string{a.Password}
	for _, k := range Kinds {
		refs = append(refs, a.Own[k].Password)
	}
	slices.Sort(refs)
	return slices.DeleteFunc(slices.Compact(refs), func(ref string) bool { return ref == "" })
}

// TargetColumn and PasswordColumn name the columns of an accounts file for one kind.
func TargetColumn(kind string) string { return kind + "_target" }

// PasswordColumn is TargetColumn's counterpart for the password.
func PasswordColumn(kind string) string { return kind + "_password" }

// loginColumns are the optional ones, for all kinds.
func loginColumns() (out []string) {
	for _, k := range Kinds {
		out = append(out, TargetColumn(k), PasswordColumn(k))
	}
	return out
}

// logins reads the columns of single kinds.
func (r *accountsReader) logins(get func(column string) string) map[string]Login {
	var own map[string]Login
	for _, k := range Kinds {
		if l := (Login{get(TargetColumn(k)), get(PasswordColumn(k))}); l != (Login{}) {
			if own == nil {
				own = map[string]Login{}
			}
			own[k] = l
		}
	}
	return own
}

// checkLogins looks at names and passwords by themselves.
func (r *accountsReader) checkLogins(a Account) {
	check := func(what, ref string) {
		if ref == "" {
			return
		}
		if err := secret.Check(ref); err != nil {
			r.say(a.Line, "%s of %s: %v", what, a.Source, err)
		}
	}
	check("password", a.Password)
	for _, k := range Kinds {
		own := a.Own[k]
		if notAName(own.Target) {
			r.say(a.Line, "%s: %q is no name of an account", TargetColumn(k), own.Target)
		}
		check(PasswordColumn(k), own.Password)
	}
}

func notAName(target string) bool { return target == "." || target == ".." }

// place is where a kind is written to, with {user} for the account's name.
type place struct{ kind, key, url string }

// places are those of the job file, in the order of the kinds.
func (j *Job) places() []place {
	t := j.Target
	all := []place{
		{"files", "target.files.webdav", filesURL(t.Files)}, {"mail", "target.mail.imap", mailURL(t.Mail)},
		{"calendar", "target.calendar.caldav", calendarURL(t.Calendar)},
		{"contacts", "target.contacts.carddav", contactsURL(t.Contacts)}, {"tasks", "target.tasks.caldav", calendarURL(t.Tasks)},
	}
	return slices.DeleteFunc(all, func(p place) bool { return p.url == "" })
}

// checkOwn refuses that two accounts are written into one where names of single kinds make them so. Two with the same target are told
// already.
func (j *Job) checkOwn(f *findings) {
	type taken struct {
		by   Account
		kind string
	}
	owners := map[[2]string]taken{} // by the place and the name there
	for _, at := range j.places() {
		for _, p := range j.People {
			name := strings.ToLower(p.Login(at.kind).Target)
			if name == "" || !j.movesOf(p, at.kind) {
				continue
			}
			key := [2]string{at.url, name}
			switch first, ok := owners[key]; {
			case !ok:
				owners[key] = taken{p, at.kind}
			case first.by.Line != p.Line && !strings.EqualFold(first.by.Target, p.Target) && !strings.EqualFold(first.by.Source, p.Source):
				f.say(max(first.by.Line, p.Line), "%s of %s and %s of %s both go to %s; two accounts may not become one",
					first.kind, first.by.Source, at.kind, p.Source, p.Login(at.kind).Target)
			}
		}
	}
}

// movesOf reports whether the job moves the kind of the account.
func (j *Job) movesOf(p Account, kind string) bool {
	if strings.HasPrefix(p.Source, drivePrefix) {
		return kind == "files"
	}
	return slices.Contains(p.Kinds, kind) || len(p.Kinds) == 0 && slices.Contains(j.Kinds, kind)
}

// loginNotes say what of the columns of single kinds is most likely not meant.
func (j *Job) loginNotes() []Finding {
	f := &findings{}
	used := func(k string) bool {
		return slices.ContainsFunc(j.People, func(p Account) bool { return p.Own[k] != Login{} })
	}
	for _, k := range Kinds {
		password := func(p Account) bool { return p.Own[k].Password != "" }
		switch {
		case used(k) && !j.hasTarget(k):
			f.add("the columns %s and %s are not used: the job file has no target.%s", TargetColumn(k), PasswordColumn(k), k)
		case k == "mail" && j.master() && slices.ContainsFunc(j.People, password):
			f.add("the column %s is not used: target.mail.master logs in for all", PasswordColumn(k))
		}
	}
	places := j.places()
	for _, at := range places {
		i := slices.IndexFunc(places, func(o place) bool { return used(o.kind) && hostOf(o.url) == hostOf(at.url) })
		if i >= 0 && !used(at.kind) {
			f.add("%[1]s and %[2]s go to one server, and %[1]s alone has names or passwords of its own there: see %[3]s and %[4]s",
				places[i].kind, at.kind, TargetColumn(at.kind), PasswordColumn(at.kind))
		}
	}
	return f.list()
}

func hostOf(raw string) string {
	u, err := url.Parse(UserURL(raw, "user"))
	if err != nil {
		return raw
	}
	return u.Scheme + "://" + u.Host
}

// master reports whether one account logs in for all where mail goes.
func (j *Job) master() bool { return j.Target.Mail != nil && j.Target.Mail.Master != nil }

// missingPassword says which column lacks the password of a kind.
func missingPassword(p Account, kind string) string {
	return fmt.Sprintf("%s: the password is missing, which %s needs; name it in the column password, or in %s if it serves %s alone",
		p.Source, kind, PasswordColumn(kind), kind)
}
