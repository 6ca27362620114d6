package cloudsim

import (
	"maps"
	"slices"
)

// Counts tells how often each method was called, by the names that the provider's package documents. Requests that got an error
// or a fault count too.
func (f *Front) Counts() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.counts)
}

// Requests is the number of all requests so far.
func (f *Front) Requests() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.total
}

// Refused is the number of requests that were above a quota.
func (f *Front) Refused() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refused
}

// Refuse counts a request as one that is above a quota.
func (f *Front) Refuse() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refused++
}

// ResetCounts starts counting anew.
func (f *Front) ResetCounts() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts, f.total, f.refused = map[string]int{}, 0, 0
}

// Problems lists what a client asked that the provider does not have or the simulator does not speak, and, when answers are
// checked, what is wrong with them. Tests should find it empty.
func (f *Front) Problems() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.problems)
}

const maxProblems = 1000

// Report adds to the problems.
func (f *Front) Report(problems ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.problems = append(f.problems, problems[:min(len(problems), maxProblems-len(f.problems))]...)
}

// Count notes a request and gives its number among those of the same name, from 1.
func (f *Front) Count(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.total++
	f.counts[name]++
	return f.counts[name]
}
