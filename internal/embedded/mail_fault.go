package embedded

import (
	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// Unavailable is the answer of a server that cannot serve for the moment (RFC 9051 §7.1).
func Unavailable() error {
	return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeUnavailable, Text: "try again later"}
}

// SetFault has fault asked before the server does what changes mailboxes or looks into them: APPEND, COPY, CREATE, EXPUNGE,
// FETCH, MOVE, SEARCH, SELECT, STATUS, STORE and SUBSCRIBE. With an error nothing is done, and the error is the answer. nil: no faults.
// fault is called by many connections at once.
func (m *Mail) SetFault(fault func(command string) error) {
	if fault == nil {
		m.fault.Store(nil)
		return
	}
	m.fault.Store(&fault)
}

// struck returns the fault that strikes a command.
func (s *session) struck(command string) error {
	if fault := s.mail.fault.Load(); fault != nil {
		return (*fault)(command)
	}
	return nil
}

// Store is part of imapserver.Session.
func (s *session) Store(w *imapserver.FetchWriter, set imap.NumSet, flags *imap.StoreFlags, options *imap.StoreOptions) error {
	if err := s.struck("STORE"); err != nil {
		return err
	}
	return s.UserSession.Store(w, set, flags, options)
}

// Fetch is part of imapserver.Session.
func (s *session) Fetch(w *imapserver.FetchWriter, set imap.NumSet, options *imap.FetchOptions) error {
	if err := s.struck("FETCH"); err != nil {
		return err
	}
	return s.UserSession.Fetch(w, set, options)
}

// Search is part of imapserver.Session.
func (s *session) Search(kind imapserver.NumKind, criteria *imap.SearchCriteria, options *imap.SearchOptions) (*imap.SearchData, error) {
	if err := s.struck("SEARCH"); err != nil {
		return nil, err
	}
	return s.UserSession.Search(kind, criteria, options)
}

// Expunge is part of imapserver.Session.
func (s *session) Expunge(w *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	if err := s.struck("EXPUNGE"); err != nil {
		return err
	}
	return s.UserSession.Expunge(w, uids)
}
