package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
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
	clock               float64
}

func newSimulate(*flags) *cobra.Command {
	var s simulateFlags
	c := &cobra.Command{
		Use:   "simulate [google|microsoft] --dir DIR",
		Short: "Start a simulated provider and servers, for trying things out",
		Long: `simulate starts a simulated Google Workspace, or a simulated Microsoft 365, and embedded WebDAV,
IMAP, CalDAV and CardDAV servers on free ports of this machine, writes a job file and what it names
into DIR, prints one line "ready DIR/job.yaml" and runs until it is interrupted. In another
terminal:
  repatriate run DIR/job.yaml

Without --users and --data it holds the organisation of the demo. One file of it fails at Google,
since its download quota of the day is used up; that day ends two minutes after the first try.
Mailboxes live in memory: take a new DIR for each start.

Exit codes: 0 interrupted; 1 it could not start; 2 usage.`,
		Example: `  repatriate simulate --dir trial
  repatriate simulate microsoft --dir trial
  repatriate simulate --dir trial --users 20 --mail 1000 --latency 50ms --faults '*:503:0.01'`,
		Args: func(c *cobra.Command, args []string) error {
			if err := s.words(c, args); err != nil {
				return usage(err)
			}
			return usage(s.fits(c))
		},
		ValidArgs: providers,
		RunE: func(c *cobra.Command, args []string) error {
			o, err := s.options()
			if err != nil {
				return usage(err)
			}
			return s.run(c, o)
		},
	}
	f := c.Flags()
	f.StringVar(&s.dir, "dir", "", "folder for the job file and the servers' data (required)")
	f.StringVar(&s.provider, "provider", "google", "the provider: google, microsoft")
	f.StringVar(&s.data, "data", "", "folder of an organisation in the form of examples/organisation")
	f.IntVar(&s.spec.Users, "users", 0, "make up an organisation of this many users")
	f.IntVar(&s.spec.Mail, "mail", 100, "made-up messages of each user")
	f.IntVar(&s.spec.Files, "files", 100, "made-up files of each user")
	f.IntVar(&s.spec.Events, "events", 100, "made-up events of each user")
	f.IntVar(&s.spec.Contacts, "contacts", 100, "made-up contacts of each user")
	f.IntVar(&s.spec.Tasks, "tasks", 100, "made-up tasks of each user")
	f.Int64Var(&s.spec.Seed, "seed", 1, "the same seed makes up the same organisation")
	f.Int64Var(&s.spec.MailMin, "mail-min", 0, "least size of a made-up message in bytes")
	f.Int64Var(&s.spec.MailMax, "mail-max", 0, "largest size of a made-up message in bytes")
	f.Int64Var(&s.spec.FileMin, "file-min", 0, "least size of a made-up file in bytes")
	f.Int64Var(&s.spec.FileMax, "file-max", 0, "largest size of a made-up file in bytes")
	f.StringVar(&s.quotas, "quotas", "", "enforce the provider's quotas and keep them: new, or old (Google only)")
	f.Lookup("quotas").NoOptDefVal = "new"
	f.Float64Var(&s.clock, "clock", 1, "with --quotas: how many times as fast the provider's minutes pass")
	f.DurationVar(&s.latency, "latency", 0, "delay of each answer of the provider")
	f.StringVar(&s.faults, "faults", "", "faults of the provider: gmail.messages.get:429:0.05,*:503:0.01")
	f.StringVar(&s.target, "target", "", "YAML file whose target and accounts replace the embedded servers")
	f.IntVar(&s.items, "items", 0, "concurrency.items of the job file")
	return c
}

// providers are those that can be simulated.
var providers = []string{"google", "microsoft"}

// tiers are the values of --quotas.
var tiers = []string{"new", "old"}

// words takes what stands without a flag: the provider, and a value of --quotas behind a blank. That flag may stand alone, and so its value
// is no part of it for the parser unless an equals sign ties them.
func (s *simulateFlags) words(c *cobra.Command, args []string) error {
	named, quotas := c.Flags().Changed("provider"), c.Flags().Changed("quotas")
	for _, word := range args {
		switch {
		case quotas && slices.Contains(tiers, word):
			s.quotas, quotas = word, false
		case quotas && !slices.Contains(providers, word):
			return fmt.Errorf("%q is none of %s, and no value of --quotas, %s", word, strings.Join(providers, ", "), strings.Join(tiers, ", "))
		case named && word != s.provider:
			return fmt.Errorf("simulate takes one provider, google or microsoft")
		default:
			s.provider, named = word, true
		}
	}
	return nil
}

