package google

import (
	"container/list"
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"

	directory "google.golang.org/api/admin/directory/v1"
	"google.golang.org/api/calendar/v3"
	"google.golang.org/api/drive/v3"
	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/option"
	"google.golang.org/api/people/v1"
	"google.golang.org/api/tasks/v1"

	"codeberg.org/repatriate/repatriate/fault"
)

// userAgent ends in "(gzip)" because Google compresses for such agents only.
const userAgent = "repatriate (gzip)"

// stallTimeout bounds the silence within a body.
const stallTimeout = 2 * time.Minute

// maxAnswer bounds answers that are read into memory: JSON documents and errors.
const maxAnswer = 128 << 20

// maxSessions bounds how many users' tokens and clients are kept; those used longest ago are dropped.
const maxSessions = 4096

// api is one of Google's interfaces: what has a scope, a token and quotas of its own.
type api uint8

const (
	driveAPI api = iota
	gmailAPI
	calendarAPI
	directoryAPI
	peopleAPI
	otherContactsAPI // the same service, with a scope of its own
	tasksAPI
)

// service describes an api.
type service struct {
	name  string
	scope string
	// kind is what of a job needs the api; empty: every job. library is what the Cloud console's API library calls it, id its name there.
	kind, library, id string
	// root is where the official client expects the service, without the part of the path that it adds itself; path is that
	// root below Options.Endpoint.
	root, path string
}

// googleapis is the host that several services share.
const googleapis = "https://www.googleapis.com/"

// services lists the apis in their order. All scopes are read-only (developers.google.com/identity/protocols/oauth2/scopes).
var services = [...]service{
	driveAPI: {"Drive", drive.DriveReadonlyScope, "files", "Google Drive API", "drive.googleapis.com", googleapis + "drive/v3/", "drive/v3/"},
	gmailAPI: {"Gmail", gmail.GmailReadonlyScope, "mail", "Gmail API", "gmail.googleapis.com", "https://gmail.googleapis.com/", ""},
	calendarAPI: {"Calendar", calendar.CalendarReadonlyScope, "calendar", "Google Calendar API", "calendar-json.googleapis.com", googleapis + "calendar/v3/",
		"calendar/v3/"},
	directoryAPI: {"Directory", directory.AdminDirectoryUserReadonlyScope, "", "Admin SDK API", "admin.googleapis.com",
		"https://admin.googleapis.com/", ""},
	peopleAPI: {"People", people.ContactsReadonlyScope, "contacts", "People API", "people.googleapis.com", "https://people.googleapis.com/", ""},
	otherContactsAPI: {"People (other contacts)", people.ContactsOtherReadonlyScope, "contacts", "People API", "people.googleapis.com",
		"https://people.googleapis.com/", ""},
	tasksAPI: {"Tasks", tasks.TasksReadonlyScope, "tasks", "Google Tasks API", "tasks.googleapis.com", "https://tasks.googleapis.com/", ""},
}

// endpoint returns the root of the api's service.
func (c *Client) endpoint(a api) string {
	if c.root == nil {
		return services[a].root
	}
	return c.root.ResolveReference(&url.URL{Path: services[a].path}).String()
}

// drive, gmail, calendar and directory return the official client that acts as the user. It is cheap to ask for it before each
// call, and that keeps the user's token in the cache; do not keep it for long.
func (c *Client) drive(ctx context.Context, user string) (*drive.Service, error) {
	s := c.sessions.get(user, driveAPI)
	return official(c, s, func(o ...option.ClientOption) (*drive.Service, error) {
		v, err := drive.NewService(ctx, o...)
		if err == nil {
			v.UserAgent = userAgent
		}
		return v, err
	})
}

func (c *Client) gmail(ctx context.Context, user string) (*gmail.Service, error) {
	s := c.sessions.get(user, gmailAPI)
	return official(c, s, func(o ...option.ClientOption) (*gmail.Service, error) {
		v, err := gmail.NewService(ctx, o...)
		if err == nil {
			v.UserAgent = userAgent
		}
		return v, err
	})
}

func (c *Client) calendar(ctx context.Context, user string) (*calendar.Service, error) {
	s := c.sessions.get(user, calendarAPI)
	return official(c, s, func(o ...option.ClientOption) (*calendar.Service, error) {
		v, err := calendar.NewService(ctx, o...)
		if err == nil {
			v.UserAgent = userAgent
		}
		return v, err
	})
}

func (c *Client) directory(ctx context.Context, user string) (*directory.Service, error) {
	s := c.sessions.get(user, directoryAPI)
	return official(c, s, func(o ...option.ClientOption) (*directory.Service, error) {
		v, err := directory.NewService(ctx, o...)
		if err == nil {
			v.UserAgent = userAgent
		}
		return v, err
	})
}

// people returns the client of contacts, and with a = otherContactsAPI that of other contacts.
func (c *Client) people(ctx context.Context, user string, a api) (*people.Service, error) {
	s := c.sessions.get(user, a)
	return official(c, s, func(o ...option.ClientOption) (*people.Service, error) {
		v, err := people.NewService(ctx, o...)
		if err == nil {
			v.UserAgent = userAgent
		}
		return v, err
	})
}

func (c *Client) tasks(ctx context.Context, user string) (*tasks.Service, error) {
	s := c.sessions.get(user, tasksAPI)
	return official(c, s, func(o ...option.ClientOption) (*tasks.Service, error) {
		v, err := tasks.NewService(ctx, o...)
		if err == nil {
			v.UserAgent = userAgent
		}
		return v, err
	})
}

// official returns the session's official client, made at the first call.
func official[S any](c *Client, s *session, build func(...option.ClientOption) (*S, error)) (*S, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.service.(*S); ok {
		return v, nil
	}
	v, err := build(option.WithHTTPClient(s.http), option.WithEndpoint(c.endpoint(s.api)))
	if err != nil {
		return nil, fault.New(fault.FailTask, fault.SourceAuth, "google: %s client: %w", services[s.api].name, err)
	}
	s.service = v
	return v, nil
}

// session is one user's access to one api: a token and the clients that use it.
type session struct {
	user  string
	api   api
	http  *http.Client
	token *tokenCache

	mu      sync.Mutex
	service any
}

type sessionKey struct {
	user string
	api  api
}

// sessions keeps the sessions that were used last.
type sessions struct {
	client *Client
	limit  int

	mu    sync.Mutex
	byKey map[sessionKey]*list.Element
	used  *list.List // of *session, the last used first
}

func newSessions(c *Client) *sessions {
	return &sessions{client: c, limit: maxSessions, byKey: map[sessionKey]*list.Element{}, used: list.New()}
}

func (ss *sessions) get(user string, a api) *session {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	key := sessionKey{user, a}
	if e, ok := ss.byKey[key]; ok {
		ss.used.MoveToFront(e)
		return e.Value.(*session)
	}
	s := ss.client.newSession(user, a)
	ss.byKey[key] = ss.used.PushFront(s)
	if ss.used.Len() > ss.limit {
		last := ss.used.Remove(ss.used.Back()).(*session)
		delete(ss.byKey, sessionKey{last.user, last.api})
	}
	return s
}

// renew makes the next request of the session ask for a new token.
func (ss *sessions) renew(user string, a api) { ss.get(user, a).token.drop() }

func (c *Client) newSession(user string, a api) *session {
	t := &tokenCache{source: c.tokenSource(user, a), lock: make(chan struct{}, 1)}
	return &session{user: user, api: a, token: t, http: &http.Client{
		Transport:     &bearerTransport{token: t, base: c.base, trusted: c.trusted},
		CheckRedirect: c.checkRedirect,
	}}
}
