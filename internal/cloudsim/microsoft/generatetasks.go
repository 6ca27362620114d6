package microsoft

import (
	"encoding/json"
	"fmt"
	"time"
)

// tasks makes count tasks; every user with any has two lists more, one of which somebody else owns, and every ninth task is a flagged mail.
func (m *maker) tasks(count int) error {
	if count == 0 {
		return nil
	}
	own, err := m.data.AddTaskList(m.email, TaskList{Name: "Einkäufe & Ähnliches"})
	if err != nil {
		return err
	}
	foreign, err := m.data.AddTaskList(m.email, TaskList{Name: "Team", Shared: true, Foreign: true})
	if err != nil {
		return err
	}
	flagged := m.data.TaskLists(m.email)[1].ID
	lists := []string{"", "", own, own, foreign}
	for n := range count {
		list := lists[n%len(lists)]
		o := m.task(n)
		if n%9 == 8 {
			list = flagged
			o["linkedResources"] = []object{{"displayName": o["title"], "applicationName": "Outlook", "externalId": fmt.Sprintf("mail-%d", n),
				"webUrl": fmt.Sprintf("https://outlook.example/mail/%d", n)}}
		}
		raw, err := json.Marshal(o)
		if err != nil {
			return err
		}
		if _, err := m.data.AddTask(m.email, list, raw); err != nil {
			return err
		}
	}
	return nil
}

func (m *maker) task(n int) object {
	made := time.Date(2023, 5, 1, 8, n, 0, 0, time.UTC)
	due := made.AddDate(0, 0, 1+n%60)
	o := object{"title": fmt.Sprintf("%s %d", m.of("Anruf bei Zoë", "Steuererklärung", "Müll; Papier, Glas", "買い物"), n), "createdDateTime": exactly(made),
		"lastModifiedDateTime": exactly(made.Add(time.Hour)), "bodyLastModifiedDateTime": exactly(made),
		"importance": m.of("low", "normal", "normal", "high"),
		"status":     m.of("notStarted", "notStarted", "inProgress", "waitingOnOthers", "deferred", "completed"),
		"body":       object{"contentType": "text", "content": "Zeile eins\r\nZeile zwei"}}
	if o.text("status") == "completed" {
		o["completedDateTime"] = object{"dateTime": due.Format(time.DateOnly) + "T00:00:00.0000000", "timeZone": "UTC"}
	}
	if n%4 == 1 {
		o["body"] = object{"contentType": "html", "content": "<html><body><p>Mehr &amp; <b>fett</b></p></body></html>"}
		o["categories"] = []string{"Blau", "Später, vielleicht"}
	}
	if n%2 == 0 {
		o["dueDateTime"] = object{"dateTime": due.Format(time.DateOnly) + "T00:00:00.0000000", "timeZone": "W. Europe Standard Time"}
		o["startDateTime"] = object{"dateTime": made.Format(time.DateOnly) + "T00:00:00.0000000", "timeZone": "W. Europe Standard Time"}
	}
	if n%3 == 0 {
		o["isReminderOn"], o["reminderDateTime"] = true, object{"dateTime": due.Format(time.DateOnly) + "T07:30:00.0000000", "timeZone": "UTC"}
	}
	if n%6 == 0 {
		o["recurrence"] = m.recurrence(due)
	}
	if n%5 == 0 {
		o["checklistItems"] = []object{{"displayName": "Erstens", "createdDateTime": exactly(made)}, {"displayName": "Zweitens, erledigt",
			"createdDateTime": exactly(made), "isChecked": true, "checkedDateTime": exactly(made.Add(time.Minute))}}
	}
	if n%10 == 3 {
		o["linkedResources"] = []object{{"displayName": "Vorgang", "applicationName": "Büro", "externalId": "", "webUrl": "https://example.net/a?b=c"}}
	}
	return o
}

func (m *maker) recurrence(from time.Time) object {
	patterns := []object{{"type": "daily", "interval": 2}, {"type": "weekly", "interval": 1, "daysOfWeek": []string{"monday", "friday"}},
		{"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31},
		{"type": "relativeMonthly", "interval": 1, "daysOfWeek": []string{"tuesday"}, "index": "last"},
		{"type": "absoluteYearly", "interval": 1, "month": 2, "dayOfMonth": 29}}
	usual := object{"month": 0, "dayOfMonth": 0, "firstDayOfWeek": "sunday", "index": "first", "daysOfWeek": []string{}}
	for name, value := range patterns[m.rng.IntN(len(patterns))] {
		usual[name] = value
	}
	span := object{"type": "noEnd", "startDate": from.Format(time.DateOnly), "endDate": "0001-01-01",
		"recurrenceTimeZone": "UTC", "numberOfOccurrences": 0}
	switch m.rng.IntN(3) {
	case 1:
		span["type"], span["endDate"] = "endDate", from.AddDate(1, 0, 0).Format(time.DateOnly)
	case 2:
		span["type"], span["numberOfOccurrences"] = "numbered", 10
	}
	return object{"pattern": usual, "range": span}
}
