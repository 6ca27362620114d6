package estimate_test

import (
	"encoding/csv"
	"fmt"
	"iter"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/estimate"
	"codeberg.org/repatriate/repatriate/internal/sheet"
	"codeberg.org/repatriate/repatriate/internal/windows"
)

// minutes prices an item at a unit, of which an account has one a minute.
var minutes = tariff{own: limit("own", 1, 0), units: 1}

// lasting are accounts that likely take so many minutes each, or a little more.
func lasting(minutes ...int64) (list []estimate.Demand) {
	for i, n := range minutes {
		list = append(list, estimate.Demand{Account: fmt.Sprintf("user%04d@example.org", i), Kind: "mail", Items: n * 95 / 101, Bytes: n})
	}
	return list
}

func paris(t *testing.T) *time.Location {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestWindows(t *testing.T) {
	hours := lasting(slices.Repeat([]int64{450}, 12)...) // one for each night, at one account at once
	e := estimate.Of(hours, minutes, instant(estimate.Options{}))
	// A Wednesday. In the night of 25 October 2026 the clock is put back.
	waves := estimate.Waves(e, estimate.WaveOptions{Start: time.Date(2026, 10, 21, 12, 0, 0, 0, paris(t))})
	var got []string
	for _, w := range waves {
		got = append(got, fmt.Sprintf("%s to %s: %d", w.Begin.Format("Mon 2 15:04 -0700"), w.End.Format("Mon 2 15:04 -0700"), len(w.Accounts)))
	}
	want := []string{
		"Wed 21 20:00 +0200 to Thu 22 06:00 +0200: 1", "Thu 22 20:00 +0200 to Fri 23 06:00 +0200: 1",
		"Fri 23 20:00 +0200 to Mon 26 06:00 +0100: 6", "Mon 26 20:00 +0100 to Tue 27 06:00 +0100: 1",
		"Tue 27 20:00 +0100 to Wed 28 06:00 +0100: 1", "Wed 28 20:00 +0100 to Thu 29 06:00 +0100: 1",
		"Thu 29 20:00 +0100 to Fri 30 06:00 +0100: 1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// From a Saturday on.
	w := estimate.Waves(e, estimate.WaveOptions{Start: time.Date(2026, 10, 24, 12, 30, 0, 0, time.UTC)})[0]
	if got := w.Begin.Format("Mon 2 15:04") + " to " + w.End.Format("Mon 2 15:04"); got != "Sat 24 12:30 to Mon 26 06:00" || !w.Weekend {
		t.Errorf("from a Saturday on: %s", got)
	}
	waves = estimate.Waves(e, estimate.WaveOptions{Windows: clock(t, "mon-fri 01:00-09:00", time.Date(2026, 10, 21, 12, 0, 0, 0, time.UTC)), Fill: 1})
	if len(waves) != 12 || waves[2].Begin.Format("Mon 2 15:04") != "Mon 26 01:00" || waves[0].End.Format("Mon 2 15:04") != "Thu 22 09:00" || waves[0].Weekend {
		t.Errorf("working days alone: %d, %s", len(waves), waves[2].Begin)
	}
}

// clock are windows of a job, from a moment on.
func clock(t *testing.T, text string, from time.Time) iter.Seq[estimate.Window] {
	t.Helper()
	w, err := windows.Parse([]string{text}, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	return estimate.Openings(w, from)
}

// TestLargeAccounts: one that a night has no room for goes into the weekend, one that a weekend has none for goes over several nights.
func TestLargeAccounts(t *testing.T) {
	e := estimate.Of(lasting(60, 900, 5000, 60), minutes, instant(estimate.Options{Accounts: 2}))
	waves := estimate.Waves(e, estimate.WaveOptions{Start: time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)})
	where := map[string][]string{}
	for _, w := range waves {
		for _, a := range w.Accounts {
			where[a.Account] = append(where[a.Account], fmt.Sprintf("%s %d/%d", w.Begin.Weekday(), a.Part, a.Parts))
		}
	}
	want := map[string][]string{
		"user0000@example.org": {"Tuesday 1/1"}, "user0001@example.org": {"Friday 1/1"},
		"user0002@example.org": {"Tuesday 1/6", "Wednesday 2/6", "Thursday 3/6", "Friday 4/6", "Monday 5/6", "Tuesday 6/6"},
		"user0003@example.org": {"Tuesday 1/1"},
	}
	if !reflect.DeepEqual(where, want) {
		t.Errorf("got %v, want %v", where, want)
	}
}

// TestDrivesGoFirst, and the others keep their order.
func TestDrivesGoFirst(t *testing.T) {
	demands := append(lasting(200, 200, 200), estimate.Demand{Account: "drive:0AExample", Kind: "files", Items: 200})
	waves := estimate.Waves(estimate.Of(demands, minutes, instant(estimate.Options{})), estimate.WaveOptions{Start: time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)})
	var order []string
	for _, w := range waves {
		for _, a := range w.Accounts {
			order = append(order, a.Account)
		}
	}
	if want := []string{"drive:0AExample", "user0000@example.org", "user0001@example.org", "user0002@example.org"}; !slices.Equal(order, want) {
		t.Errorf("the order is %v", order)
	}
}

// TestSharedQuotas: a window takes no more than the quota of all, of a day and by the minute.
func TestSharedQuotas(t *testing.T) {
	for name, p := range map[string]tariff{
		"of the day": {all: limit("all", 0, 1000), units: 1},
		"by minute":  {all: limit("all", 1000.0/8/60, 0), units: 1}, // eight hours of a night
	} {
		waves := estimate.Waves(estimate.Of(equal(10, 300, "mail"), p, instant(estimate.Options{Accounts: 4})),
			estimate.WaveOptions{Windows: clock(t, "20:00-06:00", time.Date(2026, 10, 19, 12, 0, 0, 0, time.UTC))})
		for _, w := range waves {
			if n := len(w.Accounts); n > 3 {
				t.Errorf("%s: %d accounts with 300 units each in a night with 1,000", name, n)
			}
		}
		if len(waves) != 4 {
			t.Errorf("%s: %d waves", name, len(waves))
		}
	}
}

// TestWavesHold packs organisations at random: each account is in one wave, or in several that follow one another, and the accounts of
// a wave are done in time in any order.
func TestWavesHold(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		n := make([]int64, 1+r.IntN(300))
		for i := range n {
			n[i] = 1 + r.Int64N(200)
			if r.IntN(40) == 0 {
				n[i] *= 40
			}
		}
		o := estimate.Options{Accounts: 1 + r.IntN(6)}
		e := estimate.Of(lasting(n...), minutes, instant(o))
		start := time.Date(2026, 10, 19, 12, 0, 0, 0, time.UTC).AddDate(0, 0, r.IntN(7))
		waves := estimate.Waves(e, estimate.WaveOptions{Start: start})
		if again := estimate.Waves(e, estimate.WaveOptions{Start: start}); !reflect.DeepEqual(waves, again) {
			t.Fatal("the plan differs from one time to the next")
		}
		parts := map[string]int{}
		for i, w := range waves {
			if w.Number != i+1 || i > 0 && w.Begin.Before(waves[i-1].End) {
				t.Fatalf("wave %d is number %d, from %s", i, w.Number, w.Begin)
			}
			holds(t, r, w, o.Accounts)
			for _, a := range w.Accounts {
				if parts[a.Account]++; parts[a.Account] != a.Part {
					t.Fatalf("%s: part %d comes as number %d", a.Account, a.Part, parts[a.Account])
				}
			}
		}
		for _, a := range e.Accounts {
			if parts[a.Account] == 0 {
				t.Fatalf("%s is in no wave", a.Account)
			}
		}
	}
}

