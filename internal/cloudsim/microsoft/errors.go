package microsoft

import (
	"fmt"
	"net/http"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// apiError is an error in the shape of Graph (learn.microsoft.com/graph/errors).
type apiError struct {
	status   int
	code     string
	inner    string // innerError.code, if any
	message  string
	after    time.Duration
	location string
	bare     bool // no body, as the front ends answer
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s: %s", e.status, e.code, e.message) }

func (e *apiError) body() object {
	inner := object{"date": "2026-01-01T00:00:00", "request-id": "00000000-0000-0000-0000-000000000000", "client-request-id": "00000000-0000-0000-0000-000000000000"}
	if e.inner != "" {
		inner["code"] = e.inner
	}
	return object{"error": object{"code": e.code, "message": e.message, "innerError": inner}}
}

func (e *apiError) header(h http.Header) {
	if e.after > 0 {
		h.Set("Retry-After", cloudsim.Seconds(e.after))
	}
	if e.location != "" {
		h.Set("Location", e.location)
	}
}

func writeError(w http.ResponseWriter, e *apiError) {
	e.header(w.Header())
	if e.bare {
		w.WriteHeader(e.status)
		return
	}
	writeJSON(w, e.status, encode(e.body()))
}

func errNotSimulated(what string) *apiError {
	return &apiError{status: 400, code: "BadRequest", message: "Not simulated: " + what}
}

func errBadRequest(format string, args ...any) *apiError {
	return &apiError{status: 400, code: "BadRequest", message: fmt.Sprintf(format, args...)}
}

func errItemNotFound() *apiError {
	return &apiError{status: 404, code: "itemNotFound", message: "The resource could not be found."}
}

// errOutlookNotFound is what Exchange says.
func errOutlookNotFound() *apiError {
	return &apiError{status: 404, code: "ErrorItemNotFound", message: "The specified object was not found in the store., The process failed to get the correct properties."}
}

// errSyncStateNotFound is what Exchange says to a delta token that has expired.
func errSyncStateNotFound() *apiError {
	return &apiError{status: 410, code: "SyncStateNotFound", message: "The sync state generation is not found; continue with a full sync."}
}

func errUserNotFound(name string) *apiError {
	return &apiError{status: 404, code: "Request_ResourceNotFound", message: "Resource '" + name + "' does not exist or one of its queried reference-property objects are not present."}
}

func errNoMailbox() *apiError {
	return &apiError{status: 404, code: "MailboxNotEnabledForRESTAPI", message: "The mailbox is either inactive, soft-deleted, or is hosted on-premise."}
}

func errUnauthorized(message string) *apiError {
	return &apiError{status: 401, code: "InvalidAuthenticationToken", message: message}
}

// refuse sends the error of a fault that is one. Within a batch every fault is: its connection cannot be cut by itself.
func refuse(w http.ResponseWriter, f cloudsim.Fault) bool {
	_, within := w.(*buffered)
	switch {
	case f.Status() != 0:
		writeError(w, faultAnswer(f))
	case within:
		writeError(w, &apiError{status: http.StatusBadGateway, bare: true})
	default:
		return false
	}
	return true
}

func faultAnswer(f cloudsim.Fault) *apiError {
	status := f.Status()
	e := &apiError{status: status, code: f.Reason, message: "Simulated fault.", after: f.RetryAfter}
	if e.code == "" {
		e.code = usualCode(status)
		e.bare = status == 502 || status == 503 || status == 504
	}
	return e
}

func usualCode(status int) string {
	switch status {
	case 401:
		return "InvalidAuthenticationToken"
	case 403:
		return "accessDenied"
	case 404:
		return "itemNotFound"
	case 410:
		return "resyncRequired"
	case 429:
		return "TooManyRequests"
	case 500:
		return "InternalServerError"
	}
	return "serviceNotAvailable"
}
