package htmlreport

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/docs"
)

func languages(t *testing.T) map[string]*language {
	t.Helper()
	all := map[string]*language{}
	for _, name := range Languages() {
		l, err := loadLanguage(name, "PROVIDER")
		if err != nil {
			t.Fatal(err)
		}
		all[name] = l
	}
	if all["en"] == nil || all["fr"] == nil {
		t.Fatalf("languages: %q", Languages())
	}
	return all
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// TestLanguagesSayTheSame: each text is in every language, with the same words in braces.
func TestLanguagesSayTheSame(t *testing.T) {
	all := languages(t)
	inBraces := func(s string) string {
		return strings.Join(slices.Compact(slices.Sorted(slices.Values(placeholder.FindAllString(s, -1)))), " ")
	}
	for name, l := range all {
		for key, text := range all["en"].Text {
			if l.Text[key] == "" || inBraces(l.Text[key]) != inBraces(text) {
				t.Errorf("%s: %s is %q, in English %q", name, key, l.Text[key], text)
			}
		}
		if len(l.Text) != len(all["en"].Text) || len(l.Reasons) != len(docs.ListReasons()) {
			t.Errorf("%s has %d texts and %d reasons; English has %d, and there are %d", name, len(l.Text), len(l.Reasons), len(all["en"].Text), len(docs.ListReasons()))
		}
		for _, r := range docs.ListReasons() {
			texts, english := l.Reasons[r.Name], all["en"].Reasons[r.Name]
			if texts[0] == "" || (texts[1] == "") != (english[1] == "") {
				t.Errorf("%s: %s is %q, in English %q", name, r.Name, texts, english)
			}
		}
		if n := len(strings.Fields(l.Text["months"])); n != 12 {
			t.Errorf("%s has %d months", name, n)
		}
	}
}

// TestTextsForPeople: no word of administrators' or of this program's own is in them.
func TestTextsForPeople(t *testing.T) {
	jargon := regexp.MustCompile(`(?i)\b(target|source|sink|ledger|retry|sync|API|IMAP|WebDAV|CalDAV|UID|quota|token|scope|server|serveur|cible|HTTP)\b`)
	for name, l := range languages(t) {
		for key, text := range l.Text {
			if text = placeholder.ReplaceAllString(text, ""); jargon.MatchString(text) {
				t.Errorf("%s: %s says %q", name, key, text)
			}
		}
		for key, texts := range l.Reasons {
			if text := placeholder.ReplaceAllString(texts[0]+" "+texts[1], ""); jargon.MatchString(text) {
				t.Errorf("%s: %s says %q", name, key, text)
			}
		}
	}
}

// TestTextsExist: every text that the code asks for by name is there, and no other.
func TestTextsExist(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{"months": true, "thousands": true, "date": true}
	for _, path := range sources {
		code, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`say\("([a-z.]+)"[,)]`).FindAllStringSubmatch(string(code), -1) {
			asked[m[1]] = true
		}
	}
	for _, key := range append(slices.Clone(kindOrder), "item", "changed", "allchanged", "left", "open", "more") {
		asked[key+".one"], asked[key+".other"] = true, true
	}
	for _, r := range Rules {
		asked["grade."+r.Grade.String()], asked["grade."+r.Grade.String()+".text"] = true, true
	}
	for _, kind := range kindOrder {
		asked["find."+kind] = true
	}
	asked["missing"], asked["lossy"], asked["harmless"] = true, true, true
	asked["also"] = true
	texts := languages(t)["en"].Text
	for key := range asked {
		if texts[key] == "" {
			t.Errorf("the text %s is missing", key)
		}
	}
	for key := range texts {
		if !asked[strings.TrimSuffix(key, ".drive")] {
			t.Errorf("nobody asks for the text %s", key)
		}
	}
}

func TestNumbersInWords(t *testing.T) {
	all := languages(t)
	for _, c := range []struct{ got, want string }{
		{all["en"].count("mail", 0), "messages"},
		{all["fr"].count("mail", 0), "message"},
		{all["en"].count("mail", 1), "message"},
		{all["fr"].count("mail", 2), "messages"},
		{all["en"].number(1234567), "1,234,567"},
		{all["fr"].number(-1234), "-1\u202f234"},
		{all["fr"].number(999), "999"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	if why, do := all["en"].reason("file.of_the_future"); why != "Something unforeseen went wrong." || do == "" {
		t.Errorf("an unknown reason: %q, %q", why, do)
	}
	if err := CheckLanguage("de"); err == nil || !strings.Contains(err.Error(), "en, fr") {
		t.Errorf("a language that there is not: %v", err)
	}
}

// TestOurOwnNames: mailboxes that the program names are called as in the reader's language, and those of users as they are.
func TestOurOwnNames(t *testing.T) {
	all := languages(t)
	for _, c := range []struct{ lang, provider, kind, name, want string }{
		{"fr", "", "mail", "INBOX", "Boîte de réception"},
		{"fr", "", "mail", "Sent", "Messages envoyés (Sent)"},
		{"fr", "", "mail", "INBOX.Drafts", "Brouillons (INBOX.Drafts)"},
		{"fr", "", "mail", "INBOX/Trash", "Corbeille (INBOX/Trash)"},
		{"fr", "", "mail", "Projects/Sent", "Projects/Sent"},
		{"fr", "", "mail", "Sent_1", "Sent_1"},
		{"en", "", "mail", "Junk", "Junk"},
		{"en", "", "mail", "INBOX", "Inbox"},
		{"fr", "Google Workspace", "contacts", "Other contacts", "Autres contacts (Other contacts)"},
		{"fr", "Microsoft 365", "contacts", "Other contacts", "Other contacts"},
		{"fr", "Google Workspace", "calendar", "Sent", "Sent"},
	} {
		p := &People{lang: all[c.lang], job: &Job{Provider: c.provider}}
		got := p.collection(c.kind, c.name)
		if c.kind == "mail" {
			got = p.mailbox(c.name)
		}
		if got != c.want {
			t.Errorf("%s, %s %q: %q, want %q", c.lang, c.kind, c.name, got, c.want)
		}
	}
}

// TestNewNames: one name for everything, or others for some kinds, each said once.
func TestNewNames(t *testing.T) {
	l := languages(t)["en"]
	for _, c := range []struct {
		account Account
		want    string
	}{
		{Account{Source: "ada@x", Target: "ada@x"}, ""},
		{Account{Source: "ada@x", Target: "ada"}, "Your new account is called ada."},
		{Account{Source: "drive:0A", Target: "projects"}, "Its new place is called projects."},
		{Account{Source: "ada@x", Target: "ada@x", Targets: map[string]string{"mail": "a.l"}},
			"Your new account is called ada@x. Mail: it is called a.l there."},
		{Account{Source: "ada@x", Target: "ada", Targets: map[string]string{"tasks": "dav", "calendar": "dav", "mail": "a.l"}},
			"Your new account is called ada. Mail: it is called a.l there. Calendars, Task lists: it is called dav there."},
	} {
		if got := l.newNames(c.account); got != c.want {
			t.Errorf("%+v: %q, want %q", c.account, got, c.want)
		}
	}
}
