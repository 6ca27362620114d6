package main

import (
	"slices"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/simulation"
)

// TestProvidersCounts: after a listing, what the providers count themselves is asked once and explained.
func TestProvidersCounts(t *testing.T) {
	for _, name := range providers {
		t.Run(name, func(t *testing.T) {
			o, err := demoOrganisation()
			if err != nil {
				t.Fatal(err)
			}
			src, err := demoSources[name].start(o)
			if err != nil {
				t.Fatal(err)
			}
			s := simulated(t, simulation.Options{Source: src})
			p := started(t, "run", "--json", s.Job)
			if code := p.code(t); code == exitInternal || code == exitUsage {
				t.Fatalf("exit code %d: %s", code, p.stderr.String())
			}
			var counted []string
			apart, weighed := int64(0), 0
			for _, task := range reported(t, p).Tasks {
				if task.Weighed != nil && task.Weighed.Bytes > 0 {
					weighed++
				}
				if task.Counted == nil {
					continue
				}
				if task.Counted.Missing != 0 {
					t.Errorf("%s of %s: %+v", task.Kind, task.Account, task.Counted)
				}
				counted = append(counted, task.Kind)
				for _, n := range task.Counted.Apart {
					apart += n
				}
			}
			if !slices.Contains(counted, "mail") || name == "google" && (!slices.Contains(counted, "contacts") || apart == 0) {
				t.Errorf("counted: %q, %d apart", counted, apart)
			}
			if weighed == 0 {
				t.Error("no drive was weighed")
			}
			for _, task := range reported(t, ran(t, p.ProcessState.ExitCode(), "run", "--json", s.Job)).Tasks {
				if task.Counted != nil || task.Weighed != nil {
					t.Errorf("a pass that lists nothing anew asked for the count of %s", task.Kind)
				}
			}
			if problems := s.Provider.Problems(); len(problems) > 0 {
				t.Errorf("the provider was asked what it does not know: %q", problems)
			}
		})
	}
}
