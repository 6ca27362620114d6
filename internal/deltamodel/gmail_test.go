package deltamodel

import (
	"fmt"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	gsim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/google"
)

// gmail is the model of a mailbox of Gmail.
type gmail struct {
	*mailAccount
	data      *gsim.Data
	spamTrash bool
	copies    bool
	// named are the user's labels by the names that they had first.
	named map[string]string
}

// userLabels are names that a label may have, and their keywords.
var userLabels = map[string]string{"Projects": "$projects", "Projects/Alpha": "$projects/alpha", "Two Words": "$two_words", "Ärger": "$&aoq-rger",
	"Zeta": "$zeta", "beta": "$beta", "Other/Deep/Down": "$other/deep/down"}

// firstLabels are the labels that there are.
var firstLabels = []string{"Projects", "Projects/Alpha", "Two Words", "Ärger"}

// systemPlaces are the system labels that are mailboxes, in their order, with the mailbox and the keyword that stands for it.
var systemPlaces = [][3]string{{"TRASH", "Trash", ""}, {"SPAM", "Junk", ""}, {"DRAFT", "Drafts", "$drafts"}, {"INBOX", "INBOX", "$inbox"}, {"SENT", "Sent", "$sent"}}

// place implements mailRules: one message in the mailbox of the first of its labels, the others as keywords or as copies.
func (g *gmail) place(m *mail) (boxes, flags []string) {
	if !g.spamTrash && (m.has("TRASH") || m.has("SPAM")) {
		return nil, nil
	}
	var keywords []string
	for _, p := range systemPlaces {
		if m.has(p[0]) {
			boxes, keywords = append(boxes, p[1]), append(keywords, p[2])
		}
	}
	own := g.userLabelsOf(m)
	for _, name := range own {
		boxes, keywords = append(boxes, name), append(keywords, userLabels[name])
	}
	if len(boxes) == 0 {
		boxes, keywords = []string{"Archive"}, []string{""}
	}
	if !g.copies || m.has("TRASH") || m.has("SPAM") || m.has("DRAFT") {
		boxes, flags = boxes[:1], keywords[1:]
	}
	for flag, set := range map[string]bool{`\seen`: !m.has("UNREAD"), `\flagged`: m.has("STARRED"), `\draft`: m.has("DRAFT"), "$important": m.has("IMPORTANT"),
		"$promotions": m.has("CATEGORY_PROMOTIONS")} {
		if set {
			flags = append(flags, flag)
		}
	}
	return boxes, flags
}

