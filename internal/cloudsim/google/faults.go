package google

import (
	"net/http"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// refuse sends the error of a fault that is one.
func refuse(w http.ResponseWriter, f cloudsim.Fault) bool { return refuseAs(w, f, false) }

// refuseAs is refuse, perhaps in the shape of the People API.
func refuseAs(w http.ResponseWriter, f cloudsim.Fault, people bool) bool {
	if f.Status() == 0 {
		return false
	}
	e := faultAnswer(f)
	e.people = people
	writeError(w, e)
	return true
}

func faultAnswer(f cloudsim.Fault) *apiError {
	code := f.Status()
	e := &apiError{code: code, reason: f.Reason, message: "Simulated fault."}
	if usual := usualReason(code); e.reason == "" {
		e.reason = usual
	}
	if strings.HasSuffix(e.reason, "LimitExceeded") || e.reason == "quotaExceeded" {
		e.domain = "usageLimits"
	}
	if f.RetryAfter > 0 {
		e.after = cloudsim.Seconds(f.RetryAfter)
	}
	return e
}

func usualReason(code int) string {
	switch code {
	case 401:
		return "authError"
	case 403:
		return "userRateLimitExceeded"
	case 404:
		return "notFound"
	case 410:
		return "updatedMinTooLongAgo"
	case 429:
		return "rateLimitExceeded"
	case 500:
		return "internalError"
	}
	return "backendError"
}
