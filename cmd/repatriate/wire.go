package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/checkpoint/sqlite"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/meter"
	"codeberg.org/repatriate/repatriate/internal/plan"
	"codeberg.org/repatriate/repatriate/internal/progress"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/runner"
	"codeberg.org/repatriate/repatriate/internal/secret"
	"codeberg.org/repatriate/repatriate/internal/spool"
	"codeberg.org/repatriate/repatriate/internal/undo"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/caldav"
	"codeberg.org/repatriate/repatriate/sinks/imap"
	"codeberg.org/repatriate/repatriate/sinks/webdav"
	"codeberg.org/repatriate/repatriate/sources"
)

// openStore opens the job's state for a pass; a dry run gets a copy that it may write to.
func openStore(ctx context.Context, job *config.Job, dryRun bool) (checkpoint.Store, error) {
	o := sqlite.Options{Job: job.Job}
	if dryRun {
		return sqlite.OpenCopy(ctx, job.StatePath(), o)
	}
	store, err := sqlite.Open(ctx, job.StatePath(), o)
	if err != nil {
		return nil, placed(err)
	}
	return store, nil
}

// viewStore opens the job's state for reading, also while a run is under way.
func viewStore(ctx context.Context, job *config.Job) (checkpoint.Store, error) {
	return viewOf(ctx, job, sqlite.Options{Job: job.Job})
}

func viewOf(ctx context.Context, job *config.Job, o sqlite.Options) (checkpoint.Store, error) {
	store, err := sqlite.OpenView(ctx, job.StatePath(), o)
	if errors.Is(err, os.ErrNotExist) {
		return nil, usage(fmt.Errorf("the job %q has no state yet (%s): run it first", job.Job, job.StatePath()))
	}
	if err != nil {
		return nil, placed(err)
	}
	return store, nil
}

// needState refuses a job that has no state to look at.
func needState(ctx context.Context, job *config.Job) error {
	view, err := viewStore(ctx, job)
	if err != nil {
		return err
	}
	return view.Close()
}

// wiring ties the implementations together for one pass over a job. Nothing else knows them.
type wiring struct {
	job      *config.Job
	pass     pass
	log      *slog.Logger
	counters engine.Counters
	held     []report.Held // accounts that the pass leaves out
	standing int64         // items of the whole job on the target, after the pass
	// left says how long the rest takes by the last plan; nil: nobody planned what this pass does.
	left           func(items, bytes int64, elapsed time.Duration) time.Duration
	board          *progress.Board
	changes        changes
	source, target meter.Meter
	transport      *http.Transport // to the targets
	roots          *x509.CertPool  // trusted for the targets; nil: the system's
	secrets        secret.Reader
	provider       provider
	canary         func(ctx context.Context) error
	counts         counts
	parallel       int // accounts at once
	memory         *spool.Budget
	survey         *plan.Survey // what a dry run sees; nil: nobody asks
}

func newWiring(ctx context.Context, job *config.Job, p pass, log *slog.Logger) (*wiring, error) {
	w, err := newTargetWiring(job)
	if err != nil {
		return nil, err
	}
	w.pass, w.log = p, log
	w.board = progress.NewBoard(&w.counters)
	if p.timetable != nil {
		p.timetable.board = w.board
	}
	w.warnOfExposed()
	if w.provider, err = w.newProvider(ctx); err != nil {
		return nil, err
	}
	w.canary = onceFor(w.sendCanary)
	return w, nil
}

func (w *wiring) close() { w.transport.CloseIdleConnections() }

// accounts returns what the runner needs of the people of a pass.
func (w *wiring) accounts(people []config.Account) []runner.Account {
	w.parallel = min(w.job.Concurrency.Accounts, len(people))
	out := make([]runner.Account, 0, len(people))
	for _, p := range people {
		out = append(out, runner.Account{Name: p.Source, Kinds: kindsOf(p), Targets: placesOf(w.job.Target, p), Open: func(ctx context.Context, kind string) ([]runner.Task, error) {
			return w.open(ctx, p, kind)
		}})
	}
	return out
}

// kindsOf returns the kinds of an account; a shared drive has files alone.
func kindsOf(p config.Account) []string {
	if strings.HasPrefix(p.Source, drivePrefix) {
		return slices.DeleteFunc(slices.Clone(p.Kinds), func(k string) bool { return k != "files" })
	}
	return p.Kinds
}

func (w *wiring) open(ctx context.Context, p config.Account, kind string) ([]runner.Task, error) {
	switch kind {
	case "files":
		return []runner.Task{w.files(ctx, p)}, nil
	case "mail":
		return []runner.Task{w.mail(p)}, nil
	case "calendar":
		return w.collections(ctx, "list calendars", func() ([]sources.Collection, error) { return w.provider.calendars(ctx, p.Source) },
			func(c sources.Collection) runner.Task { return w.calendar(p, c) })
	case "contacts":
		return w.collections(ctx, "list address books", func() ([]sources.Collection, error) { return w.provider.addressBooks(ctx, p.Source) },
			func(c sources.Collection) runner.Task { return w.contacts(p, c) })
	case "tasks":
		return w.collections(ctx, "list task lists", func() ([]sources.Collection, error) { return w.provider.taskLists(ctx, p.Source) },
			func(c sources.Collection) runner.Task { return w.todo(p, c) })
	default:
		return nil, fmt.Errorf("there is no kind %q", kind)
	}
}

