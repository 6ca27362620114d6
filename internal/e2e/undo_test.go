package e2e

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	graph "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/readback"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// TestUndo moves an account into one that holds data of its own, among which the items land. Its user edits some of them. Whatever happens to
// the undo, what was there before is there to the byte, what was edited stays and is named, and nothing else is left.
func TestUndo(t *testing.T) {
	for _, l := range landings(t) {
		t.Run(l.name, func(t *testing.T) {
			u := newUndone(t, l)
			data := undoData(t)
			u.same = movedElsewhere(t, l, data)
			u.before()
			w := newWorld(t, data, sim.Options{}, u.watched(), person{source: dora, target: u.user})
			left := []string{"Shared", "Same", "identical.txt", "known event", "event 4", "Own", "shared 2.txt", "event 3", "contact 00003", "message 00003", "task 00003"}
			if l.name != "Cyrus" { // which takes a second card of a UID
				left = append(left, "contact 00004")
			}
			u.undo(w, left)
		})
	}
}

// TestUndoOfMicrosoft takes back what came from another provider, into accounts that were empty.
func TestUndoOfMicrosoft(t *testing.T) {
	for _, l := range landings(t) {
		t.Run(l.name, func(t *testing.T) {
			u := newUndone(t, l)
			u.was = u.look()
			data := graph.Generate(organisation.Spec{Users: 1, Mail: 15, Files: 15, Events: 10, Contacts: 10, Tasks: 10, Seed: 4})
			w, _ := newTenant(t, data, graph.Options{}, u.watched(), person{source: data.Users()[0].Email, target: u.user})
			u.edit = nil
			u.undo(w, nil)
		})
	}
}

// undo runs the job, lets the user edit, undoes it in pieces and runs it anew. left are the titles of what is to be named as staying.
func (u *undone) undo(w *world, left []string) {
	t := u.t
	first := w.run(0)
	u.untouched("after the run")
	if u.edit != nil {
		u.edit()
	}
	edited := u.look()
	readable(t, w.start("undo", w.job(), "--dry-run").end(), "Dry run: nothing was removed.")
	u.foretold(w, left)
	sameContents(t, "after the dry run", u.look(), edited)
	kills := 0
	if u.edit == nil { // what an undo had in hand when it died comes back
		kills = u.kill(w, 80)
		w.run(0)
		silent(t, w.verify(), first)
	}
	for _, at := range []int{40, 60, 100, 150} {
		kills += u.kill(w, at)
	}
	t.Logf("undo was killed %d times", kills)
	if kills == 0 {
		t.Error("undo was never killed")
	}
	r := u.finish(w)
	sameContents(t, "after the undo", u.look(), u.wanted(edited))
	u.untouched("after the undo")
	for _, task := range r.Tasks {
		for _, l := range task.Left {
			t.Logf("left: %s %q at %s: %s", task.Kind, l.Title, l.Location, l.Detail)
		}
		if len(task.Cleared) > 0 {
			t.Logf("cleared: %s %q", task.Kind, task.Cleared)
		}
	}
	if got := titlesLeft(r); !slices.Equal(got, slices.Sorted(slices.Values(left))) {
		t.Errorf("it names as left %q, want %q", got, left)
	}
	again := w.run(0)
	if again.report.Totals != first.report.Totals {
		t.Errorf("the second run came to %+v, the first to %+v", again.report.Totals, first.report.Totals)
	}
	v := w.verify()
	if n := v.Totals; n[readback.Differs]+n[readback.Missing] > 0 || n[readback.Changed] != int64(len(u.edited)) || n[readback.Extra] != u.twice {
		t.Errorf("after the second run: %v, want %d changed and %d extra", n, len(u.edited), u.twice)
	}
}

// foretold has a dry run name what is to stay.
func (u *undone) foretold(w *world, left []string) {
	u.t.Helper()
	p := w.start("undo", w.job(), "--dry-run", "--json")
	r := p.end()
	dry := new(report.Undoing)
	p.read(r.stdout, dry)
	if got := titlesLeft(dry); r.exit != 0 || !slices.Equal(got, slices.Sorted(slices.Values(left))) {
		u.t.Errorf("the dry run ends with %d and names as staying %q, want %q", r.exit, got, left)
	}
}

