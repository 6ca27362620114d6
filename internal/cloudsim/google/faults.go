package google

import (
	"strings"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// faultAnswer gives the error that is sent instead, and nil for a fault of another kind.
func faultAnswer(f cloudsim.Fault) *apiError {
	code := f.Status()
	if code == 0 {
		return nil
	}
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
