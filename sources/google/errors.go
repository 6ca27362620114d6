package google

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"google.golang.org/api/googleapi"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sources"
)

// limitKind is the budget that an error belongs to.
type limitKind uint8

const (
	noLimit limitKind = iota
	userLimit
	projectLimit
	dayLimit
)

// apiError is an error answer of Google in bounded form. It counts as sources.ErrGone where the status is 404 or 410.
type apiError struct {
	op      string // such as "Gmail messages.get"
	code    int
	reasons []string
	message string
	limit   limitKind
	err     *googleapi.Error
}

func (e *apiError) Error() string {
	s := fmt.Sprintf("%s: HTTP %d", e.op, e.code)
	if len(e.reasons) > 0 {
		s += " " + httpx.OneLine(strings.Join(e.reasons, ", "))
	}
	if e.message != "" {
		s += ": " + e.message
	}
	return s
}

func (e *apiError) Unwrap() error { return e.err }

func (e *apiError) Is(target error) bool {
	return target == sources.ErrGone && (e.code == http.StatusNotFound || e.code == http.StatusGone)
}

// hasReason reports whether err is an answer of Google that holds one of the reasons, such as "exportSizeLimitExceeded".
func hasReason(err error, reasons ...string) bool {
	var e *apiError
	if !errors.As(err, &e) {
		return false
	}
	return slices.ContainsFunc(e.reasons, func(r string) bool { return slices.Contains(reasons, r) })
}

// rule says what an error answer means. All that is set must match; the first rule that does counts.
type rule struct {
	code    int // zero: any
	apis    []api
	reasons []string
	message string // part of the message, in lower case
	fault   fault.Error
	limit   limitKind
}

const (
	hintScope = "in the Admin console under Security → Access and data control → API controls → Domain-wide delegation, " +
		"add the scope %s to the client id %s; it may take some minutes to take effect: " + delegationURL
	hintAPI      = "enable the Google %s API in the service account's Cloud project: " + libraryURL + "%s"
	hintService  = "switch the service on for the user in the Admin console (Apps → Google Workspace), or leave the kind out for this account"
	hintDay      = "the collection goes on when the quota's next day begins; a higher quota can be asked for in the Cloud console"
	hintDownload = "Google limits how often one file is downloaded in a day; a run after some hours takes it up"
	hintAbuse    = "with acknowledge_abuse: true in the job file it is moved all the same, if the account owns it"
	hintToken    = "check that the service account and its key still exist in the Cloud console and that the clock of this machine is right"
)

// Where an administrator grants scopes, and where the owner of a Cloud project switches an API on.
const (
	delegationURL = "https://admin.google.com/ac/owl/domainwidedelegation"
	libraryURL    = "https://console.cloud.google.com/apis/library/"
)

// rules are the meanings of Google's errors: developers.google.com/workspace/drive/api/guides/handle-errors,
// …/gmail/api/guides/handle-errors and …/calendar/api/guides/errors.
var rules = []rule{
	{reasons: []string{"dailyLimitExceeded", "dailyLimitExceededUnreg"}, limit: dayLimit,
		fault: fault.Error{Action: fault.FailTask, Reason: fault.SourceDailyLimit, Hint: hintDay}},
	{reasons: []string{"downloadQuotaExceeded"},
		fault: fault.Error{Action: fault.FailItem, Reason: fault.SourceDownloadQuota, Hint: hintDownload}},
	{reasons: []string{"userRateLimitExceeded", "sharingRateLimitExceeded"}, limit: userLimit,
		fault: fault.Error{Action: fault.Retry, Reason: fault.SourceThrottled}},
	{reasons: []string{"rateLimitExceeded", "quotaExceeded", "RATE_LIMIT_EXCEEDED"}, message: "user", limit: userLimit,
		fault: fault.Error{Action: fault.Retry, Reason: fault.SourceThrottled}},
	{reasons: []string{"rateLimitExceeded", "quotaExceeded", "RATE_LIMIT_EXCEEDED"}, limit: projectLimit,
		fault: fault.Error{Action: fault.Retry, Reason: fault.SourceThrottled}},
	{code: http.StatusTooManyRequests, limit: userLimit,
		fault: fault.Error{Action: fault.Retry, Reason: fault.SourceThrottled}},

	{code: http.StatusUnauthorized,
		fault: fault.Error{Action: fault.FailTask, Reason: fault.SourceAuth, Hint: hintToken}},
	{reasons: []string{"accessNotConfigured", "SERVICE_DISABLED"},
		fault: fault.Error{Action: fault.FailTask, Reason: fault.SourceScopeMissing, Hint: hintAPI}},
	{reasons: []string{"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"},
		fault: fault.Error{Action: fault.FailTask, Reason: fault.SourceScopeMissing, Hint: hintScope}},
	{code: http.StatusBadRequest, apis: []api{gmailAPI}, reasons: []string{"failedPrecondition"},
		fault: fault.Error{Action: fault.FailTask, Reason: fault.SourceServiceOff, Hint: hintService}},
	{reasons: []string{"notACalendarUser", "domainPolicy", "serviceNotAvailable"},
		fault: fault.Error{Action: fault.FailTask, Reason: fault.SourceServiceOff, Hint: hintService}},

	{reasons: []string{"exportSizeLimitExceeded"},
		fault: fault.Error{Action: fault.FailItem, Reason: fault.SourceExportSize}},
	{reasons: []string{"fileNotDownloadable", "fileNotExportable"},
		fault: fault.Error{Action: fault.Skip, Reason: fault.SourceNoExport}},
	{reasons: []string{"cannotDownloadAbusiveFile"},
		fault: fault.Error{Action: fault.Skip, Reason: fault.SourceMalware, Hint: hintAbuse}},
	{reasons: []string{"cannotDownloadFile", "cannotExportFile"},
		fault: fault.Error{Action: fault.Skip, Reason: fault.SourceRestricted}},
	{code: http.StatusNotFound,
		fault: fault.Error{Action: fault.FailItem, Reason: fault.SourceGone}},
	{code: http.StatusGone,
		fault: fault.Error{Action: fault.FailItem, Reason: fault.SourceGone}},
	{reasons: []string{"backendError", "internalError", "transientError"},
		fault: fault.Error{Action: fault.Retry, Reason: fault.SourceUnavailable}},
	{code: http.StatusForbidden,
		fault: fault.Error{Action: fault.FailItem, Reason: fault.SourceForbidden}},
}

