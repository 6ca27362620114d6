package sources

import (
	"iter"
	"time"
)

// Event is one event with all its recurrences: what RFC 5545 keeps in one resource.
type Event struct {
	// UID is the identifier by RFC 5545 that all copies of the event share.
	UID string
	// Master is the event itself; nil when only single occurrences of a series are visible to the account.
	Master *Occurrence
	// Exceptions are the occurrences that differ from the series, each with its OriginalStart.
	Exceptions []Occurrence
	// Cancelled are the original starts of the occurrences that do not take place.
	Cancelled []EventTime
}

// Occurrence is one component of an event: the master, or a changed occurrence.
type Occurrence struct {
	// ID is the provider's id of this component.
	ID string
	// OriginalStart is where the series would have placed an exception; zero in a master.
	OriginalStart EventTime
	Start, End    EventTime
	// EndUnspecified says that the provider invented End.
	EndUnspecified bool
	// Recurrence holds the lines RRULE, RDATE, EXDATE and EXRULE by RFC 5545, as the provider gives them.
	Recurrence []string
	// Days are those on which the series falls, as midnights in UTC and in order, by the words of a provider that does not write rules of
	// RFC 5545: what the source made of them is proven by it. nil where Recurrence is the provider's own.
	Days iter.Seq[time.Time] `json:"-"`

	Summary, Location string
	// Description may be HTML.
	Description string
	// Status is "confirmed", "tentative" or "cancelled".
	Status string
	// Visibility is "default", "public", "private" or "confidential".
	Visibility string
	// Free says that the event does not block time.
	Free bool
	// Busy says how an event shows that does: "tentative", "oof" (out of office) or "workingElsewhere"; anything else is busy.
	Busy string `json:",omitempty"`
	// Importance is "low" or "high"; anything else is normal.
	Importance string `json:",omitempty"`
	// Geo is where Location lies; nil where that is not known.
	Geo *Geo `json:",omitempty"`
	// Categories are the user's own words for the event.
	Categories []string `json:",omitempty"`
	// Type is the provider's kind of event: "default", "birthday", "focusTime", "outOfOffice", "workingLocation", "fromGmail".
	Type string
	// TypeDetail is what Type adds in plain words, such as the label of a working location.
	TypeDetail string

	Organizer *Attendee
	Attendees []Attendee
	// AttendeesOmitted says that the provider gave less than the whole list; GuestsHidden that guests may not see each other.
	AttendeesOmitted, GuestsHidden bool

	// Reminders are resolved: the calendar's defaults where the event uses them.
	Reminders []Reminder

	Created, Updated time.Time
	Sequence         int
	Color            string // #RRGGBB or empty
	Link             string // where the provider shows the event
	ConferenceLink   string
	ConferenceName   string
	// ConferenceWays are all ways into the conference, ConferenceLink among them where it needs a code. ConferenceNotes are what its
	// guests are told, perhaps in HTML.
	ConferenceWays  []ConferenceWay `json:",omitempty"`
	ConferenceNotes string          `json:",omitempty"`
	Attachments     []Attachment
	// SourceURL and SourceTitle are where the event was made from, as the provider knows it.
	SourceURL, SourceTitle string
}

// Floating is the Zone of a time that is to be read in whatever zone the reader is (RFC 5545 §3.3.5, form 1).
const Floating = "floating"

// EventTime is a date, or a time in a zone.
type EventTime struct {
	// Date is "2006-01-02" for a whole day, and empty for a time.
	Date string
	// Time is the instant, and Zone the IANA (or provider's) name of the zone in which it was set; empty: none is known.
	// With the Zone Floating the time belongs to no zone, and Time holds its wall clock as if it were UTC.
	Time time.Time
	Zone string
}

// IsZero reports whether nothing is set.
func (t EventTime) IsZero() bool { return t.Date == "" && t.Time.IsZero() }

// Geo is a point on the earth, in degrees north and east.
type Geo struct{ Latitude, Longitude float64 }

// ConferenceWay is a way into a conference.
type ConferenceWay struct {
	// Kind is "video", "phone", "sip" or "more", a page with further numbers.
	Kind string
	// URL is an address of the web, tel: or sip:.
	URL string
	// Label is what is shown for it, such as a number as people write it; it may be empty.
	Label string `json:",omitempty"`
	// Codes are what is to be typed, in words: "PIN: 12345".
	Codes []string `json:",omitempty"`
}

// Attendee is a guest, a room or the organizer.
type Attendee struct {
	Email, Name string
	// Response is "needsAction", "declined", "tentative" or "accepted".
	Response           string
	Optional, Resource bool
	// Self marks the account whose calendar this is; Organizer the organizer.
	Self, Organizer  bool
	AdditionalGuests int
	Comment          string
}

// Reminder rings or mails before the start.
type Reminder struct {
	// Method is "popup" or "email".
	Method string
	Before time.Duration
}

// Attachment is a file of an event. Without a URL it lies in the event at the provider.
type Attachment struct {
	URL, Title, MediaType string
	// Data is a small file itself; nil for one that the source did not read.
	Data []byte `json:",omitempty"`
}
