package webdav

import (
	"bytes"
	"encoding/xml"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// errNotFound is the cause of a 404 or 410 where that is an answer rather than a failure.
var errNotFound = errors.New("not found on the target")

// fault says what an answer means that is no success. Conditions and places that are already taken are the callers'
// affair before they ask.
func (c *client) fault(what string, a *answer) error {
	f := classify(a)
	f.Err = &statusError{what: what, status: a.status, detail: explanation(a.body, c.mask)}
	if f.Action == fault.Retry {
		f.After = httpx.RetryAfter(a.header, time.Now())
		c.meter.Throttle("WebDAV", time.Now(), f.After)
	}
	return f
}

func classify(a *answer) *fault.Error {
	switch a.status {
	case http.StatusUnauthorized:
		return &fault.Error{Action: fault.FailTask, Reason: fault.TargetAuth, Hint: "check the account's user and password on the target"}
	case http.StatusForbidden:
		return &fault.Error{Action: fault.FailItem, Reason: fault.TargetForbidden}
	case http.StatusNotFound, http.StatusGone, http.StatusConflict, http.StatusMethodNotAllowed:
		return &fault.Error{Action: fault.FailItem, Reason: fault.TargetConflict, Hint: "the folder that is to hold it is missing on the target, or something else has its name"}
	case http.StatusPreconditionFailed:
		return &fault.Error{Action: fault.FailItem, Reason: fault.TargetConflict}
	case http.StatusRequestEntityTooLarge:
		return &fault.Error{Action: fault.FailItem, Reason: fault.TargetTooBig}
	case http.StatusLocked:
		return &fault.Error{Action: fault.Retry, Reason: fault.TargetLocked}
	case http.StatusTooManyRequests:
		return &fault.Error{Action: fault.Retry, Reason: fault.TargetThrottled}
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return &fault.Error{Action: fault.Retry, Reason: fault.TargetUnavailable}
	case http.StatusInsufficientStorage:
		return &fault.Error{Action: fault.FailTask, Reason: fault.TargetQuota, Hint: "the account or the server is full: raise the quota or make room, and run again"}
	case http.StatusNotImplemented:
		return &fault.Error{Action: fault.FailItem, Reason: fault.TargetUnsupported}
	}
	return classifyByClass(a)
}

func classifyByClass(a *answer) *fault.Error {
	switch a.status / 100 {
	case 3:
		return &fault.Error{Action: fault.FailTask, Reason: fault.TargetBadAnswer, Hint: "the target redirects; write the final address into the job file"}
	case 4:
		return &fault.Error{Action: fault.FailItem, Reason: fault.TargetInvalid}
	case 5:
		if forbiddenName(a.body) {
			return &fault.Error{Action: fault.FailItem, Reason: fault.TargetInvalid}
		}
		return &fault.Error{Action: fault.Retry, Reason: fault.TargetUnavailable}
	default:
		return &fault.Error{Action: fault.Retry, Reason: fault.TargetBadAnswer}
	}
}

// forbiddenName recognises Nextcloud's 500 for names such as .htaccess: no repetition will change it.
func forbiddenName(body []byte) bool {
	return bytes.Contains(body, []byte(`OCP\Files\ForbiddenException`)) || bytes.Contains(body, []byte(`Exception\InvalidPath`))
}

// statusError is an answer as an error.
type statusError struct {
	what   string
	status int
	detail string
}

func (e *statusError) Error() string {
	var b strings.Builder
	b.WriteString(e.what)
	b.WriteString(": the target answered ")
	b.WriteString(statusText(e.status))
	if e.detail != "" {
		b.WriteString(": ")
		b.WriteString(e.detail)
	}
	return b.String()
}

func statusText(status int) string {
	text := http.StatusText(status)
	digits := string([]byte{byte('0' + status/100%10), byte('0' + status/10%10), byte('0' + status%10)})
	return strings.TrimSpace(digits + " " + text)
}

// explanation returns what a SabreDAV server says about an error, without secrets, cleaned and cut, or nothing. Other servers send pages
// for people, which say no more than the status.
func explanation(body []byte, mask httpx.Mask) string {
	var e struct {
		Message string `xml:"http://sabredav.org/ns message"`
	}
	if xml.Unmarshal(body, &e) != nil {
		return ""
	}
	clean := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(mask.Text(e.Message), ""))
	const most = 200
	if r := []rune(clean); len(r) > most {
		clean = string(r[:most]) + "…"
	}
	return strings.TrimSpace(clean)
}

func conflict(format string, args ...any) error {
	return fault.New(fault.FailItem, fault.TargetConflict, format, args...)
}
