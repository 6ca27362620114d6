// Package imap writes messages into an account of an IMAP server (RFC 9051, RFC 3501).
//
// New messages go over connections of their own that do nothing but APPEND (package wire): the sink gathers the messages
// of many Puts by mailbox and sends those that are waiting as one MULTIAPPEND, since what costs on a server is the
// transaction. It never waits for more than it has. Everything else, from SELECT to MOVE, goes over sessions of the client
// library.
//
// A message is read whole before a byte of it is sent, so that a body that breaks off harms nobody else's. It is found
// again by mailbox, UIDVALIDITY and UID. IMAP does not let a message change, so what a user can do to it is to set
// flags, to move and to delete it: flags are compared with those that were written, and only what the source changed is
// changed; a message that is not where it was put stays wherever the user has it, and is a target.conflict.
package imap

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	goimap "github.com/emersion/go-imap/v2"

	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/meter"
	"codeberg.org/repatriate/repatriate/internal/spool"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/imap/wire"
)

// DefaultConnections is the number of appending connections of one account when nothing else is said.
const DefaultConnections = 4

// Options say where and as whom to log in.
type Options struct {
	// URL is "imaps://host[:993]", or "imap://host[:143]" for STARTTLS.
	URL string
	// Insecure lets an imap: URL stay without encryption and without asking for it; meant for loopback.
	Insecure bool
	// TLS is the configuration of encrypted connections; nil for httpx.TLS with the system's authorities.
	TLS *tls.Config
	// User is the account. Password is its password, or Master's where there is one.
	User, Password string
	// Master acts for User when it is not zero.
	Master Master
	// Connections is how many connections append at once (0: DefaultConnections). Half as many more, at least one, serve
	// everything else. Servers bound their number; Dovecot's default is ten for one user and address.
	Connections int
	// Timeout is how long the server may be silent (0: wire.DefaultTimeout).
	Timeout time.Duration
	// SpoolLimit is how many bytes of one message are kept in memory (0: spool.DefaultLimit), and TempDir where longer ones
	// are kept (empty: the system's directory for temporary files).
	SpoolLimit int
	TempDir    string
	// Overrule gives a message that changed at the source just the flags and the mailbox that it has there, whatever its user made of it on the
	// target; what is undone is the loss mail.conflict_reset. Otherwise only what the source changed is changed.
	Overrule bool
	// Memory bounds what all messages together keep in memory; may be nil.
	Memory *spool.Budget
	// Meter counts commands; may be nil.
	Meter *meter.Meter
}

// Master is an administrator's login for other users' accounts.
type Master struct {
	User string
	// Separator joins user and master to one login name, "user*master", as Dovecot's auth_master_user_separator and
	// Stalwart ("%") have it. Empty: the user is the authorization identity of SASL PLAIN (RFC 4616).
	Separator string
}

// Sink is a sinks.Sink, sinks.Finder, sinks.Inspector and sinks.Clearer of messages. It keeps connections open until Close.
type Sink struct {
	opts      Options
	endpoint  endpoint
	mask      httpx.Mask // the password, as it goes over the wire
	limit     int64      // APPENDLIMIT; 0 if unknown
	utf8Names bool       // the server speaks IMAP4rev2 alone
	// keepsRaw is set once the server was seen to keep bytes beyond ASCII in a header.
	keepsRaw  atomic.Bool
	boxes     *mailboxes
	sessions  *sessions
	gatherer  *gatherer
	end       context.CancelFunc
	closeOnce sync.Once
}

var (
	_ sinks.Sink[sinks.Message]   = (*Sink)(nil)
	_ sinks.Finder[sinks.Message] = (*Sink)(nil)
	_ sinks.Inspector             = (*Sink)(nil)
	_ sinks.Clearer               = (*Sink)(nil)
	_ sinks.Seeker[sinks.Message] = (*Sink)(nil)
)

// Open logs in and learns the account's mailboxes. ctx bounds this alone.
func Open(ctx context.Context, opts Options) (*Sink, error) {
	e, err := parseURL(opts.URL)
	if err != nil {
		return nil, err
	}
	if opts.Connections <= 0 {
		opts.Connections = DefaultConnections
	}
	if opts.Timeout <= 0 {
		opts.Timeout = wire.DefaultTimeout
	}
	life, end := context.WithCancel(context.Background())
	s := &Sink{opts: opts, endpoint: e, end: end}
	identity, user := opts.identity()
	s.mask = httpx.NewMask(opts.Password, base64.StdEncoding.EncodeToString([]byte(identity+"\x00"+user+"\x00"+opts.Password)))
	s.sessions = newSessions(life, s, max(1, opts.Connections/2))
	s.gatherer = newGatherer(life, s, opts.Connections)
	s.boxes = newMailboxes(s)
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Sink) start(ctx context.Context) error {
	return s.sessions.do(ctx, "", func(x *session) error {
		s.limit = x.appendLimit
		_, old := x.Caps()[goimap.CapIMAP4rev1]
		s.utf8Names = !old
		return s.boxes.load(x)
	})
}

// Close ends all connections, and Puts that are under way with an error.
func (s *Sink) Close() error {
	s.closeOnce.Do(func() {
		s.end()
		s.gatherer.close()
		s.sessions.close()
	})
	return nil
}
