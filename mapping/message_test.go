package mapping_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sources"
)

func label(role sources.LabelRole, path string) sources.Label {
	return sources.Label{ID: path, Path: strings.Split(path, "/"), Role: role}
}

func TestMessageMailboxes(t *testing.T) {
	inbox, sent, drafts := label(sources.RoleInbox, "Inbox"), label(sources.RoleSent, "Sent"), label(sources.RoleDrafts, "Drafts")
	spam, trash := label(sources.RoleSpam, "SPAM"), label(sources.RoleTrash, "TRASH")
	promo := label(sources.RoleCategory, "Promotions")
	a, b := label(sources.RoleNone, "Projects/Alpha"), label(sources.RoleNone, "Zeta")
	for name, c := range map[string]struct {
		labels       []sources.Label
		box, use     string
		flags        string
		copies       string
		lossesOneBox int
	}{
		"no label":              {nil, "Archive", `\Archive`, "", "", 0},
		"inbox":                 {[]sources.Label{inbox}, "INBOX", "", "", "", 0},
		"inbox and label":       {[]sources.Label{b, inbox}, "INBOX", "", "$zeta", "Zeta", 1},
		"to oneself":            {[]sources.Label{sent, inbox}, "INBOX", "", "$sent", "Sent", 1},
		"a label named INBOX":   {[]sources.Label{label(sources.RoleNone, "INBOX")}, "Inbox", "", "", "", 0},
		"labels alone":          {[]sources.Label{b, a}, "Projects/Alpha", "", "$zeta", "Zeta", 1},
		"category":              {[]sources.Label{inbox, promo}, "INBOX", "", "$promotions", "", 0},
		"archived and category": {[]sources.Label{promo}, "Archive", `\Archive`, "$promotions", "", 0},
		"draft":                 {[]sources.Label{a, drafts}, "Drafts", `\Drafts`, "$projects/alpha", "", 1},
		"spam":                  {[]sources.Label{inbox, spam}, "Junk", `\Junk`, "$inbox", "", 1},
		"trash":                 {[]sources.Label{sent, trash, a}, "Trash", `\Trash`, "$sent $projects/alpha", "", 2},
		"empty level":           {[]sources.Label{label(sources.RoleNone, "a//b")}, "a/b", "", "", "", 0},
		"nameless label":        {[]sources.Label{label(sources.RoleNone, "/ /")}, "Archive", `\Archive`, "", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			one, losses, err := mapping.MailRules{}.Message(sources.Message{Labels: c.labels})
			if err != nil || strings.Join(one.Mailbox.Path, "/") != c.box || one.Mailbox.Use != c.use {
				t.Errorf("mailbox %v, %v", one.Mailbox, err)
			}
			if strings.Join(one.Flags, " ") != c.flags || len(one.Copies) > 0 || len(losses) != c.lossesOneBox {
				t.Errorf("flags %q, copies %v, losses %v", one.Flags, one.Copies, losses)
			}
			many, losses, err := mapping.MailRules{Labels: "copies"}.Message(sources.Message{Labels: c.labels})
			var copies []string
			for _, m := range many.Copies {
				copies = append(copies, strings.Join(m.Path, "/"))
			}
			if err != nil || strings.Join(copies, " ") != c.copies || len(copies)+len(losses) != c.lossesOneBox || many.Mailbox.Use != one.Mailbox.Use {
				t.Errorf("copies %q, losses %v, %v", copies, losses, err)
			}
		})
	}
}

func TestMessageFlags(t *testing.T) {
	m := sources.Message{Read: true, Starred: true, Important: true, Draft: true, Answered: true, Forwarded: true,
		Categories: []string{"YELLOW_STAR", "YELLOW_STAR"}, Received: time.Unix(1, 0), MessageID: "a@b", Body: sources.Body{Version: "v", Size: 7}}
	out, _, err := mapping.MailRules{}.Message(m)
	want := []string{`\Seen`, `\Flagged`, `\Draft`, `\Answered`, "$Forwarded", "$Important", "$yellow_star"}
	if err != nil || !slices.Equal(out.Flags, want) {
		t.Errorf("flags %q, %v", out.Flags, err)
	}
	if !out.InternalDate.Equal(m.Received) || out.MessageID != "a@b" || out.Body.Version != "v" || out.Body.Size != 7 {
		t.Errorf("%+v", out)
	}
}

func TestLabelKeywords(t *testing.T) {
	for name, want := range map[string]string{
		"Work": "$work", "To do": "$to_do", "Größe": "$gr&APYA3w-e", "a(b)c": "$a_b_c_456e6469", "a_b_c": "$a_b_c_b3f2d26e", "Junk": "$junk_ef875a17", "Label1": "$label1_e480182d", "日本語": "$&ZeVnLIqe-",
		strings.Repeat("long ", 20): "$long_long_long_long_long_long_long_long__ca75507b",
	} {
		m := sources.Message{Labels: []sources.Label{label(sources.RoleInbox, "INBOX"), {ID: "x", Path: []string{name}}}}
		out, losses, _ := mapping.MailRules{}.Message(m)
		if len(out.Flags) != 1 || out.Flags[0] != want {
			t.Errorf("%q became %q, want %s", name, out.Flags, want)
		}
		if len(losses) != 1 || !strings.Contains(losses[0].Detail, name) {
			t.Errorf("%q: losses %v", name, losses)
		}
	}
}

func FuzzLabelKeyword(f *testing.F) {
	f.Add("Work", "To do")
	f.Add(strings.Repeat("long ", 30), "\xff\x00]")
	f.Fuzz(func(t *testing.T, a, b string) {
		m := sources.Message{Labels: []sources.Label{label(sources.RoleInbox, "INBOX"), {Path: []string{a, b}}}, Categories: []string{a}}
		out, _, err := mapping.MailRules{}.Message(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range out.Flags {
			if len(k) > 50 || len(k) < 2 || strings.ContainsFunc(k, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`(){%*"\]`, r) }) {
				t.Errorf("%q, %q became %q, which is no keyword", a, b, k)
			}
		}
	})
}

// Two labels that a person tells apart have two keywords.
func FuzzLabelKeywordsDiffer(f *testing.F) {
	f.Add("a b", "a_b")
	f.Add("a(b", "a)b")
	f.Add("&", "&-")
	f.Add(strings.Repeat("x", 60)+"1", strings.Repeat("x", 60)+"2")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, s := range []string{a, b} {
			for _, r := range s {
				if r >= 0x80 { // in modified UTF-7 case counts, in keywords it does not
					t.Skip()
				}
			}
		}
		one, _, _ := mapping.MailRules{}.Message(sources.Message{Labels: []sources.Label{label(sources.RoleInbox, "Inbox"), {Path: []string{a}}, {Path: []string{b}}}})
		distinct := !strings.EqualFold(a, b) && strings.TrimSpace(a) != "" && strings.TrimSpace(b) != ""
		if distinct && len(one.Flags) != 2 {
			t.Errorf("%q and %q are both %q", a, b, one.Flags)
		}
	})
}
