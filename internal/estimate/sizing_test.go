package estimate_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/estimate"
	"codeberg.org/repatriate/repatriate/internal/price"
	"codeberg.org/repatriate/repatriate/sources/google"
	"codeberg.org/repatriate/repatriate/sources/microsoft"
)

var update = flag.Bool("update", false, "write the tables of docs/sizing.md anew")

const sizing = "../../docs/sizing.md"

// TestSizingTables holds the tables of docs/sizing.md and the numbers by which budgets are kept together.
func TestSizingTables(t *testing.T) {
	raw, err := os.ReadFile(sizing)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for name, table := range map[string]string{"quotas": quotas(t), "items": thousandItems(t), "users": thousandUsers(t)} {
		begin, end := "<!-- table: "+name+" -->\n", "<!-- end -->"
		before, rest, found := strings.Cut(text, begin)
		old, after, found2 := strings.Cut(rest, end)
		if !found || !found2 {
			t.Fatalf("%s has no table %s", sizing, name)
		}
		if old != table && !*update {
			t.Errorf("the table %s of %s is not what the code says; write it with -update. It should be:\n%s", name, sizing, table)
		}
		text = before + begin + table + end + after
	}
	if *update {
		if err := os.WriteFile(sizing, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// project is a way to be at a provider.
type project struct {
	name   string
	prices estimate.Prices
}

func projects(t *testing.T) []project {
	t.Helper()
	var list []project
	for _, tier := range []string{"new", "old"} {
		p, err := google.NewPrices(google.Options{Tier: tier})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, project{"Google, `tier: " + tier + "`", p})
	}
	for _, n := range []int{1_000, 5_000, 15_000, 50_000, 100_000} {
		list = append(list, project{fmt.Sprintf("Microsoft, %s licences", number(float64(n))), microsoft.NewPrices(microsoft.Options{Licences: n})})
	}
	return list
}

// number writes a whole number with commas.
func number(n float64) string {
	s := fmt.Sprintf("%.0f", n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func orNone(n float64) string {
	if n <= 0 {
		return "–"
	}
	return number(n)
}

// quotas are the budgets that are kept.
func quotas(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| project or tenant | budget | shared by all accounts | units a minute | units a day | requests at once |\n|---|---|---|---|---|---|\n")
	known := map[string]bool{}
	for _, p := range projects(t) {
		for _, kind := range kindsOf() {
			for _, c := range p.prices.Price(estimate.Demand{Kind: kind, Collections: 1, Items: 1, Bytes: 1}, price.Likely).Costs {
				if c.PerMinute+c.PerDay == 0 && c.Concurrent == 0 {
					continue
				}
				shared := "no"
				if c.Sharing == price.Shared {
					shared = "yes"
				}
				row := fmt.Sprintf("| %s | %s | %s | %s |", c.Name, shared, orNone(c.PerMinute), orNone(c.PerDay))
				if !known[p.name[:6]+row] {
					known[p.name[:6]+row] = true
					fmt.Fprintf(&b, "| %s %s %s |\n", p.name, row, orNone(float64(c.Concurrent)))
				}
			}
		}
	}
	return b.String()
}

// thousandItems is what a thousand items of an account take.
func thousandItems(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| 1,000 … | project or tenant | requests | units | the account's own budget takes | the shared one takes |\n|---|---|---|---|---|---|\n")
	list := projects(t)
	for _, kind := range kindsOf() {
		for _, p := range list[:3] {
			d := estimate.Demand{Account: "ada@example.org", Kind: kind, Collections: 1, Items: 1000, Bytes: 1000}
			priced := p.prices.Price(d, price.Likely)
			e := estimate.Of([]estimate.Demand{d}, p.prices, instant(estimate.Options{}))
			own, all, units := "no limit", "no limit", 0.0
			for _, s := range e.Scopes {
				switch {
				case s.PerMinute > 0 && s.Shared:
					all = estimate.Duration(s.Time)
				case s.PerMinute > 0:
					own = estimate.Duration(s.Time)
				}
				if s.PerMinute > 0 || !strings.Contains(s.Scope, "downloads") {
					units = s.Units
				}
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", kind, p.name, number(priced.Requests), orNone(units), own, all)
		}
	}
	return b.String()
}

// usualUser is what each of the thousand users has: an example, and no measurement.
func usualUser(account string) []estimate.Demand {
	return []estimate.Demand{
		{Account: account, Kind: "files", Collections: 1, Items: 3000, Empty: 200, Bytes: 4e9},
		{Account: account, Kind: "mail", Collections: 1, Items: 15_000, Bytes: 1.5e9},
		{Account: account, Kind: "calendar", Collections: 2, Items: 1500},
		{Account: account, Kind: "contacts", Collections: 1, Items: 200, Bytes: 1e6},
		{Account: account, Kind: "tasks", Collections: 2, Items: 50},
	}
}

// thousandUsers is how long the example takes.
func thousandUsers(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| project or tenant | accounts at once | optimistic | likely | pessimistic | what binds | waves |\n|---|---|---|---|---|---|---|\n")
	var demands []estimate.Demand
	for i := range 50 {
		demands = append(demands, estimate.Demand{Account: fmt.Sprintf("drive:%d", i), Kind: "files", Collections: 1, Items: 20_000, Empty: 1000, Bytes: 4e10})
	}
	for i := range 1000 {
		demands = append(demands, usualUser(fmt.Sprintf("user%d@example.org", i))...)
	}
	for _, p := range projects(t)[:4] {
		for _, at := range []int{4, 16, 64} {
			w := world{together: at}
			e := estimate.Of(demands, p.prices, estimate.Options{Accounts: at, InFlight: w.inFlight, TargetConnections: connections})
			waves := estimate.Waves(e, estimate.WaveOptions{Start: time.Date(2027, 1, 4, 0, 0, 0, 0, time.UTC)})
			fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s | %d |\n", p.name, at, estimate.Duration(e.Optimistic), estimate.Duration(e.Likely),
				estimate.Duration(e.Pessimistic), e.Binding, len(waves))
		}
	}
	return b.String()
}
