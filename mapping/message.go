package mapping

import (
	"cmp"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// Losses of mail.
const (
	// MailLabelAsKeyword: a label beside the message's own mailbox is kept as an IMAP keyword.
	MailLabelAsKeyword = "mail.label_as_keyword"
	// MailRebuilt: the provider could not give the message, which was put together from its parts.
	MailRebuilt = "mail.rebuilt"
)

// MailRules say how mail is mapped. The zero MailRules put each message into one mailbox.
type MailRules struct {
	// Labels says what becomes of a message's labels beside the one that chooses its mailbox: "primary" (also the
	// default) keeps them as keywords, "copies" shows the message in a mailbox for each.
	Labels string
}

// Message maps a message. One message is one message, whatever the number of its labels: its mailbox is the first of
// trash, spam, drafts, inbox, sent that it has, else that of its first label by name, else the archive. What lies in trash,
// spam or drafts lies nowhere else, for a copy in a label's mailbox would bring it back.
func (r MailRules) Message(m sources.Message) (sinks.Message, []Loss, error) {
	out := sinks.Message{
		InternalDate: m.Received, MessageID: m.MessageID, Flags: flagsOf(m),
		Body: sinks.Body{Version: m.Body.Version, Size: m.Body.Size, MD5: m.Body.MD5, SHA256: m.Body.SHA256, Open: m.Body.Open, Differs: m.Body.Differs},
	}
	places, categories := sortLabels(m.Labels)
	if len(places) == 0 {
		places = []sources.Label{{Role: sources.RoleArchive}}
	}
	out.Mailbox = mailboxOf(places[0])
	for _, l := range categories {
		out.Flags = append(out.Flags, keyword(l.Path...))
	}
	for _, c := range m.Categories {
		out.Flags = append(out.Flags, keyword(words(c)))
	}
	var losses []Loss
	for _, l := range places[1:] {
		if r.Labels == "copies" && !alone(places[0].Role) {
			out.Copies = append(out.Copies, mailboxOf(l))
			continue
		}
		k := keyword(l.Path...)
		out.Flags = append(out.Flags, k)
		losses = append(losses, Loss{Reason: MailLabelAsKeyword, Detail: `the label "` + strings.Join(l.Path, "/") + `" is now the keyword ` + k})
	}
	out.Flags = unique(out.Flags)
	return out, losses, nil
}

// words returns a category as words: YELLOW_STAR is how a provider writes its own.
func words(category string) string {
	if category == strings.ToUpper(category) {
		return strings.ReplaceAll(category, "_", " ")
	}
	return category
}

func alone(r sources.LabelRole) bool {
	return r == sources.RoleTrash || r == sources.RoleSpam || r == sources.RoleDrafts
}

// specialMailboxes are the mailboxes of system labels. A server's own mailbox of the same use is taken instead.
var specialMailboxes = map[sources.LabelRole]sinks.Mailbox{
	sources.RoleInbox:   {Path: []string{"INBOX"}},
	sources.RoleSent:    {Path: []string{"Sent"}, Use: `\Sent`},
	sources.RoleDrafts:  {Path: []string{"Drafts"}, Use: `\Drafts`},
	sources.RoleSpam:    {Path: []string{"Junk"}, Use: `\Junk`},
	sources.RoleTrash:   {Path: []string{"Trash"}, Use: `\Trash`},
	sources.RoleArchive: {Path: []string{"Archive"}, Use: `\Archive`},
}

// precedence is the order in which system labels choose the mailbox.
var precedence = []sources.LabelRole{
	sources.RoleTrash, sources.RoleSpam, sources.RoleDrafts, sources.RoleInbox, sources.RoleSent, sources.RoleArchive,
}

// sortLabels divides a message's labels into those that are mailboxes and the others, each in the order in which they
// count.
func sortLabels(labels []sources.Label) (places, categories []sources.Label) {
	for _, l := range labels {
		switch {
		case l.Role == sources.RoleCategory:
			categories = append(categories, l)
		case slices.Contains(precedence, l.Role), len(mailboxOf(l).Path) > 0:
			places = append(places, l)
		}
	}
	rank := func(l sources.Label) int {
		if i := slices.Index(precedence, l.Role); i >= 0 {
			return i
		}
		return len(precedence)
	}
	byPath := func(a, b sources.Label) int { return slices.Compare(a.Path, b.Path) }
	slices.SortStableFunc(places, func(a, b sources.Label) int { return cmp.Or(rank(a)-rank(b), byPath(a, b)) })
	slices.SortStableFunc(categories, byPath)
	return places, categories
}

// mailboxOf returns the mailbox of a label. Levels without a name, which a label such as "a//b" has, are left out.
func mailboxOf(l sources.Label) sinks.Mailbox {
	if m, special := specialMailboxes[l.Role]; special {
		return m
	}
	path := slices.DeleteFunc(slices.Clone(l.Path), func(s string) bool { return strings.TrimSpace(s) == "" })
	if len(path) == 1 && path[0] == "INBOX" { // a label of that name is not the inbox; the sink gives it another one
		path[0] = "Inbox"
	}
	return sinks.Mailbox{Path: path}
}

// flagsOf returns the flags of RFC 9051 §2.3.2 and the keywords of the IANA registry that say the message's state.
func flagsOf(m sources.Message) []string {
	var flags []string
	for _, f := range []struct {
		set  bool
		flag string
	}{
		{m.Read, `\Seen`}, {m.Starred, `\Flagged`}, {m.Draft, `\Draft`}, {m.Answered, `\Answered`},
		{m.Forwarded, "$Forwarded"}, {m.Important, "$Important"},
	} {
		if f.set {
			flags = append(flags, f.flag)
		}
	}
	return flags
}

// unique returns the flags without repetitions; flags are compared without regard to case (RFC 9051 §2.3.2).
func unique(flags []string) []string {
	seen := make(map[string]bool, len(flags))
	return slices.DeleteFunc(flags, func(f string) bool {
		k := strings.ToLower(f)
		twice := seen[k]
		seen[k] = true
		return twice
	})
}
