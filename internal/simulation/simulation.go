// Package simulation starts a whole migration on this machine: a simulated provider, embedded target servers, and a
// folder with the job file, the accounts file and the credentials that lead from one to the other.
package simulation

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	"codeberg.org/repatriate/repatriate/internal/embedded"
)

// Options say what is simulated.
type Options struct {
	// Source is the provider.
	Source *Source
	// Target replaces the embedded servers: the text of the job file's section target, and of the accounts file.
	// Both or none.
	Target, Accounts string
	// Concurrency is the number of items of an account that are moved at once; 0 leaves it to the default.
	Concurrency int
}

// Simulation is a provider and its targets under way.
type Simulation struct {
	// Provider counts the requests to the simulated provider.
	Provider *cloudsim.Front
	// Targets are the embedded servers; nil where others are used.
	Targets *embedded.Targets
	// Job is the path of the job file.
	Job string

	http  *http.Server
	done  chan struct{}
	users []string
}

// Start starts everything on free ports of 127.0.0.1 and writes the files into dir, which must exist.
func Start(dir string, o Options) (*Simulation, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the provider: %w", err)
	}
	s := &Simulation{Provider: o.Source.front, Job: filepath.Join(dir, "job.yaml"), done: make(chan struct{})}
	s.http = &http.Server{Handler: o.Source.handler, ReadHeaderTimeout: time.Minute}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(listener)
	}()
	people := o.Source.people
	for _, p := range people {
		if !p.out {
			s.users = append(s.users, p.target)
		}
	}
	if o.Target == "" {
		if s.Targets, err = embedded.Start(dir, users(people)); err != nil {
			return nil, errors.Join(fmt.Errorf("start the targets: %w", err), s.Close())
		}
	}
	if err := s.write(dir, "http://"+listener.Addr().String()+"/", people, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends the servers; the files stay.
func (s *Simulation) Close() error {
	var errs []error
	if s.Targets != nil {
		errs = append(errs, s.Targets.Close())
	}
	errs = append(errs, s.http.Close())
	<-s.done
	return errors.Join(append(errs, s.Provider.Close())...)
}

// write writes the job file and what it names.
func (s *Simulation) write(dir, root string, people []person, o Options) error {
	target, accounts := o.Target, o.Accounts
	if s.Targets != nil {
		target, accounts = s.target(), accountsFile(people)
	}
	var errs []error
	put := func(name, text string) {
		errs = append(errs, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	section, files := o.Source.section(root)
	for name, content := range files {
		put(name, string(content))
	}
	put("accounts.csv", accounts)
	if s.Targets != nil {
		for _, p := range people {
			put(p.passwordFile(), password(p)+"\n")
		}
	}
	put("job.yaml", jobFile(section, target, o))
	return errors.Join(errs...)
}

func (s *Simulation) target() string {
	return fmt.Sprintf("target:\n  files:    {webdav: %[1]q}\n  mail:     {imap: %[2]q}\n  calendar: {caldav: %[3]q}\n  contacts: {carddav: %[4]q}\n  tasks:    {caldav: %[3]q}\n",
		s.Targets.Files.URL, s.Targets.Mail.URL, s.Targets.Calendar.URL, s.Targets.Calendar.AddressBookURL)
}

func jobFile(source, target string, o Options) string {
	var b strings.Builder
	b.WriteString("# A simulated organisation; everything here lies on this machine.\njob: " + o.Source.Name + "\nstate: simulation.db\n" + source)
	b.WriteString(strings.TrimSuffix(target, "\n") + "\n")
	b.WriteString("accounts: accounts.csv\n")
	if o.Concurrency > 0 {
		fmt.Fprintf(&b, "concurrency: {items: %d}\n", o.Concurrency)
	}
	return b.String()
}
