package google

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/api/people/v1"
	"google.golang.org/api/tasks/v1"

	"codeberg.org/repatriate/repatriate/internal/fieldwalk"
	"codeberg.org/repatriate/repatriate/mapping"
)

// losses is the document of what stays behind.
const losses = "../../docs/losses.md"

// TestFieldsOfContacts walks Google's description of a person.
func TestFieldsOfContacts(t *testing.T) {
	asked := append(strings.Split(personFields, ","), "resourceName", "etag")
	w := fieldwalk.Walk{
		Title:  "Contacts of Google",
		About:  "Of the fields of a [Person](https://developers.google.com/people/api/rest/v1/people#Person).",
		Fields: described(t, "people/v1/people-api.json", "Person"),
		Asked:  func(name string) bool { return slices.Contains(asked, name) },
		Probes: contactProbes,
		Left:   contactLeft,
		Behind: contactBehind,
		Write:  writtenContact,
	}
	w.Run(t)
	w.Compare(t, losses, *update)
}

// TestFieldsOfTasks walks Google's description of a task.
func TestFieldsOfTasks(t *testing.T) {
	w := fieldwalk.Walk{
		Title:  "Tasks of Google",
		About:  "Of the fields of a [Task](https://developers.google.com/workspace/tasks/reference/rest/v1/tasks#Task).",
		Fields: described(t, "tasks/v1/tasks-api.json", "Task"),
		Probes: taskProbes,
		Left:   taskLeft,
		Write:  writtenTask,
	}
	w.Run(t)
	w.Compare(t, losses, *update)
}

// described returns the fields of an object in a document of the version of google.golang.org/api that the module requires.
func described(t *testing.T, file, object string) []fieldwalk.Field {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "google.golang.org/api").Output()
	must(t, err)
	d, err := fieldwalk.Load(filepath.Join(strings.TrimSpace(string(dir)), filepath.FromSlash(file)))
	must(t, err)
	fields, err := d.Fields(object)
	must(t, err)
	return fields
}

// writtenContact returns the vCards of a person, in both versions. Each group that it is in has a name.
func writtenContact(t *testing.T, object []byte) (out []string) {
	t.Helper()
	var p people.Person
	must(t, json.Unmarshal(object, &p))
	groups := groupNames{names: map[string]string{}}
	for _, m := range p.Memberships {
		if m.ContactGroupMembership != nil {
			groups.names[m.ContactGroupMembership.ContactGroupResourceName] = m.ContactGroupMembership.ContactGroupResourceName
		}
	}
	it := (&contactSource{}).item(&p, groups)
	for _, v4 := range []bool{false, true} {
		card, _, err := mapping.ContactRules{Version4: v4}.Contact(it.Content)
		must(t, err)
		text := fieldwalk.Unfold(card.Data)
		if card.Photo.Open != nil {
			text += "PHOTO " + photoAddress(&p)
		}
		if it.Deleted {
			text = "DELETED"
		}
		out = append(out, text)
	}
	return out
}

// writtenTask returns the iCalendar object of a task.
func writtenTask(t *testing.T, object []byte) []string {
	t.Helper()
	var v tasks.Task
	must(t, json.Unmarshal(object, &v))
	it := taskItem(&v)
	if it.Deleted {
		return []string{"DELETED"}
	}
	todo, _, err := mapping.TaskRules{}.Task(it.Content)
	must(t, err)
	return []string{fieldwalk.Unfold(todo.Data)}
}

// day stands in the objects below where a date must be whole.
var (
	day      = map[string]any{".year": 2031, ".month": 5, ".day": 17}
	dayMarks = []string{"2031-05-17", "20310517"}
)

