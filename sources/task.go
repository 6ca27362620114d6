package sources

import "time"

// Task is one thing to do.
type Task struct {
	// ID is the item's id.
	ID string
	// ParentID is the task that this one is a part of; empty for none.
	ParentID string
	// Position orders tasks of one parent as texts; empty where the provider has no order.
	Position string
	Title    string
	// Notes may be HTML if NotesHTML.
	Notes     string
	NotesHTML bool
	// Start, Due and Completed may be zero. Done says that it is completed.
	Start, Due EventTime
	Completed  time.Time
	Done       bool
	// Status is "needsAction", "inProcess", "waiting" or "deferred" for one that is not done.
	Status string
	// Importance is "low", "normal" or "high"; empty means normal.
	Importance string
	Categories []string
	// Reminder is when it rings; zero for never.
	Reminder EventTime
	// Recurrence holds lines by RFC 5545.
	Recurrence []string
	Checklist  []ChecklistItem
	Links      []TaskLink
	// Link is where the provider shows the task.
	Link             string
	Created, Updated time.Time
	// Attachments are the files of the task; those without Data stay behind.
	Attachments []Attachment
}

// ChecklistItem is a step of a task.
type ChecklistItem struct {
	Title string
	Done  bool
}

// TaskLink is what a task was made from.
type TaskLink struct{ Title, URL string }
