package organisation

import (
	"io/fs"
	"path"
)

// Calendar is a calendar of a user. Its events are resources of Google's Calendar API.
type Calendar struct {
	ID              string              `yaml:"id"` // "primary" for the user's own
	Summary         string              `yaml:"summary"`
	SummaryOverride string              `yaml:"summary_override"`
	Description     string              `yaml:"description"`
	Location        string              `yaml:"location"`
	TimeZone        string              `yaml:"time_zone"`
	Color           string              `yaml:"color"`
	Hidden          bool                `yaml:"hidden"`
	Reminders       []Reminder          `yaml:"reminders"`
	Events          []map[string]any    `yaml:"events"`
	Subscribers     []map[string]string `yaml:"subscribers"`
}

// Reminder is a default reminder.
type Reminder struct {
	Method  string `yaml:"method"` // popup or email
	Minutes int    `yaml:"minutes"`
}

// readCalendars reads all files *.yaml of the directory, one calendar each.
func readCalendars(files fs.FS, dir string) ([]Calendar, error) {
	names, err := fs.Glob(files, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	calendars := make([]Calendar, len(names))
	for i, name := range names {
		if err := readYAML(files, name, &calendars[i]); err != nil {
			return nil, err
		}
	}
	return calendars, nil
}
