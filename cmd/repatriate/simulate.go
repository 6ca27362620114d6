package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/simulation"
)

// simulateFlags say what the simulate command starts.
type simulateFlags struct {
	dir, provider, data string
	spec                organisation.Spec
	quotas, target      string
	latency             time.Duration
	faults              string
	items               int
}

func newSimulate(*flags) *cobra.Command {
	var s simulateFlags
	c := &cobra.Command{
		Use:   "simulate --dir DIR",
		Short: "Start a simulated provider and embedded target servers, for trying things out",
		Long: `simulate starts a simulated Google Workspace and embedded WebDAV, IMAP and CalDAV servers on free
ports of this machine, writes a job file and what it names into DIR, prints one line "ready
DIR/job.yaml" and runs until it is interrupted. In another terminal: repatriate run DIR/job.yaml

Without --users and --data it holds the organisation of the demo. One file of it fails, since its
download quota of the day is used up. Mailboxes live in memory: take a new DIR for each start.

Exit codes: 0 interrupted; 1 it could not start; 2 usage.`,
		Example: `  repatriate simulate --dir trial
  repatriate simulate --dir trial --users 20 --mail 1000 --latency 50ms --faults '*:503:0.01'`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o, err := s.options()
			if err != nil {
				return usage(err)
			}
			return s.run(c, o)
		},
	}
	f := c.Flags()
	f.StringVar(&s.dir, "dir", "", "folder for the job file and the servers' data (required)")
	f.StringVar(&s.provider, "provider", "google", "the provider to simulate: google")
	f.StringVar(&s.data, "data", "", "folder of an organisation in the form of examples/organisation")
	f.IntVar(&s.spec.Users, "users", 0, "make up an organisation of this many users")
	f.IntVar(&s.spec.Mail, "mail", 100, "made-up messages of each user")
	f.IntVar(&s.spec.Files, "files", 100, "made-up files of each user")
	f.IntVar(&s.spec.Events, "events", 100, "made-up events of each user")
	f.Int64Var(&s.spec.Seed, "seed", 1, "the same seed makes up the same organisation")
	f.Int64Var(&s.spec.MailMin, "mail-min", 0, "least size of a made-up message in bytes")
	f.Int64Var(&s.spec.MailMax, "mail-max", 0, "largest size of a made-up message in bytes")
	f.Int64Var(&s.spec.FileMin, "file-min", 0, "least size of a made-up file in bytes")
	f.Int64Var(&s.spec.FileMax, "file-max", 0, "largest size of a made-up file in bytes")
	f.StringVar(&s.quotas, "quotas", "", "enforce Google's quotas and keep them: new or old")
	f.Lookup("quotas").NoOptDefVal = "new"
	f.DurationVar(&s.latency, "latency", 0, "delay of each answer of the provider")
	f.StringVar(&s.faults, "faults", "", "faults of the provider: gmail.messages.get:429:0.05,*:503:0.01")
	f.StringVar(&s.target, "target", "", "YAML file whose target and accounts replace the embedded servers")
	f.IntVar(&s.items, "items", 0, "concurrency.items of the job file")
	return c
}

func (s *simulateFlags) options() (simulation.Options, error) {
	var o simulation.Options
	var err error
	switch {
	case s.dir == "":
		return o, fmt.Errorf("--dir is required")
	case s.provider != "google":
		return o, fmt.Errorf("--provider %q: only google can be simulated", s.provider)
	}
	if o.Data, err = s.organisation(); err != nil {
		return o, err
	}
	switch s.quotas {
	case "":
	case "new":
		o.Provider.Quotas = sim.NewQuotas()
	case "old":
		o.Provider.Quotas = sim.OldQuotas()
	default:
		return o, fmt.Errorf("--quotas %q is none of new, old", s.quotas)
	}
	o.Tier = s.quotas
	o.Provider.Latency, o.Concurrency = s.latency, s.items
	if s.faults != "" {
		if o.Provider.Faults, err = cloudsim.ParseFaults(s.faults); err != nil {
			return o, fmt.Errorf("--faults: %w", err)
		}
	}
	if s.target != "" {
		o.Target, o.Accounts, err = simulation.ReadTarget(s.target)
	}
	return o, err
}

func (s *simulateFlags) organisation() (*sim.Data, error) {
	switch {
	case s.data != "":
		return sim.Load(s.data)
	case s.spec.Users > 0:
		return sim.Generate(s.spec), nil
	default:
		return demoOrganisation()
	}
}

func (s *simulateFlags) run(c *cobra.Command, o simulation.Options) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return err
	}
	started, err := simulation.Start(dir, o)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.OutOrStdout(), "ready", filepath.Join(s.dir, "job.yaml"))
	<-c.Context().Done()
	return started.Close()
}
