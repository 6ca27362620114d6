package microsoft

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
)

// people puts a user's contacts and tasks into the mailbox, where there is one. The addresses that Google collects from mail are left out:
// Graph shows nobody those of Outlook.
func (l *loader) people(u *organisation.User) error {
	if u.NoMailbox || u.Archived {
		return nil
	}
	groups := map[string]string{}
	for _, g := range u.ContactGroups {
		groups[g.ID] = g.Name
	}
	for i, c := range u.Contacts {
		if err := l.contact(u.Email, c, groups, i); err != nil {
			return fmt.Errorf("contact %d: %w", i+1, err)
		}
	}
	for i, list := range u.TaskLists {
		if err := l.taskList(u.Email, list, i == 0); err != nil {
			return fmt.Errorf("task list %s: %w", list.Title, err)
		}
	}
	return nil
}

// contact adds the contact with that number to the default folder.
func (l *loader) contact(email string, c map[string]any, groups map[string]string, n int) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	o, photo, err := contactOf(raw, groups)
	if err != nil {
		return err
	}
	id, err := l.data.AddContact(email, "", encode(o))
	text, made := strings.CutPrefix(photo, "generate:")
	if err != nil || !made {
		return err
	}
	size, err := organisation.ParseSize(text)
	if err != nil || size < 1 || size > 8<<20 {
		return fmt.Errorf("photo: %q is no size up to 8 MB", text)
	}
	seed := binary.BigEndian.Uint64(hashOf("photo", email, fmt.Sprint(n)))
	return l.data.setPhoto(email, id, func() []byte { return Photo(seed, int(size)) })
}

// taskList adds a list with its tasks. The default list is there already, and nobody can rename it.
func (l *loader) taskList(email string, list organisation.TaskList, isDefault bool) error {
	id := ""
	if !isDefault {
		var err error
		if id, err = l.data.AddTaskList(email, TaskList{Name: list.Title}); err != nil {
			return err
		}
	}
	var all []json.RawMessage
	for _, t := range list.Tasks {
		raw, err := json.Marshal(t)
		if err != nil {
			return err
		}
		all = append(all, raw)
	}
	tasks, err := tasksOf(all, mailboxZone)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if _, err := l.data.AddTask(email, id, encode(t)); err != nil {
			return err
		}
	}
	return nil
}
