package htmlreport

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/report"
)

// Grade says how much of an account came over, or how much a reason matters. A greater one is worse.
type Grade uint8

// The grades.
const (
	A Grade = iota // complete
	B              // small losses
	C              // losses that somebody should look at
	D              // something would be left behind
)

// String returns the letter.
func (g Grade) String() string { return string("ABCD"[min(g, D)]) }

// MarshalText writes the letter.
func (g Grade) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText reads the letter.
func (g *Grade) UnmarshalText(text []byte) (err error) {
	*g, err = ParseGrade(string(text))
	return err
}

// ParseGrade reads a letter.
func ParseGrade(letter string) (Grade, error) {
	i := strings.Index("ABCD", letter)
	if i < 0 || len(letter) != 1 {
		return D, fmt.Errorf("%q is none of the grades A, B, C, D", letter)
	}
	return Grade(i), nil //nolint:gosec // at most 3
}

// Rule says what a grade means, for people.
type Rule struct {
	Grade         Grade
	Name, Meaning string
}

// Rules are those of an account's grade; docs/reports.md has the same words.
var Rules = []Rule{
	{A, "complete", "Everything that belongs to the account is on the target, as it was. What is left out is gone at the source, made by the provider, or left out by the job file."},
	{B, "small losses", "Everything is on the target; some items have another name, or lack something that few people miss."},
	{C, "to be looked at", "Some items lack something, or stay at the provider on purpose, that somebody should look at before the provider's account ends."},
	{D, "would be left behind", "Something that should be on the target is not: items failed, are still to come or cannot be read, a collection stopped or was not listed to its end, or the numbers do not balance."},
}

// PlanRules say of the same grades what they mean before anything was moved; docs/plan.md has the same words.
var PlanRules = []Rule{
	{A, "complete", "Everything that belongs to the account would be on the target, as it is. What is left out is gone at the source, made by the provider, or left out by the job file."},
	{B, "small losses", "Everything would be on the target; some items would have another name, or lack something that few people miss."},
	{C, "to be looked at", "Some items would lack something, or stay at the provider on purpose, that somebody should look at first."},
	{D, "would be left behind", "Something that should be on the target would not be: items cannot be read or have failed, a collection stopped or was not listed to its end, the numbers do not balance, or what there is does not fit on the target."},
}

// Of returns how much the reason of a skipped or partly lost item matters. What failed is always a D. A reason that is not
// known is for somebody to look at.
func Of(reason string) Grade {
	if g, ok := grades[reason]; ok {
		return g
	}
	return C
}

// Known reports whether a reason has a grade of its own.
func Known(reason string) bool {
	_, ok := grades[reason]
	return ok
}

// grades holds every reason of docs/reasons.md.
var grades = func() map[string]Grade {
	all := make(map[string]Grade)
	for g, reasons := range byGrade {
		for _, r := range reasons {
			all[r] = Grade(g)
		}
	}
	return all
}()

