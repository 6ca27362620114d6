package progress

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/meter"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// Board knows what is running, and counts for each account and kind. It remembers nothing of accounts that have ended, and is safe
// for concurrent use. It is a runner's watcher.
type Board struct {
	total *engine.Counters

	mu       sync.Mutex
	kinds    map[string]*engine.Counters
	running  map[string]*account
	accounts int // of the pass
	ended    int
	held     string // why nothing is running
	news     news
	drives   map[string]string // what drives are called, by account
}

// account is one that is running.
type account struct {
	name   string
	since  time.Time
	kinds  []*part
	waits  meter.Waits
	rate   speed
	number int // in the order of beginning
}

// part is a kind of an account.
type part struct {
	kind     string
	counters *engine.Counters
	ended    bool
}

// NewBoard returns an empty board whose counts all add to the total.
func NewBoard(total *engine.Counters) *Board {
	return &Board{total: total, kinds: map[string]*engine.Counters{}, running: map[string]*account{}}
}

// Expect says how many accounts a pass has.
func (b *Board) Expect(accounts int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.accounts, b.ended = accounts, 0
}

// Left says how many accounts of the pass have still to be brought to their end: some of those that ended were left before it.
func (b *Board) Left(accounts int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = max(0, b.accounts-accounts)
}

// Accounts returns how many accounts are running, how many have ended, and how many the pass has.
func (b *Board) Accounts() (running, ended, all int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.running), b.ended, b.accounts
}

// Counters returns those of a kind of an account, which add to those of the kind and to the total.
func (b *Board) Counters(name, kind string) *engine.Counters {
	b.mu.Lock()
	defer b.mu.Unlock()
	of := b.ofKind(kind)
	if a := b.running[name]; a != nil {
		for _, p := range a.kinds {
			if p.kind == kind {
				return p.counters
			}
		}
	}
	return of
}

func (b *Board) ofKind(kind string) *engine.Counters {
	of := b.kinds[kind]
	if of == nil {
		of = b.total.Child()
		b.kinds[kind] = of
	}
	return of
}

// Kinds returns the counters of each kind that was begun.
func (b *Board) Kinds() map[string]*engine.Counters {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make(map[string]*engine.Counters, len(b.kinds))
	for kind, c := range b.kinds {
		out[kind] = c
	}
	return out
}

// Hold says why nothing is running, such as a time window that has not begun; empty when work goes on.
func (b *Board) Hold(why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held = why; why != "" {
		b.news.say(event{message: why})
	}
}

// Call says what a drive is called, whose account is an id.
func (b *Board) Call(account, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.drives == nil {
		b.drives = map[string]string{}
	}
	b.drives[account] = name
}

// Say has people told of something in a line of its own.
func (b *Board) Say(message string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.news.say(event{message: message})
}

// Held returns what Hold was told last.
func (b *Board) Held() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held
}

// Began implements runner.Watcher.
func (b *Board) Began(ctx context.Context, name string, kinds []string) context.Context {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := &account{name: name, since: time.Now(), number: b.ended + len(b.running)}
	for _, kind := range kinds {
		a.kinds = append(a.kinds, &part{kind: kind, counters: b.ofKind(kind).Child()})
	}
	b.running[name] = a
	return a.waits.With(ctx)
}

// KindEnded implements runner.Watcher.
func (b *Board) KindEnded(name, kind string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.running[name]; a != nil {
		for _, p := range a.kinds {
			p.ended = p.ended || p.kind == kind
		}
	}
}

// Ended implements runner.Watcher.
func (b *Board) Ended(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.running, name)
	b.ended++
}

// Stopped implements runner.Watcher.
func (b *Board) Stopped(name, kind string, cause error, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.news.say(event{account: name, called: b.called(name), kind: kind, cause: cause, until: until})
}

// Failed says that an item failed. The title is shown to people only.
func (b *Board) Failed(name, kind, title, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.news.say(event{account: name, called: b.called(name), kind: kind, title: title, reason: reason})
}

// called returns how people are told of an account. The lock is held.
func (b *Board) called(account string) string {
	return report.CalledShortly(account, b.drives[account])
}

func (b *Board) takeNews() (events []event, more int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	events, more = b.news.events, b.news.more
	b.news = news{}
	return events, more
}

// moment is what a running account is doing.
type moment struct {
	name           string
	kinds          []kindMoment
	bytesPerSecond float64
	waitsFor       string
	until          time.Time
}

type kindMoment struct {
	kind         string
	done, listed int64
}

// look returns the accounts that run longest, at most so many, and how many others run.
func (b *Board) look(most int, now time.Time) (shown []moment, others int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]*account, 0, len(b.running))
	for _, a := range b.running {
		all = append(all, a)
		a.rate.measure(a.flowed(), now) // also of those that are not shown, or the first picture of one would lie
	}
	slices.SortFunc(all, func(x, y *account) int {
		return cmp.Or(x.since.Compare(y.since), cmp.Compare(x.number, y.number), cmp.Compare(x.name, y.name))
	})
	if len(all) > most {
		most = max(0, most-1) // a line says how many others there are
		others = len(all) - most
		all = all[:most]
	}
	for _, a := range all {
		m := a.moment(now)
		m.name = b.called(m.name)
		shown = append(shown, m)
	}
	return shown, others
}

func (a *account) flowed() (n int64) {
	for _, p := range a.kinds {
		n += p.counters.Flowed.Load()
	}
	return n
}

func (a *account) moment(now time.Time) moment {
	m := moment{name: a.name, bytesPerSecond: a.rate.bytesPerSecond}
	for _, p := range a.kinds {
		if !p.ended {
			m.kinds = append(m.kinds, kindMoment{p.kind, p.counters.Done.Load(), p.counters.Listed.Load()})
		}
	}
	m.waitsFor, m.until = a.waits.Longest(now)
	return m
}
