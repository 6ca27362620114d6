package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// What a provider says in numbers, days and words of its own, as it stands on the target without escapes.

// groupsOfGoogle are the names of the generated groups. One of them gets a comma.
var groupsOfGoogle = map[string]string{"contactGroups/suppliers": "Suppliers", "contactGroups/choir": "Chœur, Ensemble", "contactGroups/starred": "Starred"}

// googleDate is Google's date, of which the year may be missing.
type googleDate struct{ Year, Month, Day int }

// day returns the date as vCards 3.0 write it.
func (d googleDate) day() string {
	if d.Year == 0 {
		d.Year = 1604 // as X-APPLE-OMIT-YEAR says
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

func factsOfPerson(t *testing.T, raw json.RawMessage) (facts []string) {
	t.Helper()
	var p struct {
		Birthdays, Events []struct{ Date *googleDate }
		Memberships       []struct {
			ContactGroupMembership struct{ ContactGroupResourceName string }
		}
	}
	must(t, json.Unmarshal(raw, &p))
	for _, b := range p.Birthdays {
		if b.Date != nil {
			facts = append(facts, ":"+b.Date.day())
		}
	}
	for _, e := range p.Events {
		facts = append(facts, ":"+e.Date.day())
	}
	for _, m := range p.Memberships {
		if name := groupsOfGoogle[m.ContactGroupMembership.ContactGroupResourceName]; name != "" {
			facts = append(facts, name)
		}
	}
	return facts
}

// typesOf are what vCards call Google's types; each other one is a label of the user's own.
var typesOf = map[string]string{"": "", "other": "", "home": "HOME", "work": "WORK", "mobile": "CELL", "pager": "PAGER", "homeFax": "HOME FAX", "workFax": "WORK FAX"}

// wantLabels demands that each address and number of a person is called in the card what it is called at Google. It returns how many photos
// the card is to have.
func wantLabels(t *testing.T, raw json.RawMessage, card string) int {
	t.Helper()
	var p struct {
		EmailAddresses, PhoneNumbers []struct{ Value, Type string }
		Photos                       []struct{ Default bool }
	}
	must(t, json.Unmarshal(raw, &p))
	for _, v := range slices.Concat(p.EmailAddresses, p.PhoneNumbers) {
		types, known := typesOf[v.Type]
		at := strings.Index(card, ":"+v.Value+"\n")
		if at < 0 {
			t.Errorf("%q is not in %.300q", v.Value, card)
			continue
		}
		name := strings.ToUpper(card[strings.LastIndex(card[:at], "\n")+1 : at])
		group, _, grouped := strings.Cut(name, ".")
		for word := range strings.FieldsSeq(types) {
			if !strings.Contains(name, word) {
				t.Errorf("the %s %q is %q", v.Type, v.Value, name)
			}
		}
		own := "\n" + group + ".X-ABLABEL:" + strings.ToUpper(v.Type) + "\n"
		if grouped == known || !known && !strings.Contains(strings.ToUpper(card), own) {
			t.Errorf("the %s %q is %q in %.1000q", v.Type, v.Value, name, card)
		}
	}
	for _, ph := range p.Photos {
		if !ph.Default {
			return 1
		}
	}
	return 0
}

func factsOfContact(t *testing.T, raw json.RawMessage) []string {
	t.Helper()
	var c struct{ Birthday *time.Time }
	must(t, json.Unmarshal(raw, &c))
	if c.Birthday == nil {
		return nil
	}
	return []string{":" + c.Birthday.UTC().Format(time.DateOnly)}
}

func compact(s string) string { return strings.NewReplacer("-", "", ":", "").Replace(s) }

func factsOfTask(t *testing.T, raw json.RawMessage) (id string, facts []string) {
	t.Helper()
	var v struct {
		ID, Status, Due, Position string
		Completed                 *time.Time
	}
	must(t, json.Unmarshal(raw, &v))
	facts = append(facts, map[string]string{"needsAction": "STATUS:NEEDS-ACTION", "completed": "STATUS:COMPLETED"}[v.Status])
	if v.Completed != nil {
		facts = append(facts, "COMPLETED:"+v.Completed.UTC().Format("20060102T150405Z"))
	}
	if v.Due != "" {
		facts = append(facts, "DUE;VALUE=DATE:"+compact(v.Due[:len(time.DateOnly)]))
	}
	if order := strings.TrimLeft(v.Position, "0"); order != "" {
		facts = append(facts, "X-APPLE-SORT-ORDER:"+order)
	}
	return v.ID, facts
}

// propertyOf returns the value of a property without parameters.
func propertyOf(object, name string) string {
	_, after, _ := strings.Cut(object, "\n"+name+":")
	value, _, _ := strings.Cut(after, "\n")
	return value
}

// wantParents demands that each task on the target names the one above it.
func wantParents(t *testing.T, tasks []json.RawMessage, found map[string]string) {
	t.Helper()
	parts := 0
	for _, raw := range tasks {
		var v struct{ ID, Parent string }
		must(t, json.Unmarshal(raw, &v))
		if v.Parent != "" {
			parts++
		}
		if got, want := propertyOf(found[v.ID], "RELATED-TO"), propertyOf(found[v.Parent], "UID"); got != want {
			t.Errorf("task %s is below %q, want %q", v.ID, got, want)
		}
	}
	if parts == 0 {
		t.Error("no task is a part of another one")
	}
}

// graphMoment is Graph's dateTimeTimeZone in the zones of the generated tasks.
type graphMoment struct{ DateTime, TimeZone string }

func (m graphMoment) instant(t *testing.T) time.Time {
	t.Helper()
	zone := value(time.LoadLocation(map[string]string{"UTC": "UTC", "W. Europe Standard Time": "Europe/Berlin"}[m.TimeZone]))(t)
	return value(time.ParseInLocation("2006-01-02T15:04:05", m.DateTime[:len("2006-01-02T15:04:05")], zone))(t)
}

func factsOfTodo(t *testing.T, raw json.RawMessage) (facts []string) {
	t.Helper()
	var v struct {
		Status, Importance                               string
		DueDateTime, ReminderDateTime, CompletedDateTime *graphMoment
		IsReminderOn                                     bool
		Recurrence                                       *struct{ Pattern struct{ Type string } }
	}
	must(t, json.Unmarshal(raw, &v))
	facts = append(facts, map[string]string{"notStarted": "STATUS:NEEDS-ACTION", "inProgress": "STATUS:IN-PROCESS", "completed": "STATUS:COMPLETED",
		"waitingOnOthers": "Waiting", "deferred": "Deferred"}[v.Status])
	if number := map[string]string{"high": "1", "low": "9"}[v.Importance]; number != "" {
		facts = append(facts, "PRIORITY:"+number)
	}
	if v.DueDateTime != nil { // of the mailbox's zone
		berlin := value(time.LoadLocation("Europe/Berlin"))(t)
		facts = append(facts, "DUE;VALUE=DATE:"+compact(v.DueDateTime.instant(t).In(berlin).Format(time.DateOnly)))
	}
	if v.CompletedDateTime != nil {
		facts = append(facts, "COMPLETED:"+v.CompletedDateTime.instant(t).UTC().Format("20060102T150405Z"))
	}
	if v.IsReminderOn {
		facts = append(facts, "TRIGGER;VALUE=DATE-TIME:"+v.ReminderDateTime.instant(t).UTC().Format("20060102T150405Z"))
	}
	if v.Recurrence != nil {
		kind := map[string]string{"daily": "DAILY", "weekly": "WEEKLY", "absoluteMonthly": "MONTHLY", "relativeMonthly": "MONTHLY", "absoluteYearly": "YEARLY"}
		facts = append(facts, "FREQ="+kind[v.Recurrence.Pattern.Type])
	}
	return facts
}