// titlesLeft are the titles of what stays, each once.
func titlesLeft(r *report.Undoing) []string {
	named := map[string]bool{}
	for _, task := range r.Tasks {
		for _, l := range task.Left {
			named[l.Title] = true
		}
	}
	return slices.Sorted(maps.Keys(named))
}

// kill undoes and is killed at an event between the program and the targets. It returns 1 if there was so much left to do.
func (u *undone) kill(w *world, at int) int {
	var p *process
	ready := make(chan struct{})
	u.moments.arm(at, func() {
		<-ready
		_ = p.cmd.Process.Kill()
	})
	p = w.start("undo", w.job(), "--yes")
	close(ready)
	r := p.end()
	u.moments.disarm()
	w.checkStatus()
	if r.exit == -1 {
		return 1
	}
	return 0
}

// finish undoes to the end.
func (u *undone) finish(w *world) *report.Undoing {
	u.t.Helper()
	p := w.start("undo", w.job(), "--yes", "--json")
	r := p.end()
	if r.exit != 0 {
		u.t.Fatalf("undo: exit code %d\n%s%s", r.exit, r.stdout, r.stderr)
	}
	out := new(report.Undoing)
	p.read(r.stdout, out)
	last := w.start("undo", w.job(), "--yes").end()
	readable(u.t, last, "Undone.")
	return out
}

// wanted is what lay there before, with what the user edited and what that lies in.
func (u *undone) wanted(edited contents) contents {
	want := contents{objects: maps.Clone(u.was.objects), mail: maps.Clone(u.was.mail)}
	for _, at := range u.edited {
		want.objects[at] = edited.objects[at]
	}
	for _, at := range slices.Concat(u.edited, u.added) {
		want.objects[at] = edited.objects[at]
		for place := range edited.objects {
			if strings.HasSuffix(place, "/") && strings.HasPrefix(at, place) {
				want.objects[place] = edited.objects[place]
			}
		}
	}
	u.edited = append(u.edited, u.flagged...)
	for box, lines := range edited.mail {
		for _, l := range lines {
			if u.edit != nil && strings.Contains(l, "Flagged") && !slices.Contains(want.mail[box], l) {
				want.mail[box] = slices.Sorted(slices.Values(append(slices.Clone(want.mail[box]), l)))
			}
		}
	}
	return want
}

// sameContents reports how got differs from want.
func sameContents(t *testing.T, when string, got, want contents) {
	t.Helper()
	compareMaps(t, when+": object", got.objects, want.objects)
	boxes := func(c contents) []string { return slices.Sorted(maps.Keys(c.mail)) }
	if !slices.Equal(boxes(got), boxes(want)) {
		t.Errorf("%s: mailboxes %q, want %q", when, boxes(got), boxes(want))
	}
	for box, lines := range want.mail {
		compareLists(t, when+": message in "+box, got.mail[box], lines)
	}
}

// put writes something past the program.
func (u *undone) put(at, body string) {
	u.t.Helper()
	req := value(http.NewRequest(http.MethodPut, at, strings.NewReader(body)))(u.t)
	req.SetBasicAuth(u.user, password)
	switch {
	case strings.HasPrefix(body, "BEGIN:VCARD"):
		req.Header.Set("Content-Type", "text/vcard; charset=utf-8")
	case strings.HasPrefix(body, "BEGIN:VCALENDAR"):
		req.Header.Set("Content-Type", "text/calendar; charset=utf-8")
	}
	u.send(req)
}

func (u *undone) send(req *http.Request) {
	u.t.Helper()
	res := value(http.DefaultClient.Do(req))(u.t)
	_ = res.Body.Close()
	if res.StatusCode/100 != 2 {
		u.t.Fatalf("%s %s: HTTP %d", req.Method, req.URL, res.StatusCode)
	}
}
