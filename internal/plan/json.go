package plan

import (
	"io"
	"time"

	"codeberg.org/repatriate/repatriate/internal/htmlreport"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// document is a plan for programs.
type document struct {
	Job   string    `json:"job"`
	Made  time.Time `json:"made"`
	State string    `json:"state"`
	// LookedAt and NotLookedAt are numbers of accounts; the totals are extrapolated if there are some of the latter.
	LookedAt    int              `json:"looked_at"`
	NotLookedAt int              `json:"not_looked_at"`
	Waiting     int64            `json:"waiting_for_approval"`
	Grades      map[string]int64 `json:"grades"`
	Totals      Total            `json:"totals"`
	Kinds       []Total          `json:"kinds"`
	Accounts    []Account        `json:"accounts"`
	Others      []string         `json:"others"`
	Reasons     []Reason         `json:"reasons"`
	RoomUnknown []deaf           `json:"room_unknown"`
	Tasks       []report.Task    `json:"tasks"`
	// Duration is how long a run would take.
	Duration *duration `json:"duration,omitempty"`
	// Cost is what making the plan took.
	Cost *report.Pass `json:"cost,omitempty"`
}

// WriteJSON writes the plan as one JSON object.
func (p *Plan) WriteJSON(w io.Writer) error {
	d := document{
		Job: p.Report.Job, Made: p.Made.UTC().Truncate(time.Second), State: p.Report.State, LookedAt: len(p.Accounts), NotLookedAt: len(p.Others),
		Waiting: p.Waiting, Grades: map[string]int64{}, Accounts: p.Accounts, Others: []string{}, Reasons: p.Reasons(), RoomUnknown: p.deaf(),
		Tasks: p.Report.Tasks, Duration: p.duration, Cost: p.Report.Pass,
	}
	for g, n := range p.counted() {
		d.Grades[htmlreport.Grade(g).String()] = n //nolint:gosec // at most 3
	}
	d.Kinds, d.Totals = p.Totals()
	d.Totals.Kind = "all"
	for _, o := range p.Others {
		d.Others = append(d.Others, o.Source)
	}
	if d.Accounts == nil {
		d.Accounts = []Account{}
	}
	if d.RoomUnknown == nil {
		d.RoomUnknown = []deaf{}
	}
	return report.WriteJSON(w, d)
}
