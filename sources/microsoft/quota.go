package microsoft

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// service is a part of Microsoft 365 with quotas of its own.
type service uint8

const (
	entra service = iota
	exchange
	sharePoint
	numServices
)

// serviceNames are what people call the scopes.
var serviceNames = [numServices]struct{ app, each string }{
	entra:      {"Microsoft Entra, the application", "Microsoft Entra"},
	exchange:   {"Exchange, the application", "Exchange, per mailbox"},
	sharePoint: {"SharePoint, the application", "SharePoint, per drive"},
}

// method is one call, with its cost in the service's units: requests for Exchange, resource units elsewhere.
type method struct {
	service    service
	name       string
	cost       float64
	permission string // the application permission that it needs
}

func (m method) String() string { return "Graph " + m.name }

// The methods in use. Costs: learn.microsoft.com/graph/throttling-limits and SharePoint's page on throttling.
var (
	listUsers = method{entra, "users.list", 1, "User.Read.All"}
	// Each asks another mailbox, so that no mailbox's limit is near.
	userPurposes = method{entra, "mailboxSettings.get", 1, "MailboxSettings.Read"}
)

// The quotas. Exchange: 10,000 requests in ten minutes and four at once for each mailbox and application. Entra: the smallest
// tenant's 3,500 units in ten seconds.
const (
	mailboxPerMinute  = 1_000
	mailboxConcurrent = 4
	entraPerMinute    = 6 * 3_500
	drivePerMinute    = 600 // a user's 3,000 requests in five minutes
)

// sharePointTiers are the resource units of one application in one tenant by its licences. The cells between the smallest and the
// largest tenant are Microsoft's older and lower ones.
var sharePointTiers = []struct {
	licences       int
	minute, perDay float64
}{
	{1_000, 1_250, 1_200_000},
	{5_000, 2_400, 2_400_000},
	{15_000, 3_600, 3_600_000},
	{50_000, 4_800, 4_800_000},
	{int(^uint(0) >> 1), 6_250, 6_000_000},
}

// quota holds the budgets of one application in one tenant.
type quota struct {
	app   [numServices]*httpx.Scope
	each  [numServices]*httpx.Scopes
	slots slots
}

func newQuota(o Options) *quota {
	app, each := limitsOf(o)
	q := &quota{slots: slots{byKey: map[string]*slot{}}}
	for s := range numServices {
		q.app[s], q.each[s] = httpx.NewScope(app[s], o.Meter), httpx.NewScopes(each[s], o.Meter)
	}
	return q
}

// limitsOf returns the quotas of an application, by whose numbers budgets are kept and demands are priced.
func limitsOf(o Options) (app, each [numServices]httpx.Limit) {
	if !o.Unlimited {
		app[entra].PerMinute = entraPerMinute
		each[exchange] = httpx.Limit{PerMinute: mailboxPerMinute, Window: 10 * time.Minute}
		each[sharePoint] = httpx.Limit{PerMinute: drivePerMinute, Window: 5 * time.Minute}
		app[sharePoint] = sharePointLimit(o.Licences)
	}
	for s := range numServices {
		app[s].Clock, each[s].Clock = o.Clock, o.Clock
		app[s].Name, each[s].Name = serviceNames[s].app, serviceNames[s].each
	}
	return app, each
}

func sharePointLimit(licences int) httpx.Limit {
	for _, t := range sharePointTiers {
		if licences <= t.licences {
			return httpx.Limit{PerMinute: t.minute, PerDay: t.perDay}
		}
	}
	return httpx.Limit{}
}

// wait waits for the units of one call and, at a mailbox, for one of its slots. done gives the slot back; it may be called more
// than once.
func (q *quota) wait(ctx context.Context, k call) (start time.Time, done func(), err error) {
	done = func() {}
	if k.method.service == exchange {
		if done, err = q.slots.take(ctx, k.of, weightOf(k)); err != nil {
			return time.Time{}, done, err
		}
	}
	units := k.method.cost * float64(max(1, k.requests))
	err = httpx.Wait(ctx, units, q.each[k.method.service].Get(k.of), q.app[k.method.service])
	if err != nil {
		done()
	}
	return time.Now(), done, err
}

// served tells the budget of a request that was not refused.
func (q *quota) served(k call, start time.Time) { q.throttling(k).Served(start) }

// throttling is the scope that a refusal concerns: Exchange throttles a mailbox, the other services the application.
func (q *quota) throttling(k call) *httpx.Scope {
	if k.method.service == exchange {
		return q.each[exchange].Get(k.of)
	}
	return q.app[k.method.service]
}

// refused tells the budgets of a refusal, if err is one, and returns the error with the pause that came out of it.
func (q *quota) refused(ctx context.Context, k call, start time.Time, err error) error {
	var e *apiError
	f, ok := asFault(err)
	if !ok || !errors.As(err, &e) || !e.throttles {
		return err
	}
	return f.WithAfter(q.throttling(k).Refused(ctx, start, f.After))
}

// slots bounds the requests that are under way at each mailbox.
type slots struct {
	mu    sync.Mutex
	byKey map[string]*slot
}

type slot struct {
	free  *semaphore.Weighted
	users int // who has a slot or waits for one
}

// weightOf returns how many requests of a call Exchange may work on at once. Those of a batch at no mailbox in particular are each at
// another one.
func weightOf(k call) int64 {
	if k.of == "" {
		return 1
	}
	return int64(min(max(1, k.requests), mailboxConcurrent))
}

func (s *slots) take(ctx context.Context, key string, weight int64) (func(), error) {
	s.mu.Lock()
	one := s.byKey[key]
	if one == nil {
		one = &slot{free: semaphore.NewWeighted(mailboxConcurrent)}
		s.byKey[key] = one
	}
	one.users++
	s.mu.Unlock()
	if err := one.free.Acquire(ctx, weight); err != nil {
		s.leave(key, one)
		return func() {}, err
	}
	return sync.OnceFunc(func() {
		one.free.Release(weight)
		s.leave(key, one)
	}), nil
}

func (s *slots) leave(key string, one *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one.users--; one.users == 0 {
		delete(s.byKey, key)
	}
}

// closing is a body that ends its request's slot when it is closed.
type closing struct {
	io.ReadCloser
	done func()
}

func (c *closing) Close() error {
	defer c.done()
	return c.ReadCloser.Close()
}
