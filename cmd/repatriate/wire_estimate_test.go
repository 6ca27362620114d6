package main

import (
	"log/slog"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/estimate"
	"codeberg.org/repatriate/repatriate/internal/simulation"
)

// TestEstimatedAsRun: the estimate of a job has the quotas and the numbers at once that its runs have.
func TestEstimatedAsRun(t *testing.T) {
	quotas := google.NewQuotas()
	quotas.Speed = 60
	spec := organisation.Spec{Users: 1}
	for name, c := range map[string]struct {
		source  *simulation.Source
		binding string
		minute  float64
		mails   float64 // in a minute
	}{
		"google":    {simulation.Google(google.Generate(spec), google.Options{Quotas: quotas}, "new"), "Gmail, per user", 6_000, 300},
		"microsoft": {simulation.Microsoft(microsoft.Generate(spec), microsoft.Options{}, 60), "Exchange, per mailbox", 1_000, 1_000},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := simulation.Start(t.TempDir(), simulation.Options{Source: c.source})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			job, err := config.Load(s.Job)
			if err != nil {
				t.Fatal(err)
			}
			w, err := newWiring(t.Context(), job, pass{dryRun: true}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			defer w.close()
			e := w.estimated([]estimate.Demand{{Account: "user0001@example.org", Kind: "mail", Items: 30_000}},
				estimate.Options{SourceRTT: time.Microsecond, TargetRTT: time.Microsecond})
			if e.Binding != c.binding || len(e.Scopes) == 0 || e.Scopes[0].PerMinute != c.minute {
				t.Errorf("%q binds: %+v", e.Binding, e.Scopes)
			}
			// The minutes pass sixty times as fast.
			if want := time.Duration(30_000 / c.mails * float64(time.Second)); e.Optimistic > want*21/20 || e.Optimistic < want*9/10 {
				t.Errorf("optimistic %s, want about %s", e.Optimistic, want)
			}
		})
	}
}
