package google

import (
	"testing"

	"codeberg.org/repatriate/repatriate/internal/price"
)

// unitsOf adds up what a price takes of each limited budget.
func unitsOf(p price.Price) map[string]float64 {
	units := map[string]float64{}
	for _, c := range p.Costs {
		if c.PerMinute > 0 || c.PerDay > 0 {
			units[c.Name] += c.Units
		}
	}
	return units
}

// TestPrices: what a demand takes, by developers.google.com/workspace/gmail/api/reference/quota and …/drive/api/guides/limits.
func TestPrices(t *testing.T) {
	mail := price.Demand{Account: "ada@example.org", Kind: "mail", Collections: 1, Items: 1000, Bytes: 3e6}
	files := price.Demand{Account: "ada@example.org", Kind: "files", Collections: 1, Items: 2500, Empty: 500, Bytes: 1e9}
	drive := files
	drive.Account = "drive:0AExample"
	for name, c := range map[string]struct {
		o      Options
		demand price.Demand
		want   map[string]float64
	}{
		"mail":           {Options{}, mail, map[string]float64{"Gmail, per user": 1 + 2 + 2*5 + 1000*20 + 2, "Gmail, the project": 1 + 2 + 2*5 + 1000*20 + 2}},
		"mail, old":      {Options{Tier: "old"}, mail, map[string]float64{"Gmail, per user": 1 + 2 + 2*5 + 1000*5 + 2, "Gmail, the project": 1 + 2 + 2*5 + 1000*5 + 2}},
		"mail, no limit": {Options{Tier: "unlimited"}, mail, map[string]float64{}},
		"files": {Options{}, files, map[string]float64{"Drive, per user": 5 + 5 + 3*100 + 2000*200 + 100, "Drive, the project": 5 + 5 + 3*100 + 2000*200 + 100,
			"Drive, downloads of the day": 1e9}},
		"files, paid for": {Options{Paid: true}, files, map[string]float64{"Drive, per user": 400_410, "Drive, the project": 400_410}},
		"a shared drive":  {Options{Paid: true}, drive, map[string]float64{"Drive, per user": 400_510, "Drive, the project": 400_510}},
		"a calendar": {Options{}, price.Demand{Kind: "calendar", Collections: 2, Items: 900},
			map[string]float64{"Calendar, per user": 3, "Calendar, the project": 3}},
		"contacts": {Options{}, price.Demand{Kind: "contacts", Collections: 1, Items: 1500}, map[string]float64{"People, per user": 1 + 2}},
		"tasks":    {Options{}, price.Demand{Kind: "tasks", Collections: 2, Items: 150}, map[string]float64{"Tasks, the project": 3}},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := NewPrices(c.o)
			if err != nil {
				t.Fatal(err)
			}
			got := unitsOf(p.Price(c.demand, price.Likely))
			if len(got) != len(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			for scope, want := range c.want {
				if got[scope] != want {
					t.Errorf("%s: %v units, want %v", scope, got[scope], want)
				}
			}
			for k := price.Optimistic; k < price.Pessimistic; k++ {
				if less, more := p.Price(c.demand, k), p.Price(c.demand, k+1); less.Requests > more.Requests || less.Bytes > more.Bytes {
					t.Errorf("the worse case takes less: %+v, %+v", less, more)
				}
			}
		})
	}
}

// TestPricesAreTheBudgets: demands are priced by the limits that a client keeps.
func TestPricesAreTheBudgets(t *testing.T) {
	o := Options{Tier: "new", Clock: 60}
	q, err := newQuota(o)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPrices(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range p.Price(price.Demand{Kind: "mail", Items: 10}, price.Likely).Costs {
		scope := q.project[gmailAPI]
		if c.Sharing == price.Own {
			scope = q.users[gmailAPI].Get("ada@example.org")
		}
		if scope.Limit() != c.Limit || c.Rate() != c.PerMinute*0.95 {
			t.Errorf("priced by %+v, kept by %+v", c.Limit, scope.Limit())
		}
	}
}