// options returns those of the engine for the pass.
func (w *wiring) options() engine.Options {
	o := engine.Options{
		InFlight: w.job.Concurrency.Items, Propagate: w.job.Deletions == "propagate", Conflicts: engine.Conflicts(w.job.Conflicts),
		Counters: &w.counters, Log: w.log,
	}
	if t := w.pass.timetable; t != nil {
		o.Pace, o.Drain = t.out, t.drain
	}
	return o
}

// opened returns what open opens or lists, with the engine's patience: a server that is busy at that moment stops no task.
func opened[V any](ctx context.Context, w *wiring, what string, open func() (V, error)) (v V, err error) {
	err = engine.Persist(ctx, w.options(), what, func() (err error) {
		v, err = open()
		return err
	})
	return v, err
}

// optionsFor returns those of the engine for a kind of an account.
func (w *wiring) optionsFor(p config.Account, kind string) engine.Options {
	o := w.options()
	o.Counters = w.board.Counters(p.Source, kind)
	note := w.changes.of(p.Source, kind)
	o.Changed = func(c engine.Change) {
		note(c)
		if c.What == engine.Broken {
			w.board.Failed(p.Source, kind, c.Title, c.Reason)
		}
	}
	o.InFlight = w.inFlightOf(kind, w.parallel)
	return o
}

// inFlightOf is how many items of a kind one of so many accounts has under way.
func (w *wiring) inFlightOf(kind string, accounts int) int {
	return cmp.Or(w.job.Concurrency.Items, max(leastInFlight, inFlight(kind)/max(1, accounts)))
}

// mostConnections bounds the connections to one host of the targets for HTTP, over all accounts: a server's workers are
// few, and one that has run out of them closes connections on which a request may be under way.
const mostConnections = 32

// bodyMemory is how much of messages is kept in memory while they are on their way; what is beyond lies in temporary files.
const bodyMemory = 32 << 20

// leastInFlight is how many items of a collection are moved at once however many accounts are.
const leastInFlight = 4

// inFlight is how many items of a kind are moved at once by all accounts together where the job file does not say: enough to
// keep a target busy when each round trip takes 20 ms, see docs/performance.md, and as many as memory has room for.
// Mails are many because the target writes up to 32 of them in one transaction, on each of four connections.
func inFlight(kind string) int {
	switch kind {
	case "mail":
		return 256
	case "files":
		return 64
	case "calendar":
		return 16
	default: // an address book is locked for each write: more only wait for one another
		return 8
	}
}

// work runs a pass, or retries what failed. What an undo that was broken off was about to take away is taken away first.
func work[S sources.Content, T sinks.Content](ctx context.Context, w *wiring, e *engine.Engine[S, T], l checkpoint.Ledger) error {
	if d, dry := e.Sink().(dryRun[T]); dry {
		defer d.observed(ctx, l)
	}
	before, err := l.Status(ctx)
	if err == nil && !w.pass.dryRun {
		err = undo.Finish(ctx, l, e.Sink(), before.Kind == "files", w.patience())
	}
	switch {
	case err != nil:
		return err
	case w.pass.retry:
		return e.Retry(ctx, l)
	}
	if err := e.Run(ctx, l); err != nil {
		return err
	}
	w.counts.ask(ctx, w, e.Source(), l, before)
	return nil
}

// login returns the account's name on the target of a kind and its password there, which is empty where the accounts file names none.
func (w *wiring) login(ctx context.Context, p config.Account, kind string) (user, password string, err error) {
	l := p.Login(kind)
	if l.Password == "" {
		return l.Target, "", nil
	}
	s, err := w.secrets.Resolve(ctx, l.Password)
	if err != nil {
		return "", "", fmt.Errorf("password of %s: %w", p.Source, err)
	}
	return l.Target, s.Reveal(), nil
}

func (w *wiring) files(ctx context.Context, p config.Account) runner.Task {
	src, name := w.provider.files(p.Source)
	if id, shared := strings.CutPrefix(p.Source, drivePrefix); shared {
		name = w.nameOfDrive(ctx, p.Source, id)
	}
	rules := mapping.FileRules{}
	return runner.Task{Collection: "drive", Name: name, Work: func(ctx context.Context, l checkpoint.Ledger) error {
		sink, done, err := w.webdav(ctx, p)
		if err != nil {
			return err
		}
		defer done()
		return work(ctx, w, engine.NewFiles(src, rules.File, rules.Name, sink, w.optionsFor(p, "files")), l)
	}}
}

