package imap

import (
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/imap/wire"
)

// systemFlags are the flags of RFC 9051 §2.3.2 that a client may set.
var systemFlags = []string{`\Answered`, `\Deleted`, `\Draft`, `\Flagged`, `\Seen`}

// legalFlags returns the flags that can go over the wire, each once, and a loss for each of the others.
func legalFlags(in []string) (out []string, losses []sinks.Loss) {
	for _, f := range in {
		switch {
		case containsFold(out, f):
		case strings.HasPrefix(f, `\`) && containsFold(systemFlags, f), wire.IsAtom(f):
			out = append(out, f)
		default:
			losses = append(losses, keywordLost(f))
		}
	}
	return out, losses
}

func hasKeywords(flags []string) bool {
	return slices.ContainsFunc(flags, func(f string) bool { return !strings.HasPrefix(f, `\`) })
}

// permitted returns the flags that a mailbox keeps, by its PERMANENTFLAGS (RFC 9051 §7.1), and a loss for each other one.
func permitted(flags, permanent []string) (kept []string, losses []sinks.Loss) {
	for _, f := range flags {
		switch keyword := !strings.HasPrefix(f, `\`); {
		case len(permanent) == 0, containsFold(permanent, f), keyword && slices.Contains(permanent, `\*`):
			kept = append(kept, f)
		case keyword:
			losses = append(losses, keywordLost(f))
		default:
			losses = append(losses, sinks.Loss{Reason: "mail.flag_lost", Detail: f})
		}
	}
	return kept, losses
}

func keywordLost(keyword string) sinks.Loss {
	return sinks.Loss{Reason: "mail.keyword_lost", Detail: keyword}
}

// difference returns what has to be added to and deleted from the flags that a message has now, when the source's
// changed from base to want. What the user changed, and the source did not, stays as it is.
func difference(base, want, now []string) (add, del []string) {
	for _, f := range want {
		if !containsFold(base, f) && !containsFold(now, f) {
			add = append(add, f)
		}
	}
	for _, f := range base {
		if !containsFold(want, f) && containsFold(now, f) {
			del = append(del, f)
		}
	}
	return add, del
}

// sameFlags compares two sets. \Recent is the server's own affair.
func sameFlags(a, b []string) bool { return subset(a, b) && subset(b, a) }

func subset(a, b []string) bool {
	return !slices.ContainsFunc(a, func(f string) bool { return !strings.EqualFold(f, `\Recent`) && !containsFold(b, f) })
}

// intersect returns the flags of a that are in b too.
func intersect(a, b []string) []string {
	var out []string
	for _, f := range a {
		if containsFold(b, f) {
			out = append(out, f)
		}
	}
	return out
}

// containsFold: flags and keywords are the same in any case (RFC 9051 §2.3.2).
func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(e string) bool { return strings.EqualFold(e, s) })
}
