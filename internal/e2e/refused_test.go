package e2e

import (
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// stopped demands that a task stopped with an error that holds all of the words, in the report for programs and, with the
// account's name, in that for people.
func (w *world) stopped(r result, account, kind string, words ...string) {
	w.tb.Helper()
	task := report.Task{}
	for _, one := range r.report.Tasks {
		if one.Account == account && one.Kind == kind && one.Error != "" {
			task = one
		}
	}
	text := w.start("status", w.job()).wait().stdout
	if !strings.Contains(text, account) {
		w.tb.Errorf("%s of %s: the report does not name the account:\n%s", kind, account, text)
	}
	for _, word := range words {
		if !strings.Contains(task.Error, word) {
			w.tb.Errorf("%s of %s: the error does not say %q: %s", kind, account, word, task.Error)
		}
		if !strings.Contains(strings.Join(strings.Fields(text), " "), word) {
			w.tb.Errorf("%s of %s: the report does not say %q:\n%s", kind, account, word, text)
		}
	}
}

// TestWrongPassword gives one of two accounts a wrong password: the other one is moved, and the first after it was put
// right.
func TestWrongPassword(t *testing.T) {
	s := realServers(t)
	data := sim.Generate(organisation.Spec{Users: 2, Mail: 10, Files: 10, Events: 5, Seed: 9})
	w := newWorld(t, data, sim.Options{}, s.urls(), peopleOf(t, data)...)
	w.people[0].password = "wrong"
	w.write("wrong", "not the password\n")
	w.writeJob()
	r := w.run(4)
	for _, kind := range []string{"files", "mail", "calendar"} {
		w.stopped(r, w.people[0].source, kind, "target.auth", "password")
	}
	if task := r.task(t, w.people[1].source, "mail"); task.Error != "" || task.Copied+task.CopiedWithLosses != 10 {
		t.Errorf("the other account: %+v", task)
	}
	if strings.Contains(r.stderr+r.stdout, "not the password") {
		t.Error("the password is in the output")
	}
	w.people[0].password = ""
	w.writeJob()
	if r := w.run(0); r.report.Totals.Listed != 2*r.task(t, w.people[0].source, "mail").Listed+r.otherThanMail() {
		t.Errorf("%+v", r.report.Totals)
	}
}

// otherThanMail returns how many items of other kinds are listed.
func (r result) otherThanMail() (n int64) {
	for _, t := range r.report.Tasks {
		if t.Kind != "mail" {
			n += t.Listed
		}
	}
	return n
}

// TestRevokedConsent takes the scope of one service away.
func TestRevokedConsent(t *testing.T) {
	s := realServers(t)
	data := sim.Generate(organisation.Spec{Users: 1, Mail: 10, Files: 10, Events: 5, Seed: 10})
	w := newWorld(t, data, sim.Options{}, s.urls(), peopleOf(t, data)...)
	scopes := sim.ReadOnlyScopes()
	w.google.SetScopes(slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return strings.Contains(s, "gmail") })...)
	r := w.run(4)
	w.stopped(r, w.people[0].source, "mail", "source.scope_missing", "https://www.googleapis.com/auth/gmail.readonly", "Domain-wide delegation")
	if task := r.task(t, w.people[0].source, "files"); task.Error != "" || task.Copied+task.CopiedWithLosses == 0 {
		t.Errorf("the files: %+v", task)
	}
	w.google.SetScopes(scopes...)
	w.run(0)
}

// TestRevokedTokens makes all access tokens invalid in the middle of a run; new ones can be had.
func TestRevokedTokens(t *testing.T) {
	s := realServers(t)
	data := sim.Generate(organisation.Spec{Users: 1, Mail: 60, Files: 60, Events: 5, Seed: 11})
	w := newWorld(t, data, sim.Options{}, s.urls(), peopleOf(t, data)...)
	var m moments
	m.arm(50, w.google.RevokeTokens)
	w.setHook(func(string) (cloudsim.Fault, bool) {
		m.pass()
		return cloudsim.Fault{}, false
	})
	w.run(0)
}
