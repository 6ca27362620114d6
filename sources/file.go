package sources

import "time"

// FileType tells what a node of a drive is.
type FileType uint8

const (
	// RegularFile has a Body.
	RegularFile FileType = iota
	// Folder has children and no Body.
	Folder
	// Shortcut points at another node by Target.
	Shortcut
)

// File is one node of a drive. A drive is a tree that is tied together by ids: a renamed folder is reported alone,
// without its children.
type File struct {
	// Name is the node's own name as the provider has it: it may be shared with siblings and hold any character.
	Name string
	// ParentID is the id of the folder that holds the node, and empty at the top of the drive.
	ParentID string
	// Orphan says that the node has no place in the tree that its owner could see.
	Orphan bool
	Type   FileType
	// MediaType is the provider's MIME type. ExportType is the MIME type that Body is delivered in when a provider's own
	// document had to be converted, and Extension what the name then lacks (".docx"); both are empty otherwise.
	MediaType, ExportType, Extension string
	Created, Modified                time.Time
	// TargetName and TargetLink describe what a shortcut points at.
	TargetName, TargetLink string
	Body                   Body
}
