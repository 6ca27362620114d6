package estimate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/estimate"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/price"
)

// tariff prices every item alike.
type tariff struct {
	own, all   httpx.Limit
	sharing    price.Sharing
	units      float64
	concurrent int
	requests   float64
}

func (p tariff) Price(d estimate.Demand, _ price.Case) price.Price {
	u := float64(d.Items) * p.units
	return price.Price{Requests: float64(d.Items) * p.requests, Bytes: float64(d.Bytes), Costs: []price.Cost{
		{Limit: p.own, Units: u, Sharing: p.sharing, Concurrent: p.concurrent}, {Limit: p.all, Units: u, Sharing: price.Shared}}}
}

func limit(name string, perMinute, perDay float64) httpx.Limit {
	return httpx.Limit{Name: name, PerMinute: perMinute, PerDay: perDay}
}

// equal are accounts that have as many items each.
func equal(accounts int, items int64, kinds ...string) (list []estimate.Demand) {
	for i := range accounts {
		for _, k := range kinds {
			list = append(list, estimate.Demand{Account: fmt.Sprintf("user%d@example.org", i), Kind: k, Items: items, Bytes: items * 1000})
		}
	}
	return list
}

// instant has round trips that take no time worth speaking of.
func instant(o estimate.Options) estimate.Options {
	o.SourceRTT, o.TargetRTT = time.Nanosecond, time.Nanosecond
	return o
}

// TestLimits: which limit binds, and the optimistic time, which is exactly that of the limits as they are stated, after a burst of a
// twentieth of a minute.
func TestLimits(t *testing.T) {
	own := tariff{own: limit("own", 100, 0), units: 1}
	for name, c := range map[string]struct {
		demands []estimate.Demand
		p       tariff
		o       estimate.Options
		want    time.Duration
		binding string
	}{
		"nothing":                       {nil, own, instant(estimate.Options{}), 0, ""},
		"one account":                   {equal(1, 1005, "mail"), own, instant(estimate.Options{}), 10 * time.Minute, "own"},
		"two kinds share a budget":      {equal(1, 1000, "calendar", "contacts"), own, instant(estimate.Options{}), 1995 * time.Minute / 100, "own"},
		"two accounts at once":          {equal(2, 1005, "mail"), own, instant(estimate.Options{Accounts: 2}), 10 * time.Minute, "own"},
		"five accounts, two at once":    {equal(5, 1005, "mail"), own, instant(estimate.Options{Accounts: 2}), 30 * time.Minute, "own"},
		"more at once than there are":   {equal(2, 1005, "mail"), own, instant(estimate.Options{Accounts: 50}), 10 * time.Minute, "own"},
		"a budget of all":               {equal(4, 1000, "mail"), tariff{own: limit("own", 1000, 0), all: limit("all", 1000, 0), units: 1}, instant(estimate.Options{Accounts: 4}), 237 * time.Second, "all"},
		"two days":                      {equal(1, 1500, "mail"), tariff{all: limit("all", 0, 1000), units: 1}, instant(estimate.Options{}), 24 * time.Hour, "all"},
		"exactly a day":                 {equal(1, 1000, "mail"), tariff{all: limit("all", 0, 1000), units: 1}, instant(estimate.Options{}), 0, "all"},
		"three days, and the rest":      {equal(1, 2100, "mail"), tariff{all: limit("all", 100, 1000), units: 1}, instant(estimate.Options{}), 48*time.Hour + 57*time.Second, "all"},
		"the day begins after an hour":  {equal(1, 2000, "mail"), tariff{all: limit("all", 0, 1000), units: 1}, instant(estimate.Options{Begin: time.Date(2026, 11, 27, 23, 0, 0, 0, time.UTC)}), time.Hour, "all"},
		"round trips":                   {equal(1, 1600, "files"), tariff{requests: 2}, estimate.Options{SourceRTT: time.Second, TargetRTT: time.Nanosecond}, 200 * time.Second, estimate.RoundTrips},
		"the target":                    {equal(1, 1600, "files"), tariff{requests: 1}, estimate.Options{SourceRTT: time.Nanosecond, TargetRTT: time.Second}, 100 * time.Second, estimate.Target},
		"connections of all":            {equal(8, 400, "files"), tariff{}, estimate.Options{Accounts: 8, SourceRTT: time.Nanosecond, TargetRTT: time.Second, TargetConnections: 32}, 100 * time.Second, estimate.Target},
		"mail gathers into few appends": {equal(1, 6400, "mail"), tariff{}, estimate.Options{InFlight: func(string) int { return 1000 }, SourceRTT: time.Nanosecond, TargetRTT: time.Second}, 100 * time.Second, estimate.Target},
		"four at once":                  {equal(1, 400, "files"), tariff{own: limit("own", 1e9, 0), units: 1, concurrent: 4, requests: 1}, estimate.Options{SourceRTT: time.Second, TargetRTT: time.Nanosecond}, 100 * time.Second, "own, requests at once"},
		"the line":                      {equal(2, 1000, "files"), tariff{}, instant(estimate.Options{Accounts: 2, BytesPerSecond: 1e5}), 20 * time.Second, estimate.Bandwidth},
	} {
		t.Run(name, func(t *testing.T) {
			e := estimate.Of(c.demands, c.p, c.o)
			if got := e.Optimistic.Round(time.Millisecond); got != c.want || e.Binding != c.binding {
				t.Errorf("%s because of %q, want %s because of %q", got, e.Binding, c.want, c.binding)
			}
		})
	}
}

