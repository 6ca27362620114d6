package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"codeberg.org/repatriate/repatriate/internal/estimate"
	"codeberg.org/repatriate/repatriate/internal/htmlreport"
)

// Kept is what stays of the plans of a job: the last one of each kind of each account.
type Kept struct {
	Version  int                            `json:"version"`
	Job      string                         `json:"job"`
	Accounts map[string]map[string]KeptKind `json:"accounts"`
	// Whole is how long the last plan of the whole job said that a run takes; nil: there was none.
	Whole *Whole `json:"whole,omitempty"`
}

// Whole is how long a run of a whole job takes.
type Whole struct {
	Planned time.Time `json:"planned"`
	Seconds float64   `json:"likely_seconds"`
	Binding string    `json:"binding"`
	Items   int64     `json:"items"`
	Bytes   int64     `json:"bytes"`
}

// Left returns how long the rest takes when so much was written, see estimate.Estimate.
func (w Whole) Left(items, bytes int64, elapsed time.Duration) time.Duration {
	e := estimate.Estimate{Likely: time.Duration(w.Seconds * float64(time.Second)), Binding: w.Binding, Items: w.Items, Bytes: w.Bytes}
	return e.Left(estimate.Moved{Items: items, Bytes: bytes}, elapsed)
}

// KeptKind is what stays of the last plan of a kind of an account.
type KeptKind struct {
	// Planned is when it was made, and Release the version of the program.
	Planned time.Time `json:"planned"`
	Release string    `json:"release"`
	// Name is what a drive is called; empty for people.
	Name   string             `json:"name,omitempty"`
	Grade  htmlreport.Grade   `json:"grade"`
	Causes []htmlreport.Cause `json:"causes"`
	Items  int64              `json:"items"`
	Bytes  int64              `json:"bytes"`
}

// Files are the paths of what is kept beside a job's state.
type Files struct{ Plan, Approvals string }

// FilesOf returns them for a job and the path of its state.
func FilesOf(job, state string) Files {
	beside := filepath.Join(filepath.Dir(state), job)
	return Files{Plan: beside + ".plan.json", Approvals: beside + ".approvals.jsonl"}
}

// Check says whether the files can be written, by making one beside them that goes at once.
func (f Files) Check() error {
	t, err := temporary(f.Plan)
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return &fs.PathError{Op: "make a file in", Path: filepath.Dir(f.Plan), Err: p.Err} // without the made-up name
	}
	if err != nil {
		return err
	}
	return errors.Join(t.Close(), os.Remove(t.Name()))
}

// temporary makes a file that is to replace the one at a path, for its owner alone.
func temporary(path string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
}

// keptVersion is that of the form of Kept.
const keptVersion = 1

// maxKept bounds what is read of a file, in bytes.
const maxKept = 512 << 20

// ReadKept reads what was kept of a job; what was never kept is empty.
func ReadKept(path, job string) (*Kept, error) {
	k := &Kept{Version: keptVersion, Job: job, Accounts: map[string]map[string]KeptKind{}}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	if err := json.NewDecoder(io.LimitReader(f, maxKept)).Decode(k); err != nil {
		return nil, fmt.Errorf("%s: it cannot be read; move it away and plan anew: %w", path, err)
	}
	switch {
	case k.Version != keptVersion:
		return nil, fmt.Errorf("%s: it was written by another release (version %d); move it away and plan anew", path, k.Version)
	case k.Job != job:
		return nil, fmt.Errorf("%s: it belongs to the job %q, not to %q", path, k.Job, job)
	}
	if k.Accounts == nil {
		k.Accounts = map[string]map[string]KeptKind{}
	}
	return k, nil
}

// Keep takes in a plan, and forgets accounts that are not known any more.
func (k *Kept) Keep(p *Plan, known []string) {
	there := make(map[string]bool, len(known))
	for _, name := range known {
		there[name] = true
	}
	maps.DeleteFunc(k.Accounts, func(name string, _ map[string]KeptKind) bool { return !there[name] })
	for _, a := range p.Accounts {
		if k.Accounts[a.Source] == nil {
			k.Accounts[a.Source] = map[string]KeptKind{}
		}
		for _, kind := range a.Kinds {
			k.Accounts[a.Source][kind.Kind] = KeptKind{
				Planned: p.Made.UTC().Truncate(time.Second), Release: p.Version, Name: a.Name, Grade: kind.Grade, Causes: kind.Causes, Items: kind.Items, Bytes: kind.Bytes,
			}
		}
	}
}

// KeepWhole takes in how long a plan of the whole job says that it takes.
func (k *Kept) KeepWhole(p *Plan) {
	if p.duration == nil {
		return
	}
	_, all := p.Totals()
	k.Whole = &Whole{Planned: p.Made.UTC(), Seconds: p.duration.Likely, Binding: p.duration.Binding, Items: all.Items, Bytes: all.Bytes}
}

// Name returns what a drive is called, as far as it is known.
func (k *Kept) Name(account string) string {
	for _, kind := range k.Accounts[account] {
		if kind.Name != "" {
			return kind.Name
		}
	}
	return ""
}

// Grade returns the worst grade of an account, with what it comes from; false if it was never planned.
func (k *Kept) Grade(account string) (grade htmlreport.Grade, why []string, planned bool) {
	var all []htmlreport.Cause
	kinds := k.Accounts[account]
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		all = append(all, kinds[kind].Causes...)
		planned = true
	}
	grade, why = htmlreport.Worst(all)
	return grade, why, planned
}

// Write writes the file for its owner alone. There is either the old one or the new one, whatever happens.
func (k *Kept) Write(path string) error {
	f, err := temporary(path)
	if err != nil {
		return err
	}
	e := json.NewEncoder(f)
	e.SetIndent("", " ")
	err = errors.Join(e.Encode(k), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
