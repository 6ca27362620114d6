package google

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
)

type labelEntry struct {
	Name       string `yaml:"name"`
	Text       string `yaml:"text"`
	Background string `yaml:"background"`
	Hidden     bool   `yaml:"hidden"`
}

type messageEntry struct {
	File   string   `yaml:"file"`
	Labels []string `yaml:"labels"`
	Date   string   `yaml:"date"`
	Thread string   `yaml:"thread"`
}

// mail reads mail.yaml and the messages that it names.
func (l *loader) mail(dir, email string) error {
	var file struct {
		Labels   []labelEntry   `yaml:"labels"`
		Messages []messageEntry `yaml:"messages"`
	}
	if err := readOptional(l.fs, path.Join(dir, "mail.yaml"), &file); err != nil {
		return err
	}
	for _, e := range file.Labels {
		if _, err := l.data.AddLabel(email, Label{Name: e.Name, TextColor: e.Text, BackgroundColor: e.Background, HiddenInList: e.Hidden}); err != nil {
			return err
		}
	}
	threads := map[string]string{}
	for _, e := range file.Messages {
		if err := l.message(dir, email, e, threads); err != nil {
			return fmt.Errorf("%s: %w", e.File, err)
		}
	}
	return nil
}

// message adds one; messages with the same word for their thread are one conversation.
func (l *loader) message(dir, email string, e messageEntry, threads map[string]string) error {
	raw, err := fileIn(l.fs, path.Join(dir, e.File))
	if err != nil {
		return err
	}
	date, err := parseTime(e.Date)
	if err != nil {
		return err
	}
	id, err := l.data.AddMessage(email, Message{Raw: raw, Labels: e.Labels, Date: date, Thread: threads[e.Thread]})
	if e.Thread != "" && threads[e.Thread] == "" {
		threads[e.Thread] = id
	}
	return err
}

type calendarFile struct {
	ID              string              `yaml:"id"`
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

// calendars reads all files *.yaml of the directory, one calendar each.
func (l *loader) calendars(dir, email string) error {
	names, err := fs.Glob(l.fs, path.Join(dir, "*.yaml"))
	if err != nil {
		return err
	}
	for _, name := range names {
		var file calendarFile
		if err := readYAML(l.fs, name, &file); err != nil {
			return err
		}
		if err := l.calendar(email, file); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (l *loader) calendar(email string, file calendarFile) error {
	details := Calendar{ID: file.ID, Summary: file.Summary, SummaryOverride: file.SummaryOverride, Description: file.Description,
		Location: file.Location, TimeZone: file.TimeZone, ColorID: file.Color, Hidden: file.Hidden, DefaultReminders: file.Reminders}
	id := file.ID
	var err error
	if id == "primary" {
		err = l.data.SetCalendar(email, id, func(c *Calendar) { *c = details })
	} else {
		id, err = l.data.AddCalendar(email, details)
	}
	if err != nil {
		return err
	}
	for i, e := range file.Events {
		body, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if _, err := l.data.AddEvent(email, id, body); err != nil {
			return fmt.Errorf("event %d: %w", i+1, err)
		}
	}
	for _, s := range file.Subscribers {
		l.later = append(l.later, func() error { return l.data.Subscribe(s["email"], email, id, s["role"]) })
	}
	return nil
}
