package google

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/api/googleapi"
	"google.golang.org/api/people/v1"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/remembered"
	"codeberg.org/repatriate/repatriate/sources"
)

// OtherContacts is the collection of the people whom the user never put into the address book, but wrote to.
const OtherContacts = "otherContacts"

// ContactCollections returns the user's address books: Google has one. With other, those whom the user wrote to are a second one.
func ContactCollections(other bool) []sources.Collection {
	books := []sources.Collection{{ID: "contacts", Name: "Contacts", Primary: true}}
	if other {
		books = append(books, sources.Collection{ID: OtherContacts, Name: "Other contacts"})
	}
	return books
}

const (
	contactsPage = 1000 // the most that Google gives
	personFields = "addresses,ageRanges,biographies,birthdays,calendarUrls,emailAddresses,events,externalIds,fileAses,genders,imClients,interests,locales," +
		"locations,memberships,metadata,miscKeywords,names,nicknames,occupations,organizations,phoneNumbers,photos,relations,sipAddresses," +
		"skills,urls,userDefined"
	otherFields = "emailAddresses,metadata,names,phoneNumbers,photos"
	// truncatedAt is how many addresses or numbers of a person a list gives at most.
	truncatedAt = 100
)

// Contacts returns the contacts of the user, or with collection = OtherContacts those whom the user wrote to.
func Contacts(c *Client, user, collection string) sources.Source[sources.Contact] {
	return &contactSource{client: c, user: user, other: collection == OtherContacts, names: remembered.New[groupNames]()}
}

type contactSource struct {
	client *Client
	user   string
	other  bool
	names  remembered.Value[groupNames] // asked for at the first page of each pass
}

// contactCursor is the place in the changes of contacts.
type contactCursor struct {
	// Sync is the token of the last complete reading; empty in a full listing.
	Sync string `json:"sync,omitempty"`
	// Page is the next page of an unfinished reading.
	Page string `json:"page,omitempty"`
	// Groups is a digest of the names of the groups: a renamed group changes no contact at Google.
	Groups string `json:"groups,omitempty"`
}

// connections is one page of either list.
type connections struct {
	people     []*people.Person
	page, sync string
}

// Changes implements sources.Source.
func (s *contactSource) Changes(ctx context.Context, after sources.Cursor) (page sources.Page[sources.Contact], err error) {
	var cur contactCursor
	if after != "" {
		if err := json.Unmarshal([]byte(after), &cur); err != nil || cur.Sync+cur.Page == "" {
			return page, fmt.Errorf("google: cursor of contacts: %w", sources.ErrCursorExpired)
		}
	}
	groups, err := s.groupsAt(ctx, cur)
	if err != nil {
		return page, err
	}
	if after != "" && cur.Groups != groups.digest {
		return page, fmt.Errorf("google: a group of contacts has another name: %w", sources.ErrCursorExpired)
	}
	answer, err := s.list(ctx, cur)
	if err != nil {
		// People says of a token that it is no good by a reason, or by a 400 alone: all else in such a request is always the same.
		if after != "" && (hasReason(err, "EXPIRED_SYNC_TOKEN") || statusOf(err) == http.StatusBadRequest) {
			return page, errors.Join(sources.ErrCursorExpired, err)
		}
		return page, expired(err, cur.Sync+cur.Page)
	}
	page.Listing = cur.Sync == ""
	for _, p := range answer.people {
		if p != nil && p.ResourceName != "" {
			page.Items = append(page.Items, s.item(p, groups))
		}
	}
	if answer.page == cur.Page && answer.page != "" || answer.page+answer.sync == "" {
		return page, fault.New(fault.Retry, fault.SourceBadAnswer, "People connections.list: neither a next page nor a sync token")
	}
	cur.Page, cur.Groups = answer.page, groups.digest
	if page.More = cur.Page != ""; !page.More {
		cur.Sync, page.ListingDone = answer.sync, page.Listing
	}
	raw, err := json.Marshal(cur)
	page.Next = sources.Cursor(raw)
	return page, err
}

// options are the parameters of a request that say where to go on.
func (c contactCursor) options() (list []googleapi.CallOption) {
	if c.Sync != "" {
		list = append(list, googleapi.QueryParameter("syncToken", c.Sync))
	}
	if c.Page != "" {
		list = append(list, googleapi.QueryParameter("pageToken", c.Page))
	}
	return list
}

