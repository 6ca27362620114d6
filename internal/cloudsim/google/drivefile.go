package google

import (
	"path"
	"strconv"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// fileView is a copy of a node as one user sees it.
type fileView struct {
	File
	me          string
	host        string
	role        string
	parent      string // "" unless the user can see the folder
	inTrash     bool
	driveID     string
	owner       object
	ownerEmail  string
	perms       []Permission
	sharedOwn   bool // shared with the user by a permission of its own
	version     int64
	checksums   *cloudsim.Checksums
	root, owned bool
}

// view copies a node. The caller holds data.mu.
func (c *call) view(n *node) fileView {
	me := c.user.Email
	v := fileView{File: n.File, me: me, host: c.host(), role: n.role(me), inTrash: n.trashed(), perms: n.perms, version: n.version,
		checksums: n.sums, root: n.root, owned: n.owner == c.user, sharedOwn: roleIn(n.perms, me) != ""}
	if n.parent != nil && n.parent.role(me) != "" {
		v.parent = n.parent.ID
	}
	if n.drive != nil {
		v.driveID = n.drive.id
	} else {
		v.owner, v.ownerEmail = n.owner.person(me), n.owner.Email
	}
	return v
}

// person is the Drive resource User.
func (u *user) person(me string) object {
	return object{{"kind", "drive#user"}, {"displayName", strings.TrimSpace(u.GivenName + " " + u.FamilyName)}, {"me", u.Email == me},
		{"permissionId", u.id[:20]}, {"emailAddress", u.Email}}
}

func (v *fileView) position() position {
	return position{v.Modified.UnixNano(), v.ID}
}

func (v *fileView) folder() bool    { return v.MimeType == MimeFolder }
func (v *fileView) shortcut() bool  { return v.MimeType == MimeShortcut }
func (v *fileView) googleDoc() bool { return v.Content == nil && !v.folder() && !v.shortcut() }

// mayEdit says whether the user's role allows changes.
func (v *fileView) mayEdit() bool { return strength(v.role) >= strength("writer") }

// mayDownload is capabilities.canDownload.
func (v *fileView) mayDownload() bool {
	if v.folder() || v.OwnerBlocked {
		return false
	}
	return !v.Restricted || v.mayEdit()
}

// resource is the Drive resource File, with the members that are dear to work out left for the field mask to ask for.
// https://developers.google.com/workspace/drive/api/reference/rest/v3/files
func (v *fileView) resource() object {
	o := make(object, 0, 40)
	o = append(o, object{{"kind", "drive#file"}, {"id", v.ID}, {"name", v.Name}, {"mimeType", v.MimeType},
		{"starred", v.Starred}, {"trashed", v.inTrash}, {"explicitlyTrashed", v.Trashed},
		{"version", strconv.FormatInt(v.version, 10)}, {"createdTime", stamp(v.Created)}, {"modifiedTime", stamp(v.Modified)},
		{"spaces", []string{"drive"}}, {"webViewLink", v.link()}, {"shared", v.driveID != "" || len(v.perms) > 0 || !v.owned},
		{"writersCanShare", true}, {"viewersCanCopyContent", !v.Restricted}, {"copyRequiresWriterPermission", v.Restricted},
		{"isAppAuthorized", true}, {"modifiedByMe", v.owned}, {"capabilities", v.capabilities()}}...)
	o = optional(o, "description", v.Description)
	if v.parent != "" {
		o = append(o, member{"parents", []string{v.parent}})
	}
	o = v.ownership(o)
	o = v.stored(o)
	if v.googleDoc() {
		o = append(o, member{"exportLinks", func() any { return v.exportLinks() }}, member{"size", "1024"}, member{"quotaBytesUsed", "1024"})
	}
	if v.shortcut() {
		o = append(o, member{"shortcutDetails", object{{"targetId", v.ShortcutTarget}, {"targetMimeType", v.ShortcutTargetMime}}})
	}
	if v.Restricted || v.OwnerBlocked {
		restriction := object{{"restrictedForReaders", true}, {"restrictedForWriters", v.OwnerBlocked}}
		o = append(o, member{"downloadRestrictions", object{{"itemDownloadRestriction", restriction}, {"effectiveDownloadRestrictionWithContext", restriction}}})
	}
	if v.Encrypted {
		o = append(o, member{"clientEncryptionDetails", object{{"encryptionState", "encrypted"}}})
	}
	return o
}

func (v *fileView) ownership(o object) object {
	if v.driveID != "" {
		return append(o, member{"driveId", v.driveID}, member{"teamDriveId", v.driveID}, member{"hasAugmentedPermissions", false}, member{"ownedByMe", false})
	}
	o = append(o, member{"owners", []object{v.owner}}, member{"lastModifyingUser", v.owner}, member{"ownedByMe", v.owned},
		member{"permissions", func() any { return v.permissions() }})
	if v.sharedOwn && !v.owned {
		o = append(o, member{"sharedWithMeTime", stamp(v.Created)})
	}
	return o
}

// permissions is nil, and so left out, for those who may not share.
func (v *fileView) permissions() any {
	if !v.mayEdit() {
		return nil
	}
	list := []object{}
	for _, p := range append([]Permission{{Type: "user", Role: "owner", Email: v.ownerEmail}}, v.perms...) {
		list = append(list, p.resource())
	}
	return list
}

// stored adds what only files with contents have.
func (v *fileView) stored(o object) object {
	if v.Content == nil {
		return o
	}
	size := strconv.FormatInt(v.Content.Size(), 10)
	extension := strings.TrimPrefix(path.Ext(v.Name), ".")
	o = append(o, member{"size", size}, member{"quotaBytesUsed", size}, member{"originalFilename", v.Name},
		member{"fileExtension", extension}, member{"fullFileExtension", extension}, member{"headRevisionId", "rev" + strconv.FormatInt(v.version, 10)},
		member{"webContentLink", "https://drive.google.com/uc?id=" + v.ID + "&export=download"})
	body, sums := v.Content, v.checksums
	if !v.NoChecksums {
		o = append(o, member{"md5Checksum", func() any { sum, _ := sums.Of(body); return sum }})
	}
	if !v.NoChecksums && !v.NoSHA {
		o = append(o, member{"sha1Checksum", func() any { return sums.SHA1(body) }},
			member{"sha256Checksum", func() any { _, sum := sums.Of(body); return sum }})
	}
	return o
}

func (v *fileView) capabilities() object {
	edit := v.mayEdit()
	return object{{"canDownload", v.mayDownload()}, {"canEdit", edit}, {"canCopy", v.mayDownload()}, {"canShare", edit}, {"canRename", edit},
		{"canReadRevisions", edit && v.Content != nil}, {"canTrash", v.owned}, {"canDelete", v.owned}, {"canListChildren", v.folder()}}
}

func (v *fileView) link() string {
	kind := strings.TrimPrefix(v.MimeType, googleApps)
	switch kind {
	case "folder":
		return "https://drive.google.com/drive/folders/" + v.ID
	case "document", "spreadsheet", "presentation", "drawing", "form":
		return "https://docs.google.com/" + kind + "/d/" + v.ID + "/edit?usp=drivesdk"
	}
	return "https://drive.google.com/file/d/" + v.ID + "/view?usp=drivesdk"
}

func (p Permission) resource() object {
	o := object{{"kind", "drive#permission"}, {"id", p.id()}, {"type", p.Type}, {"role", p.Role}}
	if p.Email != "" {
		o = append(o, member{"emailAddress", p.Email}, member{"displayName", p.Email}, member{"deleted", false})
	}
	if p.Type == "anyone" {
		o = append(o, member{"allowFileDiscovery", false})
	}
	return append(o, member{"pendingOwner", false})
}

func (p Permission) id() string {
	if p.Type == "anyone" {
		return "anyoneWithLink"
	}
	return decimalID("user", p.Email)[:20]
}