// fail returns err as the context's error or with a fault.Error. do calls it for what fn returns; bodies that are read later
// are for their reader to pass through it.
func (c *Client) fail(ctx context.Context, user string, m method, err error) error {
	op := services[m.api].name + " " + m.name
	var parked *httpx.ParkedError
	var f *fault.Error
	var answer *googleapi.Error
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", op, ctx.Err())
	case errors.As(err, &parked):
		return fault.New(fault.FailTask, fault.SourceDailyLimit, "%s: %w", op, err).WithAfter(time.Until(parked.Until)).WithHint(hintDay)
	case errors.As(err, &f):
		return f
	case errors.As(err, &answer):
		return c.classify(op, m, answer)
	}
	return transportFault(op, err)
}

// transportFault is the meaning of an error that is no answer of Google's.
func transportFault(op string, err error) *fault.Error {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	reason := fault.SourceUnavailable
	if why, do, ok := httpx.TLSTrouble(err, ""); ok {
		return fault.New(fault.FailTask, reason, "%s: %s", op, why).WithHint(do)
	}
	cut := errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &syntax) && strings.Contains(syntax.Error(), "unexpected end")
	if !cut && (errors.As(err, &syntax) || errors.As(err, &mismatch) || errors.Is(err, httpx.ErrTooLong)) {
		reason = fault.SourceBadAnswer
	}
	return fault.New(fault.Retry, reason, "%s: %w", op, httpx.Redact(err))
}

// classify returns the meaning of an error answer.
func (c *Client) classify(op string, m method, answer *googleapi.Error) *fault.Error {
	answer = parsed(answer)
	e := &apiError{op: op, code: answer.Code, reasons: reasonsOf(answer), message: httpx.OneLine(answer.Message), err: answer}
	f := fault.Error{Action: fault.Retry, Reason: fault.Unknown}
	if answer.Code >= 500 {
		f.Reason = fault.SourceUnavailable
	}
	if i := slices.IndexFunc(rules, func(r rule) bool { return r.matches(m.api, e) }); i >= 0 {
		f, e.limit = rules[i].fault, rules[i].limit
	}
	f.Err = e
	f.Hint = c.hint(f.Hint, m.api)
	f.After = retryAfter(answer, time.Now())
	// A 503 that names a pause speaks for the service, not for this request.
	if f.Reason == fault.SourceUnavailable && f.After > 0 {
		e.limit = projectLimit
	}
	return &f
}

func (c *Client) hint(hint string, a api) string {
	switch hint {
	case hintScope:
		return fmt.Sprintf(hint, services[a].scope, c.key.clientID)
	case hintAPI:
		return fmt.Sprintf(hint, services[a].name, services[a].id)
	}
	return hint
}

func (r rule) matches(a api, e *apiError) bool {
	return (r.code == 0 || r.code == e.code) &&
		(r.apis == nil || slices.Contains(r.apis, a)) &&
		(r.reasons == nil || slices.ContainsFunc(e.reasons, func(s string) bool { return slices.Contains(r.reasons, s) })) &&
		strings.Contains(strings.ToLower(e.message), r.message)
}