// list sends one request. The parameters are the same in a listing and with its sync token, as Google demands.
func (s *contactSource) list(ctx context.Context, cur contactCursor) (out connections, err error) {
	if s.other {
		err = s.do(ctx, otherContactsList, func(svc *people.Service) error {
			answer, err := svc.OtherContacts.List().ReadMask(otherFields).PageSize(contactsPage).RequestSyncToken(true).Context(ctx).Do(cur.options()...)
			if err == nil {
				out = connections{answer.OtherContacts, answer.NextPageToken, answer.NextSyncToken}
			}
			return err
		})
		return out, err
	}
	err = s.do(ctx, peopleConnectionsList, func(svc *people.Service) error {
		call := svc.People.Connections.List("people/me").PersonFields(personFields).PageSize(contactsPage).RequestSyncToken(true).Context(ctx)
		answer, err := call.Do(cur.options()...)
		if err == nil {
			out = connections{answer.Connections, answer.NextPageToken, answer.NextSyncToken}
		}
		return err
	})
	return out, err
}

func (s *contactSource) do(ctx context.Context, m method, fn func(*people.Service) error) error {
	return as(ctx, s.client, s.user, m, func(ctx context.Context, user string) (*people.Service, error) {
		return s.client.people(ctx, user, m.api)
	}, fn)
}

// item makes an item of a person. One whose lists Google cut off is a stub, to be fetched whole, where that is possible.
func (s *contactSource) item(p *people.Person, groups groupNames) sources.Item[sources.Contact] {
	it := sources.Item[sources.Contact]{ID: p.ResourceName, Version: versionOf(p, groups)}
	if p.Metadata != nil && p.Metadata.Deleted {
		it.Deleted = true
		return it
	}
	names, starred := groups.of(p)
	it.Content = contactOf(p, names, starred)
	it.Title, _ = it.Content.Shown()
	it.Link = "https://contacts.google.com/person/" + strings.TrimPrefix(p.ResourceName, "people/")
	truncated := len(p.EmailAddresses) >= truncatedAt || len(p.PhoneNumbers) >= truncatedAt
	it.Stub, it.Content.Truncated = truncated && !s.other, truncated && s.other
	it.Content.Photo = s.photo(p)
	return it
}

// versionOf changes with the person and with the names of its groups.
func versionOf(p *people.Person, groups groupNames) string {
	names, starred := groups.of(p)
	sum := sha256.Sum256(fmt.Append(nil, names, starred))
	return p.Etag + "." + hex.EncodeToString(sum[:4])
}

// Fetch implements sources.Source. Other contacts cannot be asked for one by one: they come with a list.
func (s *contactSource) Fetch(ctx context.Context, id string) (item sources.Item[sources.Contact], err error) {
	if s.other {
		return s.fetchOther(ctx, id)
	}
	groups, err := s.names.Get(ctx, s.groups)
	if err != nil {
		return item, err
	}
	var p *people.Person
	err = s.do(ctx, peopleGet, func(svc *people.Service) (err error) {
		p, err = svc.People.Get(id).PersonFields(personFields).Context(ctx).Do()
		return err
	})
	if err != nil {
		return item, err
	}
	item = s.item(p, groups)
	item.Stub = false
	if item.Deleted {
		return item, fault.New(fault.Skip, fault.SourceDeleted, "the contact was deleted: %w", sources.ErrGone)
	}
	return item, nil
}

func (s *contactSource) fetchOther(ctx context.Context, id string) (item sources.Item[sources.Contact], err error) {
	for cur := (contactCursor{}); ; {
		answer, err := s.list(ctx, cur)
		if err != nil {
			return item, err
		}
		for _, p := range answer.people {
			if p != nil && p.ResourceName == id && (p.Metadata == nil || !p.Metadata.Deleted) {
				return s.item(p, groupNames{}), nil
			}
		}
		if answer.page == "" || answer.page == cur.Page {
			return item, fault.New(fault.Skip, fault.SourceDeleted, "the contact was deleted: %w", sources.ErrGone)
		}
		cur.Page = answer.page
	}
}

// groupNames are the names of the user's groups by their resource names.
type groupNames struct {
	names  map[string]string
	digest string
}

