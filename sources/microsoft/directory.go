package microsoft

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sources"
)

// usersPage is the most that Graph gives in one page.
const usersPage = 999

// userFields are what accounts are made of.
const userFields = "id,displayName,userPrincipalName,mail,proxyAddresses,accountEnabled,assignedLicenses,userType"

// Accounts yields the members of the tenant. Guests are left out: what they have is moved where they are at home. It ends after
// the first error.
func (c *Client) Accounts(ctx context.Context) iter.Seq2[sources.Account, error] {
	return func(yield func(sources.Account, error) bool) {
		query := url.Values{"$select": {userFields}, "$top": {strconv.Itoa(usersPage)}}
		for next := c.path(query, "users"); next != nil; {
			page, err := c.accountsPage(ctx, next)
			if err != nil {
				yield(sources.Account{}, err)
				return
			}
			for _, a := range page.accounts {
				if !yield(a, nil) {
					return
				}
			}
			next = page.next
		}
	}
}

type accountsPage struct {
	accounts []sources.Account
	next     *url.URL
}

func (c *Client) accountsPage(ctx context.Context, at *url.URL) (accountsPage, error) {
	res, err := getModel[models.UserCollectionResponseable](ctx, c, call{method: listUsers, url: at},
		models.CreateUserCollectionResponseFromDiscriminatorValue)
	if err != nil {
		return accountsPage{}, err
	}
	var page accountsPage
	if link := value(res.GetOdataNextLink()); link != "" {
		if page.next, err = c.link(link); err != nil {
			return accountsPage{}, err
		}
	}
	var members []models.Userable
	for _, u := range res.GetValue() {
		if u != nil && !strings.EqualFold(value(u.GetUserType()), "Guest") && addressOf(u) != "" {
			members = append(members, u)
		}
	}
	page.accounts, err = c.newAccounts(ctx, members)
	return page, err
}

// newAccounts asks for what each mailbox is for and makes the accounts.
func (c *Client) newAccounts(ctx context.Context, users []models.Userable) ([]sources.Account, error) {
	urls := make([]*url.URL, len(users))
	for i, u := range users {
		urls[i] = c.path(nil, "users", value(u.GetId()), "mailboxSettings", "userPurpose")
	}
	purposes, err := c.batch(ctx, userPurposes, "", nil, urls)
	if err != nil {
		return nil, err
	}
	accounts := make([]sources.Account, len(users))
	for i, u := range users {
		accounts[i] = sources.Account{ID: addressOf(u), Name: httpx.OneLine(value(u.GetDisplayName())), Aliases: aliasesOf(u)}
		if accounts[i].State, err = stateOf(u, purposes[i]); err != nil {
			return nil, err
		}
	}
	return accounts, nil
}

// addressOf returns the name by which Graph knows the user.
func addressOf(u models.Userable) string { return value(u.GetUserPrincipalName()) }

// aliasesOf returns the addresses beside the account's own. Of proxyAddresses only those of mail count (SMTP: the main one, smtp:
// the others).
func aliasesOf(u models.Userable) []string {
	own := addressOf(u)
	var aliases []string
	for _, a := range append([]string{"smtp:" + value(u.GetMail())}, u.GetProxyAddresses()...) {
		kind, address, _ := strings.Cut(a, ":")
		if strings.EqualFold(kind, "smtp") && address != "" && !strings.EqualFold(address, own) && !contains(aliases, address) {
			aliases = append(aliases, address)
		}
	}
	return aliases
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(x, s) {
			return true
		}
	}
	return false
}

// stateOf names what matters most. Shared mailboxes, rooms and equipment are users whose account is disabled and who need no
// licence, so that their purpose comes first. A mailbox that cannot be asked is not there; any other error is one of the run.
func stateOf(u models.Userable, purpose batchAnswer) (string, error) {
	var answer struct{ Value string }
	err := purpose.decode(&answer)
	none := hasCode(err, "MailboxNotEnabledForRESTAPI", "ResourceNotFound", "ErrorItemNotFound", "Request_ResourceNotFound", "ErrorInvalidUser")
	enabled := u.GetAccountEnabled() == nil || *u.GetAccountEnabled()
	switch {
	case err != nil && !none:
		return "", err
	case answer.Value == "shared" || answer.Value == "room" || answer.Value == "equipment":
		return answer.Value, nil
	case !enabled:
		return "disabled", nil
	case len(u.GetAssignedLicenses()) == 0:
		return "unlicensed", nil
	case none:
		return "no_mailbox", nil
	}
	return "active", nil
}
