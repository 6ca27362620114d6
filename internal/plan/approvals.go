package plan

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"codeberg.org/repatriate/repatriate/internal/htmlreport"
)

// Approval says who accepted what a plan says of an account.
type Approval struct {
	Account string `json:"account"`
	// Name is what a drive is called; empty for people.
	Name  string           `json:"name,omitempty"`
	Grade htmlreport.Grade `json:"grade"`
	// Reasons are the causes that were accepted, by kind: everything that the plan says, but for what makes an A.
	Reasons map[string][]string `json:"reasons"`
	By      string              `json:"by"`
	At      time.Time           `json:"at"`
	Note    string              `json:"note,omitempty"`
}

// Approve returns the approval of what was planned for an account; false if nothing was.
func (k *Kept) Approve(account, by, note string, at time.Time) (Approval, bool) {
	grade, _, planned := k.Grade(account)
	a := Approval{Account: account, Name: k.Name(account), Grade: grade, Reasons: map[string][]string{}, By: by, At: at.UTC().Truncate(time.Second), Note: note}
	for kind, plan := range k.Accounts[account] {
		for _, c := range plan.Causes {
			if c.Grade > htmlreport.A {
				a.Reasons[kind] = append(a.Reasons[kind], c.Name)
			}
		}
		slices.Sort(a.Reasons[kind])
	}
	return a, planned
}

// Approvals are all of a job, the oldest first.
type Approvals struct {
	All []Approval
	// Broken counts lines of the file that cannot be read; they approve nothing.
	Broken int
}

// longestLine bounds a line of the file, in bytes.
const longestLine = 1 << 20

// ReadApprovals reads the file; one that is not there holds none.
func ReadApprovals(path string) (a Approvals, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return a, err
	}
	defer f.Close() //nolint:errcheck // only read
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		var one Approval
		if json.Unmarshal(text, &one) != nil || one.Account == "" {
			a.Broken++
			continue
		}
		a.All = append(a.All, one)
	}
	if err := lines.Err(); err != nil {
		return a, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

// Of returns the last approval of an account; nil if there is none.
func (a Approvals) Of(account string) *Approval {
	for i := len(a.All) - 1; i >= 0; i-- {
		if a.All[i].Account == account {
			return &a.All[i]
		}
	}
	return nil
}

// AppendApprovals adds approvals at the end of the file, for its owner alone. What is in it stays. When it returns without an error, they
// survive a crash.
func AppendApprovals(path string, more ...Approval) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if broken, err := endsWithin(f); err != nil {
		return errors.Join(err, f.Close())
	} else if broken {
		b.WriteByte('\n') // what was cut off there is a line of its own
	}
	for _, a := range more {
		text, err := json.Marshal(a)
		if err != nil {
			return errors.Join(err, f.Close())
		}
		b.Write(append(text, '\n'))
	}
	_, err = f.Write(b.Bytes())
	return errors.Join(err, f.Sync(), f.Close())
}

// endsWithin reports whether the file ends within a line.
func endsWithin(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false, err
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], info.Size()-1); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return last[0] != '\n', nil
}