// The groups that Google makes for everybody and that say nothing of a contact, and the one that is a mark.
var (
	saidNothing  = []string{"contactGroups/myContacts", "contactGroups/all", "contactGroups/chatBuddies", "contactGroups/blocked"}
	starredGroup = "contactGroups/starred"
)

// groupsAt returns the names of the groups for a page. All pages of a pass have the same ones: where a group gets another name meanwhile, the
// next pass finds it by the digest in the cursor.
func (s *contactSource) groupsAt(ctx context.Context, cur contactCursor) (groupNames, error) {
	if cur.Page == "" {
		return s.names.Renew(ctx, s.groups)
	}
	return s.names.Get(ctx, s.groups)
}

// groups asks for the names of the groups.
func (s *contactSource) groups(ctx context.Context) (groupNames, error) {
	out := groupNames{names: map[string]string{}}
	if s.other {
		return out, nil
	}
	for token := ""; ; {
		var answer *people.ListContactGroupsResponse
		err := s.do(ctx, peopleGroupsList, func(svc *people.Service) (err error) {
			call := svc.ContactGroups.List().PageSize(contactsPage).GroupFields("name,groupType").Context(ctx)
			if token != "" {
				call.PageToken(token)
			}
			answer, err = call.Do()
			return err
		})
		if err != nil {
			return out, err
		}
		for _, g := range answer.ContactGroups {
			if g != nil && !slices.Contains(saidNothing, g.ResourceName) {
				out.names[g.ResourceName] = g.Name
				if g.FormattedName != "" {
					out.names[g.ResourceName] = g.FormattedName
				}
			}
		}
		if answer.NextPageToken == "" || answer.NextPageToken == token {
			raw, err := json.Marshal(out.names) // in the order of the keys
			sum := sha256.Sum256(raw)
			out.digest = hex.EncodeToString(sum[:8])
			return out, err
		}
		token = answer.NextPageToken
	}
}

// of returns the names of the person's groups, and whether it is starred.
func (g groupNames) of(p *people.Person) (names []string, starred bool) {
	for _, m := range p.Memberships {
		if m == nil || m.ContactGroupMembership == nil {
			continue
		}
		at := m.ContactGroupMembership.ContactGroupResourceName
		if at == starredGroup {
			starred = true
		} else if name := g.names[at]; name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), starred
}

// photo returns the person's own picture; nil for one that Google made.
func (s *contactSource) photo(p *people.Person) *sources.Body {
	address := photoAddress(p)
	if address == "" {
		return nil
	}
	return &sources.Body{Version: p.Etag, Size: -1, Open: func(ctx context.Context) (io.ReadCloser, error) { return s.openPhoto(ctx, address) }}
}

// photoAddress is where the person's own picture is, in the size in which it was uploaded.
func photoAddress(p *people.Person) string {
	for _, ph := range primaryFirst(p.Photos, func(ph *people.Photo) *people.FieldMetadata { return ph.Metadata }) {
		if ph.Default || ph.Url == "" {
			continue
		}
		if at := strings.LastIndex(ph.Url, "=s"); at > 0 && strings.Trim(ph.Url[at+2:], "0123456789") == "" {
			return ph.Url[:at] + "=s0" // the whole picture
		}
		return ph.Url
	}
	return ""
}

func (s *contactSource) openPhoto(ctx context.Context, address string) (io.ReadCloser, error) {
	if !s.client.picturesAt(address) {
		return nil, fault.New(fault.FailItem, fault.SourceBadAnswer, "the picture of a contact is not on Google's servers")
	}
	res, err := s.client.get(ctx, s.user, peoplePhoto, address, nil)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "image/") {
		_ = res.Body.Close()
		return nil, fault.New(fault.FailItem, fault.SourceBadAnswer, "the picture of a contact is %.50q", res.Header.Get("Content-Type"))
	}
	return res.Body, nil
}

// picturesAt reports whether an address is one at which Google keeps pictures: it stands in an answer that others can shape.
func (c *Client) picturesAt(address string) bool {
	u, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	if c.trusted(u.URL) {
		return true
	}
	host := strings.ToLower(u.URL.Hostname())
	sub, ok := strings.CutSuffix(host, ".googleusercontent.com")
	return c.root == nil && ok && u.URL.Scheme == "https" && strings.HasPrefix(sub, "lh") && strings.Trim(sub[2:], "0123456789") == ""
}
