package htmlreport

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/report"
)

//go:embed lang
var languageFiles embed.FS

// language holds the texts for people in one language: lang/NAME.json. Words in braces are replaced.
type language struct {
	Name string `json:"-"`
	// Text has the texts of the page; what counts something has two, one of them for one thing.
	Text map[string]string `json:"text"`
	// Reasons say of each reason why something is as it is, and what its owner can do; the latter may be empty.
	Reasons map[string][2]string `json:"reasons"`
	// Details has the forms in which details are written, by reason, and what the language says instead. A reason that begins with "*."
	// stands for all that end so. A form that is nothing but a word in braces is text of users, which stays.
	Details map[string][][2]string `json:"details"`
	phrases phrases
	// provider takes the place of {provider}.
	provider string
}

// Languages returns the names of the languages of pages for people.
func Languages() []string {
	entries, err := languageFiles.ReadDir("lang")
	if err != nil {
		panic(err) // it is part of the binary
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".json"))
	}
	return out
}

// CheckLanguage refuses a language that there is not.
func CheckLanguage(name string) error {
	if !slices.Contains(Languages(), name) {
		return fmt.Errorf("--lang %q is none of %s", name, strings.Join(Languages(), ", "))
	}
	return nil
}

// unbroken keeps French marks on the line of their word: no line begins with a colon, or ends with a quotation mark that opens. The forms of
// details have none of these. JSON has a blank of its own after a colon, and none before it.
var unbroken = strings.NewReplacer(" :", "\u00a0:", " ;", "\u202f;", " !", "\u202f!", " ?", "\u202f?", "« ", "«\u00a0", " »", "\u00a0»")

func loadLanguage(name, provider string) (*language, error) {
	if err := CheckLanguage(name); err != nil {
		return nil, err
	}
	b, err := languageFiles.ReadFile("lang/" + name + ".json")
	if err != nil {
		return nil, err
	}
	b = []byte(unbroken.Replace(string(b)))
	l := &language{Name: name, provider: provider}
	if err := json.Unmarshal(b, l); err != nil {
		return nil, fmt.Errorf("texts of the language %s: %w", name, err)
	}
	l.phrases = phrasesOf(l.Details, provider)
	return l, nil
}

// say returns a text with values in the place of words in braces, given as pairs.
func (l *language) say(key string, pairs ...string) string {
	return l.fill(l.Text[key], pairs...)
}

// about returns say for the page of an account: a drive is nobody's, and some texts have another form for it.
func (l *language) about(a Account) func(key string, pairs ...string) string {
	return func(key string, pairs ...string) string {
		if drive := key + ".drive"; strings.HasPrefix(a.Source, report.DrivePrefix) && l.Text[drive] != "" {
			key = drive
		}
		return l.say(key, pairs...)
	}
}

func (l *language) fill(text string, pairs ...string) string {
	all := []string{"{provider}", l.provider}
	for i := 0; i+1 < len(pairs); i += 2 {
		all = append(all, "{"+pairs[i]+"}", pairs[i+1])
	}
	return strings.NewReplacer(all...).Replace(text)
}

// count returns the form of a text that goes with a number, which stands for {n}.
func (l *language) count(key string, n int64) string {
	form := ".other"
	if n == 1 || n == 0 && l.Name == "fr" {
		form = ".one"
	}
	return l.say(key+form, "n", l.number(n))
}

func (l *language) number(n int64) string { return grouped(n, l.Text["thousands"]) }

func (l *language) date(t time.Time) string {
	months := strings.Fields(l.Text["months"])
	return l.say("date", "day", fmt.Sprint(t.Day()), "month", months[t.Month()-1], "year", fmt.Sprint(t.Year()))
}

// reason returns why something is as it is, and what to do. A reason without a text is one that nobody foresaw.
func (l *language) reason(name string) (why, do string) {
	texts, ok := l.Reasons[name]
	if !ok {
		texts = l.Reasons["unknown"]
	}
	return l.fill(texts[0]), l.fill(texts[1])
}
