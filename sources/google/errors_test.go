package google

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"google.golang.org/api/googleapi"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sources"
)

// offline returns a client that nothing can be sent with.
func offline(t testing.TB, tier string) *Client {
	t.Helper()
	q, err := newQuota(Options{Tier: tier})
	must(t, err)
	c := &Client{key: serviceKey{clientID: "4711"}, quota: q, states: newUserStates()}
	c.sessions = newSessions(c)
	return c
}

// failure is what the official client makes of an error answer.
func failure(t testing.TB, code int, message string, reasons ...string) error {
	t.Helper()
	items := []map[string]string{}
	for _, r := range reasons {
		items = append(items, map[string]string{"reason": r, "message": message, "domain": "global"})
	}
	body, err := json.Marshal(map[string]any{"error": map[string]any{"code": code, "message": message, "errors": items}})
	must(t, err)
	return googleapi.CheckResponseWithBody(&http.Response{StatusCode: code, Header: http.Header{}}, body)
}

func TestErrorAnswersHaveAMeaning(t *testing.T) {
	const perUser = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service 'gmail.googleapis.com'"
	const perProject = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service 'gmail.googleapis.com'"
	for _, c := range []struct {
		api    api
		code   int
		reason string
		text   string
		action fault.Action
		want   fault.Reason
		limit  limitKind
		hint   string
	}{
		{driveAPI, 403, "userRateLimitExceeded", "", fault.Retry, fault.SourceThrottled, userLimit, ""},
		{driveAPI, 403, "rateLimitExceeded", "Rate Limit Exceeded", fault.Retry, fault.SourceThrottled, projectLimit, ""},
		{gmailAPI, 429, "rateLimitExceeded", perUser, fault.Retry, fault.SourceThrottled, userLimit, ""},
		{gmailAPI, 429, "rateLimitExceeded", perProject, fault.Retry, fault.SourceThrottled, projectLimit, ""},
		{gmailAPI, 429, "", "Too many concurrent requests for user.", fault.Retry, fault.SourceThrottled, userLimit, ""},
		{calendarAPI, 403, "quotaExceeded", "Calendar usage limits exceeded.", fault.Retry, fault.SourceThrottled, projectLimit, ""},
		{driveAPI, 403, "sharingRateLimitExceeded", "", fault.Retry, fault.SourceThrottled, userLimit, ""},
		{gmailAPI, 403, "dailyLimitExceeded", "", fault.FailTask, fault.SourceDailyLimit, dayLimit, "quota"},
		{driveAPI, 403, "downloadQuotaExceeded", "", fault.FailItem, fault.SourceDownloadQuota, noLimit, "hours"},
		{gmailAPI, 500, "internalError", "", fault.Retry, fault.SourceUnavailable, noLimit, ""},
		{gmailAPI, 502, "", "", fault.Retry, fault.SourceUnavailable, noLimit, ""},
		{gmailAPI, 503, "backendError", "", fault.Retry, fault.SourceUnavailable, noLimit, ""},
		{gmailAPI, 504, "", "", fault.Retry, fault.SourceUnavailable, noLimit, ""},
		{gmailAPI, 403, "backendError", "", fault.Retry, fault.SourceUnavailable, noLimit, ""},
		{driveAPI, 400, "transientError", "", fault.Retry, fault.SourceUnavailable, noLimit, ""},
		{gmailAPI, 401, "authError", "", fault.FailTask, fault.SourceAuth, noLimit, "key"},
		{gmailAPI, 403, "insufficientPermissions", "", fault.FailTask, fault.SourceScopeMissing, noLimit, "https://www.googleapis.com/auth/gmail.readonly to the client id 4711"},
		{calendarAPI, 403, "insufficientPermissions", "", fault.FailTask, fault.SourceScopeMissing, noLimit, "auth/calendar.readonly"},
		{driveAPI, 403, "accessNotConfigured", "", fault.FailTask, fault.SourceScopeMissing, noLimit, "enable the Google Drive API"},
		{driveAPI, 403, "insufficientFilePermissions", "", fault.FailItem, fault.SourceForbidden, noLimit, ""},
		{driveAPI, 403, "forbidden", "", fault.FailItem, fault.SourceForbidden, noLimit, ""},
		{driveAPI, 403, "appNotAuthorizedToFile", "", fault.FailItem, fault.SourceForbidden, noLimit, ""},
		{driveAPI, 403, "domainPolicy", "", fault.FailTask, fault.SourceServiceOff, noLimit, "Admin console"},
		{driveAPI, 403, "serviceNotAvailable", "", fault.FailTask, fault.SourceServiceOff, noLimit, "Admin console"},
		{gmailAPI, 400, "failedPrecondition", "Mail service not enabled", fault.FailTask, fault.SourceServiceOff, noLimit, "Admin console"},
		{calendarAPI, 403, "notACalendarUser", "", fault.FailTask, fault.SourceServiceOff, noLimit, "Admin console"},
		{driveAPI, 403, "exportSizeLimitExceeded", "", fault.FailItem, fault.SourceExportSize, noLimit, ""},
		{driveAPI, 403, "fileNotDownloadable", "", fault.Skip, fault.SourceNoExport, noLimit, ""},
		{driveAPI, 403, "cannotDownloadAbusiveFile", "", fault.Skip, fault.SourceMalware, noLimit, "acknowledge_abuse"},
		{driveAPI, 404, "notFound", "", fault.FailItem, fault.SourceGone, noLimit, ""},
		{calendarAPI, 410, "deleted", "", fault.FailItem, fault.SourceGone, noLimit, ""},
		{driveAPI, 400, "invalid", "", fault.Retry, fault.Unknown, noLimit, ""},
		{driveAPI, 418, "", "", fault.Retry, fault.Unknown, noLimit, ""},
	} {
		name := fmt.Sprintf("%s %d %s %s", services[c.api].name, c.code, c.reason, c.text)
		var reasons []string
		if c.reason != "" {
			reasons = []string{c.reason}
		}
		err := offline(t, "new").fail(t.Context(), alice, method{api: c.api, name: "x.get"}, failure(t, c.code, c.text, reasons...))
		f := fault.Of(err)
		var e *apiError
		if !errors.As(err, &e) {
			t.Errorf("%s: no answer in the chain of %v", name, err)
			continue
		}
		if f.Action != c.action || f.Reason != c.want || e.limit != c.limit || !strings.Contains(f.Hint, c.hint) || (c.hint == "") != (f.Hint == "") {
			t.Errorf("%s: got %v %s, limit %d, hint %q", name, f.Action, f.Reason, e.limit, f.Hint)
		}
		if statusOf(err) != c.code || c.reason != "" && !hasReason(err, c.reason) || hasReason(err, "other") {
			t.Errorf("%s: status %d and reasons %v", name, statusOf(err), e.reasons)
		}
		if gone := errors.Is(err, sources.ErrGone); gone != (c.code == 404 || c.code == 410) {
			t.Errorf("%s: gone is %v", name, gone)
		}
		if !strings.HasPrefix(err.Error(), services[c.api].name+" x.get: HTTP "+fmt.Sprint(c.code)) {
			t.Errorf("%s: text %q", name, err)
		}
	}
}

