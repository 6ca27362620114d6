package google

import (
	"maps"
	"slices"
)

// Counts tells how often each method was called, by names such as drive.files.list, drive.files.get (metadata),
// drive.files.get.media (content), drive.files.export, drive.exportLinks, gmail.messages.get, calendar.events.list,
// directory.users.list and token. Requests that got an error or a fault count too.
func (s *Server) Counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

// Requests is the number of all requests so far.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// ResetCounts starts counting anew.
func (s *Server) ResetCounts() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts, s.total = map[string]int{}, 0
}

// Problems lists what a client asked that Google does not have or the simulator does not speak, and, when answers are
// checked, what is wrong with them. Tests should find it empty.
func (s *Server) Problems() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.problems)
}

const maxProblems = 1000

func (s *Server) report(problems []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, problems[:min(len(problems), maxProblems-len(s.problems))]...)
}

// count notes a request and gives its number among those of the same name, from 1.
func (s *Server) count(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total++
	s.counts[name]++
	return s.counts[name]
}
