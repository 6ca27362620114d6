package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/sources"
)

// TestNamesOfSingleKinds: a server that has names and passwords of its own has columns of its own.
func TestNamesOfSingleKinds(t *testing.T) {
	n, err := newNaming([]string{"mail=keep", "first.last"})
	if err == nil {
		err = n.refer([]string{"mail=file:mail/{user}", "file:cloud/{user}", "calendar=env:DAV_{user}"})
	}
	if err != nil {
		t.Fatal(err)
	}
	kinds := n.ownKinds()
	want := "source target password kinds mail_target mail_password calendar_target calendar_password state name comment"
	if got := strings.Join(columnsOf(kinds), " "); got != want {
		t.Errorf("columns %s", got)
	}
	for _, c := range []struct {
		account sources.Account
		want    []string
	}{
		{sources.Account{ID: "al@example.org", Name: "Ada Lovelace"},
			[]string{"al@example.org", "ada.lovelace", "file:cloud/ada.lovelace", "", "al@example.org", "file:mail/al@example.org", "", "env:DAV_ada.lovelace", ""}},
		{sources.Account{ID: "AL@example.org", Name: "Alan Turing"},
			[]string{"AL@example.org", "alan.turing", "file:cloud/alan.turing", "", "", "file:mail/alan.turing", "", "env:DAV_alan.turing", ""}},
		{sources.Account{ID: "0A", Name: "Board", Shared: true}, []string{"drive:0A", "", "", "files", "", "", "", "", ""}},
	} {
		if got := n.name(lineOf(c.account)).fields(kinds); !slices.Equal(got[:len(c.want)], c.want) {
			t.Errorf("%s: %q, want %q", c.account.ID, got, c.want)
		}
	}
	for _, c := range []struct {
		rules []string
		want  string
	}{{[]string{"keep", "local"}, "there is a rule"}, {[]string{"mail=keep", "mail=local"}, "there is a rule"}, {[]string{"mail=loca"}, "none of local"}, {[]string{"fax=keep"}, "none of local"}} {
		if _, err := newNaming(c.rules); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.rules, err, c.want)
		}
	}
}

// TestAnAccountsFileIsRenewed: an accounts file that serves as file of names keeps its passwords and what it has for single kinds.
func TestAnAccountsFileIsRenewed(t *testing.T) {
	dir := t.TempDir()
	old, mail := filepath.Join(dir, "old.csv"), filepath.Join(dir, "mail.csv")
	put(t, old, "source;target;password;calendar_target\nada@example.org;ada;cmd:pass ada;ada.dav\nben@example.org;ben;;\n")
	put(t, mail, "source,target,password\nada@example.org,a.l,env:MAIL_ADA\n")
	n, err := newNaming([]string{"column:" + old, "mail=column:" + mail})
	if err == nil {
		err = n.refer([]string{"file:new/{user}"})
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		account string
		want    []string
	}{
		{"ada@example.org", []string{"ada@example.org", "ada", "cmd:pass ada", "", "a.l", "env:MAIL_ADA", "ada.dav", "", "", "", ""}},
		{"ben@example.org", []string{"ben@example.org", "ben", "file:new/ben", "", "", "", "", "", "", "", "mail_target: not in the file of names"}},
		{"eve@example.org", []string{"eve@example.org", "", "", "", "", "", "", "", "", "", "not in the file of names; mail_target: not in the file of names"}},
	} {
		if got := n.name(lineOf(sources.Account{ID: c.account})).fields(n.ownKinds()); !slices.Equal(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
