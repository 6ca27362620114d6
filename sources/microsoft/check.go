package microsoft

import (
	"context"
	"net/url"
	"strings"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/preflight"
)

var (
	getUser      = method{entra, "users.get", 1, "User.Read.All"}
	getDriveRoot = method{sharePoint, "driveItem.root", 1, "Files.Read.All"}
)

// LoginRoot and GraphRoot return the addresses of the token service and of Graph.
func (c *Client) LoginRoot() string {
	if p, err := placeOf(c.options); err == nil {
		return p.login.String()
	}
	return ""
}

// GraphRoot is described at LoginRoot.
func (c *Client) GraphRoot() string { return c.root.String() }

// CheckAccess returns a probe of the application's credentials and of its reading the directory.
func (c *Client) CheckAccess() preflight.Probe {
	return func(ctx context.Context, l *preflight.Log) error {
		if err := c.reads(ctx, listUsers, "", url.Values{"$select": {"id"}, "$top": {"1"}}, "users"); err != nil {
			return c.consenting(err)
		}
		l.OK("the application %s has a token and may read the directory of %s", c.options.ClientID, c.options.Tenant)
		return nil
	}
}

// reads sends one request and forgets its answer.
func (c *Client) reads(ctx context.Context, m method, of string, query url.Values, segments ...string) error {
	var answer struct{}
	return c.get(ctx, call{method: m, of: of, url: c.path(query, segments...), header: mailHeader}, &answer)
}

// consenting adds to the hint about a missing permission where it is granted.
func (c *Client) consenting(err error) error {
	f, ok := asFault(err)
	if !ok || f.Reason != fault.SourceScopeMissing {
		return err
	}
	at, urlErr := ConsentURL(c.options.Cloud, c.options.Tenant, c.options.ClientID)
	if urlErr != nil {
		return err
	}
	return f.WithHint(f.Hint + "; add it to the application at https://entra.microsoft.com (App registrations > API permissions), and consent at " + at)
}

// CheckUser returns a probe of whether a user exists and has a licence.
func (c *Client) CheckUser(user string) preflight.Probe {
	return func(ctx context.Context, l *preflight.Log) error {
		var u struct {
			Enabled  *bool      `json:"accountEnabled"`
			Licences []struct{} `json:"assignedLicenses"`
			Type     string     `json:"userType"`
			Name     string     `json:"userPrincipalName"`
		}
		query := url.Values{"$select": {"userPrincipalName,accountEnabled,assignedLicenses,userType"}}
		if err := c.get(ctx, call{method: getUser, of: user, url: c.path(query, "users", user)}, &u); err != nil {
			return c.consenting(err)
		}
		switch {
		case strings.EqualFold(u.Type, "Guest"):
			l.Warn("the user is a guest", "what a guest has lies in the tenant where it is at home", "leave the line out of the accounts file")
		case len(u.Licences) == 0 && (u.Enabled == nil || *u.Enabled):
			l.Warn("the user has no licence", "without one there is no mailbox and no OneDrive, but for shared mailboxes",
				"assign a licence for the time of the migration, or leave the line out of the accounts file")
		}
		return nil
	}
}

// CheckZone returns a probe of the permission that mailboxes' time zones need; it keeps nothing from being moved.
func (c *Client) CheckZone(user string) preflight.Probe {
	return func(ctx context.Context, l *preflight.Log) error {
		err := c.consenting(c.reads(ctx, mailboxZone, user, url.Values{"$select": {"timeZone"}}, "users", user, "mailboxSettings"))
		if f, ok := asFault(err); ok && f.Reason == fault.SourceScopeMissing {
			l.Warn("the permission "+mailboxZone.permission+" is missing",
				"the time zone of tasks and of some events is not known, and 'repatriate accounts' stops", f.Hint)
			return nil
		}
		if f, ok := asFault(err); ok && (f.Reason == fault.SourceServiceOff || f.Reason == fault.SourceAccountGone) {
			return nil // for the kinds to say
		}
		return err
	}
}

// CheckKind returns a probe of whether a user's kind can be read.
func (c *Client) CheckKind(user, kind string) preflight.Probe {
	return func(ctx context.Context, l *preflight.Log) error {
		few := url.Values{"$top": {"1"}}
		var err error
		switch kind {
		case "files":
			err = c.checkDrive(ctx, l, user)
		case "mail":
			err = c.reads(ctx, listMailFolders, user, few, "users", user, "mailFolders")
		case "calendar":
			err = c.reads(ctx, listCalendars, user, few, "users", user, "calendars")
		case "contacts":
			err = c.reads(ctx, listContactFolders, user, few, "users", user, "contactFolders")
		case "tasks":
			err = c.reads(ctx, listTaskLists, user, few, "users", user, "todo", "lists")
		}
		return c.consenting(err)
	}
}

// CheckLibrary returns a probe of whether a document library can be read, by the id of its drive.
func (c *Client) CheckLibrary(drive string) preflight.Probe {
	return func(ctx context.Context, _ *preflight.Log) error {
		return c.consenting(c.reads(ctx, getDriveRoot, drive, url.Values{"$select": {"id"}}, "drives", drive, "root"))
	}
}

func (c *Client) checkDrive(ctx context.Context, l *preflight.Log, user string) error {
	used, err := c.driveUse(ctx, user)
	if err == nil {
		l.Uses(used)
	}
	return err
}

// driveUse returns how many bytes a user's OneDrive takes (learn.microsoft.com/graph/api/resources/quota).
func (c *Client) driveUse(ctx context.Context, user string) (int64, error) {
	var d struct {
		Quota struct {
			Used int64 `json:"used"`
		} `json:"quota"`
	}
	at := c.path(url.Values{"$select": {"id,quota"}}, "users", user, "drive")
	err := c.get(ctx, call{method: getDrive, of: user, url: at}, &d)
	return d.Quota.Used, err
}
