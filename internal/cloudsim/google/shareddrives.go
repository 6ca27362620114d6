package google

import "strconv"

// drivesList answers drives.list: those of the user, or with useDomainAdminAccess all of the organisation.
// https://developers.google.com/workspace/drive/api/reference/rest/v3/drives/list
func drivesList(c *call) error {
	size, err := c.pageSize("pageSize", 10, 100, true)
	if err != nil {
		return err
	}
	place, _, err := c.place()
	if err != nil {
		return err
	}
	if c.flag("useDomainAdminAccess") {
		if err := c.needAdmin(); err != nil {
			return err
		}
	}
	from, _ := strconv.Atoi(place)
	items, next := c.drivesPage(from, size)
	answer := object{{"kind", "drive#driveList"}, {"drives", items}}
	if next > 0 {
		answer = append(answer, member{"nextPageToken", c.pageToken(strconv.Itoa(next))})
	}
	return c.replyOr(answer, "kind,nextPageToken,drives(kind,id,name)")
}

func (c *call) drivesPage(from, size int) (items []object, next int) {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	items = []object{}
	for i := from; i < len(c.data.drives); i++ {
		s := c.data.drives[i]
		if !c.flag("useDomainAdminAccess") && roleIn(s.members, c.user.Email) == "" {
			continue
		}
		if len(items) == size {
			return items, i
		}
		items = append(items, s.resource(roleIn(s.members, c.user.Email)))
	}
	return items, 0
}

func (s *sharedDrive) resource(role string) object {
	edit := strength(role) >= strength("writer")
	return object{{"kind", "drive#drive"}, {"id", s.id}, {"name", s.name}, {"createdTime", stamp(s.created)}, {"hidden", s.hidden}, {"orgUnitId", "03ph8a2z1"},
		{"capabilities", object{{"canDownload", role != ""}, {"canEdit", edit}, {"canListChildren", role != ""}, {"canManageMembers", role == "organizer"}}}}
}

func drivesGet(c *call) error {
	if c.flag("useDomainAdminAccess") {
		if err := c.needAdmin(); err != nil {
			return err
		}
	}
	id := c.r.PathValue("driveId")
	c.data.mu.Lock()
	s := c.data.sharedDrive(id)
	role := ""
	if s != nil {
		role = roleIn(s.members, c.user.Email)
	}
	c.data.mu.Unlock()
	if s == nil || role == "" && !c.flag("useDomainAdminAccess") {
		return &apiError{code: 404, reason: "notFound", location: "driveId", message: "Shared drive not found: " + id}
	}
	return c.replyOr(s.resource(role), "kind,id,name")
}

// permissionsList answers permissions.list of a file or, given its id, of a shared drive.
// https://developers.google.com/workspace/drive/api/reference/rest/v3/permissions/list
func permissionsList(c *call) error {
	size, err := c.pageSize("pageSize", 100, 100, true)
	if err != nil {
		return err
	}
	place, _, err := c.place()
	if err != nil {
		return err
	}
	perms, err := c.permissionsOf(c.r.PathValue("fileId"))
	if err != nil {
		return err
	}
	from, _ := strconv.Atoi(place)
	answer := object{{"kind", "drive#permissionList"}}
	page := []object{}
	for i := min(from, len(perms)); i < len(perms); i++ {
		if len(page) == size {
			answer = append(answer, member{"nextPageToken", c.pageToken(strconv.Itoa(i))})
			break
		}
		page = append(page, perms[i].resource())
	}
	return c.replyOr(append(answer, member{"permissions", page}), "kind,nextPageToken,permissions(kind,id,type,role)")
}

func (c *call) permissionsOf(id string) ([]Permission, error) {
	if c.flag("useDomainAdminAccess") {
		if err := c.needAdmin(); err != nil {
			return nil, err
		}
		c.data.mu.Lock()
		defer c.data.mu.Unlock()
		if s := c.data.sharedDrive(id); s != nil && c.flag("supportsAllDrives") {
			return s.members, nil
		}
		return nil, errFileNotFound(id)
	}
	v, err := c.seen(id)
	if err != nil {
		return nil, err
	}
	if !v.mayEdit() {
		return nil, errForbidden("insufficientFilePermissions", "The user does not have sufficient permissions for this file.")
	}
	if v.driveID != "" {
		c.data.mu.Lock()
		defer c.data.mu.Unlock()
		return c.data.sharedDrive(v.driveID).members, nil
	}
	return append([]Permission{{Type: "user", Role: "owner", Email: v.ownerEmail}}, v.perms...), nil
}

// SharedDrives returns the ids of the shared drives.
func (d *Data) SharedDrives() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	ids := make([]string, len(d.drives))
	for i, s := range d.drives {
		ids[i] = s.id
	}
	return ids
}
