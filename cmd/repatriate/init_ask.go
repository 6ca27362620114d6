package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/secret"
)

// asker asks a question and returns what was typed, without blanks around it.
type asker func(ctx context.Context, question string) (string, error)

// terminal asks people.
type terminal struct {
	in  *bufio.Reader
	out io.Writer
}

func newTerminal(in io.Reader, out io.Writer) *terminal { return &terminal{bufio.NewReader(in), out} }

// ask returns early when ctx ends: whoever reads a terminal cannot be stopped otherwise.
func (t *terminal) ask(ctx context.Context, question string) (string, error) {
	fmt.Fprintf(t.out, "%s ", question)
	type answer struct {
		text string
		err  error
	}
	typed := make(chan answer, 1)
	go func() {
		text, err := t.in.ReadString('\n')
		typed <- answer{strings.TrimSpace(text), err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case a := <-typed:
		if errors.Is(a.err, io.EOF) && a.text != "" {
			a.err = nil
		}
		return a.text, a.err
	}
}

// question is what init has to know.
type question struct {
	flag, text string
	value      *string
	// usual is taken where nothing is said; optional means that there need be no answer.
	usual    string
	optional bool
	// check returns the answer in its usual form.
	check func(string) (string, error)
}

// questions returns those about the provider.
func (a *initAnswers) questions() []question {
	if a.provider == "google" {
		return []question{{flag: "admin", text: "Address of an administrator of the organisation:", value: &a.admin, check: checkAddress}}
	}
	return []question{
		{flag: "tenant", text: "The tenant's id or one of its domains:", value: &a.tenant, check: checkTenant},
		{flag: "client-id", text: "Id of the registered application (empty if there is none yet):", value: &a.clientID,
			optional: true, check: checkClientID},
	}
}

// targets returns the questions about what no Nextcloud stands for.
func (a *initAnswers) targets() []question {
	var questions []question
	for _, q := range []struct {
		question
		kinds []string
	}{
		{question{flag: "webdav", text: "WebDAV URL of a user's folder, with {user}:", value: &a.webdav, check: checkDAV}, []string{"files"}},
		{question{flag: "imap", text: "IMAP server, such as imaps://mail.example.org:993:", value: &a.imap, check: checkIMAP}, []string{"mail"}},
		{question{flag: "caldav", text: "CalDAV URL of a user's calendars, with {user}:", value: &a.dav, check: checkDAV}, []string{"calendar", "tasks"}},
		{question{flag: "carddav", text: "CardDAV URL of a user's address books, with {user}:", value: &a.carddav, check: checkDAV}, []string{"contacts"}},
	} {
		q.optional = a.nextcloud != "" && q.flag != "imap" || !slices.ContainsFunc(q.kinds, func(k string) bool { return slices.Contains(a.kinds, k) })
		questions = append(questions, q.question)
	}
	return questions
}

// answered asks for nothing where the flags have said enough: what is needed, and where each kind goes or which are not moved.
func (a *initAnswers) answered(ctx context.Context, ask asker) error {
	said := *a
	if said.complete(ctx, nil) == nil && (len(a.kinds) > 0 || len(said.kinds) == len(config.Kinds)) {
		*a = said
		return nil
	}
	return a.complete(ctx, ask)
}

// complete asks for what no flag has said; without an asker that is an error, which names the flags.
func (a *initAnswers) complete(ctx context.Context, ask asker) error {
	if !plainName.MatchString(a.job) {
		return fmt.Errorf("--job %q: take letters, digits, dots, hyphens and underscores, and begin with a letter or digit", a.job)
	}
	s := &session{ctx: ctx, ask: ask}
	s.put(question{flag: "provider", text: "From which provider, google or microsoft?", value: &a.provider, check: checkProvider})
	if slices.Contains(providers, a.provider) {
		s.put(a.questions()...)
	}
	nextcloud := question{flag: "nextcloud", text: "Address of the Nextcloud for files, calendars, contacts and tasks (empty if there is none):",
		value: &a.nextcloud, optional: true, check: checkNextcloud}
	s.put(nextcloud)
	a.putKinds(s)
	for _, q := range a.targets() {
		if !q.optional || *q.value != "" {
			s.put(q)
		}
	}
	a.checkFlags(s)
	return s.err()
}

// checkFlags looks at those that no question stands for.
func (a *initAnswers) checkFlags(s *session) {
	for _, f := range []struct{ flag, value, provider string }{
		{"admin", a.admin, "google"}, {"tenant", a.tenant, "microsoft"}, {"client-id", a.clientID, "microsoft"},
	} {
		if f.value != "" && slices.Contains(providers, a.provider) && f.provider != a.provider {
			s.errs = append(s.errs, fmt.Errorf("--%s: a job of %s has none", f.flag, a.provider))
		}
	}
	for _, f := range [][2]string{{"credentials", a.credentials}, {"secret", a.secret}} {
		if err := secret.Check(f[1]); err != nil {
			s.errs = append(s.errs, fmt.Errorf("--%s: %w", f[0], err))
		}
	}
}

// plainName is a name of a file or a domain that needs no escape anywhere.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$`)

// putKinds takes the kinds that flags name, or else those for which they name a target.
func (a *initAnswers) putKinds(s *session) {
	usual := strings.Join(a.reached(), ", ")
	if s.ask != nil {
		usual = cmp.Or(usual, strings.Join(config.Kinds, ", "))
		if a.nextcloud != "" && a.imap == "" {
			usual = strings.Join(config.Kinds, ", ") // the mail server is asked for next
		}
	}
	text := strings.Join(a.kinds, ", ")
	if text == "" && usual == "" && s.ask == nil {
		s.missing = append(s.missing, "--nextcloud or --imap, or another target")
		return
	}
	s.put(question{flag: "kind", text: "What to move?", value: &text, usual: usual, check: checkKinds})
	a.kinds = nil
	for _, k := range config.Kinds { // in their order
		if slices.Contains(strings.Split(text, ", "), k) {
			a.kinds = append(a.kinds, k)
		}
	}
}

// reached returns the kinds that have a target.
func (a *initAnswers) reached() []string {
	has := map[string]bool{
		"files": a.nextcloud+a.webdav != "", "mail": a.imap != "", "calendar": a.nextcloud+a.dav != "",
		"contacts": a.nextcloud+a.carddav != "", "tasks": a.nextcloud+a.dav != "",
	}
	return slices.DeleteFunc(slices.Clone(config.Kinds), func(k string) bool { return !has[k] })
}

// session gathers answers, and what is wrong with those that flags gave.
type session struct {
	ctx     context.Context
	ask     asker // nil: nobody can be asked
	missing []string
	errs    []error
}

func (s *session) put(questions ...question) {
	for _, q := range questions {
		switch err := error(nil); {
		case *q.value != "":
			if *q.value, err = q.check(*q.value); err != nil {
				s.errs = append(s.errs, fmt.Errorf("--%s: %w", q.flag, err))
			}
		case s.ask != nil && len(s.errs) == 0:
			if err := s.put1(q); err != nil {
				s.errs = append(s.errs, err)
			}
		case q.usual != "":
			*q.value = q.usual
		case !q.optional:
			s.missing = append(s.missing, "--"+q.flag)
		}
	}
}

// put1 asks until the answer can be used.
func (s *session) put1(q question) error {
	asked := q.text
	if q.usual != "" {
		asked += " [Enter: " + q.usual + "]"
	}
	text := asked
	for {
		typed, err := s.ask(s.ctx, text)
		if err != nil {
			return fmt.Errorf("no answer to %q: %w", q.text, err)
		}
		if typed = cmp.Or(typed, q.usual); typed == "" && q.optional {
			return nil
		}
		if typed == "" {
			text = fmt.Sprintf("An answer is needed; Ctrl-C leaves without writing anything.\n%s", q.text)
			continue
		}
		value, err := q.check(typed)
		if err == nil {
			*q.value = value
			return nil
		}
		text = fmt.Sprintf("%v.\n%s", err, asked)
	}
}

func (s *session) err() error {
	if len(s.missing) > 0 && s.ask == nil {
		s.errs = append(s.errs, fmt.Errorf("standard input is no terminal to ask at; add %s", strings.Join(s.missing, ", ")))
	}
	return errors.Join(s.errs...)
}

func checkProvider(s string) (string, error) {
	if s = strings.ToLower(s); !slices.Contains(providers, s) {
		return "", fmt.Errorf("%q is none of %s", s, strings.Join(providers, ", "))
	}
	return s, nil
}

func checkAddress(s string) (string, error) {
	if !config.IsAddress(s) {
		return "", fmt.Errorf("%q is no address like admin@example.org", s)
	}
	return s, nil
}

func checkTenant(s string) (string, error) {
	if !plainName.MatchString(s) {
		return "", fmt.Errorf("%q is neither a tenant's id nor a domain like example.org", s)
	}
	return s, nil
}

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func checkClientID(s string) (string, error) {
	if !guid.MatchString(s) {
		return "", fmt.Errorf("%q is no application id like 11111111-2222-3333-4444-555555555555", s)
	}
	return s, nil
}

func checkKinds(s string) (string, error) {
	kinds := strings.FieldsFunc(strings.ToLower(s), func(c rune) bool { return strings.ContainsRune(" ,;", c) })
	for _, k := range kinds {
		if !slices.Contains(config.Kinds, k) {
			return "", fmt.Errorf("there is no kind %q; the kinds are %s", k, strings.Join(config.Kinds, ", "))
		}
	}
	if len(kinds) == 0 {
		return "", fmt.Errorf("name at least one of %s", strings.Join(config.Kinds, ", "))
	}
	return strings.Join(kinds, ", "), nil
}

// checkNextcloud returns the root of a Nextcloud, also from an address that was copied out of a browser.
func checkNextcloud(s string) (string, error) {
	u, err := parseURL(s, "https", "http")
	if err != nil {
		return "", err
	}
	for _, below := range []string{"/remote.php", "/index.php", "/apps/", "/login", "/s/", "/settings/"} {
		u.Path, _, _ = strings.Cut(u.Path, below)
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}).String(), nil
}

