package google

import (
	"context"
	"errors"
	"fmt"
	"strings"

	directory "google.golang.org/api/admin/directory/v1"
	"google.golang.org/api/calendar/v3"
	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/people/v1"
	"google.golang.org/api/tasks/v1"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/sources"
)

// keyAdmin is what names the administrator in the job file.
const keyAdmin = "source.google.admin"

// Root returns the address of Google, or of what stands for it.
func (c *Client) Root() string {
	if c.root == nil {
		return googleapis
	}
	return c.root.String()
}

// CheckAccess returns a probe of the key file, of domain-wide delegation as a whole, and of the administrator.
func (c *Client) CheckAccess(kinds []string, others bool) preflight.Probe {
	return func(ctx context.Context, l *preflight.Log) error {
		refused := 0
		needed := apisOf(kinds, others)
		for _, a := range needed {
			_, err := c.sessions.get(c.options.Admin, a).token.get(ctx)
			switch {
			case err == nil:
			case fault.Of(err).Reason == fault.SourceScopeMissing:
				refused++
			case fault.Of(err).Reason == fault.SourceAccountGone:
				l.Refuse(fault.SourceAccountGone, keyAdmin+": "+c.options.Admin+" is no user of the organisation",
					"write the primary address of an administrator into "+keyAdmin+" of the job file")
				return nil
			default:
				return err
			}
		}
		if refused == len(needed) {
			l.Refuse(fault.SourceScopeMissing, "domain-wide delegation is not set up for the client id "+c.key.clientID+": no scope is granted to it",
				fmt.Sprintf("in the Admin console under Domain-wide delegation (%s), add the client id %s with the scopes %s",
					delegationURL, c.key.clientID, strings.Join(ScopesOf(kinds, others), ",")))
			return nil
		}
		return c.checkAdmin(ctx, l, needed)
	}
}

// checkAdmin looks whether the administrator may see the directory. A scope that is missing for it is CheckScope's to say.
func (c *Client) checkAdmin(ctx context.Context, l *preflight.Log, needed []api) error {
	_, err := c.lookUp(ctx, c.options.Admin)
	switch f := fault.Of(err); {
	case err == nil:
		l.OK("%s may read the directory, and %d scopes were asked for", c.options.Admin, len(needed))
	case f.Reason == fault.SourceForbidden, f.Reason == fault.SourceGone:
		l.Refuse(fault.SourceForbidden, keyAdmin+": "+c.options.Admin+" may not read the directory of users",
			"write a super administrator, or one with the privilege Users > Read, into "+keyAdmin+" of the job file")
	default:
		return err
	}
	return nil
}

// CheckScope returns a probe of the scopes of one kind.
func (c *Client) CheckScope(kind string, others bool) preflight.Probe {
	return func(ctx context.Context, l *preflight.Log) error {
		for _, a := range apisOf([]string{kind}, others) {
			if services[a].kind != kind {
				continue
			}
			if _, err := c.sessions.get(c.options.Admin, a).token.get(ctx); err != nil {
				f := fault.Of(err)
				if f.Reason != fault.SourceScopeMissing {
					return err
				}
				l.Refuse(f.Reason, "the scope "+services[a].scope+" is not granted to the client id "+c.key.clientID, f.Hint)
			}
		}
		return nil
	}
}

// lookUp asks the directory for a user.
func (c *Client) lookUp(ctx context.Context, user string) (*directory.User, error) {
	var found *directory.User
	err := c.do(ctx, c.options.Admin, directoryUsersGet, func() error {
		d, err := c.directory(ctx, c.options.Admin)
		if err != nil {
			return err
		}
		found, err = d.Users.Get(user).Fields("primaryEmail,suspended,archived,isMailboxSetup").Context(ctx).Do()
		return err
	})
	return found, err
}

// CheckUser returns a probe of whether a user exists and can be read.
func (c *Client) CheckUser(user string) preflight.Probe {
	return func(ctx context.Context, l *preflight.Log) error {
		found, err := c.lookUp(ctx, user)
		switch {
		case errors.Is(err, sources.ErrGone):
			l.Refuse(fault.SourceAccountGone, "the organisation has no such user", hintAccount)
		case err != nil:
			return err
		case found.Suspended:
			l.Refuse(fault.SourceSuspended, "the user is suspended",
				"restore the user in the Admin console for the time of the migration, or leave the line out of the accounts file")
		case !strings.EqualFold(found.PrimaryEmail, user):
			l.Warn("the address is an alias of "+found.PrimaryEmail, "the same user may be moved twice", "write the primary address into the accounts file")
		}
		return nil
	}
}

// CheckKind returns a probe of whether a user's kind can be read.
func (c *Client) CheckKind(user, kind string, others bool) preflight.Probe {
	return func(ctx context.Context, l *preflight.Log) error {
		err := c.readLittle(ctx, l, user, kind)
		if err == nil && kind == "contacts" && others {
			err = as(ctx, c, user, otherContactsList, c.peopleOf(otherContactsAPI), func(s *people.Service) error {
				_, err := s.OtherContacts.List().ReadMask("metadata").PageSize(1).Fields("totalSize").Context(ctx).Do()
				return err
			})
		}
		return err
	}
}

// readLittle makes the cheapest call of each api.
func (c *Client) readLittle(ctx context.Context, l *preflight.Log, user, kind string) error {
	switch kind {
	case "files":
		return c.checkDrive(ctx, l, user)
	case "mail":
		return as(ctx, c, user, gmailGetProfile, c.gmail, func(s *gmail.Service) error {
			_, err := s.Users.GetProfile("me").Fields("messagesTotal").Context(ctx).Do()
			return err
		})
	case "calendar":
		return as(ctx, c, user, calendarListList, c.calendar, func(s *calendar.Service) error {
			_, err := s.CalendarList.List().MaxResults(1).Fields("items(id)").Context(ctx).Do()
			return err
		})
	case "contacts":
		return as(ctx, c, user, peopleConnectionsList, c.peopleOf(peopleAPI), func(s *people.Service) error {
			_, err := s.People.Connections.List("people/me").PersonFields("metadata").PageSize(1).Fields("totalItems").Context(ctx).Do()
			return err
		})
	case "tasks":
		return as(ctx, c, user, tasksListsList, c.tasks, func(s *tasks.Service) error {
			_, err := s.Tasklists.List().MaxResults(1).Fields("items(id)").Context(ctx).Do()
			return err
		})
	}
	return nil
}

// peopleOf returns what opens the People API with one of its two scopes.
func (c *Client) peopleOf(a api) func(ctx context.Context, user string) (*people.Service, error) {
	return func(ctx context.Context, user string) (*people.Service, error) { return c.people(ctx, user, a) }
}

func (c *Client) checkDrive(ctx context.Context, l *preflight.Log, user string) error {
	used, _, err := c.driveUse(ctx, user)
	if err == nil {
		l.Uses(used)
	}
	return err
}

// CheckSharedDrive returns a probe of whether a shared drive has a member who can read all of it.
func (c *Client) CheckSharedDrive(id string) preflight.Probe {
	return func(ctx context.Context, l *preflight.Log) error {
		_, err := c.organizer(ctx, id)
		return err
	}
}
