package estimate_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
)

// TestRandomShapes moves organisations made up at random as TestProof does. REPATRIATE_SHAPES says how many, and REPATRIATE_SHAPE is one alone.
func TestRandomShapes(t *testing.T) {
	first, n := 1, 3
	if v, err := strconv.Atoi(os.Getenv("REPATRIATE_SHAPES")); err == nil {
		n = v
	}
	if v, err := strconv.Atoi(os.Getenv("REPATRIATE_SHAPE")); err == nil {
		first, n = v, 1
	}
	for i := range n {
		s := randomShape(uint64(first + i))
		t.Run(strconv.Itoa(first+i), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				took, e := s.run(t)
				t.Logf("| %s | %s | %s | %s | %s | %s |", s.name, round(e.Optimistic), round(e.Likely), round(e.Pessimistic), round(took), e.Binding)
				if took < e.Optimistic || took > e.Pessimistic {
					t.Errorf("took %s, which is not between %s and %s (likely %s because of %s)", took, e.Optimistic, e.Pessimistic, e.Likely, e.Binding)
				}
			})
		})
	}
}

func randomShape(seed uint64) shape {
	r := rand.New(rand.NewPCG(seed, 7))
	spread := func(low, high float64) float64 { return low * math.Pow(high/low, r.Float64()) }
	some := func(high float64) int {
		if r.IntN(3) == 0 {
			return 0
		}
		return int(spread(1, high))
	}
	spec := organisation.Spec{Users: 1 + r.IntN(8), Mail: some(500), Files: some(500), Events: some(200), Contacts: some(60), Tasks: some(60), Seed: int64(seed),
		MailMin: 500, MailMax: 1500, FileMin: 100, FileMax: int64(spread(200, 20_000))}
	source, target := time.Duration(spread(2, 400)*1e6), time.Duration(spread(2, 400)*1e6)
	speed := 0.0
	if r.IntN(2) == 0 {
		speed = spread(50_000, 5e6)
	}
	together, ms, oneManager := 1+r.IntN(6), r.IntN(2) == 0, r.IntN(3) == 0
	s := shape{spec: spec, kinds: kindsOf(), world: func() *world { return newWorld(source, target, speed, together) }}
	s.name = fmt.Sprintf("%d users, %d mails, %d files to %d bytes, %d events, %d contacts, %d tasks, %s and %s, %.0f bytes/s, %d at once, Microsoft %v",
		spec.Users, spec.Mail, spec.Files, spec.FileMax, spec.Events, spec.Contacts, spec.Tasks, source.Round(time.Millisecond), target.Round(time.Millisecond), speed, together, ms)
	shared := r.IntN(3) == 0
	s.change = func(o *organisation.Organisation) bool {
		for _, u := range o.Users {
			u.Messages = u.Messages[:r.IntN(len(u.Messages)+1)]
			u.Files = u.Files[:r.IntN(len(u.Files)+1)]
		}
		if shared {
			drives(o)
		}
		for _, d := range o.Drives {
			if oneManager {
				d.Members[0].Email = o.Users[0].Email
			}
		}
		return ms
	}
	return s
}
