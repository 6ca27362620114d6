package plan

import (
	"fmt"
	"io"
	"time"

	"codeberg.org/repatriate/repatriate/internal/estimate"
)

// duration is how long a run would take, for programs.
type duration struct {
	Optimistic  float64 `json:"optimistic_seconds"`
	Likely      float64 `json:"likely_seconds"`
	Pessimistic float64 `json:"pessimistic_seconds"`
	// Binding is the limit that the likely time comes from; empty if there is nothing to do.
	Binding  string `json:"binding"`
	Requests int64  `json:"requests"`
	Budgets  []use  `json:"budgets"`
}

// use is how much of one of the provider's budgets a run would take; quotas of 0 are not stated.
type use struct {
	Budget    string  `json:"budget"`
	Shared    bool    `json:"shared"`
	Units     float64 `json:"units"`
	PerMinute float64 `json:"units_a_minute,omitempty"`
	PerDay    float64 `json:"units_a_day,omitempty"`
	Seconds   float64 `json:"seconds"`
}

// WriteWaves writes the wave plan as CSV.
func (p *Plan) WriteWaves(w io.Writer) error { return estimate.WriteWaves(w, p.Waves) }

// span says in a line when the waves begin and end.
func (p *Plan) span() string {
	first, last := p.Waves[0], p.Waves[len(p.Waves)-1]
	end := last.Begin.Add(last.Takes + time.Minute - 1).Truncate(time.Minute) // the minute in which it is over
	return fmt.Sprintf("Waves: %d, from %s to %s.", len(p.Waves), first.Begin.Format(waveTime), end.Format(waveTime))
}

// firstWave are the flags with which a run moves the first wave.
func (p *Plan) firstWave() string {
	switch {
	case len(p.Waves) == 0:
		return ""
	case p.WavesFile == "":
		return " --wave 1"
	}
	return " --wave 1 --waves " + p.WavesFile
}

const waveTime = "Mon 2006-01-02 15:04"

// Takes notes how long a run would take.
func (p *Plan) Takes(e estimate.Estimate) {
	p.duration = &duration{
		Optimistic: e.Optimistic.Seconds(), Likely: e.Likely.Seconds(), Pessimistic: e.Pessimistic.Seconds(), Binding: e.Binding, Requests: e.Requests,
		Budgets: []use{},
	}
	for _, s := range e.Scopes {
		p.duration.Budgets = append(p.duration.Budgets, use{s.Scope, s.Shared, s.Units, s.PerMinute, s.PerDay, s.Time.Seconds()})
	}
	if e.Binding == "" {
		return
	}
	p.Estimate = []string{
		fmt.Sprintf("Time: likely %s, at best %s, at worst %s.", estimate.Duration(e.Likely), estimate.Duration(e.Optimistic), estimate.Duration(e.Pessimistic)),
		fmt.Sprintf("What binds: %s. About %d requests to the provider.", e.Binding, e.Requests),
	}
}