func TestErrorsOfTheNewerStyle(t *testing.T) {
	body := `{"error": {"code": 403, "message": "Request had insufficient authentication scopes.", "status": "PERMISSION_DENIED",
		"details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "domain": "googleapis.com"}]}}`
	// The official client leaves the body of a failed download as it is.
	for name, err := range map[string]error{
		"of a call":     googleapi.CheckResponseWithBody(&http.Response{StatusCode: 403}, []byte(body)),
		"of a download": googleapi.CheckMediaResponse(&http.Response{StatusCode: 403, Body: io.NopCloser(strings.NewReader(body))}),
	} {
		f := fault.Of(offline(t, "new").fail(t.Context(), alice, driveDownload, err))
		if f.Action != fault.FailTask || f.Reason != fault.SourceScopeMissing {
			t.Errorf("%s: got %v", name, f)
		}
	}
}

func TestErrorTextsAreBoundedAndOfOneLine(t *testing.T) {
	for name, body := range map[string]string{
		"HTML":    "<html>" + strings.Repeat("\x1b[31m spam\r\n", 10_000),
		"message": `{"error": {"code": 400, "message": "` + strings.Repeat(`\u001b[31m spam\r\n`, 10_000) + `"}}`,
		"reason":  `{"error": {"code": 400, "errors": [{"reason": "` + strings.Repeat(`\u009b spam\n`, 10_000) + `"}]}}`,
	} {
		err := googleapi.CheckResponseWithBody(&http.Response{StatusCode: 400}, []byte(body))
		text := offline(t, "new").fail(t.Context(), alice, driveDownload, err).Error()
		if len(text) > 1000 || strings.ContainsAny(text, "\x1b\u009b\r\n") {
			t.Errorf("%s: %d bytes: %.200q", name, len(text), text)
		}
	}
}

