package e2e

import (
	"cmp"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/readback"
	"codeberg.org/repatriate/repatriate/internal/realserver"
)

// The things of which each damage takes one for itself.
const (
	aFile, aFolder, aMessage, anEvent, aSeries, aCalendar, aContact, aTask = "file", "folder", "message", "event", "series", "calendar", "contact", "task"
)

// damage is one way in which something is harmed past the program.
type damage struct {
	kind string
	of   string // what it is done to
	want readback.Outcome
	// do harms what has that title, and returns the titles of the findings that are due if they are others than that one.
	do func(t testing.TB, title string) []string
}

// What verify cannot find, by principle:
//
//   - A second copy of an empty file: every empty file of anybody would be one, so that such files are nobody's copies.
//   - A second copy of an event, contact or task in another collection than the item's own, and that an item was moved there: each
//     collection is compared by itself. The moved item is found as missing.
//   - A second copy of a message without a Message-ID that has another date: nothing but its size tells that it may be one.
//   - A change of what servers rewrite by themselves, such as an alarm, a category, a colour or the answer of a guest: the meaning of the
//     object is the same.

// damages is how many damages are done: some in CI, as many as REPATRIATE_DAMAGES says otherwise.
func damages(t *testing.T) int {
	if os.Getenv("REPATRIATE_DAMAGES") != "" {
		patience = time.Hour
	}
	return value(strconv.Atoi(cmp.Or(os.Getenv("REPATRIATE_DAMAGES"), "66")))(t)
}

// TestVerifyFindsDamage does many damages at once, each to another item, and demands that one look finds each of them with the outcome that
// fits, and nothing else.
func TestVerifyFindsDamage(t *testing.T) {
	t.Run("Dovecot, Apache and Radicale", func(t *testing.T) {
		s := realServers(t)
		targets := s.urls()
		targets.contacts, targets.tasks = s.calendar.AddressBooksURL("{user}"), s.calendar.CalendarsURL("{user}")
		user := fresh(t)
		d := newDiskDamages(s, user)
		harm(t, targets, user, slices.Concat(d.files(), d.messages(), objectDamages(&d.objects)), d.learn)
	})
	t.Run("Cyrus", func(t *testing.T) {
		s := realserver.Cyrus(t, realserver.CyrusOptions{Accounts: realserver.Accounts{Count: 1, Password: password}})
		user := s.User(1).User
		targets := urls{mail: "imap://" + s.IMAP, files: s.FilesURL("{user}"), calendar: s.CalendarsURL("{user}"), contacts: s.AddressBooksURL("{user}"), tasks: s.CalendarsURL("{user}")}
		d := newClientDamages(t, s, user)
		harm(t, targets, user, slices.Concat(d.files(), d.messages(), objectDamages(&d.objects)), d.learn)
	})
}

// harm moves an account, does the damages and looks at it.
func harm(t *testing.T, targets urls, user string, kinds []damage, learn func(testing.TB)) {
	n := damages(t)
	plan := make([]damage, n)
	for i := range plan {
		plan[i] = kinds[i%len(kinds)]
	}
	data := tenantData(t, dora)
	titles := putItems(t, data, plan, newRandom())
	w := newWorld(t, data, sim.Options{}, targets, person{source: dora, target: user})
	first := w.run(0)
	silent(t, w.verify(), first)
	learn(t)
	want := map[string]int{}
	for i, d := range plan {
		found := d.do(t, titles[i])
		if found == nil {
			found = []string{titles[i]}
		}
		for _, title := range found {
			want[string(d.want)+": "+title]++
		}
	}
	harmed(t, w, plan, titles, want)
	text := w.start("verify", w.job(), "--deep").end()
	readable(t, text, "Not proven: see above.")
}

// harmed looks, and compares what it finds with what was harmed.
func harmed(t *testing.T, w *world, plan []damage, titles []string, want map[string]int) {
	t.Helper()
	v := w.verify()
	got, details := map[string]int{}, map[string]string{}
	for _, task := range v.Tasks {
		for _, f := range task.Findings {
			key := string(f.Outcome) + ": " + f.Title
			got[key]++
			details[key] = task.Kind + " " + f.Location + ": " + f.Detail
		}
	}
	lost, invented := 0, 0
	for i, d := range plan {
		if key := string(d.want) + ": " + titles[i]; got[key] < want[key] {
			lost++
			t.Errorf("%s: %q is not found as %s", d.kind, titles[i], d.want)
		}
	}
	for key, n := range got {
		if n > want[key] {
			invented++
			t.Errorf("%s is found, but was not done (%s)", key, details[key])
		}
	}
	for key, n := range want {
		if got[key] < n {
			t.Errorf("%s is not found", key)
		}
	}
	kinds := map[string]bool{}
	for _, d := range plan {
		kinds[d.kind] = true
	}
	t.Logf("%d damages of %d kinds, %d found, %d false; %v", len(plan), len(kinds), len(plan)-lost, invented, v.Totals)
}

func newRandom() *rand.Rand {
	const seed = 5
	return rand.New(rand.NewPCG(seed, seed))
}
