// Package webdav writes files and folders into one account of a WebDAV server by RFC 4918, with what Nextcloud adds to
// it where the server is one: kept times, checksums, uploads in chunks and in bulk.
//
// Every write is conditional. A new file goes out with If-None-Match, a replacement with the ETag that the receipt
// holds, and where a server states no ETag in its answer (Apache), the receipt remembers size and time instead and the
// next write compares them first. What does not match is the user's and stays: fault target.conflict.
//
// A file costs one request. Bodies stream; one of unknown length is spooled first, because Nextcloud behind a proxy
// wants a length.
package webdav

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/meter"
	"codeberg.org/repatriate/repatriate/sinks"
)

// Options say which account is written to, and how.
type Options struct {
	// URL is the collection that holds the account's files, such as https://cloud.example.org/remote.php/dav/files/alice/.
	URL string
	// User and Password serve for Basic authentication; with Token set, its result is sent as a bearer token instead.
	User, Password string
	Token          func(context.Context) (string, error)
	// Header is sent with each request, such as Authorize-As for an administrator of Cyrus.
	Header http.Header
	// Transport carries the requests; nil makes one that ends with the sink.
	Transport http.RoundTripper
	// Meter counts the requests; may be nil.
	Meter *meter.Meter
	// SpoolDir is where bodies of unknown length are kept meanwhile; empty means the system's directory.
	SpoolDir string

	// ChunkThreshold is the size above which Nextcloud gets a file in chunks, and ChunkSize the size of one; 0 means
	// 100 MiB each. A threshold below 0 switches chunks off.
	ChunkThreshold, ChunkSize int64
	// BulkSize is the size up to which Nextcloud gets new files in bulk; 0 means 1 MiB, below 0 switches bulk off.
	BulkSize int64
	// AssemblyPause is the time between two looks at a file that the server is still putting together; 0 means 5 s.
	AssemblyPause time.Duration
}

func (o *Options) setDefaults() {
	const chunk = 100 << 20
	if o.ChunkThreshold == 0 {
		o.ChunkThreshold = chunk
	}
	if o.ChunkSize <= 0 {
		o.ChunkSize = chunk
	}
	if o.BulkSize == 0 {
		o.BulkSize = 1 << 20
	}
	if o.AssemblyPause <= 0 {
		o.AssemblyPause = 5 * time.Second
	}
}

// Sink writes into one account, and reads back what lies there. It is safe for concurrent use.
type Sink struct {
	opts  Options
	dav   *client
	cloud *nextcloud // nil unless the server is one
	bulk  *bulk      // nil unless the server takes bulk uploads
	own   *http.Transport
}

var (
	_ sinks.Sink[sinks.File] = (*Sink)(nil)
	_ sinks.Inspector        = (*Sink)(nil)
)

// Open checks that the account is there and can be logged into, and asks a Nextcloud what it can do.
func Open(ctx context.Context, opts Options) (*Sink, error) {
	opts.setDefaults()
	base, err := parseBase(opts.URL)
	if err != nil {
		return nil, err
	}
	s := &Sink{opts: opts}
	if opts.Transport == nil {
		s.own = httpx.NewTransport()
		opts.Transport = s.own
	}
	s.dav = newClient(base, opts)
	if err := s.probe(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func parseBase(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		// The parser's error repeats the URL, which may hold a password.
		return nil, fault.New(fault.FailTask, fault.TargetInvalid, "the WebDAV URL cannot be parsed")
	}
	if (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fault.New(fault.FailTask, fault.TargetInvalid, "%s is no http or https URL without user, query and fragment", httpx.RedactURL(raw))
	}
	if !strings.HasSuffix(u.Path, "/") {
		u = u.JoinPath("/")
	}
	return u, nil
}

// probe looks at the account's root and at what the server can do.
func (s *Sink) probe(ctx context.Context) error {
	root, err := s.dav.stat(ctx, s.dav.collection(nil))
	switch {
	case errors.Is(err, errNotFound):
		return fault.New(fault.FailTask, fault.TargetInvalid, "the account's folder %s does not exist", s.dav.base.Redacted()).
			WithHint("check target.files.webdav in the job file and the target user in the accounts file")
	case noDAV(err):
		return fault.New(fault.FailTask, fault.TargetInvalid, "no WebDAV server answers at %s: %w", s.dav.base.Redacted(), fault.Of(err).Err).
			WithHint("check target.files.webdav in the job file")
	case err != nil:
		return accountFault(fmt.Errorf("opening the account's folder: %w", err))
	case !root.collection:
		return fault.New(fault.FailTask, fault.TargetInvalid, "%s is not a folder", s.dav.base.Redacted())
	}
	s.cloud, err = s.detectNextcloud(ctx)
	if err != nil {
		return err
	}
	if s.cloud != nil && s.cloud.bulk && s.opts.BulkSize > 0 {
		s.bulk = newBulk(s)
	}
	return nil
}

// noDAV reports whether err is the answer of a server that does not know PROPFIND.
func noDAV(err error) bool {
	var answer *statusError
	return errors.As(err, &answer) && (answer.status == http.StatusMethodNotAllowed || answer.status == http.StatusNotImplemented)
}

// accountFault turns a fault of one item into one of the task: the account's root is no item.
func accountFault(err error) error {
	f := fault.Of(err)
	if f.Action != fault.FailItem {
		return err
	}
	return &fault.Error{Action: fault.FailTask, Reason: f.Reason, Hint: f.Hint, Err: err}
}

// Close ends the connections that the sink made itself. No call may be under way.
func (s *Sink) Close() error {
	if s.own != nil {
		s.own.CloseIdleConnections()
	}
	return nil
}
