package mapping

// The losses of contacts. Each is explained where reports list losses.
const (
	ContactAddressInvalid = "contact.address_invalid" // a mail address that is none stands in the note
	ContactInNote         = "contact.in_note"         // what address books have no field for stands in the note
	ContactLabel          = "contact.label"           // a label of the user's own; few clients show it
	ContactDateInvalid    = "contact.date_invalid"    // a date that is none stands in the note
	ContactTruncated      = "contact.truncated"       // the provider gives no more than a part of the addresses or numbers
	ContactNameless       = "contact.nameless"        // a contact without a name is shown by what else it has
)
