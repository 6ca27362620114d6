package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/readback"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// soak is what all lives have in common: servers that are killed and started again, and the storm before them.
type soak struct {
	seed    uint64
	least   time.Duration // how long it goes on at least; 0: for a few lives
	servers *servers
	bad     urls // the servers behind the storm
	storm   *weather
	used    int // accounts

	lives, edits, runs, items, lost, surplus int
}

// The numbers of a short soak, and what a long one has to come to.
const (
	fewLives     = 2
	longSoak     = 30 * time.Minute
	kills        = 200 // of a long soak
	mostAccounts = 4000
)

// TestSoak moves organisations that go on changing while everything goes wrong: the program is killed, servers crash and come back, answers get
// lost, the provider refuses. Each life ends in calm weather, and then everything must be as if nothing had happened.
func TestSoak(t *testing.T) {
	s := newSoak(t)
	begun, failed := time.Now(), 0
	for s.more(begun) && failed < 3 {
		if !t.Run(fmt.Sprintf("life %d", s.lives), s.live) {
			failed++
		}
		s.lives++
		t.Logf("seed %d: %d lives, %d runs, %s; %d edits; %d items compared, %d lost, %d doubled or changed", s.seed, s.lives, s.runs, s.storm, s.edits,
			s.items, s.lost, s.surplus)
	}
	if s.storm.seen[kill] == 0 || s.items == 0 {
		t.Error("nobody was killed, or nothing was compared: this test proves nothing")
	}
}

// more reports whether there is to be another life.
func (s *soak) more(begun time.Time) bool {
	switch {
	case s.least == 0:
		return s.lives < fewLives
	case s.used+8 > mostAccounts:
		return false
	}
	return time.Since(begun) < s.least || s.least >= longSoak && s.storm.seen[kill] < kills
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	s := &soak{seed: 1}
	count := 8 * fewLives
	if text := os.Getenv("REPATRIATE_SOAK"); text != "" {
		s.least, count = value(time.ParseDuration(text))(t), mostAccounts
	}
	if text := os.Getenv("REPATRIATE_SEED"); text != "" {
		s.seed = value(strconv.ParseUint(text, 10, 64))(t)
	}
	who := realserver.Accounts{Count: count, Password: password}
	s.servers = &servers{
		mail:     realserver.Dovecot(t, realserver.DovecotOptions{Accounts: who}),
		files:    realserver.Apache(t, realserver.ApacheOptions{Accounts: who, DepthInfinity: true}),
		calendar: realserver.Radicale(t, realserver.RadicaleOptions{Accounts: who}),
	}
	s.storm = &weather{tb: t, random: rand.New(rand.NewPCG(s.seed, 0)), servers: []*realserver.Server{s.servers.mail, s.servers.files, s.servers.calendar}}
	s.bad = s.servers.urls()
	for i, at := range []*string{&s.bad.mail, &s.bad.files, &s.bad.calendar} {
		*at, _ = proxied(t, *at, s.storm.watch(i))
	}
	s.bad.contacts, s.bad.tasks = s.bad.calendar, s.bad.calendar // Radicale has one home for all of them
	return s
}

// soakSource is a provider whose users change what they have there.
type soakSource interface {
	// world starts the provider for a job of its own; several may serve the same data.
	world(t *testing.T, targets urls, people []person) *world
	users() []string
	edits(user string) []func(*testing.T) bool
}

// life is one organisation, and two jobs that move it: one that the storm strikes and one in calm weather.
type life struct {
	*soak
	t          *testing.T
	random     *rand.Rand
	source     soakSource
	propagate  bool
	wild, calm *world
}

// live is one life. Providers take turns, and so do the ways to deal with deletions.
func (s *soak) live(t *testing.T) {
	c := newChance(s.seed, uint64(s.lives+1))
	spec := organisation.Spec{Users: 2, Mail: 12, Files: 14, Events: 6, Contacts: 7, Tasks: 6, Seed: int64(c.random.Uint32()), FileMax: 30_000, MailMin: 2000, MailMax: 20_000}
	l := &life{soak: s, t: t, random: c.random, propagate: s.lives/2%2 == s.lives%2}
	if s.lives%2 == 0 {
		l.source = newSoakGoogle(t, c, spec)
	} else {
		l.source = newSoakMicrosoft(t, c, spec)
	}
	good := s.servers.urls()
	good.contacts, good.tasks = good.calendar, good.calendar
	l.wild, l.calm = l.job(s.bad), l.job(good)
	l.wild.setHook(s.storm.ask)
	passes := 4
	if s.least == 0 {
		passes = 3
	}
	for pass := range passes {
		if pass > 0 {
			l.edit()
		}
		l.pass(pass == 0)
	}
	l.end()
}

