package google

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"codeberg.org/repatriate/repatriate/fault"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/sources"
)

func TestAccounts(t *testing.T) {
	d := tenantData(t)
	for _, u := range []sim.User{
		{Email: "s@example.org", GivenName: "S", Suspended: true, NoMailbox: true, Archived: true},
		{Email: "r@example.org", Archived: true, NoMailbox: true},
		{Email: "n@example.org", NoMailbox: true, Aliases: []string{"m@example.org"}},
		{Email: "d@example.org", Deleted: true},
	} {
		must(t, d.AddUser(u))
	}
	drive := d.AddSharedDrive("Board")
	for i := range 5 {
		must(t, d.AddUser(sim.User{Email: fmt.Sprintf("z%d@example.org", i)}))
	}
	c, _ := simulated(t, d, sim.Options{PageSize: 3})
	var got []sources.Account
	for a, err := range c.Accounts(t.Context()) {
		must(t, err)
		got = append(got, a)
	}
	want := []sources.Account{
		{ID: alice, Name: "Alice Example", State: "active"},
		{ID: bob, Name: "Bob Example", State: "active"},
		{ID: "n@example.org", State: "no_mailbox", Aliases: []string{"m@example.org"}},
		{ID: "r@example.org", State: "archived"},
		{ID: "s@example.org", Name: "S", State: "suspended"},
	}
	for i := range 5 {
		want = append(want, sources.Account{ID: fmt.Sprintf("z%d@example.org", i), State: "active"})
	}
	want = append(want, sources.Account{ID: drive, Name: "Board", State: "active", Shared: true})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAccountsEndAtTheFirstError(t *testing.T) {
	c, server := simulated(t, tenantData(t), sim.Options{})
	c.options.Admin = bob
	n := 0
	for _, err := range c.Accounts(t.Context()) {
		n++
		if f := fault.Of(err); f == nil || f.Reason != fault.SourceForbidden {
			t.Errorf("got %v", err)
		}
	}
	if n != 1 {
		t.Errorf("%d times round", n)
	}
	c.options.Admin = alice
	for _, err := range c.Accounts(t.Context()) {
		must(t, err)
		break
	}
	if got := server.Counts()["directory.users.list"]; got != 2 {
		t.Errorf("%d requests", got)
	}
}
