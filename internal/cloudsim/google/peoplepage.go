package google

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// bookPage is a page of a list of the People API.
type bookPage struct {
	items      []bookItem
	next, sync string
}

// answer renders a page under the name of its list.
func (p bookPage) answer(name string, items []object) object {
	o := object{}
	if len(items) > 0 {
		o = append(o, member{name, items})
	}
	o = optional(o, "nextPageToken", p.next)
	return optional(o, "nextSyncToken", p.sync)
}

// bookCursor is where a page begins.
type bookCursor struct {
	start int  // number of the latest change when the first page was asked for
	after int  // number of the change, or in other orders than that of changes the count of items, to go on after
	delta bool // only what changed is wanted
}

// bookPage gives the page that the call asks for. The caller holds data.mu.
func (c *call) bookPage(b *book, size int) (bookPage, error) {
	at, err := c.bookCursor(b)
	if err != nil {
		return bookPage{}, err
	}
	order, sync := c.query.Get("sortOrder"), c.flag("requestSyncToken")
	var found []*bookItem
	more := false
	if order == "" || order == "LAST_MODIFIED_ASCENDING" {
		found, at.after, more = b.page(at.after, size, at.delta)
	} else {
		if sync || at.delta {
			return bookPage{}, errArgument("Sync requests must use sort order LAST_MODIFIED_ASCENDING.")
		}
		all := inOrder(b, order)
		all = all[min(at.after, len(all)):]
		found, more = all[:min(size, len(all))], len(all) > size
		at.after += len(found)
	}
	page := bookPage{}
	for _, item := range found {
		page.items = append(page.items, *item)
	}
	if more {
		page.next = c.pageToken(fmt.Sprintf("%s %d %d", c.fingerprint(), at.start, at.after))
	} else if sync {
		page.sync = base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "sync %s %d", c.fingerprint("syncToken"), at.start))
	}
	return page, nil
}

func inOrder(b *book, order string) []*bookItem {
	name := func(part string) func(object) string {
		return func(person object) string {
			names, _ := person.get("names").([]any)
			if len(names) == 0 {
				return ""
			}
			first, _ := names[0].(object)
			return first.text(part)
		}
	}
	switch order {
	case "FIRST_NAME_ASCENDING":
		return b.byName(name("givenName"))
	case "LAST_NAME_ASCENDING":
		return b.byName(name("familyName"))
	}
	items := b.live()
	slices.Reverse(items)
	return items
}

// bookCursor reads the sync token and the page token, and refuses those that came from a request with other parameters.
func (c *call) bookCursor(b *book) (bookCursor, error) {
	at := bookCursor{start: b.serial}
	if token := c.query.Get("syncToken"); token != "" {
		raw, err := base64.RawURLEncoding.DecodeString(token)
		print, number := "", 0
		if _, scanErr := fmt.Sscanf(string(raw), "sync %s %d", &print, &number); err != nil || scanErr != nil || number > b.serial {
			return at, errArgument("Invalid sync token.")
		}
		if print != c.fingerprint("syncToken") {
			return at, errArgument("Sync token was made by a request with other parameters.")
		}
		if number < b.oldest {
			return at, &apiError{code: 400, reason: "EXPIRED_SYNC_TOKEN", message: "Sync token is expired. Clear local cache and retry call without the sync token."}
		}
		at.after, at.delta = number, true
	}
	place, found, err := c.place()
	if err != nil || !found {
		return at, err
	}
	print, rest, _ := strings.Cut(place, " ")
	if print != c.fingerprint() {
		return at, errArgument("Page token was made by a request with other parameters.")
	}
	_, err = fmt.Sscanf(rest, "%d %d", &at.start, &at.after)
	return at, err
}
