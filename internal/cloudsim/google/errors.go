package google

import (
	"fmt"
	"net/http"
	"strings"
)

// apiError is an error in the shape of Google's JSON APIs.
// https://developers.google.com/workspace/drive/api/guides/handle-errors
type apiError struct {
	code     int
	reason   string // errors[0].reason
	domain   string // errors[0].domain; empty: global
	message  string
	location string // the query parameter at fault, if any
	after    string // Retry-After in seconds, if any
	people   bool   // in the shape of the People API, which has no errors[]
}

// Error gives what a log line needs.
func (e *apiError) Error() string {
	return fmt.Sprintf("%d %s: %s", e.code, e.reason, e.message)
}

// body renders the answer.
func (e *apiError) body() object {
	if e.people {
		return e.canonical()
	}
	domain := e.domain
	if domain == "" {
		domain = "global"
	}
	detail := object{{"message", e.message}, {"domain", domain}, {"reason", e.reason}}
	if e.location != "" {
		detail = append(detail, member{"location", e.location}, member{"locationType", "parameter"})
	}
	inner := object{{"code", e.code}, {"message", e.message}, {"errors", []object{detail}}}
	if status := canonicalStatus(e.code, e.reason); status != "" {
		inner = append(inner, member{"status", status})
	}
	return object{{"error", inner}}
}

// canonical renders the answer as an API with google.rpc.Status does.
// https://cloud.google.com/apis/design/errors#error_model
func (e *apiError) canonical() object {
	status := canonicalStatus(e.code, e.reason)
	if status == "" {
		status = "UNKNOWN"
	}
	inner := object{{"code", e.code}, {"message", e.message}, {"status", status}}
	if reason, domain := e.errorInfo(); reason != "" {
		inner = append(inner, member{"details", []object{{{"@type", "type.googleapis.com/google.rpc.ErrorInfo"}, {"reason", reason}, {"domain", domain}}}})
	}
	return object{{"error", inner}}
}

// errorInfo gives the reason and domain of google.rpc.ErrorInfo, and nothing for errors that have none.
func (e *apiError) errorInfo() (reason, domain string) {
	switch e.reason {
	case "authError":
		return "ACCESS_TOKEN_EXPIRED", "googleapis.com"
	case "insufficientPermissions":
		return "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "googleapis.com"
	case "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded":
		return "RATE_LIMIT_EXCEEDED", "googleapis.com"
	case "accessNotConfigured":
		return "SERVICE_DISABLED", "googleapis.com"
	case strings.ToUpper(e.reason):
		return e.reason, "people.googleapis.com"
	}
	return "", ""
}

// canonicalStatus is the name of google.rpc.Code that goes with an HTTP status.
// https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
func canonicalStatus(code int, reason string) string {
	switch code {
	case http.StatusBadRequest:
		if reason == "failedPrecondition" {
			return "FAILED_PRECONDITION"
		}
		return "INVALID_ARGUMENT"
	case http.StatusUnauthorized:
		return "UNAUTHENTICATED"
	case http.StatusForbidden:
		return "PERMISSION_DENIED"
	case http.StatusNotFound:
		return "NOT_FOUND"
	case http.StatusTooManyRequests:
		return "RESOURCE_EXHAUSTED"
	case http.StatusInternalServerError:
		return "INTERNAL"
	case http.StatusServiceUnavailable:
		return "UNAVAILABLE"
	}
	return ""
}

func errInvalid(location, format string, args ...any) *apiError {
	return &apiError{code: 400, reason: "invalid", message: fmt.Sprintf(format, args...), location: location}
}

func errForbidden(reason, message string) *apiError {
	return &apiError{code: 403, reason: reason, message: message}
}

func errFileNotFound(id string) *apiError {
	return &apiError{code: 404, reason: "notFound", message: "File not found: " + id + ".", location: "fileId"}
}

func errNotFound() *apiError {
	return &apiError{code: 404, reason: "notFound", message: "Requested entity was not found."}
}
