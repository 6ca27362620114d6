// Package statefile writes all that a checkpoint.Store holds as lines of JSON, and reads it into an empty store of any
// kind. Exporting what was imported gives the same bytes again.
//
// The first line names the format. Each task has a line, which its records and then its nodes follow, both in order of id.
// The last line has the numbers and the digest of all that stands above it, so that a part of a file is never taken for
// the whole. No line is kept in memory after it was used.
package statefile

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// The format and its version.
const (
	Format  = "repatriate-state"
	Version = 1
)

// ErrFormat says that what was to be imported is no export, is damaged or not whole, or is one of a newer release.
var ErrFormat = errors.New("not an export that can be used")

// line is one line of a file; one of its fields is set.
type line struct {
	Header *header `json:"header,omitempty"`
	Task   *task   `json:"task,omitempty"`
	Record *record `json:"record,omitempty"`
	Node   *node   `json:"node,omitempty"`
	End    *end    `json:"end,omitempty"`
}

type header struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Job     text   `json:"job"`
	// Closed is when the job was closed.
	Closed *time.Time `json:"closed,omitempty"`
}

type end struct {
	Tasks   int64  `json:"tasks"`
	Records int64  `json:"records"`
	Nodes   int64  `json:"nodes"`
	SHA256  string `json:"sha256"`
}

type task struct {
	Account    text       `json:"account"`
	Kind       text       `json:"kind"`
	Collection text       `json:"collection,omitempty"`
	Name       text       `json:"name,omitempty"`
	Cursor     text       `json:"cursor,omitempty"`
	Generation int64      `json:"generation,omitempty"`
	Complete   bool       `json:"complete,omitempty"`
	Listed     int64      `json:"listed"`
	Error      text       `json:"error,omitempty"`
	Until      *time.Time `json:"until,omitempty"`
	Target     text       `json:"target,omitempty"`
}

type record struct {
	ID             text   `json:"id"`
	Version        text   `json:"version,omitempty"`
	State          string `json:"state"`
	Reason         text   `json:"reason,omitempty"`
	Message        text   `json:"message,omitempty"`
	Losses         []loss `json:"losses,omitempty"`
	Title          text   `json:"title,omitempty"`
	Link           text   `json:"link,omitempty"`
	Location       text   `json:"location,omitempty"`
	ReceiptVersion text   `json:"receipt_version,omitempty"`
	BodyVersion    text   `json:"body_version,omitempty"`
	ReceiptState   text   `json:"receipt_state,omitempty"`
	Bytes          int64  `json:"bytes,omitempty"`
	Digest         text   `json:"digest,omitempty"`
	Attempts       int    `json:"attempts,omitempty"`
	Generation     int64  `json:"generation,omitempty"`
}

type loss struct {
	Reason text `json:"reason"`
	Detail text `json:"detail,omitempty"`
}

type node struct {
	ID       text   `json:"id"`
	Folder   bool   `json:"folder,omitempty"`
	Lies     *place `json:"lies,omitempty"`
	Reserved *place `json:"reserved,omitempty"`
}

type place struct {
	Parent text `json:"parent,omitempty"`
	Name   text `json:"name"`
	Wanted text `json:"wanted,omitempty"`
}

// text is a string that may be no UTF-8, as servers send them: JSON would replace what it cannot write.
type text string

type rawText struct {
	Base64 []byte `json:"base64"`
}

// MarshalJSON writes a string, or an object with the bytes where they are no UTF-8.
func (t text) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(t)) {
		return json.Marshal(string(t))
	}
	return []byte(`{"base64":"` + base64.StdEncoding.EncodeToString([]byte(t)) + `"}`), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		var raw rawText
		err := json.Unmarshal(b, &raw)
		*t = text(raw.Base64)
		return err
	}
	return json.Unmarshal(b, (*string)(t))
}

func taskOf(s checkpoint.Status) *task {
	t := &task{
		Account: text(s.Account), Kind: text(s.Kind), Collection: text(s.Collection), Name: text(s.Name), Cursor: text(s.Cursor),
		Generation: s.Generation, Complete: s.Complete, Listed: s.Listed, Error: text(s.Error), Target: text(s.Target),
	}
	if !s.Until.IsZero() {
		until := s.Until.UTC()
		t.Until = &until
	}
	return t
}

func (t *task) key() checkpoint.Task {
	return checkpoint.Task{Account: string(t.Account), Kind: string(t.Kind), Collection: string(t.Collection)}
}

func (t *task) position() checkpoint.Position {
	p := checkpoint.Position{Cursor: string(t.Cursor), Generation: t.Generation, Complete: t.Complete, Error: string(t.Error)}
	if t.Until != nil {
		p.Until = *t.Until
	}
	return p
}

func recordOf(r checkpoint.Record) *record {
	out := &record{
		ID: text(r.ID), Version: text(r.Version), State: r.State.String(), Reason: text(r.Reason), Message: text(r.Message),
		Title: text(r.Title), Link: text(r.Link), Location: text(r.Location), ReceiptVersion: text(r.ReceiptVersion),
		BodyVersion: text(r.BodyVersion), ReceiptState: text(r.ReceiptState), Bytes: r.Bytes, Digest: text(r.Digest),
		Attempts: r.Attempts, Generation: r.Generation,
	}
	for _, l := range r.Losses {
		out.Losses = append(out.Losses, loss{text(l.Reason), text(l.Detail)})
	}
	return out
}

func (r *record) checkpoint() (checkpoint.Record, error) {
	out := checkpoint.Record{
		ID: string(r.ID), Version: string(r.Version), Reason: string(r.Reason), Message: string(r.Message),
		Title: string(r.Title), Link: string(r.Link), Location: string(r.Location), ReceiptVersion: string(r.ReceiptVersion),
		BodyVersion: string(r.BodyVersion), ReceiptState: string(r.ReceiptState), Bytes: r.Bytes, Digest: string(r.Digest),
		Attempts: r.Attempts, Generation: r.Generation,
	}
	for _, l := range r.Losses {
		out.Losses = append(out.Losses, checkpoint.Loss{Reason: string(l.Reason), Detail: string(l.Detail)})
	}
	for _, s := range checkpoint.States {
		if s.String() == r.State {
			out.State = s
			return out, nil
		}
	}
	return out, fmt.Errorf("%w: it has the state %q, which this release does not know", ErrFormat, r.State)
}

func nodeOf(n checkpoint.Placement) *node {
	return &node{ID: text(n.ID), Folder: n.Folder, Lies: placeOf(n.Lies), Reserved: placeOf(n.Reserved)}
}

func placeOf(p *checkpoint.Place) *place {
	if p == nil {
		return nil
	}
	return &place{text(p.ParentID), text(p.Name), text(p.Wanted)}
}