// fits refuses flags that say nothing together, rather than pass over one of them.
func (s *simulateFlags) fits(c *cobra.Command) error {
	if s.data != "" && s.spec.Users != 0 {
		return fmt.Errorf("give --data or --users: an organisation is read from a folder or made up")
	}
	for _, name := range []string{"users", "mail", "files", "events", "contacts", "tasks"} {
		n, err := c.Flags().GetInt(name)
		switch {
		case err != nil:
			return err
		case n < 0:
			return fmt.Errorf("--%s is a number from 0 on", name)
		case s.spec.Users == 0 && c.Flags().Changed(name) && name != "users":
			return fmt.Errorf("--%s is for organisations that are made up: give --users as well", name)
		}
	}
	return nil
}

func (s *simulateFlags) options() (o simulation.Options, err error) {
	if !slices.Contains(providers, s.provider) {
		return o, fmt.Errorf("provider %q is none of %s", s.provider, strings.Join(providers, ", "))
	}
	if s.dir == "" {
		return o, fmt.Errorf("--dir is required")
	}
	if s.clock <= 0 {
		return o, fmt.Errorf("--clock is a number above 0")
	}
	behaviour := cloudsim.Behaviour{Latency: s.latency}
	if s.faults != "" {
		if behaviour.Faults, err = cloudsim.ParseFaults(s.faults); err != nil {
			return o, fmt.Errorf("--faults: %w", err)
		}
	}
	if o.Source, err = s.source(behaviour); err != nil {
		return o, err
	}
	o.Concurrency = s.items
	if s.target != "" {
		o.Target, o.Accounts, err = simulation.ReadTarget(s.target)
	}
	return o, err
}

func (s *simulateFlags) source(b cloudsim.Behaviour) (*simulation.Source, error) {
	held, err := s.organisation()
	if err != nil {
		return nil, err
	}
	if s.provider == "microsoft" {
		return s.microsoft(held, microsoft.Options{Behaviour: b})
	}
	return s.google(held, google.Options{Behaviour: b})
}

func (s *simulateFlags) google(held *organisation.Organisation, o google.Options) (*simulation.Source, error) {
	switch s.quotas {
	case "":
	case "new":
		o.Quotas = google.NewQuotas()
	case "old":
		o.Quotas = google.OldQuotas()
	default:
		return nil, fmt.Errorf("--quotas %q is none of new, old", s.quotas)
	}
	if s.quotas != "" {
		o.Quotas.Speed = s.clock
	}
	data, err := google.Of(held)
	if err != nil {
		return nil, err
	}
	data.QuotaDay = 2 * time.Minute
	return simulation.Google(data, o, s.quotas), nil
}

func (s *simulateFlags) microsoft(held *organisation.Organisation, o microsoft.Options) (*simulation.Source, error) {
	clock := 0.0
	switch s.quotas {
	case "":
	case "new":
		o.Quotas, clock = microsoft.SmallTenant(), s.clock
		o.Quotas.Speed = clock
	default:
		return nil, fmt.Errorf("--quotas %q: Microsoft has one kind, new", s.quotas)
	}
	data, err := microsoft.Of(held)
	if err != nil {
		return nil, err
	}
	return simulation.Microsoft(data, o, clock), nil
}

func (s *simulateFlags) organisation() (*organisation.Organisation, error) {
	switch {
	case s.data != "":
		held, err := organisation.Read(os.DirFS(s.data))
		if err != nil {
			return nil, fmt.Errorf("--data %s: %w", s.data, err)
		}
		return held, nil
	case s.spec.Users > 0:
		return organisation.Generate(s.spec), nil
	default:
		return demoOrganisation()
	}
}

func (s *simulateFlags) run(c *cobra.Command, o simulation.Options) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	job := filepath.Join(s.dir, "job.yaml")
	if _, err := os.Lstat(job); err == nil {
		return usage(fmt.Errorf("%s is there already, from an earlier start: take a new --dir, since mailboxes are gone with their simulation", job))
	}
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return err
	}
	liftMemoryLimit()
	started, err := simulation.Start(dir, o)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.OutOrStdout(), "ready", job)
	<-c.Context().Done()
	return started.Close()
}
