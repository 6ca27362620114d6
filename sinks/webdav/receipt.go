package webdav

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// state is what a receipt holds beside place and ETag, to know the resource again on a server that states no ETag after
// a PUT.
type state struct {
	Folder bool  `json:"folder,omitempty"`
	Size   int64 `json:"size"`
	// Modified is the time that the server said it kept, in Unix seconds.
	Modified int64 `json:"mtime,omitempty"`
	// Answered is the server's own time by its answer, and Took the seconds that the request lasted at most. Apache states
	// the time at which the request came and others that of the answer, so that the resource's time lies no further from
	// it than Took, on either side.
	Answered int64 `json:"at,omitempty"`
	Took     int64 `json:"took,omitempty"`
	// Found says that it lay there before it was to be written, and was not written: by an earlier attempt, or by anybody. Only the
	// sink's own bytes end that.
	Found bool `json:"found,omitempty"`
	// Doubt says that it was found by what was remembered of it, and that nothing tells whether it lay there before that.
	Doubt bool `json:"doubt,omitempty"`
	// Trace is there as long as the file or folder was not written; see Sink.Recover.
	Trace *trace `json:"trace,omitempty"`
}

// foreign says that it lay there before, or may have.
func (s state) foreign() bool { return s.Found || s.Doubt }

func (s state) String() string {
	b, err := json.Marshal(s)
	if err != nil {
		return "" // unreachable: numbers and bools
	}
	return string(b)
}

// receiptState returns the state of a receipt; one that cannot be read matches no resource.
func receiptState(r sinks.Receipt) state {
	s := state{Size: -1}
	if r.State == "" || json.Unmarshal([]byte(r.State), &s) != nil {
		return state{Size: -1}
	}
	return s
}

// fileReceipt makes the receipt of a file from the answer that a write got, which began at start.
func fileReceipt(f sinks.File, p *payload, a *answer, start time.Time) sinks.Receipt {
	st := state{Size: p.size}
	if keptTime(a) && !f.Modified.IsZero() {
		st.Modified = f.Modified.Unix()
	}
	if date, err := http.ParseTime(a.header.Get("Date")); err == nil {
		st.Answered = date.Unix()
		st.Took = int64(a.at.Sub(start)/time.Second) + 1
	}
	return sinks.Receipt{
		Location:    sinks.PathLocation(f.Path),
		Version:     cleanETag(a.header.Get("ETag")),
		BodyVersion: f.Body.Version,
		State:       st.String(),
	}
}

// keptTime reports whether the server says that it took X-OC-Mtime.
func keptTime(a *answer) bool { return strings.EqualFold(a.header.Get("X-OC-MTime"), "accepted") }

// foundReceipt makes the receipt of a file that lies there already; before says that it may have been there before this program.
func foundReceipt(f sinks.File, found resource, before bool) sinks.Receipt {
	st := state{Size: found.size, Found: before}
	if !found.modified.IsZero() {
		st.Modified = found.modified.Unix()
	}
	return sinks.Receipt{
		Location: sinks.PathLocation(f.Path), Version: found.etag, BodyVersion: f.Body.Version, State: st.String(),
	}
}

func folderReceipt(f sinks.File, before bool) sinks.Receipt {
	return sinks.Receipt{
		Location: sinks.PathLocation(f.Path), BodyVersion: f.Body.Version, State: state{Folder: true, Found: before}.String(),
	}
}

// unchanged reports whether the file that was found is still the one that the receipt describes.
func unchanged(found resource, prev sinks.Receipt) bool {
	if found.collection {
		return false
	}
	if prev.Version != "" && found.etag != "" {
		return sameETag(found.etag, prev.Version)
	}
	st := receiptState(prev)
	if found.size != st.Size || found.modified.IsZero() {
		return false
	}
	at := found.modified.Unix()
	switch {
	case st.Modified != 0:
		return at == st.Modified
	case st.Answered != 0:
		// Two seconds more, because both times are cut to the second.
		return at <= st.Answered+st.Took && at >= st.Answered-st.Took-2
	default:
		return false
	}
}

// checkPath refuses what a server would read as another place.
func checkPath(path []string) error {
	if len(path) == 0 {
		return fault.New(fault.FailItem, fault.TargetInvalid, "the account's root is no item")
	}
	for _, segment := range path {
		if segment == "" || segment == "." || segment == ".." || strings.ContainsAny(segment, "/\x00") {
			return fault.New(fault.FailItem, fault.TargetInvalid, "a path with a segment that no server takes as a name")
		}
	}
	return nil
}
