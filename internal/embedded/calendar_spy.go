package embedded

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// spy records what a server with scheduling (RFC 6638) would have told guests.
type spy struct {
	sent    []string
	exposed []string
}

// Sent returns a line for each write that would have mailed somebody on a server
// that honours any one of the means against it: the object has an organizer or
// guests, one of them lacks SCHEDULE-AGENT=CLIENT, and the request had neither
// "X-NC-Scheduling: false" nor "Schedule-Reply: F".
func (s *Calendar) Sent() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.spy.sent)
}

// Exposed returns a line for each write of an object with an organizer or guests
// that lacked at least one of the three means, and so would have mailed somebody
// on a server that honours the others only. The line names what was lacking.
func (s *Calendar) Exposed() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.spy.exposed)
}

func (s *spy) watch(r *http.Request, p parsed) {
	people, agentMissing := scheduling(p.root)
	if !people {
		return
	}
	var lacking []string
	if agentMissing {
		lacking = append(lacking, "SCHEDULE-AGENT=CLIENT")
	}
	silencers := 0
	for name, value := range map[string]string{"X-NC-Scheduling": "false", "Schedule-Reply": "F"} {
		if strings.EqualFold(r.Header.Get(name), value) {
			silencers++
		} else {
			lacking = append(lacking, name)
		}
	}
	if len(lacking) == 0 {
		return
	}
	slices.Sort(lacking)
	s.exposed = append(s.exposed, fmt.Sprintf("%s %s lacks %s", r.Method, r.URL.Path, strings.Join(lacking, ", ")))
	if agentMissing && silencers == 0 {
		s.sent = append(s.sent, fmt.Sprintf("%s %s", r.Method, r.URL.Path))
	}
}

// scheduling says whether an object has an organizer or guests, and whether one
// of them is left to the server. SCHEDULE-AGENT=NONE is as good as CLIENT.
func scheduling(root *component) (people, agentMissing bool) {
	for _, child := range root.children {
		for _, line := range append(child.all("ORGANIZER"), child.all("ATTENDEE")...) {
			agent := strings.ToUpper(line.param("SCHEDULE-AGENT"))
			people = true
			agentMissing = agentMissing || agent != "CLIENT" && agent != "NONE"
		}
	}
	return people, agentMissing
}
