package organisation

import (
	"fmt"
	"io/fs"
	"path"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// Label is a label of a mailbox that has more to it than its name.
type Label struct {
	Name       string `yaml:"name"`
	Text       string `yaml:"text"`       // colour
	Background string `yaml:"background"` // colour
	Hidden     bool   `yaml:"hidden"`
}

// Message is a mail. Labels are names of labels, and in capitals the words INBOX, SENT, DRAFT, SPAM, TRASH, UNREAD, STARRED,
// IMPORTANT and CHAT.
type Message struct {
	File   string   `yaml:"file"`
	Labels []string `yaml:"labels"`
	Date   Time     `yaml:"date"`
	Thread string   `yaml:"thread"` // messages with the same word are one conversation

	Raw cloudsim.Content `yaml:"-"`
}

// readMail reads mail.yaml in dir and the messages that it names.
func (u *User) readMail(files fs.FS, dir string) error {
	var file struct {
		Labels   []Label   `yaml:"labels"`
		Messages []Message `yaml:"messages"`
	}
	if err := readOptional(files, path.Join(dir, "mail.yaml"), &file); err != nil {
		return err
	}
	for i, m := range file.Messages {
		raw, err := cloudsim.FileIn(files, path.Join(dir, m.File))
		if err != nil {
			return fmt.Errorf("%s: %w", m.File, err)
		}
		file.Messages[i].Raw = raw
	}
	u.Labels, u.Messages = file.Labels, file.Messages
	return nil
}
