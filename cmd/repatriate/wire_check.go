package main

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/sinks/caldav"
	"codeberg.org/repatriate/repatriate/sinks/carddav"
	"codeberg.org/repatriate/repatriate/sinks/imap"
	"codeberg.org/repatriate/repatriate/sinks/webdav"
)

// lookProvider tells what can be looked at before a migration begins.
type lookProvider interface {
	// roots are the addresses of the provider.
	roots() []string
	// sharedChecks concern everybody, accountChecks an account as it is named in the accounts file.
	sharedChecks(kinds []string) []preflight.Check
	accountChecks(account string, kinds []string) []preflight.Check
}

func sourceCheck(probe preflight.Probe, kinds ...string) preflight.Check {
	return preflight.Check{Side: preflight.Source, Kinds: kinds, Probe: probe}
}

func (p googleProvider) roots() []string { return []string{p.client.Root()} }

func (p googleProvider) sharedChecks(kinds []string) []preflight.Check {
	checks := []preflight.Check{sourceCheck(p.client.CheckAccess(kinds, p.others))}
	for _, k := range kinds {
		checks = append(checks, sourceCheck(p.client.CheckScope(k, p.others), k))
	}
	return checks
}

func (p googleProvider) accountChecks(account string, kinds []string) []preflight.Check {
	if id, shared := strings.CutPrefix(account, drivePrefix); shared {
		return []preflight.Check{sourceCheck(p.client.CheckSharedDrive(id), "files")}
	}
	checks := []preflight.Check{sourceCheck(p.client.CheckUser(account))}
	for _, k := range kinds {
		checks = append(checks, sourceCheck(p.client.CheckKind(account, k, p.others), k))
	}
	return checks
}

func (p microsoftProvider) roots() []string {
	return []string{p.client.LoginRoot(), p.client.GraphRoot()}
}

func (p microsoftProvider) sharedChecks([]string) []preflight.Check {
	return []preflight.Check{sourceCheck(p.client.CheckAccess())}
}

func (p microsoftProvider) accountChecks(account string, kinds []string) []preflight.Check {
	if id, shared := strings.CutPrefix(account, drivePrefix); shared {
		return []preflight.Check{sourceCheck(p.client.CheckLibrary(id), "files")}
	}
	checks := []preflight.Check{sourceCheck(p.client.CheckUser(account))}
	if slices.Contains(kinds, "calendar") || slices.Contains(kinds, "tasks") {
		checks = append(checks, sourceCheck(p.client.CheckZone(account)))
	}
	for _, k := range kinds {
		checks = append(checks, sourceCheck(p.client.CheckKind(account, k), k))
	}
	return checks
}

// checking is a wiring that looks and moves nothing.
type checking struct {
	*wiring
	people []config.Account
	// cannot says why the provider cannot even be asked.
	cannot error

	mu    sync.Mutex
	skews map[preflight.Side][]time.Duration
}

// newChecking is for the accounts that are asked for. What is wrong with the provider's credentials is a finding.
func newChecking(ctx context.Context, job *config.Job, people []config.Account, o *output) (*checking, error) {
	w, err := newTargetWiring(job)
	if err != nil {
		return nil, err
	}
	c := &checking{wiring: w, people: people, skews: map[preflight.Side][]time.Duration{}}
	c.log = o.log
	c.provider, c.cannot = c.newProvider(ctx)
	return c, nil
}

// leastLooking is how many accounts are looked at side by side at least: a look sends little.
const leastLooking = 8

// look makes all checks.
func (c *checking) look(ctx context.Context) (*preflight.Report, error) {
	r, err := preflight.Plan{
		Shared: c.shared(), Accounts: c.accountChecks(), Count: len(c.people), Parallel: max(leastLooking, c.job.Concurrency.Accounts),
	}.Run(ctx)
	for _, s := range c.skews[preflight.Source] {
		for _, t := range c.skews[preflight.Target] {
			if f, apart := preflight.Apart(s, t); apart {
				r.Note(f)
			}
		}
	}
	return r, err
}

func (c *checking) shared() []preflight.Check {
	checks := []preflight.Check{sourceCheck(c.checkSecrets)}
	if c.cannot != nil {
		checks = append(checks, sourceCheck(c.credentials))
	} else {
		for _, root := range c.provider.roots() {
			checks = append(checks, sourceCheck(c.server(preflight.Source, root, c.sourceKey()).Reach()))
		}
		checks = append(checks, c.provider.sharedChecks(c.kinds())...)
	}
	checks = append(checks, c.servers()...)
	if c.moves("calendar") {
		checks = append(checks, c.target(c.checkCanary, "calendar"))
	}
	return checks
}

