package deltamodel

import (
	"fmt"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	msim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/microsoft"
)

// exchange is the model of a mailbox of Exchange.
type exchange struct {
	*mailAccount
	data      *msim.Data
	spamTrash bool
	boxes     []*box
}

// wellKnownBoxes are the well-known folders that the edits use, with what they are called, and their mailboxes.
var wellKnownBoxes = [][3]string{{"inbox", "Posteingang", "INBOX"}, {"sentitems", "Gesendete Elemente", "Sent"}, {"drafts", "Entwürfe", "Drafts"},
	{"archive", "Archiv", "Archive"}, {"deleteditems", "Gelöschte Elemente", "Trash"}, {"junkemail", "Junk-E-Mail", "Junk"}}

// box is a folder of Exchange.
type box struct {
	id, name string
	// known is the mailbox of a well-known folder on the target; "-" is left out.
	known  string
	parent *box
	erased bool
}

// there reports whether a folder is among those that are moved.
func (x *exchange) there(b *box) bool {
	for ; b != nil; b = b.parent {
		if b.erased || !x.spamTrash && (b.known == "Trash" || b.known == "Junk") {
			return false
		}
	}
	return true
}

// place implements mailRules: a folder is a mailbox.
func (x *exchange) place(m *mail) (boxes, flags []string) {
	if !x.there(m.folder) {
		return nil, nil
	}
	name := m.folder.known
	if name == "" {
		var names []string
		for b := m.folder; b != nil; b = b.parent {
			names = append([]string{b.name}, names...)
		}
		name = strings.Join(names, "/")
	}
	for flag, set := range m.flags {
		if set {
			flags = append(flags, flag)
		}
	}
	return []string{name}, flags
}

func openExchange(b *bench, d *dice) world {
	sim := b.startMicrosoft()
	x := &exchange{mailAccount: &mailAccount{b: b}, data: sim.data, spamTrash: d.chance(2)}
	b.tell("junk and deleted mail is moved: %v", x.spamTrash)
	for _, k := range wellKnownBoxes {
		x.boxes = append(x.boxes, &box{id: k[0], name: k[1], known: k[2]})
	}
	x.mailRules = x
	return newMailbox(x.mailAccount, func() sources.Source[sources.Message] {
		return microsoft.Mail(sim.connect(), user, microsoft.MailOptions{SpamTrash: x.spamTrash})
	})
}

func (x *exchange) forget() {
	must(x.data.ExpireMailDeltas(user))
	x.data.ExpireTokens()
}

func (x *exchange) edit(d *dice) string {
	switch d.IntN(17) {
	case 0, 1, 2:
		return x.addOne(d)
	case 3:
		return x.addBox(d)
	case 4, 5, 6, 7:
		if b, ok := x.someBox(d, func(b *box) bool { return b.known == "" }); ok {
			return x.editBox(d, b)
		}
	case 8:
		if m, ok := x.someMail(d, func(m *mail) bool { return m.flags[`\draft`] }); ok {
			return x.rewrite(d, m)
		}
	case 9:
		if m, ok := x.someMail(d, func(m *mail) bool { return m.folder == x.boxes[4] || m.folder == x.boxes[5] }); ok {
			b, _ := x.someBox(d, x.there)
			return x.moveTo(m, b)
		}
	}
	m, ok := x.someMail(d, any1)
	if !ok {
		return x.addOne(d)
	}
	switch d.IntN(7) {
	case 0, 1, 2:
		b, _ := x.someBox(d, func(*box) bool { return true })
		return x.moveTo(m, b)
	case 3: // into deleted items or junk
		return x.moveTo(m, x.boxes[4+d.IntN(2)])
	case 4:
		if d.chance(2) {
			must(x.data.DeleteMessage(user, m.id))
			m.erased = true
			return fmt.Sprintf("erase %v", m)
		}
	}
	return x.flag(d, m)
}

// editBox renames, moves, deletes or erases a folder.
func (x *exchange) editBox(d *dice, b *box) string {
	switch d.IntN(4) {
	case 0:
		name := pick(d, boxNames)
		if !x.free(name, b.parent) {
			return ""
		}
		did := fmt.Sprintf("%v is now %q", b, name)
		must(x.data.RenameFolder(user, b.id, name))
		b.name = name
		return did
	case 1:
		if d.chance(2) {
			must(x.data.DeleteFolder(user, b.id))
			b.erased = true
			return fmt.Sprintf("erase %v", b)
		}
	case 2:
		if d.chance(2) && x.there(b) {
			return x.moveBox(b, x.boxes[4])
		}
	}
	return x.moveBox(b, x.someParent(d, b))
}

// someBox returns a folder that is not erased and of which the condition holds.
func (x *exchange) someBox(d *dice, condition func(*box) bool) (*box, bool) {
	var found []*box
	for _, b := range x.boxes {
		if !x.erasedBox(b) && condition(b) {
			found = append(found, b)
		}
	}
	return pickAny(d, found)
}

