package fault

import "slices"

// The reasons. docs/reasons.md says of each what it means and what to do; a test holds the two together.
const (
	// Unknown is an error that nobody classified.
	Unknown Reason = "unknown"

	SourceThrottled     Reason = "source.throttled"      // a quota of the provider is used up for the moment
	SourceDailyLimit    Reason = "source.daily_limit"    // a quota of the day is used up
	SourceUnavailable   Reason = "source.unavailable"    // the provider answers 5xx, or not at all
	SourceBrokenBody    Reason = "source.broken_body"    // a download ended early or with another length than announced
	SourceHashMismatch  Reason = "source.hash_mismatch"  // the received bytes do not have the digest that the provider states
	SourceBadAnswer     Reason = "source.bad_answer"     // an answer that does not follow the provider's schema
	SourceAuth          Reason = "source.auth"           // no token can be had, or it is refused
	SourceScopeMissing  Reason = "source.scope_missing"  // a scope or permission was not granted to the application
	SourceForbidden     Reason = "source.forbidden"      // this item or account may not be read
	SourceServiceOff    Reason = "source.service_off"    // the account has no such service (no mailbox, no drive)
	SourceSuspended     Reason = "source.suspended"      // the account is suspended and cannot be read
	SourceAccountGone   Reason = "source.account_gone"   // the account does not exist
	SourceGone          Reason = "source.gone"           // the item vanished between listing and reading
	SourceDeleted       Reason = "source.deleted"        // the item was deleted or trashed at the source
	SourceUnreadable    Reason = "source.unreadable"     // the provider itself cannot read the item
	SourceMalware       Reason = "source.malware"        // the provider holds the item for malware or abuse
	SourceRestricted    Reason = "source.restricted"     // download is forbidden by the item's owner or a policy
	SourceEncrypted     Reason = "source.encrypted"      // encrypted at the client; the provider has no plain bytes
	SourceDownloadQuota Reason = "source.download_quota" // the provider's daily download cap of this one file is reached
	SourceNoExport      Reason = "source.no_export"      // a provider's own document type that cannot be exported
	SourceExportSize    Reason = "source.export_size"    // the document is too large for every way of export
	SourceNotOwned      Reason = "source.not_owned"      // belongs to another account and is moved with it
	SourceGenerated     Reason = "source.generated"      // made by the provider from other data, such as birthdays
	SourceLeftOut       Reason = "source.left_out"       // left out on purpose, such as spam or trash: counted, and not listed

	TargetThrottled    Reason = "target.throttled"     // the target answers 429 or asks to slow down
	TargetUnavailable  Reason = "target.unavailable"   // the target answers 5xx, or not at all
	TargetLocked       Reason = "target.locked"        // the resource is locked at the moment
	TargetAuth         Reason = "target.auth"          // login refused
	TargetForbidden    Reason = "target.forbidden"     // this write is not allowed
	TargetQuota        Reason = "target.quota"         // the account or the server is full
	TargetTooBig       Reason = "target.too_big"       // larger than the target takes
	TargetLimit        Reason = "target.limit"         // a count is exhausted: mailboxes, calendars
	TargetInvalid      Reason = "target.invalid"       // the target refuses the content or the name as invalid
	TargetConflict     Reason = "target.conflict"      // something else lies at the place, or the user changed it; it stays
	TargetUIDConflict  Reason = "target.uid_conflict"  // the target holds another object of the same UID
	TargetBadAnswer    Reason = "target.bad_answer"    // an answer that does not follow the protocol
	TargetUnsupported  Reason = "target.unsupported"   // the target lacks an ability that is needed
	TargetNoParent     Reason = "target.no_parent"     // the folder that is to hold the item could not be made
	TargetHashMismatch Reason = "target.hash_mismatch" // the target holds other bytes than were sent
	TargetHeard        Reason = "target.heard"         // the canary's guest heard of an import: the run refuses

	LocalDisk Reason = "local.disk" // no space or no access for temporary data on this machine

	MappingInvalid Reason = "mapping.invalid" // the item cannot be expressed at the target at all
)

// passing are the reasons that lie in the moment and not in the item.
var passing = []Reason{
	SourceThrottled, SourceUnavailable, SourceBrokenBody, SourceDownloadQuota,
	TargetThrottled, TargetUnavailable, TargetLocked,
	LocalDisk,
}

// Passes reports whether an item that failed for the reason is likely to succeed at another time, with nothing done to it: a side was
// away or busy, a quota used up, a disk full. The next run takes such items up by itself.
func (r Reason) Passes() bool { return slices.Contains(passing, r) }