// TestEstimateHolds looks at what must be true of any estimate.
func TestEstimateHolds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var demands []estimate.Demand
		for i := range 1 + r.IntN(30) {
			for _, k := range []string{"files", "mail", "calendar"}[:1+r.IntN(3)] {
				demands = append(demands, estimate.Demand{Account: fmt.Sprint("a", i), Kind: k, Collections: 1, Items: r.Int64N(5000), Bytes: r.Int64N(1e9)})
			}
		}
		p := tariff{own: limit("own", 1+r.Float64()*1000, 0), all: limit("all", 1+r.Float64()*5000, 1e5), sharing: price.Sharing(r.IntN(2)), units: r.Float64() * 20, requests: 1, concurrent: r.IntN(5)}
		o := estimate.Options{Accounts: 1 + r.IntN(8), BytesPerSecond: 1e8, TargetConnections: 32}
		e := estimate.Of(demands, p, o)
		if e.Optimistic > e.Likely || e.Likely > e.Pessimistic || e.Optimistic < 0 {
			t.Fatalf("optimistic %s, likely %s, pessimistic %s", e.Optimistic, e.Likely, e.Pessimistic)
		}
		var items, bytes int64
		var longest, sum time.Duration
		for _, a := range e.Accounts {
			items, bytes, longest, sum = items+a.Items, bytes+a.Bytes, max(longest, a.Likely), sum+a.Likely
		}
		if items != e.Items || bytes != e.Bytes || longest > e.Likely+time.Millisecond {
			t.Fatalf("the accounts do not add up: %+v", e)
		}
		mixed := slices.Clone(demands)
		slices.SortStableFunc(mixed, func(a, b estimate.Demand) int { return len(a.Kind) - len(b.Kind) })
		if m := estimate.Of(mixed, p, o); m.Items != e.Items || len(m.Accounts) != len(e.Accounts) || (m.Likely-e.Likely).Abs() > e.Likely/2 {
			t.Fatalf("in another order: %s and %s", m.Likely, e.Likely)
		}
	}
}

// TestDrivesOfOneReader: that shared drives turn out to have one reader lengthens the pessimistic time alone.
func TestDrivesOfOneReader(t *testing.T) {
	demands := equal(4, 1000, "files")
	own := tariff{own: limit("own", 100, 0), units: 1}
	apart := estimate.Of(demands, own, instant(estimate.Options{Accounts: 4}))
	own.sharing = price.MayShare
	perhaps := estimate.Of(demands, own, instant(estimate.Options{Accounts: 4}))
	if apart.Likely != perhaps.Likely || perhaps.Pessimistic < 3*apart.Pessimistic {
		t.Errorf("apart %s to %s, perhaps together %s to %s", apart.Likely, apart.Pessimistic, perhaps.Likely, perhaps.Pessimistic)
	}
}

func TestLeft(t *testing.T) {
	e := estimate.Of(equal(1, 1000, "mail"), tariff{own: limit("own", 100, 0), units: 1}, instant(estimate.Options{}))
	if got := e.Left(estimate.Moved{}, time.Hour); got != e.Likely {
		t.Errorf("at the beginning %s is left, want %s", got, e.Likely)
	}
	if got := e.Left(estimate.Moved{Items: 500}, time.Hour); got.Round(time.Second) != time.Hour {
		t.Errorf("after half of it in an hour %s is left", got)
	}
	if got := e.Left(estimate.Moved{Items: 1000}, time.Hour); got != 0 {
		t.Errorf("at the end %s is left", got)
	}
	if got := e.Left(estimate.Moved{Items: 5000}, time.Hour); got != 0 {
		t.Errorf("beyond the end %s is left", got)
	}
	if before, after := e.Left(estimate.Moved{Items: 100}, time.Minute), e.Left(estimate.Moved{Items: 200}, 2*time.Minute); after >= before {
		t.Errorf("at the same pace %s became %s", before, after)
	}
}

// BenchmarkOf estimates and packs a hundred thousand accounts.
func BenchmarkOf(b *testing.B) {
	demands := equal(100_000, 5000, "files", "mail", "calendar", "contacts", "tasks")
	p := tariff{own: limit("own", 6000, 0), all: limit("all", 1.2e6, 8e9), units: 20, requests: 1}
	for b.Loop() {
		e := estimate.Of(demands, p, estimate.Options{Accounts: 64})
		b.ReportMetric(e.Likely.Hours()/24, "days")
		b.ReportMetric(float64(len(estimate.Waves(e, estimate.WaveOptions{Start: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}))), "waves")
	}
}

func TestWriteText(t *testing.T) {
	p := tariff{own: limit("Gmail, per user", 6000, 0), all: limit("Gmail, the project", 1.2e6, 8e7), units: 20, requests: 1}
	var b strings.Builder
	if err := estimate.Of(equal(3, 15_000, "mail"), p, instant(estimate.Options{Accounts: 2})).WriteText(&b); err != nil {
		t.Fatal(err)
	}
	const want = `Likely time:  1h 46m           (1h 40m if all goes well, 2h 38m if much does not)
What binds:   Gmail, per user  (2 at once, 45000 requests to the provider)

Budget              Units  A minute  A day  Takes alone
Gmail, per user     900k   6000      -      53m for the largest account
Gmail, the project  900k   1.2M      80.0M  45s
`
	if b.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
	b.Reset()
	if err := estimate.Of(nil, p, estimate.Options{}).WriteText(&b); err != nil || b.String() != "There is nothing to move.\n" {
		t.Errorf("of nothing: %q, %v", b.String(), err)
	}
}
