package sources

import "time"

// Message is one mail, once, whatever number of labels or folders shows it.
type Message struct {
	// Labels are the provider's labels or folders that hold the message.
	Labels []Label
	// Received is when the mailbox got the message.
	Received time.Time
	// Read, Starred, Important, Draft, Answered and Forwarded are the message's state.
	Read, Starred, Important, Draft, Answered, Forwarded bool
	// Categories are words of the user about the message, beside its labels.
	Categories []string
	// MessageID is the Message-ID header's value without angle brackets where the provider states it; may be empty.
	MessageID string
	// Body is the message by RFC 5322, as the provider delivers it.
	Body Body
}

// Label is a label or folder of a mailbox.
type Label struct {
	// ID is the provider's, stable under renaming.
	ID string
	// Path is the name by levels, outermost first.
	Path []string
	// Role is what the provider uses the label for; RoleNone for the user's own.
	Role LabelRole
}

// LabelRole is the use of a system label or well-known folder.
type LabelRole uint8

// The roles that providers know.
const (
	RoleNone LabelRole = iota
	RoleInbox
	RoleSent
	RoleDrafts
	RoleSpam
	RoleTrash
	RoleArchive
	RoleCategory // Gmail's tabs: promotions, social and so on
)