// userLabelsOf returns the names of the user's labels of a message, by their levels.
func (g *gmail) userLabelsOf(m *mail) (names []string) {
	for _, l := range m.labels {
		if name, own := g.named[l]; own {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/")) })
	return names
}

func openGmail(b *bench, d *dice) world {
	sim := b.startGoogle(gsim.Options{ShortPages: d.chance(2)})
	g := &gmail{mailAccount: &mailAccount{b: b}, data: sim.data, spamTrash: d.chance(2), named: map[string]string{}}
	for _, name := range firstLabels {
		g.named[name] = name
		value(g.data.AddLabel(user, gsim.Label{Name: name, ID: idOfLabel(name)}))
	}
	if g.copies = d.chance(3); g.copies {
		g.mailAccount.labels = "copies"
	}
	b.tell("spam and trash are moved: %v, labels are copies: %v", g.spamTrash, g.copies)
	g.mailRules = g
	return newMailbox(g.mailAccount, func() sources.Source[sources.Message] {
		return google.Mail(sim.connect(), user, google.MailOptions{SpamTrash: g.spamTrash})
	})
}

func (g *gmail) forget() {
	g.data.ExpireHistory(user)
	g.data.ExpirePageTokens()
}

func idOfLabel(name string) string {
	return fmt.Sprintf("Label_%d", 100+slices.Index(firstLabels, name))
}

// labelID returns by what the provider knows a label.
func (g *gmail) labelID(label string) string {
	if _, own := g.named[label]; own {
		return idOfLabel(label)
	}
	return label
}

func (g *gmail) edit(d *dice) string {
	switch d.IntN(15) {
	case 0, 1, 2:
		return g.addOne(d)
	case 3:
		return g.renameLabel(d)
	case 4:
		if m, ok := g.some(d, func(m *mail) bool { return m.has("DRAFT") }); ok { // a new message in the place of an old one
			written := g.newMail(d)
			written.labels = slices.Clone(m.labels)
			return g.erase(m) + ", " + g.add(written)
		}
	case 5:
		if m, ok := g.some(d, func(m *mail) bool { return !m.thrownAway() }); ok {
			return g.relabel(m, []string{pick(d, []string{"TRASH", "SPAM"})}, []string{"INBOX"})
		}
	case 6, 7:
		if m, ok := g.some(d, (*mail).thrownAway); ok {
			return g.relabel(m, []string{"INBOX"}, []string{"TRASH", "SPAM"})
		}
	}
	m, ok := g.some(d, any1)
	if !ok {
		return g.addOne(d)
	}
	switch d.IntN(7) {
	case 0, 1, 2:
		return g.toggle(m, pick(d, firstLabels))
	case 3:
		return g.toggle(m, "INBOX")
	case 4:
		if d.chance(2) {
			return g.erase(m)
		}
	}
	return g.toggle(m, pick(d, []string{"UNREAD", "STARRED", "IMPORTANT", "CATEGORY_PROMOTIONS"}))
}

func (m *mail) has(label string) bool { return slices.Contains(m.labels, label) }

func (m *mail) thrownAway() bool { return m.has("TRASH") || m.has("SPAM") }

func (g *gmail) erase(m *mail) string {
	must(g.data.DeleteMessage(user, m.id))
	m.erased = true
	return fmt.Sprintf("erase %v", m)
}

func (g *gmail) add(m *mail) string {
	ids := make([]string, len(m.labels))
	for i, l := range m.labels {
		ids[i] = g.labelID(l)
	}
	m.id = value(g.data.AddMessage(user, gsim.Message{Raw: cloudsim.Bytes(m.raw), Labels: ids, Date: m.at}))
	g.mails = append(g.mails, m)
	return fmt.Sprintf("add %v with %q", m, m.labels)
}

func (g *gmail) addOne(d *dice) string {
	m := g.newMail(d)
	for _, l := range slices.Concat([]string{"UNREAD", "STARRED", "IMPORTANT", "CATEGORY_PROMOTIONS", "SENT"}, firstLabels) {
		if d.chance(5) {
			m.labels = append(m.labels, l)
		}
	}
	switch d.IntN(12) {
	case 0:
		m.labels = append(m.labels, "DRAFT")
	case 1:
		m.labels = append(m.labels, "SPAM")
	case 2, 3, 4, 5, 6:
		m.labels = append(m.labels, "INBOX")
	}
	return g.add(m)
}

// relabel adds and removes labels of a message.
func (g *gmail) relabel(m *mail, add, remove []string) string {
	var ids [2][]string
	for i, list := range [][]string{add, remove} {
		for _, l := range list {
			ids[i] = append(ids[i], g.labelID(l))
		}
	}
	must(g.data.Relabel(user, m.id, ids[0], ids[1]))
	m.labels = slices.DeleteFunc(m.labels, func(l string) bool { return slices.Contains(remove, l) || slices.Contains(add, l) })
	m.labels = append(m.labels, add...)
	return fmt.Sprintf("relabel %v: add %q, remove %q", m, add, remove)
}

// toggle adds a label that the message has not, or removes it.
func (g *gmail) toggle(m *mail, label string) string {
	if m.has(label) {
		return g.relabel(m, nil, []string{label})
	}
	return g.relabel(m, []string{label}, nil)
}

func (g *gmail) renameLabel(d *dice) string {
	label := firstLabels[d.IntN(len(firstLabels))]
	var free []string
	for _, name := range []string{"Projects", "Projects/Alpha", "Two Words", "Ärger", "Zeta", "beta", "Other/Deep/Down"} {
		taken := name == g.named[label]
		for _, other := range g.named {
			taken = taken || other == name
		}
		if !taken {
			free = append(free, name)
		}
	}
	name, ok := pickAny(d, free)
	if !ok {
		return ""
	}
	must(g.data.RenameLabel(user, idOfLabel(label), name))
	did := fmt.Sprintf("the label %q is now %q", g.named[label], name)
	g.named[label] = name
	return did
}
