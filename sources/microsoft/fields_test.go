package microsoft

import (
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/fieldwalk"
	"codeberg.org/repatriate/repatriate/mapping"
)

var update = flag.Bool("update", false, "write the document of what stays behind anew")

// losses is the document of what stays behind.
const losses = "../../docs/losses.md"

// TestFieldsOfContacts walks Graph's description of a contact. Without a $select, Graph gives all but what has to be expanded.
func TestFieldsOfContacts(t *testing.T) {
	w := fieldwalk.Walk{
		Title:  "Contacts of Microsoft",
		About:  "Of the fields of a [contact](https://learn.microsoft.com/graph/api/resources/contact).",
		Fields: described(t, "microsoft.graph.contact"),
		Probes: contactProbes,
		Left:   contactLeft,
		Write:  writtenContact,
	}
	w.Run(t)
	w.Compare(t, losses, *update)
}

// TestFieldsOfTasks walks Graph's description of a task, its steps and its links among it.
func TestFieldsOfTasks(t *testing.T) {
	w := fieldwalk.Walk{
		Title: "Tasks of Microsoft",
		About: "Of the fields of a [todoTask](https://learn.microsoft.com/graph/api/resources/todotask), " +
			"with its checklistItems and linkedResources.",
		Fields: described(t, "microsoft.graph.todoTask"),
		Probes: taskProbes,
		Left:   taskLeft,
		Behind: taskBehind,
		Write:  writtenTask,
	}
	w.Run(t)
	w.Compare(t, losses, *update)
}

// described returns the fields of an object in Graph's document. Where that is not at hand the test is skipped, but not in CI.
func described(t *testing.T, object string) []fieldwalk.Field {
	t.Helper()
	d, err := fieldwalk.Load(specification)
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") == "" {
		t.Skip("Graph's document is not at hand")
	}
	must(t, err)
	fields, err := d.Fields(object)
	must(t, err)
	return fields
}

// writtenContact returns the vCards of a contact, in both versions.
func writtenContact(t *testing.T, object []byte) (out []string) {
	t.Helper()
	var v contact
	must(t, json.Unmarshal(object, &v))
	it := (&contactSource{}).item(v)
	for _, v4 := range []bool{false, true} {
		card, _, err := mapping.ContactRules{Version4: v4}.Contact(it.Content)
		must(t, err)
		out = append(out, fieldwalk.Unfold(card.Data))
	}
	return out
}

// writtenTask returns the iCalendar object of a task, and nothing of one that cannot be read.
func writtenTask(t *testing.T, object []byte) []string {
	t.Helper()
	var v todoTask
	must(t, json.Unmarshal(object, &v))
	it := (&taskSource{view: eventView{zone: "UTC"}}).item(v)
	if it.Problem != nil {
		return nil
	}
	todo, _, err := mapping.TaskRules{}.Task(it.Content)
	must(t, err)
	return []string{fieldwalk.Unfold(todo.Data)}
}

var contactProbes = []fieldwalk.Probe{
	{Fields: "id", Value: "c17"}, // the UID is made of it
	{Fields: "birthday", Value: "2031-05-17T00:00:00Z", Marks: []string{"2031-05-17", "20310517"}},
	{Fields: "emailAddresses[].name primaryEmailAddress.name secondaryEmailAddress.name tertiaryEmailAddress.name",
		With: map[string]any{".address": "a@example.org"}},
}

var contactLeft = []fieldwalk.Left{
	{Fields: "changeKey", Reason: "Microsoft's mark of the entry's version."},
	{Fields: "createdDateTime", Reason: "Address books keep no time at which a contact was made; that of its last change comes along."},
	{Fields: "parentFolderId", Reason: "The id of the folder. Its contacts come along as an address book of the folder's name."},
	{Fields: "photo.**", Reason: "Id and size of the picture, which is read by itself and comes along."},
	{Fields: "extensions[].** singleValueExtendedProperties[].** multiValueExtendedProperties[].**",
		Reason: "Programs keep it there for themselves, and Graph gives it only to those who know its name."},
}

// recurring is a task that recurs.
var recurring = map[string]any{
	"dueDateTime.dateTime": "2031-05-19T00:00:00", "recurrence.pattern.type": "weekly", "recurrence.pattern.interval": 2,
	"recurrence.pattern.daysOfWeek[]": "monday", "recurrence.range.type": "noEnd",
}

