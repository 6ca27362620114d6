package microsoft

import (
	"cmp"
	"encoding/json"
	"time"
)

// googleTask is the part of a task of Google's Tasks API that To Do would have too.
type googleTask struct {
	ID, Title, Notes, Status, Parent, Due, Completed, Updated string
	Deleted                                                   bool
	Links                                                     []struct{ Type, Description, Link string }
}

// tasksOf writes tasks of one list of Google's Tasks API as Graph does, with their steps and links; a subtask is a step of the task at the
// top, and deleted ones are not there. zone is the mailbox's.
func tasksOf(raw []json.RawMessage, zone string) ([]object, error) {
	tops, steps := map[string]int{}, [][]object{}
	var out []object
	for _, r := range raw {
		var g googleTask
		if err := json.Unmarshal(r, &g); err != nil {
			return nil, err
		}
		top, below := tops[g.Parent]
		switch {
		case g.Deleted || g.Parent != "" && !below: // what is below a deleted task is deleted too
		case g.Parent != "":
			steps[top] = append(steps[top], g.step())
			tops[g.ID] = top
		default:
			out, steps = append(out, g.graph(zone)), append(steps, nil)
			if g.ID != "" {
				tops[g.ID] = len(out) - 1
			}
		}
	}
	for i, o := range out {
		if len(steps[i]) > 0 {
			o["checklistItems"] = steps[i]
		}
	}
	return out, nil
}

func (g googleTask) done() bool { return g.Status == "completed" }

func (g googleTask) step() object {
	o := object{"displayName": g.Title, "isChecked": g.done()}
	if at, err := time.Parse(time.RFC3339, g.Updated); err == nil {
		o["createdDateTime"] = exactly(at)
	}
	if at, err := time.Parse(time.RFC3339, g.Completed); err == nil && g.done() {
		o["checkedDateTime"] = exactly(at)
	}
	return o
}

// graph writes the task without its steps. Both keep days of what is due and done.
func (g googleTask) graph(zone string) object {
	o := object{"title": g.Title, "status": "notStarted", "body": object{"contentType": "text", "content": lines(g.Notes)}}
	if at, err := time.Parse(time.RFC3339, g.Updated); err == nil {
		o["createdDateTime"], o["lastModifiedDateTime"], o["bodyLastModifiedDateTime"] = exactly(at), exactly(at), exactly(at)
	}
	if at, err := time.Parse(time.RFC3339, g.Due); err == nil {
		o["dueDateTime"] = midnight(at, zone)
	}
	if g.done() {
		o["status"] = "completed"
		if at, err := time.Parse(time.RFC3339, g.Completed); err == nil {
			o["completedDateTime"] = midnight(at, "UTC")
		}
	}
	links := []object{}
	for _, l := range g.Links {
		links = append(links, object{"displayName": l.Description, "applicationName": cmp.Or(l.Type, "link"), "externalId": "", "webUrl": l.Link})
	}
	if len(links) > 0 {
		o["linkedResources"] = links
	}
	return o
}

func midnight(day time.Time, zone string) object {
	return object{"dateTime": day.UTC().Format(time.DateOnly) + "T00:00:00.0000000", "timeZone": zone}
}