// holds moves the accounts of a wave in an order at random.
func holds(t *testing.T, r *rand.Rand, w estimate.Wave, together int) {
	t.Helper()
	var whole []time.Duration
	for _, a := range w.Accounts {
		if a.Parts == 1 {
			whole = append(whole, a.Likely)
		} else {
			together--
		}
	}
	if len(whole) == 0 {
		return
	}
	if together < 1 {
		t.Fatalf("wave %d has no place for %d accounts", w.Number, len(whole))
	}
	r.Shuffle(len(whole), func(i, j int) { whole[i], whole[j] = whole[j], whole[i] })
	ends := make([]time.Duration, together)
	for _, d := range whole {
		ends[slices.Index(ends, slices.Min(ends))] += d
	}
	if took := slices.Max(ends); took > w.End.Sub(w.Begin)*8/10+time.Second || took > w.Takes+time.Second {
		t.Fatalf("wave %d takes %s of %s, and said %s", w.Number, took, w.End.Sub(w.Begin), w.Takes)
	}
}

// TestFewWindows: where there are not enough windows nobody is left out.
func TestFewWindows(t *testing.T) {
	begin := time.Date(2026, 10, 19, 20, 0, 0, 0, time.UTC)
	one := func(yield func(estimate.Window) bool) {
		yield(estimate.Window{Begin: begin, End: begin.Add(time.Hour)})
	}
	none := func(func(estimate.Window) bool) {}
	for name, windows := range map[string]iter.Seq[estimate.Window]{"one": one, "none": none} {
		e := estimate.Of(lasting(40, 40, 5000), minutes, instant(estimate.Options{}))
		waves := estimate.Waves(e, estimate.WaveOptions{Windows: windows})
		if len(waves) != 1 || len(waves[0].Accounts) != 3 {
			t.Errorf("%s: %+v", name, waves)
		}
	}
}

func TestWriteWaves(t *testing.T) {
	demands := lasting(600, 10)
	demands[1].Account = "=cmd@example.org"
	demands = append(demands, estimate.Demand{Account: "=cmd@example.org", Kind: "files", Items: 3, Bytes: 7})
	waves := estimate.Waves(estimate.Of(demands, minutes, instant(estimate.Options{})),
		estimate.WaveOptions{Start: time.Date(2026, 10, 21, 12, 0, 0, 0, paris(t))})
	var b strings.Builder
	if err := estimate.WriteWaves(&b, waves); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"wave", "begins", "ends", "account", "kinds", "items", "bytes", "estimated", "note"},
		{"1", "2026-10-21T20:00:00+02:00", "2026-10-22T06:00:00+02:00", "'=cmd@example.org", "mail files", "12", "17", "13m", ""},
		{"2", "2026-10-23T20:00:00+02:00", "2026-10-26T06:00:00+01:00", "user0000@example.org", "mail", "564", "600", "10h 00m", "at the weekend"},
	}
	if !reflect.DeepEqual(rows, want) {
		t.Errorf("got %q, want %q", rows, want)
	}
	if got := sheet.Plain(rows[1][3]); got != "=cmd@example.org" {
		t.Errorf("the account is read as %q", got)
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 40 * time.Second: "40s", 12 * time.Minute: "12m", 125 * time.Minute: "2h 05m", 76 * time.Hour: "3d 4h", 47*time.Hour + 59*time.Minute + 50*time.Second: "2d 0h",
		59600 * time.Millisecond: "1m 00s", 200 * time.Second: "3m 20s", 599600 * time.Millisecond: "10m", 3599 * time.Second: "1h 00m", 1e6 * time.Hour: "41666d 16h",
	} {
		if got := estimate.Duration(d); got != want {
			t.Errorf("Duration(%s) = %q, want %q", d, got, want)
		}
	}
}