// job makes a job that moves all users to accounts which nobody used before.
func (l *life) job(targets urls) *world {
	var people []person
	for _, user := range l.source.users() {
		l.used++
		people = append(people, person{source: user, target: fmt.Sprintf("u%d", l.used)})
	}
	w := l.source.world(l.t, targets, people)
	if l.propagate {
		w.propagate()
	}
	return w
}

// edit lets each user do some things at the provider.
func (l *life) edit() {
	for _, user := range l.source.users() {
		possible := l.source.edits(user)
		for done := 1 + l.random.IntN(8); done > 0; {
			if possible[l.random.IntN(len(possible))](l.t) {
				done--
				l.soak.edits++
			}
		}
	}
}

// pass makes a pass of several runs, of which all but the last one may be killed, and brings it to its end. What is deleted at the provider is
// removed from the target, or it is kept there: then the calm job must have seen it too.
func (l *life) pass(first bool) {
	if !l.propagate {
		l.calm.run(0)
	}
	deadly := 1 + l.random.IntN(4)
	if first {
		deadly += 2
	}
	for range deadly {
		l.run(true)
	}
	if l.run(false).exit != 0 {
		l.heal()
	}
}

// run makes one run in a storm.
func (l *life) run(deadly bool) result {
	l.t.Helper()
	l.runs++
	p := l.storm.begin(func() *process { return l.wild.start("run", l.wild.job(), "--json") }, l.storm.forecast(deadly))
	r := p.wait()
	killed := l.storm.end()
	switch {
	case r.exit == -1 && !killed:
		l.t.Fatalf("the run hangs:\n%s", r.stderr)
	case r.exit == -1, r.exit == 130 && r.report == nil: // interrupted before there was anything to report
		l.wild.checkStatus()
	case !slices.Contains([]int{0, 3, 4, 130}, r.exit) || r.report == nil:
		l.t.Fatalf("exit code %d: %s", r.exit, r.stderr)
	default:
		balanced(l.t, r.report)
	}
	return r
}

// heal brings the job to its end in calm weather: what failed in an outage is tried again.
func (l *life) heal() result {
	l.t.Helper()
	for _, command := range []string{"run", "retry"} {
		if r := l.wild.start(command, l.wild.job(), "--json").wait(); r.exit == 0 {
			return r
		}
	}
	return l.wild.run(0)
}

// end demands that everything is as if nothing had happened.
func (l *life) end() {
	l.t.Helper()
	l.heal()
	last := l.wild.run(0)
	calm := l.calm.run(0)
	if got, want := live(last.report.Totals), live(calm.report.Totals); got != want {
		l.t.Errorf("%d items are moved, want %d: %+v and %+v", got, want, last.report.Totals, calm.report.Totals)
	}
	if !l.propagate && last.report.Totals != calm.report.Totals {
		l.t.Errorf("the ledger is %+v, want %+v", last.report.Totals, calm.report.Totals)
	}
	for i, p := range l.wild.people {
		l.compare(p, l.calm.people[i])
	}
	for _, w := range []*world{l.wild, l.calm} {
		l.verify(w)
	}
	if code, out := l.wild.say("state", "check", l.wild.job(), "--json"); code != 0 {
		l.t.Errorf("the state: %d, %s", code, out)
	}
	settledButListed(l.t, l.wild.run(0), last)
	if l.t.Failed() {
		_, out := l.wild.say("status", l.wild.job())
		l.t.Logf("propagate: %v\n%s", l.propagate, out)
	}
}

func live(c report.Counts) int64 { return c.Copied + c.CopiedWithLosses + c.Failed }

// compare compares what two accounts hold.
func (l *life) compare(wild, calm person) {
	l.t.Helper()
	got, want := readThings(l.t, l.servers, wild.target), readThings(l.t, l.servers, calm.target)
	lines, lost, surplus := differences(got, want)
	for _, n := range want {
		l.items += n
	}
	l.lost, l.surplus = l.lost+lost, l.surplus+surplus
	for _, line := range lines {
		l.t.Errorf("%s: %s", wild.source, line)
	}
}

// verify asks the program itself whether all that it wrote is there.
func (l *life) verify(w *world) {
	l.t.Helper()
	code, out := w.say("verify", w.job(), "--deep", "--json")
	var v report.Verification
	if err := json.Unmarshal(out, &v); err != nil {
		l.t.Fatalf("verify: exit code %d, %v: %s", code, err, out)
	}
	if code != 0 || !v.Proven || v.Totals[readback.Proven] == 0 || v.Totals[readback.Changed] > 0 {
		l.t.Errorf("verify: exit code %d, %v\n%.5000s", code, v.Totals, out)
	}
}

// say runs a command whose answer is not a run's, and returns its exit code and standard output.
func (w *world) say(args ...string) (code int, out []byte) {
	w.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, binary, args...)
	c.Dir = w.dir
	var stdout bytes.Buffer
	c.Stdout = &stdout
	err := c.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		w.tb.Fatal(err)
	}
	return c.ProcessState.ExitCode(), stdout.Bytes()
}