var contactProbes = []fieldwalk.Probe{
	{Fields: "resourceName", Value: "people/c17"}, // the UID is made of it
	{Fields: "**ate.year", Value: 2031, Marks: dayMarks, With: day},
	{Fields: "**ate.month", Value: 5, Marks: dayMarks, With: day},
	{Fields: "**ate.day", Value: 17, Marks: dayMarks, With: day},
	{Fields: "photos[].**", With: map[string]any{"photos[].url": "https://lh3.googleusercontent.com/a"}},
	{Fields: "photos[].url", Value: "https://lh3.googleusercontent.com/a", Marks: []string{"PHOTO"}},
	{Fields: "addresses[].**", With: map[string]any{"addresses[].city": "a"}},
	{Fields: "ageRanges[].**", With: map[string]any{"ageRanges[].ageRange": "TWENTY_ONE_OR_OLDER"}},
	{Fields: "biographies[].**", With: map[string]any{"biographies[].value": "a <b>c</b>"}},
	{Fields: "birthdays[].metadata.**", With: map[string]any{"birthdays[].date.month": 5, "birthdays[].date.day": 17}},
	{Fields: "calendarUrls[].**", With: map[string]any{"calendarUrls[].url": "https://example.org/"}},
	{Fields: "emailAddresses[].**", With: map[string]any{"emailAddresses[].value": "a@example.org"}},
	{Fields: "events[].**ype events[].metadata.**", With: map[string]any{"events[].date.month": 5, "events[].date.day": 17}},
	{Fields: "externalIds[].**", With: map[string]any{"externalIds[].value": "a"}},
	{Fields: "fileAses[].**", With: map[string]any{"fileAses[].value": "a"}},
	{Fields: "genders[].**", With: map[string]any{"genders[].value": "male"}},
	{Fields: "imClients[].**", With: map[string]any{"imClients[].username": "a"}},
	{Fields: "interests[].**", With: map[string]any{"interests[].value": "a"}},
	{Fields: "locales[].**", With: map[string]any{"locales[].value": "de"}},
	{Fields: "locations[].**", With: map[string]any{"locations[].value": "a"}},
	{Fields: "memberships[].**", With: map[string]any{"memberships[].contactGroupMembership.contactGroupResourceName": "contactGroups/a"}},
	{Fields: "miscKeywords[].**", With: map[string]any{"miscKeywords[].value": "a"}},
	{Fields: "names[].**", With: map[string]any{"names[].givenName": "a"}},
	{Fields: "nicknames[].**", With: map[string]any{"nicknames[].value": "a"}},
	{Fields: "occupations[].**", With: map[string]any{"occupations[].value": "a"}},
	{Fields: "organizations[].**", With: map[string]any{"organizations[].name": "a"}},
	{Fields: "phoneNumbers[].**", With: map[string]any{"phoneNumbers[].value": "1"}},
	{Fields: "relations[].**", With: map[string]any{"relations[].person": "a"}},
	{Fields: "sipAddresses[].**", With: map[string]any{"sipAddresses[].value": "sip:a@example.org"}},
	{Fields: "skills[].**", With: map[string]any{"skills[].value": "a"}},
	{Fields: "urls[].**", With: map[string]any{"urls[].value": "https://example.org/"}},
	{Fields: "*[].metadata.primary organizations[].current", First: map[string]any{ // where a target has one, it is the primary
		"birthdays":     map[string]any{"date": map[string]any{"year": 1999, "month": 4, "day": 16}},
		"fileAses":      map[string]any{"value": "first"},
		"genders":       map[string]any{"value": "first"},
		"names":         map[string]any{"givenName": "first"},
		"organizations": map[string]any{"name": "first"},
		"photos":        map[string]any{"url": "https://lh3.googleusercontent.com/first"},
	}},
	{Fields: "userDefined[].**", With: map[string]any{"userDefined[].value": "a", "userDefined[].key": "b"}},
}

