package google

import (
	"cmp"
	"context"
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

func (c *Client) asAdmin(ctx context.Context, m method, fn func(*drive.Service) error) error {
	return c.do(ctx, c.options.Admin, m, func() error {
		svc, err := c.drive(ctx, c.options.Admin)
		if err != nil {
			return err
		}
		return fn(svc)
	})
}

// organizer returns a user who may read all of a shared drive. Access as an administrator of the domain shows a drive's
// members, but not its files.
func (c *Client) organizer(ctx context.Context, driveID string) (string, error) {
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
			return "", err
		}
		members = append(members, answer.Permissions...)
		if answer.NextPageToken == "" || answer.NextPageToken == token {
			break
		}
		token = answer.NextPageToken
	}
	if who, ok := bestReader(members, c.options.Admin); ok {
		return who, nil
	}
	return "", fault.New(fault.FailTask, fault.SourceForbidden, "the shared drive has no member who could read it").
		WithHint("add a user of the organisation as a manager of the shared drive")
}

// bestReader chooses the member with the most rights, those of the administrator's domain first: guests cannot be
// impersonated.
func bestReader(members []*drive.Permission, admin string) (string, bool) {
	roles := []string{"organizer", "fileOrganizer", "writer", "commenter", "reader"}
	_, domain, _ := strings.Cut(admin, "@")
	rank := func(p *drive.Permission) int {
		n := slices.Index(roles, p.Role)
		if !strings.HasSuffix(strings.ToLower(p.EmailAddress), "@"+strings.ToLower(domain)) {
			n += len(roles)
		}
		return n
	}
	var fit []*drive.Permission
	for _, p := range members {
		if p != nil && p.Type == "user" && !p.Deleted && p.EmailAddress != "" && slices.Contains(roles, p.Role) {
			fit = append(fit, p)
		}
	}
	if len(fit) == 0 {
		return "", false
	}
	best := slices.MinFunc(fit, func(a, b *drive.Permission) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.EmailAddress, b.EmailAddress))
	})
	return best.EmailAddress, true
}