func TestErrorsThatAreNoAnswers(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	network := &url.Error{Op: "Get", URL: "https://example.org/x?access_token=secret", Err: &net.OpError{Op: "dial", Err: errors.New("refused")}}
	c := offline(t, "new")
	for name, tc := range map[string]struct {
		err    error
		reason fault.Reason
	}{
		"network":         {network, fault.SourceUnavailable},
		"cut":             {io.ErrUnexpectedEOF, fault.SourceUnavailable},
		"cut JSON":        {json.Unmarshal([]byte(`{"a":`), new(any)), fault.SourceUnavailable},
		"no JSON":         {json.Unmarshal([]byte("<html>"), new(any)), fault.SourceBadAnswer},
		"other types":     {json.Unmarshal([]byte(`{"code": "x"}`), new(googleapi.Error)), fault.SourceBadAnswer},
		"too long":        {&url.Error{Op: "Get", Err: httpx.ErrTooLong}, fault.SourceBadAnswer},
		"its own timeout": {context.DeadlineExceeded, fault.SourceUnavailable},
	} {
		f := fault.Of(c.fail(t.Context(), alice, gmailMessagesGet, tc.err))
		if f.Action != fault.Retry || f.Reason != tc.reason || strings.Contains(f.Error(), "secret") || f.Err == nil {
			t.Errorf("%s: got %v", name, f)
		}
		if err := c.fail(ended, alice, gmailMessagesGet, tc.err); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: got %v", name, err)
		}
	}
	known := fault.New(fault.Skip, fault.SourceMalware, "known")
	if got := c.fail(t.Context(), alice, gmailMessagesGet, &url.Error{Op: "Get", Err: known}); got != error(known) {
		t.Errorf("a fault became %v", got)
	}
	until := time.Now().Add(time.Hour)
	f := fault.Of(c.fail(t.Context(), alice, gmailMessagesGet, &httpx.ParkedError{Until: until}))
	if f.Action != fault.FailTask || f.Reason != fault.SourceDailyLimit || f.After < 59*time.Minute {
		t.Errorf("parked: got %v after %v", f, f.After)
	}
}

func TestRetryAfterInHeaderAndWords(t *testing.T) {
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	for _, c := range []struct {
		header, message string
		want            time.Duration
	}{
		{"", "User-rate limit exceeded.  Retry after 2026-05-04T03:03:01.500Z", 60500 * time.Millisecond},
		{"", "User-rate limit exceeded. Retry after 2026-05-04T03:03:01Z (Mail sending)", time.Minute},
		{"5", "Retry after 2026-05-04T03:03:01Z", 5 * time.Second},
		{"", "Retry after 2026-05-04T03:00:00Z", 0},
		{"", "Retry after 2036-05-04T03:00:00Z", 24 * time.Hour},
		{"", "Retry after lunch", 0},
		{"", "", 0},
	} {
		e := &googleapi.Error{Code: 429, Message: c.message, Header: http.Header{}}
		if c.header != "" {
			e.Header.Set("Retry-After", c.header)
		}
		if got := retryAfter(e, now); got != c.want {
			t.Errorf("%q, %q: got %v, want %v", c.header, c.message, got, c.want)
		}
	}
}

func TestTokenErrorsHaveAMeaning(t *testing.T) {
	for _, c := range []struct {
		status      int
		code, words string
		action      fault.Action
		want        fault.Reason
		hint        string
	}{
		{400, "invalid_grant", "Invalid email or User ID", fault.FailTask, fault.SourceAccountGone, "accounts file"},
		{400, "invalid_grant", "The account has been deleted", fault.FailTask, fault.SourceAccountGone, "accounts file"},
		{400, "invalid_grant", "Not a valid email", fault.FailTask, fault.SourceAccountGone, "accounts file"},
		{400, "access_denied", "Account restricted", fault.FailTask, fault.SourceForbidden, "restricted"},
		{401, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.",
			fault.FailTask, fault.SourceScopeMissing, "Domain-wide delegation, add the scope https://www.googleapis.com/auth/gmail.readonly to the client id 4711"},
		{403, "access_denied", "Requested client not authorized.", fault.FailTask, fault.SourceScopeMissing, "Domain-wide delegation"},
		{400, "invalid_scope", "Invalid OAuth scope", fault.FailTask, fault.SourceScopeMissing, "Domain-wide delegation"},
		{400, "invalid_grant", "Invalid JWT: No valid verifier found for issuer.", fault.FailTask, fault.SourceAuth, "new one"},
		{400, "invalid_grant", "Invalid JWT Signature.", fault.FailTask, fault.SourceAuth, "new one"},
		{400, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes)", fault.FailTask, fault.SourceAuth, "clock"},
		{400, "invalid_request", "", fault.FailTask, fault.SourceAuth, "key"},
		{429, "", "", fault.Retry, fault.SourceUnavailable, ""},
		{503, "", "", fault.Retry, fault.SourceUnavailable, ""},
	} {
		body, err := json.Marshal(map[string]string{"error": c.code, "error_description": c.words})
		must(t, err)
		f := fault.Of(offline(t, "new").tokenFault(t.Context(), alice, gmailAPI,
			&oauth2.RetrieveError{Response: &http.Response{StatusCode: c.status, Header: http.Header{"Retry-After": {"3"}}}, Body: body}))
		if f.Action != c.action || f.Reason != c.want || !strings.Contains(f.Hint, c.hint) {
			t.Errorf("%d %s %q: got %v", c.status, c.code, c.words, f)
		}
		if want := 3 * time.Second; f.Action == fault.Retry && f.After != want {
			t.Errorf("%d: pause %v, want %v", c.status, f.After, want)
		}
	}
	html := &oauth2.RetrieveError{Response: &http.Response{StatusCode: 404}, Body: []byte("<html>\x1b")}
	if f := fault.Of(offline(t, "new").tokenFault(t.Context(), alice, gmailAPI, html)); f.Reason != fault.SourceAuth || strings.Contains(f.Error(), "\x1b") {
		t.Errorf("HTML: got %q", f)
	}
}

