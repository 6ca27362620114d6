package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/simulation"
)

// TestServersWithNamesOfTheirOwn moves mail and contacts to servers that know the accounts by other names and passwords than files do: by
// each other's. Everything that speaks with a target follows.
func TestServersWithNamesOfTheirOwn(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	dir := filepath.Dir(s.Job)
	list := filepath.Join(dir, "accounts.csv")
	edit(t, list, "source,target,password,kinds", "source,target,password,kinds,mail_target,mail_password,contacts_target,contacts_password")
	edit(t, list, "file:password-user0001,",
		"file:password-user0001,files mail calendar contacts,user0002,file:password-user0002,user0002,file:password-user0002")
	edit(t, list, "file:password-user0002,\n", "file:password-user0002,files calendar contacts,,,user0001,file:password-user0001\n")
	if p := ran(t, exitOK, "accounts", "check", s.Job); !strings.Contains(p.stdout.String(), "Nothing is wrong with it.") {
		t.Errorf("accounts check: %s", p.stdout.String())
	}
	for _, command := range [][]string{{"check"}, {"plan"}, {"run"}, {"verify", "--deep"}} {
		ran(t, exitOK, append(command, s.Job)...)
	}
	for i, user := range []string{"user0001", "user0002"} {
		want := i == 1
		boxes, err := s.Targets.Mail.Mailboxes(user)
		if got := len(boxes) > 1; err != nil || got != want {
			t.Errorf("mail of %s: %v, want any: %v; %v", user, boxes, want, err)
		}
		if files, err := s.Targets.Files.List(user); err != nil || len(files) == 0 {
			t.Errorf("files of %s: %v, %v", user, files, err)
		}
	}
	pages := filepath.Join(dir, "pages")
	ran(t, exitOK, "report", s.Job, "--per-account", pages)
	page, err := os.ReadFile(filepath.Join(pages, "user0001@example.org.html"))
	if want := "Your new account is called user0001. Mail, Address books: it is called user0002 there."; err != nil || !strings.Contains(string(page), want) {
		t.Errorf("the page does not say %q", want)
	}
	ran(t, exitOK, "undo", s.Job, "--yes")
	if boxes, err := s.Targets.Mail.Mailboxes("user0002"); err != nil || len(boxes) != 1 {
		t.Errorf("mail after undo: %v, %v", boxes, err)
	}
}

// TestAWrongPasswordIsTriedOnce: a server that counts wrong passwords locks nobody out because of a check.
func TestAWrongPasswordIsTriedOnce(t *testing.T) {
	s := simulated(t, simulation.Options{Source: simulation.Google(googleTeam(t), sim.Options{}, "")})
	var refused atomic.Int32
	by := seededProxy(t, s.Targets.Calendar.URL, nil, func(_ http.ResponseWriter, r *http.Request) bool {
		if user, _, _ := r.BasicAuth(); user == "ben" {
			refused.Add(1)
		}
		return false
	})
	through(t, s, s.Targets.Calendar.URL, by)
	edit(t, filepath.Join(filepath.Dir(s.Job), "accounts.csv"), "file:password-ben", "file:password-ada")
	p := ran(t, exitStopped, "check", s.Job, "--account", "ben@example.org", "--kind", "calendar,contacts,tasks")
	if !strings.Contains(p.stdout.String(), "ben@example.org, calendar, contacts and tasks:") {
		t.Errorf("said: %s", p.stdout.String())
	}
	const most = 2 // whether the server invites guests is asked first, of everybody
	if n := refused.Load(); n == 0 || n > most {
		t.Errorf("the wrong password was sent %d times, want at most %d", n, most)
	}
}
