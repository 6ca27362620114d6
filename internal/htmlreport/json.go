package htmlreport

import (
	"bytes"
	"encoding/json"
	"io"
	"time"

	"codeberg.org/repatriate/repatriate/internal/passes"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// head is what stands before the items.
type head struct {
	Job      string         `json:"job"`
	Made     time.Time      `json:"made"`
	State    string         `json:"state"`
	Balanced bool           `json:"balanced"`
	Closed   *time.Time     `json:"closed,omitempty"`
	Totals   report.Counts  `json:"totals"`
	Kinds    []report.Total `json:"kinds"`
	Accounts []Account      `json:"accounts"`
	Tasks    []report.Task  `json:"tasks"`
	Passes   []passes.Pass  `json:"passes,omitempty"`
}

// jsonWriter writes one JSON object, the items of which are the last field.
type jsonWriter struct {
	w     io.Writer
	items int64
}

// NewJSON returns a Writer of one JSON object: the numbers, the accounts with their grades, and under "items" each Item.
func NewJSON(w io.Writer, j *Job) (Writer, error) {
	r := j.Report
	accounts := j.Accounts
	if accounts == nil {
		accounts = []Account{}
	}
	b, err := json.MarshalIndent(head{r.Job, j.Made.UTC().Truncate(time.Second), r.State, r.Balanced, r.Closed, r.Totals, r.Kinds, accounts, r.Tasks, j.Passes}, "", "  ")
	if err != nil {
		return nil, err
	}
	b = append(bytes.TrimSuffix(b, []byte("\n}")), ",\n  \"items\": ["...)
	_, err = w.Write(b)
	return &jsonWriter{w: w}, err
}

func (j *jsonWriter) Begin(Account) error { return nil }

func (j *jsonWriter) Item(i Item) error {
	b, err := json.Marshal(i)
	if err != nil {
		return err
	}
	before := ",\n    "
	if j.items == 0 {
		before = "\n    "
	}
	j.items++
	_, err = j.w.Write(append([]byte(before), b...))
	return err
}

func (j *jsonWriter) End() error {
	end := "]\n}\n"
	if j.items > 0 {
		end = "\n  ]\n}\n"
	}
	_, err := io.WriteString(j.w, end)
	return err
}
