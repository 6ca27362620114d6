package microsoft

import (
	"testing"

	"codeberg.org/repatriate/repatriate/internal/price"
)

// TestPrices: what a demand takes, by learn.microsoft.com/graph/throttling-limits and SharePoint's page on throttling.
func TestPrices(t *testing.T) {
	const mailbox, app, drive = "Exchange, per mailbox", "SharePoint, the application", "SharePoint, per drive"
	files := price.Demand{Kind: "files", Collections: 1, Items: 1000, Empty: 100}
	for name, c := range map[string]struct {
		o      Options
		demand price.Demand
		want   map[string]float64 // units
		minute map[string]float64 // quota
	}{
		"mail":           {Options{}, price.Demand{Kind: "mail", Items: 1000}, map[string]float64{mailbox: 11 + 2 + 15 + 5 + 1000}, map[string]float64{mailbox: 1000}},
		"a drive":        {Options{}, files, map[string]float64{drive: 1 + 1 + 2 + 4 + 900, app: 908}, map[string]float64{drive: 600, app: 1250}},
		"a large tenant": {Options{Licences: 60_000}, files, map[string]float64{drive: 908, app: 908}, map[string]float64{drive: 600, app: 6250}},
		"contacts":       {Options{}, price.Demand{Kind: "contacts", Collections: 2, Items: 500}, map[string]float64{mailbox: 1 + 2 + 3 + 500}, nil},
		"a calendar":     {Options{}, price.Demand{Kind: "calendar", Collections: 1, Items: 1000}, map[string]float64{mailbox: 2 + 1 + 10 + 200 + 20 + 20 + 2}, nil},
		"tasks":          {Options{}, price.Demand{Kind: "tasks", Collections: 3, Items: 100}, map[string]float64{mailbox: 1 + 1 + 3}, nil},
		"no limit":       {Options{Unlimited: true}, files, map[string]float64{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := NewPrices(c.o)
			found := 0
			for _, cost := range p.Price(c.demand, price.Likely).Costs {
				if cost.PerMinute == 0 && cost.Concurrent == 0 {
					continue
				}
				found++
				if want, known := c.want[cost.Name]; !known || cost.Units != want {
					t.Errorf("%s: %v units, want %v", cost.Name, cost.Units, want)
				}
				if want := c.minute[cost.Name]; want != 0 && cost.PerMinute != want {
					t.Errorf("%s: %v a minute, want %v", cost.Name, cost.PerMinute, want)
				}
				if many := cost.Concurrent; (cost.Name == mailbox) != (many == mailboxConcurrent) {
					t.Errorf("%s: %d at once", cost.Name, many)
				}
			}
			if found != len(c.want) {
				t.Errorf("%d budgets, want %v", found, c.want)
			}
			for k := price.Optimistic; k < price.Pessimistic; k++ {
				if less, more := p.Price(c.demand, k), p.Price(c.demand, k+1); less.Requests > more.Requests {
					t.Errorf("the worse case takes less: %+v, %+v", less, more)
				}
			}
		})
	}
}
