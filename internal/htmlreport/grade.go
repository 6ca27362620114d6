package htmlreport

import (
	"maps"
	"slices"

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
	{D, "would be left behind", "Something that should be on the target is not: items failed, are still to come or cannot be read, a task stopped or was not listed to its end, or the numbers do not balance."},
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
		"event.rewritten", "event.kind", "event.color", "event.email_reminder", "event.attachment_link", "event.link",
		"event.attendees_omitted", "event.attendee_address", "event.additional_guests", "event.end_unspecified", "event.period",
		"event.orphan_exception",
		"contact.rewritten", "contact.nameless", "contact.in_note", "contact.label", "contact.address_invalid",
		"contact.date_invalid", "contact.photo_smaller", "contact.photo_left",
		"task.rewritten", "task.checklist", "task.link",
	},
	C: {
		"source.service_off", "source.malware", "source.no_export", "target.conflict", "target.uid_conflict",
		"file.conflict_renamed", "file.conflict_aside", "mail.rebuilt",
		"event.conflict_renamed", "event.conflict_aside", "event.zone_unknown", "event.ambiguous_time", "event.attachment_left",
		"event.guests_hidden", "event.end_repaired", "event.rule_invalid", "event.rule_repaired", "event.several_rules",
		"event.exclusion_rule", "event.exception_placed", "event.exception_doubled",
		"contact.conflict_renamed", "contact.conflict_aside", "task.conflict_renamed", "task.conflict_aside",
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

// taskVerdict grades one task by what the ledger counts of it.
func taskVerdict(t report.Task) verdict {
	v := verdict{}
	for _, p := range []struct {
		bad  bool
		text string
	}{
		{t.Error != "", "stopped"},
		{!t.Balanced, "does not balance"},
		{t.Failed > 0, "items failed"},
		{t.Pending > 0, "items still to come"},
		{!t.Complete, "not listed to the end"},
	} {
		if p.bad {
			v = v.worse(verdict{D, []string{p.text}})
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(t.Reasons)) {
		if g := Of(reason); t.Reasons[reason] > 0 && (g < D || t.Skipped > 0) {
			v = v.worse(verdict{g, []string{reason}})
		}
	}
	return v
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
