package webdav

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/preflight"
)

// checkName is the file that a check writes and removes, and checkBody what is in it: by that it is known as ours.
const (
	checkName = "repatriate-check.txt"
	checkBody = "repatriate wrote this to see whether it may. It can be removed.\n"
)

// cleaning bounds how long is cleaned up after an interruption.
const cleaning = 30 * time.Second

// Check looks whether the account can be logged into and written to, and how much room it has. The file that it writes is removed
// again; one that an interrupted check left is removed first.
func Check(ctx context.Context, o Options, l *preflight.Log) error {
	s, err := Open(ctx, o)
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // it only lets go of connections
	if err := s.checkRoom(ctx, l); err != nil {
		return err
	}
	if err := s.checkWrite(ctx); err != nil {
		return accountFault(err)
	}
	what := "logged in, wrote and removed a file"
	if s.cloud != nil {
		what += fmt.Sprintf("; it is a Nextcloud (uploads in chunks: %v, in bulk: %v)", s.cloud.chunking, s.bulk != nil)
	}
	l.OK("%s", what)
	return nil
}

const roomBody = `<?xml version="1.0" encoding="utf-8"?><d:propfind xmlns:d="DAV:"><d:prop><d:quota-available-bytes/></d:prop></d:propfind>`

// Limits asks for the room that the account has left. It writes nothing. WebDAV has no limit of one file's size.
func Limits(ctx context.Context, o Options) (preflight.Limits, error) {
	s, err := Open(ctx, o)
	if err != nil {
		return preflight.NoLimits, err
	}
	defer s.Close() //nolint:errcheck // it only lets go of connections
	return s.limits(ctx)
}

func (s *Sink) checkRoom(ctx context.Context, l *preflight.Log) error {
	limits, err := s.limits(ctx)
	if err == nil && limits.Room >= 0 {
		l.Room(limits.Room)
	}
	return err
}

// limits asks for the room that is left (RFC 4331 §3). Nextcloud gives negative numbers where there is no limit or none is known.
func (s *Sink) limits(ctx context.Context) (preflight.Limits, error) {
	limits := preflight.NoLimits
	a, err := s.dav.do(ctx, request{
		method: "PROPFIND", url: s.dav.collection(nil), what: "asking for the quota", body: strings.NewReader(roomBody), size: int64(len(roomBody)),
		header: http.Header{"Depth": {"0"}, "Content-Type": {"application/xml; charset=utf-8"}},
	})
	if err != nil || a.status != http.StatusMultiStatus {
		return limits, err
	}
	var answer struct {
		Available []string `xml:"response>propstat>prop>quota-available-bytes"`
	}
	if xml.Unmarshal(a.body, &answer) != nil {
		return limits, nil // no quota is told
	}
	for _, text := range answer.Available {
		if n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil && n >= 0 {
			limits.Narrow(n)
		}
	}
	return limits, nil
}

// checkWrite writes the file and removes it.
func (s *Sink) checkWrite(ctx context.Context) error {
	if err := s.removeCheck(ctx); err != nil {
		return err
	}
	at := s.dav.resource([]string{checkName})
	a, err := s.dav.do(ctx, request{
		method: http.MethodPut, url: at, what: "writing a test file", body: strings.NewReader(checkBody), size: int64(len(checkBody)),
		header: http.Header{"If-None-Match": {"*"}, "Content-Type": {"text/plain"}},
	})
	later, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleaning)
	defer cancel()
	switch {
	case err != nil:
		return errors.Join(err, s.removeCheck(later)) // it may have arrived
	case !a.ok():
		return s.refusedWrite("writing a test file", a)
	}
	return s.removeCheck(later)
}

// refusedWrite is the meaning of a refused test, which concerns the account and no item.
func (s *Sink) refusedWrite(what string, a *answer) error {
	err := s.dav.fault(what, a)
	f := fault.Of(err)
	if f.Reason == fault.TargetForbidden {
		return f.WithHint("the account may only read here: give it the right to write, or correct target.files.webdav in the job file")
	}
	return err
}

// removeCheck removes the test file if it is there and ours.
func (s *Sink) removeCheck(ctx context.Context) error {
	at := s.dav.resource([]string{checkName})
	a, err := s.dav.do(ctx, request{method: http.MethodGet, url: at, what: "looking for a test file"})
	switch {
	case err != nil:
		return err
	case a.status == http.StatusNotFound, a.status == http.StatusGone:
		return nil
	case !a.ok():
		return s.dav.fault("looking for a test file", a)
	case !bytes.Equal(a.body, []byte(checkBody)):
		return fault.New(fault.FailTask, fault.TargetConflict, "the account has a file %s that is none of this program's", checkName).
			WithHint("rename it, so that a test file can be written")
	}
	if a, err = s.dav.do(ctx, request{method: http.MethodDelete, url: at, what: "removing the test file",
		header: http.Header{"X-Nc-Skip-Trashbin": {"true"}}}); err != nil {
		return err
	}
	if !a.ok() && a.status != http.StatusNotFound && a.status != http.StatusGone {
		return s.refusedWrite("removing the test file", a)
	}
	return nil
}
