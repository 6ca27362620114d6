package htmlreport

import (
	"cmp"
	"slices"
	"strings"
)

// mailboxNames are what mail programs call the mailboxes that the program names itself, by those names.
func (l *language) mailboxNames() map[string]string {
	return map[string]string{
		"INBOX": l.say("inbox"), "Sent": l.say("sent"), "Drafts": l.say("drafts"),
		"Junk": l.say("junk"), "Trash": l.say("trash"), "Archive": l.say("archive"),
	}
}

// mailbox names a mailbox. One that serves a purpose is called as mail programs call it, with its own name behind it, since not all of them
// do; servers may have it below INBOX.
func (p *People) mailbox(name string) string {
	return p.translated(p.lang.mailboxNames()[belowInbox(name)], name)
}

// belowInbox returns the name of a mailbox without INBOX above it.
func belowInbox(name string) string {
	if len(name) > 6 && strings.EqualFold(name[:5], "INBOX") && strings.ContainsRune("./", rune(name[5])) {
		return name[6:]
	}
	return name
}

// collection names a calendar, address book or task list. Those that the provider has no name for are ours.
func (p *People) collection(kind, name string) string {
	ours := ""
	if kind == "contacts" && name == "Other contacts" && p.job.Provider == "Google Workspace" {
		ours = p.lang.say("contacts.others")
	}
	return p.translated(ours, name)
}

// translated is a name in the page's language with the name itself behind it, where that is another one that is seen.
func (p *People) translated(translation, name string) string {
	switch {
	case translation == "":
		return clean(name)
	case translation == name, name == "INBOX":
		return translation
	}
	return p.lang.say("called", "translation", translation, "name", clean(name))
}

// newNames says what a person is called in the new place: one name for all, or others for single kinds.
func (l *language) newNames(a Account) string {
	var said []string
	if a.Target != "" && (a.Target != a.Source || len(a.Targets) > 0) {
		say := l.about(a)
		said = append(said, say("target", "target", clean(a.Target)))
	}
	for _, names := range byName(a.Targets) {
		var kinds []string
		for _, k := range names.kinds {
			kinds = append(kinds, cmp.Or(l.Text["find."+k], k))
		}
		said = append(said, l.say("target.of", "kinds", strings.Join(kinds, ", "), "target", clean(names.name)))
	}
	return strings.Join(said, " ")
}

// nameOf is a name on the target with the kinds that have it.
type nameOf struct {
	name  string
	kinds []string
}

// byName gathers the kinds of the same name, in the order of a person's page.
func byName(targets map[string]string) (out []nameOf) {
	for _, k := range kindOrder {
		name, ok := targets[k]
		if !ok {
			continue
		}
		i := slices.IndexFunc(out, func(n nameOf) bool { return n.name == name })
		if i < 0 {
			i = len(out)
			out = append(out, nameOf{name: name})
		}
		out[i].kinds = append(out[i].kinds, k)
	}
	return out
}

// TargetNames shows what an account is called on the target, and in which kinds it has another name there.
func TargetNames(target string, targets map[string]string) string {
	shown := clean(target)
	for _, n := range byName(targets) {
		shown += "; " + strings.Join(n.kinds, ", ") + ": " + clean(n.name)
	}
	return shown
}

// otherNames is TargetNames, or nothing for an account that is called on the target as at the source.
func otherNames(source, target string, targets map[string]string) string {
	if target == source && len(targets) == 0 {
		return ""
	}
	return TargetNames(target, targets)
}
