package preflight

import (
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/fault"
)

// said is what was found out about one account, or about everybody. What is the same for several kinds stands there once.
type said struct {
	found  []*about
	logins map[string]*about
}

// about is a finding with the kinds that it concerns, in the order of their checks; none where it is not one of content.
type about struct {
	Finding
	kinds []string
}

func (a *about) concerns(kinds []string) {
	for _, k := range kinds {
		if !slices.Contains(a.kinds, k) {
			a.kinds = append(a.kinds, k)
		}
	}
}

// take notes what a check found.
func (s *said) take(c Check, l *Log) {
	for _, f := range l.found {
		f.Side = c.Side
		i := slices.IndexFunc(s.found, func(a *about) bool { return (len(a.kinds) > 0) == (len(c.kind()) > 0) && same(a.Finding, f) })
		if i < 0 {
			i = len(s.found)
			s.found = append(s.found, &about{Finding: f})
		}
		s.found[i].concerns(c.kind())
		if f.Reason == fault.TargetAuth && c.Login != "" {
			if s.logins == nil {
				s.logins = map[string]*about{}
			}
			s.logins[c.Login] = s.found[i]
		}
	}
}

// same reports whether two findings about different kinds say the same. Errors may begin with the request that met them.
func same(a, b Finding) bool {
	if a.Level == Error && b.Level == Error {
		a.What, b.What = withoutRequest(a.What), withoutRequest(b.What)
	}
	return a == b
}

func withoutRequest(what string) string {
	if _, said, ok := strings.Cut(what, ": "); ok {
		return said
	}
	return what
}

// refuses reports whether the check's login was refused already, and notes that this check's kinds are concerned, too.
func (s *said) refuses(c Check) bool {
	a, ok := s.logins[c.Login]
	if ok {
		a.concerns(c.kind())
	}
	return ok
}
