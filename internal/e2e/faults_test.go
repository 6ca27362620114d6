package e2e

import (
	"math/rand/v2"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/faultnet"
)

// faultyData is the data of the tests whose runs wait again and again before they try anew.
func faultyData(t *testing.T) *sim.Data {
	t.Helper()
	if full {
		return realOrganisation(t, reduced())
	}
	return sim.Generate(organisation.Spec{Users: 3, Mail: 60, Files: 60, Events: 20, Seed: 5})
}

// peopleOf gives each user of the data a target account of their own.
func peopleOf(t *testing.T, data *sim.Data) []person {
	t.Helper()
	var people []person
	for _, u := range data.Users() {
		if u.Email != admin {
			people = append(people, person{source: u.Email, target: fresh(t)})
		}
	}
	return people
}

// calmRun moves the data while nothing goes wrong, and returns what came of it.
func calmRun(t *testing.T, s *servers, data *sim.Data) (result, map[string]state) {
	t.Helper()
	w := newWorld(t, data, sim.Options{}, s.urls(), peopleOf(t, data)...)
	r := w.start("run", w.job(), "--json").wait()
	w.demand(r, r.exit)
	if r.exit != 0 && r.exit != 3 { // 3: some of the real events are not to Radicale's liking
		t.Fatalf("exit code %d: %s", r.exit, r.stderr)
	}
	return r, statesOf(t, s, w)
}

// sameAsCalm demands that a run in bad conditions has brought what one in good conditions brings.
func sameAsCalm(t *testing.T, s *servers, w *world, r, calm result, want map[string]state) {
	t.Helper()
	if r.report.Totals != calm.report.Totals {
		t.Errorf("the ledger is %+v, want %+v\n%s", r.report.Totals, calm.report.Totals, w.start("status", w.job()).wait().stdout)
	}
	for source, got := range statesOf(t, s, w) {
		compare(t, got, want[source])
	}
	t.Logf("%+v", *r.report.Pass)
}

// TestFaultyProvider lets one request in ten to the provider go wrong.
func TestFaultyProvider(t *testing.T) {
	s := realServers(t)
	data := faultyData(t)
	calm, want := calmRun(t, s, data)
	faults, err := cloudsim.ParseFaults("*:429:0.01,*:503:0.03,*:reset:0.03,*:truncate:0.03")
	must(t, err)
	faults.Seed = 7
	w := newWorld(t, data, sim.Options{Behaviour: cloudsim.Behaviour{Faults: faults}}, s.urls(), peopleOf(t, data)...)
	sameAsCalm(t, s, w, w.run(calm.exit), calm, want)
}

// TestFaultyNetwork cuts the connections to the targets at random places, and lets answers get lost after the server has
// done what it was asked.
func TestFaultyNetwork(t *testing.T) {
	s := realServers(t)
	data := faultyData(t)
	calm, want := calmRun(t, s, data)
	targets := s.urls()
	for i, at := range []*string{&targets.mail, &targets.files, &targets.calendar} {
		seed := uint64(i + 1)
		mean := []int64{1 << 20, 2 << 20, 64 << 10}[i] // bytes: a single item must have a chance to pass
		*at, _ = proxied(t, *at, faultnet.Chain(loseAnswers(seed, 0.02), faultnet.CutRandomly(seed, mean)))
	}
	w := newWorld(t, data, sim.Options{}, targets, peopleOf(t, data)...)
	sameAsCalm(t, s, w, w.run(calm.exit), calm, want)
}

// loseAnswers cuts a connection when an answer begins, with the given chance.
func loseAnswers(seed uint64, chance float64) faultnet.Hook {
	random := rand.New(rand.NewPCG(seed, seed))
	var mu sync.Mutex
	answered := make(map[int]int) // turn by connection
	return func(p faultnet.Passage) faultnet.Verdict {
		mu.Lock()
		defer mu.Unlock()
		if p.Direction != faultnet.ToClient || p.Turn == 0 || answered[p.Connection] == p.Turn {
			return faultnet.Verdict{}
		}
		answered[p.Connection] = p.Turn
		if random.Float64() >= chance {
			return faultnet.Verdict{}
		}
		return faultnet.Verdict{Action: faultnet.Cut}
	}
}