// TestRefusalsCloseTheRightBudget sends through Client.do.
func TestRefusalsCloseTheRightBudget(t *testing.T) {
	c := offline(t, "unlimited")
	waits := func(user string) bool {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.quota.wait(ctx, user, gmailMessagesGet)
		return err != nil
	}
	refuse := func(user string, err error) *fault.Error {
		return fault.Of(c.do(t.Context(), user, gmailMessagesGet, func() error { return err }))
	}
	limited := failure(t, 403, "", "userRateLimitExceeded")
	limited.(*googleapi.Error).Header.Set("Retry-After", "60")
	if f := refuse(alice, limited); f.After < 59*time.Second || f.After > time.Minute {
		t.Errorf("pause %v, want 60s", f.After)
	}
	user, project := c.quota.users[gmailAPI], c.quota.project[gmailAPI]
	if err := waitNot(t, user.Get(bob), project); err != nil {
		t.Errorf("bob is held up by alice's refusal: %v", err)
	}
	if err := waitNot(t, user.Get(alice), project); err == nil {
		t.Error("alice's budget is open after a refusal")
	}
	if f := refuse(bob, failure(t, 403, "Rate Limit Exceeded", "rateLimitExceeded")); f.After < time.Second || f.After > 2*time.Second {
		t.Errorf("pause %v without Retry-After, want one to two seconds", f.After)
	}
	if err := waitNot(t, project); err == nil {
		t.Error("the project's budget is open after a refusal")
	}
	if !waits(bob) {
		t.Error("a cancelled wait gave no error")
	}
	if f := fault.Of(c.quota.refused(t.Context(), bob, gmailMessagesGet, time.Now(), c.fail(t.Context(), bob, gmailMessagesGet, failure(t, 403, "", "dailyLimitExceeded")))); f.After <= 0 || f.After > 24*time.Hour {
		t.Errorf("daily limit: pause %v", f.After)
	}
	err := c.do(t.Context(), bob, gmailMessagesGet, func() error { t.Error("sent in spite of the daily limit"); return nil })
	if f := fault.Of(err); f.Action != fault.FailTask || f.Reason != fault.SourceDailyLimit {
		t.Errorf("got %v", err)
	}
}

// waitNot takes from the scopes only if they are open now.
func waitNot(t *testing.T, scopes ...*httpx.Scope) error {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	return httpx.Wait(ctx, 1, scopes...)
}

func TestQuotaTiers(t *testing.T) {
	for tier, want := range map[string]float64{"": 20, "new": 20, "old": 5, "unlimited": 20} {
		c := offline(t, tier)
		if got := gmailMessagesGet.cost[c.quota.tier]; got != want {
			t.Errorf("tier %q: messages.get costs %v, want %v", tier, got, want)
		}
	}
	if _, err := newQuota(Options{Tier: "other"}); err == nil {
		t.Error("an unknown tier was taken")
	}
	for _, paid := range []bool{false, true} {
		q, err := newQuota(Options{Tier: "new", Paid: paid})
		must(t, err)
		q.received(2e12)
		if _, err := q.wait(t.Context(), alice, driveDownload); (err == nil) != paid {
			t.Errorf("paid %v: download after two terabytes: %v", paid, err)
		}
		if _, err := q.wait(t.Context(), alice, driveFilesList); err != nil {
			t.Errorf("paid %v: listing after two terabytes: %v", paid, err)
		}
	}
}
