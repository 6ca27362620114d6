package organisation

import (
	"io/fs"
	"path"
)

// ContactGroup is a label of contacts.
type ContactGroup struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
}

// TaskList is a list of tasks, which are resources of Google's Tasks API. The first list of a user is the default one.
type TaskList struct {
	Title string           `yaml:"title"`
	Tasks []map[string]any `yaml:"tasks"`
}

// readContacts reads contacts.yaml in dir: groups (id and name), and as resources of the People API contacts and other_contacts. A contact
// is in a group through its memberships, and a photo with the url generate:SIZE is made up.
func (u *User) readContacts(files fs.FS, dir string) error {
	var file struct {
		Groups   []ContactGroup   `yaml:"groups"`
		Contacts []map[string]any `yaml:"contacts"`
		Others   []map[string]any `yaml:"other_contacts"`
	}
	if err := readOptional(files, path.Join(dir, "contacts.yaml"), &file); err != nil {
		return err
	}
	u.ContactGroups, u.Contacts, u.OtherContacts = file.Groups, file.Contacts, file.Others
	return nil
}

// readTasks reads all files *.yaml of the directory, one list each: its title and tasks.
func readTasks(files fs.FS, dir string) ([]TaskList, error) {
	names, err := fs.Glob(files, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var lists []TaskList
	for _, name := range names {
		var list TaskList
		if err := readYAML(files, name, &list); err != nil {
			return nil, err
		}
		lists = append(lists, list)
	}
	return lists, nil
}