// nameOfDrive asks what a drive is called. A drive that cannot be asked keeps the name that the state has; why is for its listing to say.
func (w *wiring) nameOfDrive(ctx context.Context, account, id string) string {
	name, err := w.provider.driveName(ctx, id)
	if err != nil {
		w.log.Debug("the drive's name is not known", "account", account, "error", err)
		return ""
	}
	w.board.Call(account, name)
	return name
}

func (w *wiring) webdav(ctx context.Context, p config.Account) (sinks.Sink[sinks.File], func(), error) {
	if w.pass.dryRun {
		return drily[sinks.File](w, p, "files"), func() {}, nil
	}
	o, err := w.webdavOptions(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	s, err := opened(ctx, w, "open files", func() (*webdav.Sink, error) { return webdav.Open(ctx, o) })
	if err != nil {
		return nil, nil, err
	}
	return s, func() { _ = s.Close() }, nil
}

func (w *wiring) webdavOptions(ctx context.Context, p config.Account) (webdav.Options, error) {
	user, password, err := w.login(ctx, p, "files")
	return webdav.Options{
		URL: config.UserURL(w.job.Target.Files.WebDAV, user), User: user, Password: password,
		Transport: w.transport, Meter: &w.target,
	}, err
}

func (w *wiring) mail(p config.Account) runner.Task {
	src := w.provider.mail(p.Source)
	rules := mapping.MailRules{Labels: w.job.Labels}
	return runner.Task{Collection: "mailbox", Name: "Mail", Work: func(ctx context.Context, l checkpoint.Ledger) error {
		sink, done, err := w.imap(ctx, p)
		if err != nil {
			return err
		}
		defer done()
		return work(ctx, w, engine.New(src, rules.Message, sink, w.optionsFor(p, "mail")), l)
	}}
}

func (w *wiring) imap(ctx context.Context, p config.Account) (sinks.Sink[sinks.Message], func(), error) {
	if w.pass.dryRun {
		return drily[sinks.Message](w, p, "mail"), func() {}, nil
	}
	o, err := w.imapOptions(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	s, err := opened(ctx, w, "open mail", func() (*imap.Sink, error) { return imap.Open(ctx, o) })
	if err != nil {
		return nil, nil, err
	}
	return s, func() { _ = s.Close() }, nil
}

func (w *wiring) imapOptions(ctx context.Context, p config.Account) (imap.Options, error) {
	t := w.job.Target.Mail
	o := imap.Options{URL: t.IMAP, TLS: httpx.TLS(w.roots), User: p.Login("mail").Target, Connections: t.Connections, Meter: &w.target, Memory: w.memory, Overrule: w.options().Conflicts == engine.SourceWins,
		Insecure: w.job.Insecure || config.IsLoopbackURL(t.IMAP)}
	var err error
	if m := t.Master; m != nil {
		var s secret.Secret
		if s, err = w.secrets.Resolve(ctx, m.Password); err != nil {
			err = fmt.Errorf("password of target.mail.master: %w", err)
		}
		o.Password, o.Master.User = s.Reveal(), m.User
		if m.Form == "separator" {
			o.Master.Separator = m.Separator
		}
	} else {
		_, o.Password, err = w.login(ctx, p, "mail")
	}
	return o, err
}

func (w *wiring) calendar(p config.Account, c sources.Collection) runner.Task {
	src := w.provider.calendar(p.Source, c.ID)
	rules := mapping.EventRules{Zone: c.TimeZone}
	return runner.Task{Collection: c.ID, Name: c.Name, Work: func(ctx context.Context, l checkpoint.Ledger) error {
		sink, done, err := w.caldav(ctx, p, c)
		if err != nil {
			return err
		}
		defer done()
		return work(ctx, w, engine.New(src, rules.Event, sink, w.optionsFor(p, "calendar")), l)
	}}
}

func (w *wiring) caldav(ctx context.Context, p config.Account, c sources.Collection) (sinks.Sink[sinks.Event], func(), error) {
	if w.pass.dryRun {
		return drily[sinks.Event](w, p, "calendar"), func() {}, nil
	}
	o, err := w.caldavOptions(ctx, p, "calendar")
	if err != nil {
		return nil, nil, err
	}
	o.Collection = sinks.Collection{ID: c.ID, Name: c.Name, Description: c.Description, Color: c.Color, TimeZone: c.TimeZone,
		Primary: c.Primary, Components: []string{"VEVENT"}}
	s, err := opened(ctx, w, "open a calendar", func() (*caldav.Sink, error) { return caldav.Open(ctx, o) })
	if err != nil {
		return nil, nil, err
	}
	return canaryFirst{s, w.canary}, func() { _ = s.Close() }, nil
}

// caldavOptions are those of an account in the home of its calendars, or in that of its tasks.
func (w *wiring) caldavOptions(ctx context.Context, p config.Account, kind string) (caldav.Options, error) {
	home := w.job.Target.Calendar
	if kind == "tasks" {
		home = w.job.Target.Tasks
	}
	user, password, err := w.login(ctx, p, kind)
	return caldav.Options{
		URL: config.UserURL(home.CalDAV, user), User: user, Password: password,
		RoundTripper: w.transport, Meter: &w.target,
	}, err
}
