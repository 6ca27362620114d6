// Package passes remembers the passes that were made over a job, a line of JSON for each, for the charts of a report. They are no part of
// the state: what is lost of them takes nothing from the ledger.
package passes

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Pass is what one pass did.
type Pass struct {
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"`
	// State is the job's after it, as in a report.
	State string `json:"state"`
	// OnTarget are the items of the whole job that were on the target after it.
	OnTarget int64 `json:"on_target"`
	// Written and Removed are items, Bytes those that went to the target.
	Written int64 `json:"written"`
	Removed int64 `json:"removed"`
	Bytes   int64 `json:"bytes"`
	// SourceRequests and TargetRequests are those that were sent to the provider and to the targets.
	SourceRequests int64 `json:"source_requests"`
	TargetRequests int64 `json:"target_requests"`
	// ThrottledSeconds are those in which anything held it back.
	ThrottledSeconds float64 `json:"throttled_seconds"`
	// Throttled are the seconds in which each quota or server held it back, by their names.
	Throttled map[string]float64 `json:"throttled,omitempty"`
}

// Path returns the file of a job beside its state.
func Path(job, state string) string { return filepath.Join(filepath.Dir(state), job+".passes.jsonl") }

// Append adds a pass to a file, which is for its owner alone.
func Append(path string, p Pass) error {
	line, err := json.Marshal(p)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// Most is how many passes Read returns: the last ones.
const Most = 1000

// Read returns the passes of a file in their order; none if there is no file. A line that was cut off is passed over.
func Read(path string) (all []Pass, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var p Pass
		if json.Unmarshal(lines.Bytes(), &p) != nil {
			continue
		}
		if all = append(all, p); len(all) > 2*Most {
			all = append([]Pass(nil), all[len(all)-Most:]...)
		}
	}
	return all[max(0, len(all)-Most):], lines.Err()
}
