package google

import (
	"context"
	"iter"

	directory "google.golang.org/api/admin/directory/v1"

	"codeberg.org/repatriate/repatriate/sources"
)

// usersPage is the most that Google gives in one page.
const usersPage = 500

// Accounts yields the users of the organisation by address, as the administrator sees them, and then its shared drives. Deleted
// users are left out. It ends after the first error.
func (c *Client) Accounts(ctx context.Context) iter.Seq2[sources.Account, error] {
	return func(yield func(sources.Account, error) bool) {
		for account, err := range c.Users(ctx) {
			if !yield(account, err) || err != nil {
				return
			}
		}
		drives, err := c.sharedDrives(ctx)
		if err != nil {
			yield(sources.Account{}, err)
			return
		}
		for _, account := range drives {
			if !yield(account, nil) {
				return
			}
		}
	}
}

// Users yields the users alone, for which no scope of Drive is needed.
func (c *Client) Users(ctx context.Context) iter.Seq2[sources.Account, error] {
	return func(yield func(sources.Account, error) bool) {
		for token, more := "", true; more; more = token != "" {
			page, err := c.usersPage(ctx, token)
			if err != nil {
				yield(sources.Account{}, err)
				return
			}
			for _, u := range page.Users {
				if !yield(newAccount(u), nil) {
					return
				}
			}
			token = page.NextPageToken
		}
	}
}

func (c *Client) usersPage(ctx context.Context, token string) (*directory.Users, error) {
	var page *directory.Users
	err := c.do(ctx, c.options.Admin, directoryUsersList, func() error {
		d, err := c.directory(ctx, c.options.Admin)
		if err != nil {
			return err
		}
		page, err = d.Users.List().Customer("my_customer").MaxResults(usersPage).PageToken(token).
			Fields("nextPageToken,users(primaryEmail,name(fullName),suspended,archived,isMailboxSetup,aliases,nonEditableAliases)").
			Context(ctx).Do()
		return err
	})
	return page, err
}

// newAccount names the state that matters most: a suspended user cannot be read, whatever else holds.
func newAccount(u *directory.User) sources.Account {
	a := sources.Account{ID: u.PrimaryEmail, State: "active", Aliases: append(u.Aliases, u.NonEditableAliases...)}
	if u.Name != nil {
		a.Name = u.Name.FullName
	}
	switch {
	case u.Suspended:
		a.State = "suspended"
	case u.Archived:
		a.State = "archived"
	case !u.IsMailboxSetup:
		a.State = "no_mailbox"
	}
	return a
}
