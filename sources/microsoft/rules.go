package microsoft

import (
	"net/http"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
)

// rule says what an error answer means. All that is set must match; the first rule that does counts.
type rule struct {
	status  int // zero: any
	codes   []string
	message string // part of the message, in lower case
	fault   fault.Error
}

func (r rule) matches(e *apiError) bool {
	return (r.status == 0 || r.status == e.status) &&
		(r.codes == nil || e.has(r.codes)) &&
		strings.Contains(strings.ToLower(e.message), r.message)
}

const (
	hintPermission = "grant the application permission %s in the tenant, with an administrator's consent; where access is limited to " +
		"some mailboxes or sites, include this one"
	hintNoMailbox = "the account has no Exchange Online mailbox; leave mail, calendar, contacts and tasks out for it"
	hintNoDrive   = "the account has no OneDrive; leave files out for it"
	hintDay       = "the collection goes on when the quota's next day begins"
	hintMoving    = "Microsoft is moving the mailbox; run again in some hours"
	hintLapsed    = "the tenant's subscription has lapsed"
	hintToken     = "check the application's registration and that the clock of this machine is right"
	hintLocked    = "a site is locked or archived; unlock it in the SharePoint admin centre"
)

// movingPause is when a mailbox that is being moved is worth another try.
const movingPause = time.Hour

func retry(r fault.Reason) fault.Error { return fault.Error{Action: fault.Retry, Reason: r} }

func item(r fault.Reason) fault.Error { return fault.Error{Action: fault.FailItem, Reason: r} }

func task(r fault.Reason, hint string) fault.Error {
	return fault.Error{Action: fault.FailTask, Reason: r, Hint: hint}
}

// rules are the meanings of Graph's errors: learn.microsoft.com/graph/errors, …/graph/throttling and
// learn.microsoft.com/onedrive/developer/rest-api/concepts/errors.
var rules = []rule{
	{status: http.StatusTooManyRequests, fault: retry(fault.SourceThrottled)},
	{status: 509, fault: retry(fault.SourceThrottled)},
	{codes: []string{"ApplicationThrottled", "activityLimitReached", "tooManyRequests"}, fault: retry(fault.SourceThrottled)},
	{codes: []string{"ErrorMailboxMoveInProgress", "ErrorMailboxStoreUnavailable"},
		fault: fault.Error{Action: fault.FailTask, Reason: fault.SourceUnavailable, Hint: hintMoving, After: movingPause}},

	{status: http.StatusUnauthorized, message: "unable to initialize rps", fault: retry(fault.SourceUnavailable)},
	{status: http.StatusUnauthorized, message: "subscription within the tenant has lapsed", fault: task(fault.SourceAuth, hintLapsed)},
	{status: http.StatusUnauthorized, fault: task(fault.SourceAuth, hintToken)},

	{codes: []string{"MailboxNotEnabledForRESTAPI", "ResourceNotFound"}, fault: task(fault.SourceServiceOff, hintNoMailbox)},
	{message: "mysite", fault: task(fault.SourceServiceOff, hintNoDrive)},
	{message: "tenant does not have a spo license", fault: task(fault.SourceServiceOff, hintNoDrive)},
	{codes: []string{"Request_ResourceNotFound", "ErrorInvalidUser"},
		fault: task(fault.SourceAccountGone, "check the address in the accounts file")},

	{codes: []string{"malwareDetected"}, fault: fault.Error{Action: fault.Skip, Reason: fault.SourceMalware}},
	{codes: []string{"Authorization_RequestDenied", "ErrorAccessDenied", "accessDenied"},
		fault: task(fault.SourceScopeMissing, hintPermission)},
	{codes: []string{"notAllowed", "resourceLocked"}, fault: task(fault.SourceForbidden, hintLocked)},
	{status: http.StatusLocked, fault: task(fault.SourceForbidden, hintLocked)},
	{codes: []string{"ErrorCorruptData", "ErrorInvalidRecipients", "ErrorCannotOpenFileAttachment"},
		fault: item(fault.SourceUnreadable)},

	{status: http.StatusNotFound, fault: item(fault.SourceGone)},
	{status: http.StatusGone, fault: item(fault.SourceGone)},
	{status: http.StatusForbidden, fault: item(fault.SourceForbidden)},
}
