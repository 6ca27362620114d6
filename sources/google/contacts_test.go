package google

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/sources"
)

// groupOfMany is alice's group with so many contacts.
func groupOfMany(t *testing.T, d *sim.Data, many int) (group string) {
	t.Helper()
	group = added(t)(d.AddContactGroup(alice, sim.ContactGroup{Name: "Choir"}))
	for i := range many {
		person := fmt.Sprintf(`{"names": [{"givenName": "Contact", "familyName": "%d"}],
			"memberships": [{"contactGroupMembership": {"contactGroupResourceName": %q}}]}`, i, group)
		added(t)(d.AddContact(alice, json.RawMessage(person)))
	}
	return group
}

// wantGroups demands that each contact is in one group of the name.
func wantGroups(t *testing.T, items []sources.Item[sources.Contact], many int, name string) {
	t.Helper()
	if len(items) != many {
		t.Fatalf("%d contacts, want %d", len(items), many)
	}
	for _, it := range items {
		if !slices.Equal(it.Content.Groups, []string{name}) {
			t.Errorf("%s is in %q, want %q", it.Title, it.Content.Groups, name)
		}
	}
}

// TestGroupsAreAskedForOnceInAPass, however many pages it has; and again by a process that goes on in its middle.
func TestGroupsAreAskedForOnceInAPass(t *testing.T) {
	d := tenantData(t)
	group := groupOfMany(t, d, 35)
	c, server := simulated(t, d, sim.Options{PageSize: 10})
	s := Contacts(c, alice, "contacts")
	wantRequests := func(what string, groups, pages int) {
		t.Helper()
		got := server.Counts()
		if got["people.contactGroups.list"] != groups || got["people.connections.list"] != pages {
			t.Errorf("%s took %v, want %d requests for groups and %d for contacts", what, got, groups, pages)
		}
		server.ResetCounts()
	}

	items, end := pass(t, s, "")
	wantGroups(t, items, 35, "Choir")
	wantRequests("a listing of four pages", 1, 4)
	if items, end = pass(t, s, end); len(items) != 0 {
		t.Errorf("nothing changed, but %v", ids(items))
	}
	wantRequests("a pass without changes", 1, 1)
	if _, err := s.Fetch(t.Context(), "people/none"); err == nil {
		t.Error("a contact that is not there was fetched")
	}
	wantRequests("one contact that is fetched", 0, 0)

	first, err := s.Changes(t.Context(), "")
	must(t, err)
	must(t, d.RenameContactGroup(alice, group, "Chorus"))
	server.ResetCounts()
	rest, next := pass(t, s, first.Next)
	wantGroups(t, append(first.Items, rest...), 35, "Choir")
	wantRequests("the rest of a pass", 0, 3)
	for _, cursor := range []sources.Cursor{end, next} {
		if _, err := s.Changes(t.Context(), cursor); !errors.Is(err, sources.ErrCursorExpired) {
			t.Errorf("a group has another name since: %v", err)
		}
	}
	if _, err := Contacts(c, alice, "contacts").Changes(t.Context(), first.Next); !errors.Is(err, sources.ErrCursorExpired) {
		t.Errorf("another process goes on in a pass with the old name: %v", err)
	}
	items, _ = pass(t, s, "")
	wantGroups(t, items, 35, "Chorus")

	first, err = s.Changes(t.Context(), "")
	must(t, err)
	server.ResetCounts()
	rest, _ = pass(t, Contacts(c, alice, "contacts"), first.Next)
	wantGroups(t, append(first.Items, rest...), 35, "Chorus")
	wantRequests("the rest of a pass by another process", 1, 3)
}

// TestCutListsAreFetchedWhole: of addresses and numbers a list of people has a hundred at most, and does not say that there are more.
func TestCutListsAreFetchedWhole(t *testing.T) {
	d := tenantData(t)
	many := map[string][]map[string]string{"names": {{"givenName": "Many"}}}
	for i := range 130 {
		many["emailAddresses"] = append(many["emailAddresses"], map[string]string{"value": fmt.Sprintf("m%d@example.org", i)})
		many["phoneNumbers"] = append(many["phoneNumbers"], map[string]string{"value": fmt.Sprintf("+49 30 %d", i)})
	}
	person, err := json.Marshal(many)
	must(t, err)
	id := added(t)(d.AddContact(alice, person))
	added(t)(d.AddContact(alice, json.RawMessage(`{"names": [{"givenName": "Few"}], "emailAddresses": [{"value": "few@example.org"}]}`)))
	c, _ := simulated(t, d, sim.Options{})
	s := Contacts(c, alice, "contacts")
	items, _ := pass(t, s, "")
	if listed := byTitle(t, items, "Many"); !listed.Stub || byTitle(t, items, "Few").Stub {
		t.Errorf("only the cut one is to be fetched: %v of %d addresses", listed.Stub, len(listed.Content.Emails))
	}
	whole, err := s.Fetch(t.Context(), id)
	must(t, err)
	if c := whole.Content; whole.Stub || c.Truncated || len(c.Emails) != 130 || len(c.Phones) != 130 || c.Phones[129].Value != "+49 30 129" {
		t.Errorf("stub %v, %d addresses, %d numbers", whole.Stub, len(c.Emails), len(c.Phones))
	}
}

// TestCutListsOfOthers: an other contact cannot be fetched whole, and says so.
func TestCutListsOfOthers(t *testing.T) {
	d := tenantData(t)
	many := map[string][]map[string]string{"names": {{"givenName": "Many"}}}
	for i := range 130 {
		many["emailAddresses"] = append(many["emailAddresses"], map[string]string{"value": fmt.Sprintf("m%d@example.org", i)})
	}
	person, err := json.Marshal(many)
	must(t, err)
	added(t)(d.AddOtherContact(alice, person))
	added(t)(d.AddOtherContact(alice, json.RawMessage(`{"names": [{"givenName": "Few"}], "emailAddresses": [{"value": "few@example.org"}]}`)))
	c, _ := simulated(t, d, sim.Options{})
	s := Contacts(c, alice, "otherContacts")
	items, _ := pass(t, s, "")
	cut, whole := byTitle(t, items, "Many"), byTitle(t, items, "Few")
	if cut.Stub || !cut.Content.Truncated || len(cut.Content.Emails) != 100 || whole.Content.Truncated {
		t.Errorf("stub %v, truncated %v with %d addresses; the other truncated %v", cut.Stub, cut.Content.Truncated, len(cut.Content.Emails), whole.Content.Truncated)
	}
	fetched, err := s.Fetch(t.Context(), cut.ID)
	must(t, err)
	if !fetched.Content.Truncated {
		t.Error("fetched, it does not say that it is cut")
	}
}
