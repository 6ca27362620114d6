package google

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"google.golang.org/api/drive/v3"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// sharedDrives returns all shared drives of the organisation as accounts, as the administrator sees them.
func (c *Client) sharedDrives(ctx context.Context) ([]sources.Account, error) {
	var accounts []sources.Account
	for token := ""; ; {
		var answer *drive.DriveList
		err := c.asAdmin(ctx, driveDrivesList, func(svc *drive.Service) (err error) {
			call := svc.Drives.List().UseDomainAdminAccess(true).PageSize(100).Fields("nextPageToken,drives(id,name)").Context(ctx)
			if token != "" {
				call.PageToken(token)
			}
			answer, err = call.Do()
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, d := range answer.Drives {
			if d != nil && d.Id != "" {
				accounts = append(accounts, sources.Account{ID: d.Id, Name: d.Name, State: "active", Shared: true})
			}
		}
		if answer.NextPageToken == "" || answer.NextPageToken == token {
			return accounts, nil
		}
		token = answer.NextPageToken
	}
}

// DriveName returns what a shared drive is called, as the administrator sees it.
func DriveName(ctx context.Context, c *Client, driveID string) (name string, err error) {
	err = c.asAdmin(ctx, driveDrivesGet, func(svc *drive.Service) error {
		d, err := svc.Drives.Get(driveID).UseDomainAdminAccess(true).Fields("name").Context(ctx).Do()
		if err == nil {
			name = d.Name
		}
		return err
	})
	return name, err
}

func (c *Client) asAdmin(ctx context.Context, m method, fn func(*drive.Service) error) error {
	return as(ctx, c, c.options.Admin, m, c.drive, fn)
}

// maxReaders bounds how many members of a shared drive are tried.
const maxReaders = 10

// organizer returns a user who can read all of a shared drive. Access as an administrator of the domain shows a drive's
// members, but not its files; and some members are suspended or belong to another organisation.
func (c *Client) organizer(ctx context.Context, driveID string) (string, error) {
	members, err := c.members(ctx, driveID)
	if err != nil {
		return "", err
	}
	refused := errors.New("it has no such member")
	for _, who := range readers(members, c.options.Admin) {
		err := c.do(ctx, who, driveDrivesGet, func() error {
			svc, err := c.drive(ctx, who)
			if err != nil {
				return err
			}
			_, err = svc.Drives.Get(driveID).Fields("id").Context(ctx).Do()
			return err
		})
		if err == nil {
			return who, nil
		}
		if !unfit(err) {
			return "", err
		}
		refused = err
	}
	return "", fault.New(fault.FailTask, fault.SourceForbidden, "no member can be used to read the shared drive: %w", refused).
		WithHint("add an active user of the organisation as a manager of the shared drive")
}

// unfit reports whether an error speaks against the user alone.
func unfit(err error) bool {
	switch reasonOf(err) {
	case fault.SourceSuspended, fault.SourceAccountGone, fault.SourceForbidden, fault.SourceServiceOff, fault.SourceGone, fault.SourceScopeMissing:
		return true
	}
	return false
}

// members returns the permissions of a shared drive.
func (c *Client) members(ctx context.Context, driveID string) ([]*drive.Permission, error) {
	var members []*drive.Permission
	for token := ""; ; {
		var answer *drive.PermissionList
		err := c.asAdmin(ctx, drivePermissionsList, func(svc *drive.Service) (err error) {
			call := svc.Permissions.List(driveID).UseDomainAdminAccess(true).SupportsAllDrives(true).PageSize(100).
				Fields("nextPageToken,permissions(type,role,emailAddress,deleted)").Context(ctx)
			if token != "" {
				call.PageToken(token)
			}
			answer, err = call.Do()
			return err
		})
		if err != nil {
			return nil, err
		}
		members = append(members, answer.Permissions...)
		if answer.NextPageToken == "" || answer.NextPageToken == token {
			return members, nil
		}
		token = answer.NextPageToken
	}
}

// readers returns the users among the members: those of the administrator's domain first, since guests cannot be
// impersonated, and of them the ones with the most rights.
func readers(members []*drive.Permission, admin string) []string {
	roles := []string{"organizer", "fileOrganizer", "writer", "commenter", "reader"}
	_, domain, _ := strings.Cut(strings.ToLower(admin), "@")
	rank := func(p *drive.Permission) int {
		n := slices.Index(roles, p.Role)
		if !strings.HasSuffix(strings.ToLower(p.EmailAddress), "@"+domain) {
			n += len(roles)
		}
		return n
	}
	fit := slices.DeleteFunc(slices.Clone(members), func(p *drive.Permission) bool {
		return p == nil || p.Type != "user" || p.Deleted || p.EmailAddress == "" || !slices.Contains(roles, p.Role)
	})
	slices.SortFunc(fit, func(a, b *drive.Permission) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.EmailAddress, b.EmailAddress))
	})
	var out []string
	for _, p := range fit[:min(len(fit), maxReaders)] {
		out = append(out, p.EmailAddress)
	}
	return out
}
