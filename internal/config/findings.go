package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Finding is something that is wrong with a file, or that is worth knowing of it.
type Finding struct {
	// Line is where it stands; 0 if it concerns the file as a whole.
	Line    int    `json:"line,omitempty"`
	Message string `json:"message"`
}

func (f Finding) String() string {
	if f.Line == 0 {
		return f.Message
	}
	return fmt.Sprintf("line %d: %s", f.Line, f.Message)
}

// maxFindings bounds what is said of one file: who has a thousand lines to repair has seen what is wrong.
const maxFindings = 1000

// findings collects what is wrong with a file.
type findings struct {
	path string
	// lines are those of the keys of a job file, by their whole names; nil for other files.
	lines map[string]int
	found []Finding
	more  int
}

// add adds a finding about the file as a whole, or about the key of it that the message begins with.
func (f *findings) add(format string, args ...any) {
	key, _, _ := strings.Cut(fmt.Sprintf(format, args...), ":")
	f.say(f.lines[key], format, args...)
}

func (f *findings) say(line int, format string, args ...any) {
	if len(f.found) == maxFindings {
		f.more++
		return
	}
	f.found = append(f.found, Finding{line, fmt.Sprintf(format, args...)})
}

// list returns all findings in the order of their lines.
func (f *findings) list() []Finding {
	slices.SortStableFunc(f.found, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
	if f.more > 0 {
		return append(f.found, Finding{Message: fmt.Sprintf("and %d more", f.more)})
	}
	return f.found
}

func (f *findings) err() error {
	var errs []error
	for _, found := range f.list() {
		errs = append(errs, fmt.Errorf("%s: %s", f.path, found))
	}
	return errors.Join(errs...)
}