var taskProbes = []fieldwalk.Probe{
	{Fields: "id", Value: "t17"}, // the UID is made of it
	{Fields: "body.contentType", With: map[string]any{"body.content": "a <b>c</b>"}},
	{Fields: "status", Value: "completed", Marks: []string{"STATUS:COMPLETED"}},
	{Fields: "startDateTime.dateTime dueDateTime.dateTime", Value: "2031-05-17T00:00:00", Marks: []string{"20310517"}},
	{Fields: "completedDateTime.dateTime reminderDateTime.dateTime", Value: "2031-05-17T10:11:12", Marks: []string{"20310517T101112Z"}},
	{Fields: "completedDateTime.*", With: map[string]any{"status": "completed"}},
	{Fields: "reminderDateTime.*", With: map[string]any{"isReminderOn": true}},
	{Fields: "isReminderOn", With: map[string]any{"reminderDateTime.dateTime": "2031-05-17T10:11:12"}},
	{Fields: "*DateTime.timeZone", Value: "Tokyo Standard Time", With: map[string]any{".dateTime": "2031-05-17T00:00:00"}},
	{Fields: "recurrence.**", With: recurring},
	{Fields: "recurrence.pattern.type", Value: "daily", Marks: []string{"FREQ=DAILY"}},
	{Fields: "recurrence.pattern.interval", Value: 17, Marks: []string{"INTERVAL=17"}},
	{Fields: "recurrence.pattern.daysOfWeek[]", Value: "friday", Marks: []string{"BYDAY=FR"}},
	{Fields: "recurrence.pattern.index", Value: "third", Marks: []string{"BYSETPOS=3", "BYDAY=3MO"}, With: map[string]any{"recurrence.pattern.type": "relativeMonthly"}},
	{Fields: "recurrence.pattern.dayOfMonth", Value: 17, Marks: []string{"BYMONTHDAY=17"}, With: map[string]any{"recurrence.pattern.type": "absoluteMonthly"}},
	{Fields: "recurrence.pattern.month", Value: 7, Marks: []string{"BYMONTH=7"},
		With: map[string]any{"recurrence.pattern.type": "absoluteYearly", "recurrence.pattern.dayOfMonth": 17}},
	{Fields: "recurrence.range.type", Value: "numbered", Marks: []string{"COUNT=17"}, With: map[string]any{"recurrence.range.numberOfOccurrences": 17}},
	{Fields: "recurrence.range.numberOfOccurrences", Value: 17, Marks: []string{"COUNT=17"}, With: map[string]any{"recurrence.range.type": "numbered"}},
	{Fields: "recurrence.range.endDate", Value: "2032-05-17", Marks: []string{"UNTIL=20320517"}, With: map[string]any{"recurrence.range.type": "endDate"}},
	{Fields: "recurrence.range.startDate", With: map[string]any{"dueDateTime.dateTime": nil}}, // a day on which it is due is stronger
	{Fields: "checklistItems[].isChecked", With: map[string]any{"checklistItems[].displayName": "a"}},
}

var taskLeft = []fieldwalk.Left{
	{Fields: "hasAttachments attachments[].**", Reason: "Files of a task are read by themselves. Small ones come along; the summary counts others as `task.attachment`."},
	{Fields: "attachmentSessions", Reason: "It is for files that are being uploaded."},
	{Fields: "bodyLastModifiedDateTime", Reason: "Targets keep one time of the last change, which comes along."},
	{Fields: "checklistItems[].id checklistItems[].createdDateTime checklistItems[].checkedDateTime",
		Reason: "The steps are a list in the description, which says what each is and whether it is done, and not when."},
	{Fields: "linkedResources[].id", Reason: "The id of the link. The link comes along."},
	{Fields: "recurrence.range.recurrenceTimeZone", Reason: "A recurring task is due on days, which are the same in every zone."},
	{Fields: "extensions[].**", Reason: "Programs keep it there for themselves, and Graph gives it only to those who know its name."},
}

var taskBehind = []fieldwalk.Left{
	{Fields: "linkedResources[].externalId", Reason: "`webUrl`, which leads there."},
}
