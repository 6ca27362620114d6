package mapping

import "codeberg.org/repatriate/repatriate/sources"

// BodyLoss returns the reason for a body that differs in one of the ways of sources.Body, and nothing for one that does not.
func BodyLoss(how string) string {
	switch how {
	case sources.Rewritten:
		return FileRewritten
	case sources.Rebuilt:
		return MailRebuilt
	}
	return ""
}

// IsBodyLoss reports whether only reading a body can show a loss.
func IsBodyLoss(reason string) bool { return reason == FileRewritten || reason == MailRebuilt }
