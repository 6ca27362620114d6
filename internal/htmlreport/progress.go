package htmlreport

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/passes"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// course is the chart of how many items were on the target when.
type course struct {
	// Points are those of an SVG polyline, from 0 to 100 in both directions.
	Points string
	// Label says in words what the line shows.
	Label, From, To, Most string
}

// timeForm is how a chart says when.
const timeForm = "2 Jan 2006 15:04"

// newCourse draws what was on the target before and after each pass; nil if nothing was yet. What a pass wrote that was killed shows in the
// next one.
func newCourse(all []passes.Pass) *course {
	all = slices.DeleteFunc(slices.Clone(all), func(p passes.Pass) bool { return p.Ended.Before(p.Began) })
	slices.SortStableFunc(all, func(a, b passes.Pass) int { return a.Began.Compare(b.Began) })
	var most int64
	for _, p := range all {
		most = max(most, p.OnTarget)
	}
	if most <= 0 {
		return nil
	}
	first, last := all[0].Began, all[len(all)-1].Ended
	span := max(last.Sub(first), time.Second)
	var points []string
	add := func(at time.Time, n int64) {
		points = append(points, fmt.Sprintf("%.2f,%.2f", 100*float64(at.Sub(first))/float64(span), 100-100*float64(n)/float64(most)))
	}
	before := max(0, all[0].OnTarget-all[0].Written)
	for _, p := range all {
		add(p.Began, before)
		add(p.Ended, p.OnTarget)
		before = p.OnTarget
	}
	return &course{
		Points: strings.Join(points, " "), From: first.Format(timeForm), To: last.Format(timeForm), Most: number(most),
		Label: fmt.Sprintf("%s on the target after %s, from %s to %s", report.Plural(most, "item"), report.Plural(int64(len(all)), "run"), first.Format(timeForm), last.Format(timeForm)),
	}
}

// mostScopes is how many quotas and servers a chart names, those that held the job back longest.
const mostScopes = 8

// newThrottled are bars of the time in which quotas and servers held the passes back, beside the time that they took.
func newThrottled(all []passes.Pass) (bars []shownBar) {
	took, by := 0.0, map[string]float64{}
	for _, p := range all {
		took += max(0, p.Ended.Sub(p.Began).Seconds())
		for scope, s := range p.Throttled {
			by[scope] += s
		}
	}
	for scope, s := range by {
		if s < 1 {
			continue
		}
		share := min(100, 100*s/max(took, s))
		d := time.Duration(s * float64(time.Second)).Round(time.Second).String()
		segments := []segment{{Class: "pending", Title: d + " of the passes' time", Width: share}}
		bars = append(bars, shownBar{bar{Label: clean(scope), Total: int64(s), Segments: segments}, d})
	}
	slices.SortFunc(bars, func(a, b shownBar) int { return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.Label, b.Label)) })
	return bars[:min(len(bars), mostScopes)]
}
