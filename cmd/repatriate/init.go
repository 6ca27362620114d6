package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"codeberg.org/repatriate/repatriate/internal/config"
)

// initAnswers are what a job file is made of, from flags or as typed at a terminal.
type initAnswers struct {
	job, provider              string
	admin, credentials         string // Google
	tenant, clientID, secret   string // Microsoft
	kinds                      []string
	nextcloud                  string
	webdav, imap, dav, carddav string
	// steps is a job file whose steps at the provider are printed, instead of making one.
	steps string
}

func newInit() *cobra.Command {
	var a initAnswers
	c := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a job file, and say what to do at the provider",
		Long: `init asks what is to be moved, from where and to where, writes a job file and an accounts file
into DIR (this folder if none is named), and prints what an administrator has to do at the provider:
which scopes or permissions to grant, for the chosen kinds and no others, and where. All of them
only read. Nothing that is there already is overwritten, and nobody is asked over the network.

Flags answer the questions; where they answer all of them, and where standard input is no terminal,
nothing is asked. One Nextcloud address stands for files, calendars, contacts and tasks; {user} in
other URLs is the account's name on the target.
--steps JOB.yaml writes nothing and prints the steps for a job file that is there.

Exit codes: 0 written; 1 internal error; 2 usage, or a file is there already; 130 interrupted.`,
		Example: `  repatriate init pilot
  repatriate init pilot --provider google --admin admin@example.org \
      --nextcloud https://cloud.example.org --imap imaps://mail.example.org:993
  repatriate init --provider microsoft --tenant example.org --kind mail --imap mail.example.org
  repatriate init --steps pilot/pilot.yaml`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 || a.steps != "" && len(args) > 0 {
				return usage(fmt.Errorf("init takes one folder, or --steps with a job file; see '%s --help'", c.CommandPath()))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if a.steps != "" {
				return stepsOfFile(c.OutOrStdout(), a.steps)
			}
			return a.run(c, append(args, ".")[0])
		},
	}
	a.flags(c)
	return c
}

func (a *initAnswers) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&a.provider, "provider", "", "where from: google, microsoft")
	f.StringVar(&a.admin, "admin", "", "Google: address of an administrator of the organisation")
	f.StringVar(&a.credentials, "credentials", "file:sa.json", "Google: reference to the service account's key file")
	f.StringVar(&a.tenant, "tenant", "", "Microsoft: the tenant's id or one of its domains")
	f.StringVar(&a.clientID, "client-id", "", "Microsoft: id of the application, once it is registered")
	f.StringVar(&a.secret, "secret", "file:client-secret", "Microsoft: reference to the application's client secret")
	f.StringSliceVar(&a.kinds, "kind", nil, "what to move: "+strings.Join(config.Kinds, ", ")+" (may be repeated; all that have a target)")
	f.StringVar(&a.nextcloud, "nextcloud", "", "address of a Nextcloud for files, calendars, contacts and tasks")
	f.StringVar(&a.webdav, "webdav", "", "WebDAV URL for files, with {user}")
	f.StringVar(&a.imap, "imap", "", "IMAP server for mail: imaps://host:993")
	f.StringVar(&a.dav, "caldav", "", "CalDAV URL for calendars and tasks, with {user}")
	f.StringVar(&a.carddav, "carddav", "", "CardDAV URL for contacts, with {user}")
	f.StringVar(&a.job, "job", "pilot", "name of the job and of its file")
	f.StringVar(&a.steps, "steps", "", "print the steps at the provider for this job file, and write nothing")
	_ = c.MarkFlagFilename("steps", "yaml", "yml")
}

func (a *initAnswers) run(c *cobra.Command, dir string) error {
	var ask asker
	if in, ok := c.InOrStdin().(*os.File); ok && term.IsTerminal(int(in.Fd())) {
		ask = newTerminal(in, c.ErrOrStderr()).ask
	}
	if err := a.answered(c.Context(), ask); err != nil {
		if c.Context().Err() != nil {
			return exitError{exitInterrupted, errors.New("interrupted; nothing was written")}
		}
		return usage(err)
	}
	path, job, err := a.write(dir)
	if err != nil {
		return usage(err)
	}
	fmt.Fprintf(c.OutOrStdout(), "Written: %s and %s\n", path, job.AccountsPath())
	return writeSteps(c.OutOrStdout(), path, job)
}

func stepsOfFile(out io.Writer, path string) error {
	job, err := config.Open(path)
	if err != nil {
		return usage(err)
	}
	return writeSteps(out, path, job)
}
