package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/passes"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// placesOf returns the places on the target that the items of an account go to, by kind.
func placesOf(t config.Target, p config.Account) map[string]string {
	places := make(map[string]string)
	put := func(kind, url string) {
		name := p.Login(kind).Target
		place := strings.TrimRight(strings.ReplaceAll(url, "{user}", name), "/")
		if place == strings.TrimRight(url, "/") {
			place += ", " + name // who logs in has the place to themselves
		}
		places[kind] = place
	}
	if t.Files != nil {
		put("files", t.Files.WebDAV)
	}
	if t.Mail != nil {
		put("mail", t.Mail.IMAP)
	}
	if t.Calendar != nil {
		put("calendar", t.Calendar.CalDAV)
	}
	if t.Contacts != nil {
		put("contacts", t.Contacts.CardDAV)
	}
	if t.Tasks != nil {
		put("tasks", t.Tasks.CalDAV)
	}
	return places
}

// samePlace reports whether two places are one but for how the server is spoken to: with or without TLS, at the usual port for either.
func samePlace(a, b string) bool { return beyondTLS(a) == beyondTLS(b) }

func beyondTLS(place string) string {
	scheme, rest, _ := strings.Cut(place, "://")
	host, path, slash := strings.Cut(rest, "/")
	if !slash {
		host, path, _ = strings.Cut(rest, ",")
	}
	for _, usual := range []string{"imap:143", "imaps:993", "http:80", "https:443"} {
		if s, port, _ := strings.Cut(usual, ":"); s == scheme {
			host = strings.TrimSuffix(host, ":"+port)
		}
	}
	return strings.TrimSuffix(scheme, "s") + "://" + host + "/" + path
}

// aimed refuses to go on at another place than the one at which lies what was moved already: it counts as moved, and the other place
// would never get it.
func (p pass) aimed(ctx context.Context, job *config.Job, store checkpoint.Store, people []config.Account) error {
	statuses, err := store.Tasks(ctx)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	now := make(map[string]map[string]string, len(people))
	for _, a := range people {
		now[a.Source] = placesOf(job.Target, a)
	}
	var first string
	elsewhere := make(map[string]bool)
	for _, s := range p.among(statuses) {
		place := now[s.Account][s.Kind]
		if place == "" || s.Target == "" || samePlace(s.Target, place) || lying(s) == 0 {
			continue
		}
		if first == "" {
			first = fmt.Sprintf("%s of %s went to %s, and would go to %s now", s.Kind, report.Clean(s.Account, 60), report.Clean(s.Target, 200), report.Clean(place, 200))
		}
		elsewhere[s.Account] = true
	}
	if first == "" || p.retarget {
		return nil
	}
	if len(elsewhere) > 1 {
		first += fmt.Sprintf("; it is so with %d accounts", len(elsewhere))
	}
	return usage(fmt.Errorf("%s. What was moved already would not be moved there again. Set the job file or %s back; or, if it is the same account "+
		"under a new address, give --retarget. If it is another one, have 'repatriate verify %s --requeue' note what is not there, and give --retarget then",
		first, job.Accounts, job.Path))
}

// lying is how many items of a task may lie on the target.
func lying(s checkpoint.Status) int64 {
	return s.Counts[checkpoint.Writing] + s.Counts[checkpoint.Copied] + s.Counts[checkpoint.CopiedWithLosses]
}

// lostState refuses to begin a job anew whose state is gone: where an item cannot be found again, it would be written twice.
func lostState(job *config.Job) error {
	if _, err := os.Stat(job.StatePath()); !errors.Is(err, fs.ErrNotExist) {
		return nil // what is wrong with it, opening it will say
	}
	path := passes.Path(job.Job, job.StatePath())
	made, _ := passes.Read(path) // what cannot be read tells nothing
	for _, m := range made {
		if m.Written > 0 {
			return usage(fmt.Errorf("the job %q was run before, but its state is not there: put %s back. To begin anew all the same, "+
				"which writes mail a second time that lies on the target already, delete %s", job.Job, job.StatePath(), path))
		}
	}
	return nil
}
