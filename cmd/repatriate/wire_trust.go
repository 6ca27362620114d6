package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"slices"

	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/internal/secret"
	"codeberg.org/repatriate/repatriate/internal/spool"
)

// newTargetWiring is a wiring that speaks with the targets alone.
func newTargetWiring(job *config.Job) (*wiring, error) {
	roots, err := rootsOf(job)
	if err != nil {
		return nil, usage(err)
	}
	w := &wiring{
		job: job, transport: httpx.NewTransport(), roots: roots, memory: spool.NewBudget(bodyMemory),
		secrets: secret.Reader{Dir: job.Dir, Hidden: job.Secrets()},
	}
	w.transport.MaxConnsPerHost = mostConnections
	w.transport.TLSClientConfig = httpx.TLS(roots)
	return w, nil
}

// rootsOf reads the authorities that are trusted for the targets; nil: the system's.
func rootsOf(job *config.Job) (*x509.CertPool, error) {
	path := job.CAPath()
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("target.ca: %w", err)
	}
	roots, err := httpx.Roots(text)
	if err != nil {
		return nil, fmt.Errorf("target.ca: %s: %w", path, err)
	}
	return roots, nil
}

// exposed yields the files of secrets that others than their owner may read or change, each once, in the words of a finding.
func (w *wiring) exposed() (found []exposedFile) {
	for _, ref := range w.job.Secrets() {
		path, mode := w.secrets.Exposed(ref)
		if f := (exposedFile{path, mode}); path != "" && !slices.Contains(found, f) {
			found = append(found, f)
		}
	}
	return found
}

type exposedFile struct {
	path string
	mode os.FileMode
}

func (f exposedFile) String() string {
	return fmt.Sprintf("the secret in %s may be read by others on this machine (mode %04o)", f.path, f.mode)
}

func (f exposedFile) remedy() string { return "chmod 600 " + f.path }

// maxExposed bounds how many files are named one by one.
const maxExposed = 10

func (w *wiring) warnOfExposed() {
	found := w.exposed()
	for _, f := range found[:min(len(found), maxExposed)] {
		w.log.Warn("a secret may be read by others on this machine", "file", f.path, "mode", fmt.Sprintf("%04o", f.mode), "do", f.remedy())
	}
	if more := len(found) - maxExposed; more > 0 {
		w.log.Warn("more secrets may be read by others on this machine", "files", more)
	}
}

// checkSecrets looks who may read the files of secrets.
func (c *checking) checkSecrets(_ context.Context, l *preflight.Log) error {
	const why = "who reads it can read or change what the secret opens"
	found := c.exposed()
	for _, f := range found[:min(len(found), maxExposed)] {
		l.Warn(f.String(), why, f.remedy())
	}
	if more := len(found) - maxExposed; more > 0 {
		l.Warn(fmt.Sprintf("%d more files of secrets may be read by others on this machine", more), why, "chmod 600 all of them")
	}
	return nil
}

// rootsFor are the authorities that are trusted on a side: the job file names some for the targets alone.
func (w *wiring) rootsFor(side preflight.Side) *x509.CertPool {
	if side == preflight.Target {
		return w.roots
	}
	return nil
}
