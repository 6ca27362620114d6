package google

import (
	"encoding/json"
	"fmt"

	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
)

// contacts adds groups before the contacts that are in them.
func (l *loader) contacts(u *organisation.User) error {
	for _, g := range u.ContactGroups {
		if _, err := l.data.AddContactGroup(u.Email, ContactGroup(g)); err != nil {
			return err
		}
	}
	if err := each(u.Contacts, func(raw json.RawMessage) (string, error) { return l.data.AddContact(u.Email, raw) }); err != nil {
		return fmt.Errorf("contact %w", err)
	}
	if err := each(u.OtherContacts, func(raw json.RawMessage) (string, error) { return l.data.AddOtherContact(u.Email, raw) }); err != nil {
		return fmt.Errorf("other contact %w", err)
	}
	return nil
}

// tasks adds the lists of tasks; the first one is the default list that the user has already.
func (l *loader) tasks(u *organisation.User) error {
	for i, list := range u.TaskLists {
		id := l.data.TaskLists(u.Email)[0]
		var err error
		if i == 0 {
			err = l.data.RenameTaskList(u.Email, id, list.Title)
		} else {
			id, err = l.data.AddTaskList(u.Email, list.Title)
		}
		if err == nil {
			err = each(list.Tasks, func(raw json.RawMessage) (string, error) { return l.data.AddTask(u.Email, id, raw) })
		}
		if err != nil {
			return fmt.Errorf("task list %s: %w", list.Title, err)
		}
	}
	return nil
}

// each adds resources; an error begins with the number of the one that is at fault.
func each(resources []map[string]any, add func(json.RawMessage) (string, error)) error {
	for i, resource := range resources {
		raw, err := json.Marshal(resource)
		if err == nil {
			_, err = add(raw)
		}
		if err != nil {
			return fmt.Errorf("%d: %w", i+1, err)
		}
	}
	return nil
}
