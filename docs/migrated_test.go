package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/docs"
	"codeberg.org/repatriate/repatriate/sources"
)

// migrated returns docs/migrated.md without its lists of losses, which are made from reasons.md, and by section.
func migrated(t *testing.T) (whole string, section func(title string) string) {
	t.Helper()
	text, err := os.ReadFile("migrated.md")
	if err != nil {
		t.Fatal(err)
	}
	whole = regexp.MustCompile(`(?s)<!-- losses: .*?<!-- end -->`).ReplaceAllString(string(text), "")
	return whole, func(title string) string {
		_, after, ok := strings.Cut(whole, "\n## "+title+"\n")
		if !ok {
			t.Fatalf("migrated.md has no section %s", title)
		}
		before, _, _ := strings.Cut(after, "\n## ")
		return before
	}
}

// TestMigratedReasons: the tables of migrated.md name reasons that there are, and each loss of a kind in its section.
func TestMigratedReasons(t *testing.T) {
	whole, section := migrated(t)
	known := map[string]bool{}
	sections := map[string]string{"file": "Files", "mail": "Mail", "event": "Calendars", "contact": "Contacts", "task": "Tasks"}
	n := 0
	for _, r := range docs.ListReasons() {
		known[r.Name] = true
		kind, _, _ := strings.Cut(r.Name, ".")
		if title, loss := sections[kind]; loss {
			if n++; !strings.Contains(section(title), "`"+r.Name+"`") {
				t.Errorf("the section %s of migrated.md does not say what %s concerns", title, r.Name)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d losses were found", n)
	}
	for _, m := range regexp.MustCompile("`((?:file|mail|event|contact|task|source|target)\\.[a-z_]+)`").FindAllStringSubmatch(whole, -1) {
		if !known[m[1]] {
			t.Errorf("migrated.md names %s, which is no reason", m[1])
		}
	}
}

// TestMigratedProperties: the properties and flags in which things are said to land are written by the mapping.
func TestMigratedProperties(t *testing.T) {
	var written strings.Builder
	for _, dir := range []string{"../mapping", "../internal/icalendar", "../sinks/carddav"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			written.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	whole, _ := migrated(t)
	n := 0
	for _, m := range regexp.MustCompile("`([A-Z][A-Z-]+[A-Z]|X-AB[A-Za-z]+|N|\\\\[A-Z][a-z]+|\\$[A-Z][a-z]+)`").FindAllStringSubmatch(whole, -1) {
		n++
		if code := written.String(); !strings.Contains(code, `"`+m[1]+`"`) && !strings.Contains(code, "`"+m[1]+"`") {
			t.Errorf("migrated.md says that something lands in %s, which the mapping does not write", m[1])
		}
	}
	if n < 50 {
		t.Errorf("only %d properties were found", n)
	}
}

// toldAs says in which words migrated.md tells of each field that sources hand to the mapping. Those without a word are not for people:
// ids, and what only says how to read the others.
var toldAs = map[string]map[string]string{
	"Files": {
		"Name": "names", "ParentID": "folders", "Orphan": "_Orphans", "Type": "shortcuts", "MediaType": "type of content",
		"ExportType": "docx", "Extension": "docx", "Created": "times of creation", "Modified": "of the last change",
		"TargetName": "link file", "TargetLink": "link file", "Body": "the same bytes",
	},
	"Mail": {
		"Labels": "a label", "Received": "time of arrival", "Read": "read", "Starred": "star", "Important": "important", "Draft": "draft",
		"Answered": "answered", "Forwarded": "forwarded", "Categories": "categories", "MessageID": "Message-ID", "Body": "byte by byte",
	},
	"Calendars": {
		"ID": "", "OriginalStart": "changed days", "Start": "start", "End": "end", "EndUnspecified": "event.end_unspecified", "Recurrence": "recurrence",
		"Summary": "title", "Location": "place", "Description": "description", "Status": "confirmed", "Visibility": "confidential", "Free": "free or busy",
		"Busy": "working elsewhere", "Importance": "importance", "Geo": "map", "Categories": "categories", "Type": "focus time", "TypeDetail": "",
		"Organizer": "organizer", "Attendees": "guests", "AttendeesOmitted": "event.attendees_omitted", "GuestsHidden": "may not see one another",
		"Reminders": "reminders", "Created": "created", "Updated": "changed", "Days": "recurrence", "Sequence": "its revision", "Color": "colour", "Link": "",
		"ConferenceLink": "video conference", "ConferenceName": "video conference",
		"ConferenceWays": "telephone numbers", "ConferenceNotes": "its notes", "Attachments": "attachments", "SourceURL": "made from", "SourceTitle": "made from",
	},
	"Contacts": {
		"ID": "", "Name": "name with its parts", "FileAs": "sort name", "Nicknames": "nicknames", "Emails": "mail addresses", "Phones": "numbers",
		"URLs": "web pages", "Relations": "relations", "Calendars": "calendars", "IMs": "messengers", "Addresses": "postal addresses",
		"Organizations": "company", "Occupations": "occupation", "Gender": "gender", "Birthdays": "birthday", "Dates": "other dates", "Notes": "notes",
		"NotesHTML": "notes", "Groups": "groups", "Starred": "the star", "Others": "all other fields", "Photo": "photo", "Updated": "changed",
		"Truncated": "more than 100",
	},
	"Tasks": {
		"ID": "", "ParentID": "subtasks", "Position": "order", "Title": "title", "Notes": "notes", "NotesHTML": "", "Start": "start", "Due": "due",
		"Completed": "and when", "Done": "done", "Status": "in progress", "Importance": "importance", "Categories": "categories", "Reminder": "reminder",
		"Recurrence": "recurrence", "Checklist": "steps", "Links": "made from", "Link": "the page at the provider", "Created": "created", "Updated": "changed",
		"Attachments": "files",
	},
}

// TestMigratedFields: whatever sources read of an item, migrated.md tells where it lands.
func TestMigratedFields(t *testing.T) {
	_, section := migrated(t)
	for title, of := range map[string]reflect.Type{
		"Files": reflect.TypeFor[sources.File](), "Mail": reflect.TypeFor[sources.Message](), "Calendars": reflect.TypeFor[sources.Occurrence](),
		"Contacts": reflect.TypeFor[sources.Contact](), "Tasks": reflect.TypeFor[sources.Task](),
	} {
		var fields []string
		for i := range of.NumField() {
			name := of.Field(i).Name
			fields = append(fields, name)
			word, told := toldAs[title][name]
			if !told {
				t.Errorf("%s: say in migrated.md where %s lands, and here with which word", title, name)
			} else if !strings.Contains(section(title), word) {
				t.Errorf("%s: migrated.md does not tell of %s: %q", title, name, word)
			}
		}
		for name := range toldAs[title] {
			if !slices.Contains(fields, name) {
				t.Errorf("%s: sources have no %s any more", title, name)
			}
		}
	}
}