var contactLeft = []fieldwalk.Left{
	{Fields: "braggingRights[].** relationshipInterests[].** relationshipStatuses[].** taglines[].**", Reason: "Google returns no data for it any more."},
	{Fields: "ageRange", Reason: "Google replaced it by `ageRanges`, which comes along."},
	{Fields: "residences[].**", Reason: "Google replaced it by `locations`, which comes along."},
	{Fields: "memberships[].contactGroupMembership.contactGroupId", Reason: "Google replaced it by `contactGroupResourceName`, which comes along as the group's name."},
	{Fields: "clientData[].**", Reason: "Programs keep it there for themselves; no address book shows it."},
	{Fields: "coverPhotos[].**", Reason: "The wide picture of a Google profile. No address book has a place for it; the photo comes along."},
	{Fields: "names[].displayNameLastFirst", Reason: "Google makes it from the parts of the name, which come along."},
	{Fields: "genders[].formattedValue", Reason: "It is `value` in the language of the reader."},
	{Fields: "memberships[].domainMembership.inViewerDomain", Reason: "It says whether the person has an account in the organisation at Google."},
	{Fields: "etag metadata.sources[].etag metadata.sources[].id metadata.sources[].type metadata.sources[].profileMetadata.** metadata.objectType",
		Reason: "Google's own account of the entry and its versions."},
	{Fields: "metadata.previousResourceNames[] metadata.linkedPeopleResourceNames[]", Reason: "Names that the entry has or had within Google."},
	{Fields: "*[].metadata.source.** *[].metadata.sourcePrimary", Reason: "It says where Google has the value from."},
	{Fields: "*[].metadata.verified", Reason: "It says whether Google checked the value. The value comes along."},
	{Fields: "ageRanges[].metadata.primary biographies[].metadata.primary events[].metadata.primary externalIds[].metadata.primary " +
		"interests[].metadata.primary locales[].metadata.primary locations[].metadata.primary memberships[].metadata.primary " +
		"miscKeywords[].metadata.primary nicknames[].metadata.primary occupations[].metadata.primary relations[].metadata.primary " +
		"skills[].metadata.primary userDefined[].metadata.primary",
		Reason: "Which of several values Google shows first. All of them come along."},
}

var contactBehind = []fieldwalk.Left{
	{Fields: "addresses[].formattedType calendarUrls[].formattedType emailAddresses[].formattedType events[].formattedType imClients[].formattedType " +
		"organizations[].formattedType phoneNumbers[].formattedType relations[].formattedType sipAddresses[].formattedType urls[].formattedType",
		Reason: "`type`. This is the same in the language of the reader."},
	{Fields: "imClients[].formattedProtocol", Reason: "`protocol`. This is the same in the language of the reader."},
	{Fields: "externalIds[].type", Reason: "`formattedType`, which is the same in the language of the reader."},
	{Fields: "names[].unstructuredName", Reason: "`displayName`, which shows the same name."},
	{Fields: "addresses[].formattedValue", Reason: "The parts of the address, of which Google makes it."},
	{Fields: "addresses[].countryCode", Reason: "`country`, the name of the same country."},
	{Fields: "phoneNumbers[].canonicalForm", Reason: "`value`, the same number as the user wrote it."},
}

var taskProbes = []fieldwalk.Probe{
	{Fields: "id parent", Value: "17"}, // the UID is made of it
	{Fields: "due", Value: "2031-05-17T00:00:00.000Z", Marks: []string{"20310517"}},
	{Fields: "completed", Value: "2031-05-17T10:11:12.000Z", Marks: []string{"20310517T101112Z"}, With: map[string]any{"status": "completed"}},
	{Fields: "updated", Value: "2031-05-17T10:11:12.000Z", Marks: []string{"20310517T101112Z"}},
	{Fields: "status", Value: "completed", Marks: []string{"STATUS:COMPLETED"}},
	{Fields: "position", Value: "00000000000000000017", Marks: []string{"SORT-ORDER:17"}},
	{Fields: "webViewLink", Value: "https://example.org/17", Marks: []string{"https://example.org/17"}},
}

var taskLeft = []fieldwalk.Left{
	{Fields: "kind selfLink etag", Reason: "Google's own account of the entry and its versions."},
	{Fields: "hidden", Reason: "It says that a completed task was cleared away from Google's list. On the target it is a completed task like others."},
	{Fields: "assignmentInfo.driveResourceInfo.** assignmentInfo.spaceInfo.space",
		Reason: "Ids of the document or the room in which the task was assigned. `linkToTask` comes along and leads there."},
}