func (x *exchange) erasedBox(b *box) bool {
	for ; b != nil; b = b.parent {
		if b.erased {
			return true
		}
	}
	return false
}

func (b *box) String() string {
	if b == nil {
		return "the top"
	}
	return fmt.Sprintf("folder %q", b.name)
}

func (b *box) in(other *box) bool {
	for ; b != nil; b = b.parent {
		if b == other {
			return true
		}
	}
	return false
}

func (x *exchange) addOne(d *dice) string {
	m := x.newMail(d)
	m.folder, _ = x.someBox(d, func(*box) bool { return true })
	if d.chance(2) {
		m.folder = x.boxes[0]
	}
	add := msim.Message{Raw: cloudsim.Bytes(m.raw), Received: m.at, Unread: d.chance(2), Flagged: d.chance(5), Important: d.chance(5), Draft: d.chance(8)}
	m.flags = map[string]bool{`\seen`: !add.Unread, `\flagged`: add.Flagged, "$important": add.Important, `\draft`: add.Draft}
	m.id = value(x.data.AddMessage(user, m.folder.id, add))
	x.mails = append(x.mails, m)
	return fmt.Sprintf("add %v to %v", m, m.folder)
}

// someMail returns a message that is in a folder.
func (x *exchange) someMail(d *dice, condition func(*mail) bool) (*mail, bool) {
	return x.some(d, func(m *mail) bool { return !x.erasedBox(m.folder) && condition(m) })
}

func (x *exchange) moveTo(m *mail, b *box) string {
	if m.folder == b {
		return ""
	}
	must(x.data.MoveMessage(user, m.id, b.id))
	did := fmt.Sprintf("move %v from %v to %v", m, m.folder, b)
	m.folder = b
	return did
}

func (x *exchange) flag(d *dice, m *mail) string {
	flag := pick(d, []string{`\seen`, `\flagged`, "$important", `\answered`, "$forwarded", "$red_category", "$blue"})
	set := !m.flags[flag]
	m.flags[flag] = set
	if flag == `\answered` || flag == "$forwarded" { // of both Exchange knows the last alone
		m.flags[`\answered`], m.flags["$forwarded"] = set && flag == `\answered`, set && flag == "$forwarded"
	}
	must(x.data.ChangeMessage(user, m.id, func(s *msim.Message) {
		s.Unread, s.Flagged, s.Important = !m.flags[`\seen`], m.flags[`\flagged`], m.flags["$important"]
		s.LastVerb = 0
		if m.flags[`\answered`] {
			s.LastVerb = 102
		} else if m.flags["$forwarded"] {
			s.LastVerb = 104
		}
		s.Categories = nil
		for _, c := range [][2]string{{"$red_category", "Red category"}, {"$blue", "Blue"}} {
			if m.flags[c[0]] {
				s.Categories = append(s.Categories, c[1])
			}
		}
	}))
	return fmt.Sprintf("set %s of %v to %v", flag, m, set)
}

// rewrite gives a draft another text.
func (x *exchange) rewrite(d *dice, m *mail) string {
	did := fmt.Sprintf("rewrite the draft %v", m)
	m.raw = x.newMail(d).raw
	must(x.data.ChangeMessage(user, m.id, func(s *msim.Message) { s.Raw = cloudsim.Bytes(m.raw) }))
	return did
}

var boxNames = []string{"Projects", "Alpha", "Beta", "Ärger", "Two Words"}

// free reports whether no folder in the parent has a name.
func (x *exchange) free(name string, parent *box) bool {
	return !slices.ContainsFunc(x.boxes, func(b *box) bool { return !b.erased && b.parent == parent && b.name == name })
}

// someParent returns a folder, or nil for the top.
func (x *exchange) someParent(d *dice, outside *box) *box {
	if d.chance(2) {
		return nil
	}
	b, _ := x.someBox(d, func(b *box) bool { return outside == nil || !b.in(outside) })
	return b
}

func (x *exchange) addBox(d *dice) string {
	parent := x.someParent(d, nil)
	name := pick(d, boxNames)
	if !x.free(name, parent) || len(x.boxes) > 14 {
		return ""
	}
	b := &box{name: name, parent: parent}
	names := []string{name}
	for up := parent; up != nil; up = up.parent {
		if up.known != "" {
			names = append([]string{up.id}, names...)
		} else {
			names = append([]string{up.name}, names...)
		}
	}
	b.id = value(x.data.Folder(user, strings.Join(names, "/")))
	x.boxes = append(x.boxes, b)
	return fmt.Sprintf("add %v in %v", b, parent)
}

func (x *exchange) moveBox(b, parent *box) string {
	if b.parent == parent || !x.free(b.name, parent) {
		return ""
	}
	into := ""
	if parent != nil {
		into = parent.id
	}
	must(x.data.MoveFolder(user, b.id, into))
	b.parent = parent
	return fmt.Sprintf("move %v into %v", b, parent)
}