// sourceKey is what names the provider's address in the job file; empty where nothing does.
func (w *wiring) sourceKey() string {
	s := w.job.Source
	if s.Google != nil && s.Google.Endpoint != "" || s.Microsoft != nil && s.Microsoft.Endpoint+s.Microsoft.Login != "" {
		return "source"
	}
	return ""
}

// credentials tells why the provider cannot be asked.
func (c *checking) credentials(_ context.Context, l *preflight.Log) error {
	var f *fault.Error
	if errors.As(c.cannot, &f) {
		return f.WithHint(cmp.Or(f.Hint, "make a new key file at the provider, and name it in the section source of the job file"))
	}
	l.Refuse(fault.SourceAuth, c.cannot.Error(), "correct what the section source of the job file names: it must be there and readable")
	return nil
}

func (c *checking) target(probe preflight.Probe, kinds ...string) preflight.Check {
	return preflight.Check{Side: preflight.Target, Kinds: kinds, Probe: probe}
}

// moves reports whether one of the accounts moves the kind.
func (c *checking) moves(kind string) bool {
	return slices.ContainsFunc(c.people, func(p config.Account) bool { return slices.Contains(kindsOf(p), kind) })
}

// kinds are those that the accounts move.
func (c *checking) kinds() []string {
	return slices.DeleteFunc(slices.Clone(c.job.Kinds), func(k string) bool { return !c.moves(k) })
}

func (c *checking) server(side preflight.Side, at, key string) preflight.Server {
	reason := fault.TargetUnavailable
	if side == preflight.Source {
		reason = fault.SourceUnavailable
	}
	return preflight.Server{URL: at, Key: key, Reason: reason, Roots: c.rootsFor(side), Skew: func(d time.Duration) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.skews[side] = append(c.skews[side], d)
	}}
}

// places are the targets of the job by kind: the key in the job file, and the address.
func (w *wiring) places() iter.Seq2[string, [2]string] {
	t := w.job.Target
	return func(yield func(string, [2]string) bool) {
		_ = (t.Files == nil || yield("files", [2]string{"target.files.webdav", t.Files.WebDAV})) &&
			(t.Mail == nil || yield("mail", [2]string{"target.mail.imap", t.Mail.IMAP})) &&
			(t.Calendar == nil || yield("calendar", [2]string{"target.calendar.caldav", t.Calendar.CalDAV})) &&
			(t.Contacts == nil || yield("contacts", [2]string{"target.contacts.carddav", t.Contacts.CardDAV})) &&
			(t.Tasks == nil || yield("tasks", [2]string{"target.tasks.caldav", t.Tasks.CalDAV}))
	}
}

// servers are the ways to the targets, each server once.
func (c *checking) servers() []preflight.Check {
	type server struct {
		kinds, keys []string
		at          string
	}
	var found []*server
	for kind, place := range c.places() {
		u, err := url.Parse(strings.ReplaceAll(place[1], "{user}", "user"))
		if err != nil || !c.moves(kind) {
			continue
		}
		at := u.Scheme + "://" + u.Host
		i := slices.IndexFunc(found, func(s *server) bool { return s.at == at })
		if i < 0 {
			i = len(found)
			found = append(found, &server{at: at})
		}
		found[i].kinds = append(found[i].kinds, kind)
		found[i].keys = append(found[i].keys, place[0])
	}
	var checks []preflight.Check
	for _, s := range found {
		checks = append(checks, c.target(c.server(preflight.Target, s.at, strings.Join(s.keys, ", ")).Reach(), s.kinds...))
	}
	return checks
}

// mostAsked bounds how many accounts are asked whether their server invites guests.
const mostAsked = 50

// checkCanary proves, where the server invites guests by itself, that nobody hears of an import. What is wrong with an account is for
// its own checks to say: the next one is asked.
func (c *checking) checkCanary(ctx context.Context, l *preflight.Log) error {
	asked := 0
	for _, p := range c.people {
		if !slices.Contains(kindsOf(p), "calendar") {
			continue
		}
		if asked++; asked > mostAsked || ctx.Err() != nil {
			break
		}
		o, err := c.caldavOptions(ctx, p, "calendar")
		if err != nil {
			continue
		}
		switch schedules, err := caldav.Schedules(ctx, o); {
		case err != nil:
		case schedules:
			return c.proveSilence(ctx, l)
		default:
			l.OK("the calendar server invites nobody by itself")
			return nil
		}
	}
	return nil
}