// byGrade lists the reasons of each grade.
var byGrade = [...][]string{
	A: {
		"source.deleted", "source.gone", "source.generated", "source.left_out",
		"mail.line_endings", "mail.nul_removed", "event.uid_made", "event.kept", "contact.kept", "task.kept",
	},
	B: {
		"source.not_owned",
		"file.renamed", "file.converted", "file.shortcut", "file.rewritten", "file.orphan",
		"mail.label_as_keyword", "mail.mailbox_renamed", "mail.keyword_lost", "mail.flag_lost", "mail.date_changed",
		"mail.header_changed", "mail.conflict_reset",
		"event.rewritten", "event.category_comma", "event.kind", "event.color", "event.email_reminder", "event.attachment_link", "event.link",
		"event.attendees_omitted", "event.attendee_address", "event.additional_guests", "event.end_unspecified", "event.period",
		"event.orphan_exception",
		"contact.rewritten", "contact.category_comma", "contact.nameless", "contact.in_note", "contact.label", "contact.address_invalid",
		"contact.date_invalid", "contact.photo_smaller", "contact.photo_left",
		"task.rewritten", "task.category_comma", "task.checklist", "task.status", "task.link", "task.start",
	},
	C: {
		"source.service_off", "source.malware", "source.no_export", "target.conflict", "target.uid_conflict",
		"file.conflict_renamed", "file.conflict_aside", "mail.rebuilt",
		"event.conflict_renamed", "event.conflict_aside", "event.zone_unknown", "event.ambiguous_time", "event.attachment_left",
		"event.guests_hidden", "event.end_repaired", "event.rule_invalid", "event.rule_repaired", "event.several_rules",
		"event.exclusion_rule", "event.exception_placed", "event.exception_doubled",
		"contact.conflict_renamed", "contact.conflict_aside", "contact.truncated", "task.conflict_renamed", "task.conflict_aside",
		"task.attachment", "task.recurrence", "task.date_invalid",
	},
	D: {
		"source.throttled", "source.daily_limit", "source.unavailable", "source.broken_body", "source.hash_mismatch",
		"source.bad_answer", "source.auth", "source.scope_missing", "source.forbidden", "source.suspended",
		"source.account_gone", "source.unreadable", "source.restricted", "source.encrypted", "source.download_quota",
		"source.export_size",
		"target.throttled", "target.unavailable", "target.locked", "target.auth", "target.forbidden", "target.quota",
		"target.too_big", "target.limit", "target.invalid", "target.bad_answer", "target.unsupported", "target.no_parent",
		"target.hash_mismatch", "target.heard", "local.disk", "mapping.invalid", "unknown",
	},
}

// verdict is a grade and what it comes from.
type verdict struct {
	grade Grade
	// why are reasons or words of Why; the worst ones only.
	why []string
}

// Cause is one thing that counts for a grade.
type Cause struct {
	// Name is a reason, or words such as "items failed".
	Name  string `json:"cause"`
	Grade Grade  `json:"grade"`
	// Items is how many items have the reason; 0 if it is not about items.
	Items int64 `json:"items,omitempty"`
}

// Causes lists what counts for the grade of a task by what the ledger holds of it.
func Causes(t report.Task) []Cause {
	causes := words(t)
	for _, reason := range slices.Sorted(maps.Keys(t.Reasons)) {
		if n := t.Reasons[reason]; n > 0 && (Of(reason) < D || t.Skipped > 0) {
			causes = append(causes, Cause{reason, Of(reason), n})
		}
	}
	return causes
}

// PlannedCauses is Causes of a dry run: what is still to come is what a plan is about, and no fault of it. What failed has its reasons as
// well.
func PlannedCauses(t report.Task) []Cause {
	t.Pending = 0
	causes := words(t)
	for _, reason := range slices.Sorted(maps.Keys(t.Reasons)) {
		if n := t.Reasons[reason]; n > 0 {
			causes = append(causes, Cause{reason, Of(reason), n})
		}
	}
	return causes
}

// words are the causes that are not reasons of items.
func words(t report.Task) (causes []Cause) {
	for _, p := range []struct {
		bad   bool
		text  string
		items int64
	}{
		{t.Error != "", "stopped", 0},
		{!t.Balanced, "does not balance", 0},
		{t.Failed > 0, "items failed", t.Failed},
		{t.Pending > 0, "items still to come", t.Pending},
		{!t.Complete, "not listed to the end", 0},
	} {
		if p.bad {
			causes = append(causes, Cause{p.text, D, p.items})
		}
	}
	return causes
}

// Worst returns the worst grade among causes, and the names of those that have it.
func Worst(causes []Cause) (Grade, []string) {
	v := verdict{}
	for _, c := range causes {
		v = v.worse(verdict{c.Grade, []string{c.Name}})
	}
	return v.grade, v.why
}

// taskVerdict grades one task by what the ledger counts of it.
func taskVerdict(t report.Task) verdict {
	grade, why := Worst(Causes(t))
	return verdict{grade, why}
}

// worse returns the worse of two verdicts, and of two alike one with the causes of both.
func (v verdict) worse(w verdict) verdict {
	switch {
	case w.grade > v.grade:
		return w
	case w.grade < v.grade:
		return v
	}
	for _, why := range w.why {
		if !slices.Contains(v.why, why) {
			v.why = append(slices.Clone(v.why), why)
		}
	}
	return v
}