func checkDAV(s string) (string, error) {
	if !strings.Contains(s, "{user}") {
		return "", fmt.Errorf("write {user} into %q where the account's name belongs: all accounts would become one otherwise", s)
	}
	_, err := parseURL(strings.ReplaceAll(s, "{user}", "user"), "https", "http")
	if err == nil && !strings.Contains(s, "://") {
		s = "https://" + s
	}
	return s, err
}

func checkIMAP(s string) (string, error) {
	u, err := parseURL(s, "imaps", "imap")
	if err != nil {
		return "", err
	}
	if u.Port() == "" {
		u.Host += map[string]string{"imaps": ":993", "imap": ":143"}[u.Scheme]
	}
	return u.Scheme + "://" + u.Host, nil
}

// parseURL takes the scheme secure where there is none, and the plain one to this machine alone, as the job file does.
func parseURL(s, secure, plain string) (*url.URL, error) {
	if !strings.Contains(s, "://") {
		s = secure + "://" + s
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "" || strings.ContainsAny(s, " \"<>\\"):
		return nil, fmt.Errorf("%q is no URL like %s://host", s, secure)
	case u.User != nil:
		return nil, errors.New("write no user or password into the URL; the accounts file names them")
	case u.Scheme == secure, u.Scheme == plain && config.IsLoopbackURL(s):
		return u, nil
	}
	return nil, fmt.Errorf("%q does not begin with %s://", s, secure)
}