func (c *checking) proveSilence(ctx context.Context, l *preflight.Log) error {
	if c.calendarAccounts() < 2 {
		l.Warn("the calendar server invites guests by itself, and there is no second account to prove with that nobody hears of an import",
			"if it ignores what keeps it from inviting, importing mails people", "begin with two accounts that move calendars")
		return nil
	}
	if err := c.sendCanary(ctx); err != nil {
		return err // a run would stop all calendars for it
	}
	l.OK("the calendar server invites guests by itself, and a canary proved that nobody hears of an import")
	return nil
}

func (c *checking) calendarAccounts() (n int) {
	for _, p := range c.job.People {
		if slices.Contains(kindsOf(p), "calendar") {
			n++
		}
	}
	return n
}

// accountChecks are those of each account, made when they are needed.
func (c *checking) accountChecks() iter.Seq[preflight.Account] {
	return func(yield func(preflight.Account) bool) {
		for _, p := range c.people {
			a := preflight.Account{Name: p.Source, Also: []string{p.Target, url.PathEscape(p.Target)}}
			if c.cannot == nil {
				a.Checks = c.provider.accountChecks(p.Source, kindsOf(p))
			}
			for _, k := range kindsOf(p) {
				check := c.target(c.checkTarget(p, k), k)
				check.Login = c.loginKey(p, k)
				a.Checks = append(a.Checks, check)
				a.Also = append(a.Also, p.Login(k).Target, url.PathEscape(p.Login(k).Target))
			}
			if !yield(a) {
				return
			}
		}
	}
}

// loginKey is the same for kinds of an account for which the same login is used on the same server.
func (c *checking) loginKey(p config.Account, kind string) string {
	for k, place := range c.places() {
		u, err := url.Parse(config.UserURL(place[1], "user"))
		if k != kind || err != nil {
			continue
		}
		login := p.Login(kind)
		if kind == "mail" && c.job.Target.Mail.Master != nil {
			login.Password = c.job.Target.Mail.Master.Password
		}
		return strings.Join([]string{u.Scheme, u.Host, login.Target, login.Password}, "\x00")
	}
	return ""
}

// unreadable says why the password for a kind cannot be had, and who names it.
func (c *checking) unreadable(ctx context.Context, p config.Account, kind string) (who string, err error) {
	if kind == "mail" && c.job.Target.Mail.Master != nil {
		_, err = c.imapOptions(ctx, p)
		return "target.mail.master", err
	}
	_, _, err = c.login(ctx, p, kind)
	return "the accounts file", err
}

// checkTarget looks at one kind of an account on its target.
func (c *checking) checkTarget(p config.Account, kind string) preflight.Probe {
	return func(ctx context.Context, l *preflight.Log) error {
		if who, err := c.unreadable(ctx, p, kind); err != nil {
			l.Refuse(fault.TargetAuth, err.Error(), "correct what "+who+" names as the password: it must be there and readable")
			return nil
		}
		switch kind {
		case "files":
			return looked(ctx, p, c.webdavOptions, func(o webdav.Options) error { return webdav.Check(ctx, o, l) })
		case "mail":
			return looked(ctx, p, c.imapOptions, func(o imap.Options) error { return imap.Check(ctx, o, l) })
		case "contacts":
			return looked(ctx, p, c.carddavOptions, func(o carddav.Options) error { return carddav.Check(ctx, o, l) })
		case "calendar":
			return looked(ctx, p, c.caldavFor(kind), func(o caldav.Options) error { return caldav.Check(ctx, o, "VEVENT", l) })
		case "tasks":
			return looked(ctx, p, c.caldavFor(kind), func(o caldav.Options) error { return caldav.Check(ctx, o, "VTODO", l) })
		}
		return nil
	}
}

func (w *wiring) caldavFor(kind string) func(context.Context, config.Account) (caldav.Options, error) {
	return func(ctx context.Context, p config.Account) (caldav.Options, error) {
		return w.caldavOptions(ctx, p, kind)
	}
}

// looked checks with the options that options makes.
func looked[O any](ctx context.Context, p config.Account, options func(context.Context, config.Account) (O, error), check func(O) error) error {
	o, err := options(ctx, p)
	if err != nil {
		return err
	}
	return check(o)
}
