package mapping

// The losses of events. Each is explained where reports list losses.
const (
	EventAdditionalGuests = "event.additional_guests" // a guest's number of further guests is kept, but not shown
	EventAmbiguousTime    = "event.ambiguous_time"    // a series begins in the hour that the clocks show twice; it is read as the first
	EventAttachmentLeft   = "event.attachment_left"   // large attachments that lie in the event at the provider stay behind
	EventAttachmentLink   = "event.attachment_link"   // attachments stay at the provider, as links
	EventAttendeeAddress  = "event.attendee_address"  // somebody without a usable address is shown by name alone
	EventAttendeesOmitted = "event.attendees_omitted" // the provider gave only a part of the guests
	EventColor            = "event.color"             // the colour became the nearest that has a name
	EventEmailReminder    = "event.email_reminder"    // a reminder by mail became one on the screen
	EventEndRepaired      = "event.end_repaired"      // the end was missing, before the start or equal to it
	EventEndUnspecified   = "event.end_unspecified"   // no end was set; the one that the provider made up stays
	EventExceptionDoubled = "event.exception_doubled" // of two changed occurrences in one place of a series the one changed last stays
	EventExceptionPlaced  = "event.exception_placed"  // a changed occurrence without a place in its series stands where it starts
	EventExclusionRule    = "event.exclusion_rule"    // a rule that takes occurrences away (EXRULE) is obsolete; some clients do not follow it
	EventGuestsHidden     = "event.guests_hidden"     // guests that could not see one another can
	EventKind             = "event.kind"              // the provider's kind of event is a category; what the provider did for it is gone
	EventLink             = "event.link"              // an address that no client may open is left out
	EventOrphanException  = "event.orphan_exception"  // the series of an occurrence is not visible to the account
	EventPeriod           = "event.period"            // an added occurrence of its own length has the length of the series
	EventRuleInvalid      = "event.rule_invalid"      // a line of the recurrence is not of RFC 5545 and is left out
	EventRuleRepaired     = "event.rule_repaired"     // a rule had both a count and an end; the end stays
	EventSeveralRules     = "event.several_rules"     // a series of several rules, of which many clients show the first
	EventUIDMade          = "event.uid_made"          // the provider gave no UID
	EventZoneUnknown      = "event.zone_unknown"      // a time zone that nobody knows became the calendar's
)
