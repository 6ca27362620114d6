package e2e

import (
	"regexp"
	"strings"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	graph "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/internal/readback"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// verify reads back what the job wrote, whole, and demands that each task could be looked at.
func (w *world) verify(args ...string) *report.Verification {
	w.tb.Helper()
	p := w.start(append([]string{"verify", w.job(), "--deep", "--json"}, args...)...)
	r := p.end()
	if r.exit != 0 && r.exit != 3 {
		w.tb.Fatalf("verify: exit code %d\n%s\n%s", r.exit, r.stderr, strings.Join(regexp.MustCompile(`"error": "[^"].*`).FindAllString(r.stdout, -1), "\n"))
	}
	v := new(report.Verification)
	p.read(r.stdout, v)
	if v.Proven != (r.exit == 0) {
		w.tb.Errorf("verify: exit code %d, proven: %v", r.exit, v.Proven)
	}
	return v
}

// silent demands that every item is proven, and that as many are as the run copied.
func silent(tb testing.TB, v *report.Verification, run result) {
	tb.Helper()
	for _, t := range v.Tasks {
		for i, f := range t.Findings {
			if i < 5 {
				tb.Errorf("%s of %s: %s: %q at %s: %s", t.Kind, t.Account, f.Outcome, f.Title, f.Location, f.Detail)
			}
		}
	}
	if !v.Proven || v.Totals[readback.Changed] > 0 {
		tb.Errorf("%v", v.Totals)
	}
	if copied := run.report.Totals.Copied + run.report.Totals.CopiedWithLosses; v.Totals[readback.Proven] != copied {
		tb.Errorf("%d items are proven, %d were copied", v.Totals[readback.Proven], copied)
	}
	tb.Logf("%v", v.Totals)
}

// landing is a set of servers that a whole account is moved to.
type landing struct {
	name string
	urls urls
	mail string // host and port
	// fresh returns an account that nobody used.
	fresh func(testing.TB) string
}

// landings are Dovecot with Apache and Radicale, and Cyrus for everything.
func landings(t *testing.T) []landing {
	t.Helper()
	s := realServers(t)
	usual := s.urls()
	usual.contacts, usual.tasks = s.calendar.AddressBooksURL("{user}"), s.calendar.CalendarsURL("{user}")
	const accounts = 12
	cyrus := realserver.Cyrus(t, realserver.CyrusOptions{Accounts: realserver.Accounts{Count: accounts, Password: password}})
	used := 0
	return []landing{
		{"Dovecot, Apache and Radicale", usual, s.mail.IMAP, fresh},
		{"Cyrus", urls{
			mail: "imap://" + cyrus.IMAP, files: cyrus.FilesURL("{user}"), calendar: cyrus.CalendarsURL("{user}"),
			contacts: cyrus.AddressBooksURL("{user}"), tasks: cyrus.CalendarsURL("{user}"),
		}, cyrus.IMAP, func(tb testing.TB) string {
			if used++; used > accounts {
				tb.Fatal("no accounts are left; raise their number")
			}
			return cyrus.User(used).User
		}},
	}
}

// people gives each user an account of the landing.
func (l landing) people(tb testing.TB, kinds string, users ...string) (list []person) {
	for _, u := range users {
		list = append(list, person{source: u, target: l.fresh(tb), kinds: kinds})
	}
	return list
}

// TestVerifyIsSilent moves all kinds of real and generated data to each server, where nobody changes anything, and demands that every
// item is proven: a check that cries wolf is soon looked at by nobody.
func TestVerifyIsSilent(t *testing.T) {
	for _, l := range landings(t) {
		t.Run(l.name, func(t *testing.T) {
			for name, make := range map[string]func(*testing.T, landing) *world{
				"Google": realGoogle, "people of Google": peopleOfGoogle, "Microsoft": realMicrosoft, "people of Microsoft": peopleOfMicrosoft,
			} {
				t.Run(name, func(t *testing.T) {
					w := make(t, l)
					first := w.start("run", w.job(), "--json").wait()
					if first.exit != 0 && first.exit != 3 {
						t.Fatalf("exit code %d: %s", first.exit, first.stderr)
					}
					t.Logf("%+v", first.report.Totals)
					silent(t, w.verify(), first)
					readable(t, w.start("verify", w.job()).end(), "Proven: ")
				})
			}
		})
	}
}

// readable demands that what the program prints fits into 100 columns, but for addresses and commands to copy, and holds a text.
func readable(tb testing.TB, r result, want string) {
	tb.Helper()
	for line := range strings.Lines(r.stdout) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 100 && !strings.Contains(line, "://") && !strings.HasPrefix(line, "repatriate ") {
			tb.Errorf("a line of %d columns: %s", n, line)
		}
	}
	if !strings.Contains(strings.Join(strings.Fields(r.stdout), " "), want) {
		tb.Errorf("exit code %d, without %q:\n%s%s", r.exit, want, r.stdout, r.stderr)
	}
}

func realGoogle(t *testing.T, l landing) *world {
	take := reduced()
	if full {
		take = whole()
	}
	return newWorld(t, realOrganisation(t, take), sim.Options{}, l.urls, l.people(t, "files mail calendar", realUsers...)...)
}

func peopleOfGoogle(t *testing.T, l landing) *world {
	data := sim.Generate(peopleSpec)
	return newWorld(t, data, sim.Options{}, l.urls, l.people(t, "contacts tasks", data.Users()[0].Email)...)
}

func realMicrosoft(t *testing.T, l landing) *world {
	data := graphUsers(t, realUsers...)
	importGraphMail(t, data)
	importGraphNames(t, data)
	importGraphEvents(t, data)
	if full {
		importGraphCalendars(t, data)
	}
	w, _ := newTenant(t, data, graph.Options{}, l.urls, l.people(t, "files mail calendar", realUsers...)...)
	return w
}

func peopleOfMicrosoft(t *testing.T, l landing) *world {
	data := graph.Generate(peopleSpec)
	w, _ := newTenant(t, data, graph.Options{}, l.urls, l.people(t, "contacts tasks", data.Users()[0].Email)...)
	return w
}