// parsed returns the answer with the fields that its body holds: the official client leaves those of a failed download in
// the body.
func parsed(e *googleapi.Error) *googleapi.Error {
	if len(e.Errors) > 0 || e.Message != "" || e.Body == "" {
		return e
	}
	var full *googleapi.Error
	err := googleapi.CheckResponseWithBody(&http.Response{StatusCode: e.Code, Header: e.Header}, []byte(e.Body))
	if errors.As(err, &full) && full.Code == e.Code {
		return full
	}
	return e
}

// maxReasons bounds what is kept of an answer.
const maxReasons = 8

// reasonsOf collects the reasons of both styles of Google's errors: the errors list and the details (google.rpc.ErrorInfo).
func reasonsOf(e *googleapi.Error) []string {
	var reasons []string
	add := func(r string) {
		if r != "" && len(reasons) < maxReasons && !slices.Contains(reasons, r) {
			reasons = append(reasons, httpx.OneLine(r))
		}
	}
	for _, item := range e.Errors {
		add(item.Reason)
	}
	for _, d := range e.Details {
		if m, ok := d.(map[string]any); ok {
			s, _ := m["reason"].(string)
			add(s)
		}
	}
	return reasons
}

// retryAfter returns the pause that an answer asks for, in its header or, as Gmail does it, in its words
// ("User-rate limit exceeded. Retry after 2026-05-04T03:02:01.000Z").
func retryAfter(e *googleapi.Error, now time.Time) time.Duration {
	if d := httpx.RetryAfter(e.Header, now); d > 0 {
		return d
	}
	_, rest, ok := strings.Cut(e.Message, "Retry after ")
	if !ok {
		return 0
	}
	word, _, _ := strings.Cut(rest, " ")
	t, err := time.Parse(time.RFC3339, strings.TrimSuffix(word, "."))
	if err != nil {
		return 0
	}
	return min(max(t.Sub(now), 0), 24*time.Hour)
}

// tokenRule says what an answer of the token endpoint means (RFC 6749 §5.2 and Google's descriptions).
type tokenRule struct {
	code        string
	description string // part of it, in lower case
	reason      fault.Reason
	hint        string
}

const (
	hintAccount = "check the address in the accounts file: it must be the primary address of an existing user"
	hintLocked  = "the account is blocked or restricted; restore it in the Admin console, or leave it out"
	hintKey     = "the key was deleted or belongs to another service account: make a new one in the Cloud console"
	hintClock   = "the clock of this machine is wrong"
)

var tokenRules = []tokenRule{
	{"invalid_grant", "invalid email or user id", fault.SourceAccountGone, hintAccount},
	{"invalid_grant", "account has been deleted", fault.SourceAccountGone, hintAccount},
	{"invalid_grant", "not a valid email", fault.SourceAccountGone, hintAccount},
	{"invalid_grant", "suspended", fault.SourceSuspended, hintLocked},
	{"invalid_grant", "disabled", fault.SourceSuspended, hintLocked},
	{"access_denied", "account restricted", fault.SourceForbidden, hintLocked},
	{"unauthorized_client", "", fault.SourceScopeMissing, hintScope},
	{"access_denied", "", fault.SourceScopeMissing, hintScope},
	{"invalid_scope", "", fault.SourceScopeMissing, hintScope},
	{"invalid_grant", "no valid verifier", fault.SourceAuth, hintKey},
	{"invalid_grant", "invalid jwt signature", fault.SourceAuth, hintKey},
	{"invalid_grant", "short-lived token", fault.SourceAuth, hintClock},
	{"", "", fault.SourceAuth, hintToken},
}

// tokenFault returns the meaning of a failed request for a token.
func (c *Client) tokenFault(ctx context.Context, user string, a api, err error) error {
	op := services[a].name + " token for " + httpx.OneLine(user)
	var answer *oauth2.RetrieveError
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", op, ctx.Err())
	}
	if !errors.As(err, &answer) || answer.Response == nil {
		if why, do, ok := httpx.TLSTrouble(err, c.key.tokenHost); ok {
			return fault.New(fault.FailTask, fault.SourceUnavailable, "%s: %s", op, why).WithHint(do)
		}
		return fault.New(fault.Retry, fault.SourceUnavailable, "%s: %s", op, httpx.OneLine(err.Error()))
	}
	status := answer.Response.StatusCode
	if status == http.StatusTooManyRequests || status >= 500 {
		after := httpx.RetryAfter(answer.Response.Header, time.Now())
		return fault.New(fault.Retry, fault.SourceUnavailable, "%s: HTTP %d", op, status).WithAfter(after)
	}
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(answer.Body, &body) // what is no JSON matches the last rule
	i := slices.IndexFunc(tokenRules, func(r tokenRule) bool {
		return (r.code == "" || r.code == body.Error) && strings.Contains(strings.ToLower(body.Description), r.description)
	})
	r := tokenRules[i]
	return fault.New(fault.FailTask, r.reason, "%s: HTTP %d %s: %s", op, status, httpx.OneLine(body.Error), httpx.OneLine(body.Description)).
		WithHint(c.hint(r.hint, a))
}
