package embedded

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"
)

// session is one connection. It adds to the library's session the master user,
// special uses and care with literals that are cut.
type session struct {
	*imapmemserver.UserSession // nil before the login
	mail                       *Mail
	user                       *mailUser
}

var (
	_ imapserver.SessionIMAP4rev2 = (*session)(nil)
	_ imapserver.SessionSASL      = (*session)(nil)
)

// Login takes "user*master" for the master acting as the user.
func (s *session) Login(name, password string) error {
	user, master, found := strings.Cut(name, "*")
	if found {
		return s.login(user, master, password)
	}
	return s.login(name, name, password)
}

// login lets the user in if they or the master proved to be who they are.
func (s *session) login(user, prover, password string) error {
	u := s.mail.users[user]
	if u == nil {
		return imapserver.ErrAuthFailed
	}
	byUser := prover == user && password == u.password
	byMaster := prover == Master.Name && password == Master.Password
	if !byUser && !byMaster {
		return imapserver.ErrAuthFailed
	}
	s.user, s.UserSession = u, imapmemserver.NewUserSession(u.User)
	return nil
}

// AuthenticateMechanisms is part of imapserver.SessionSASL.
func (s *session) AuthenticateMechanisms() []string { return []string{sasl.Plain} }

// Authenticate is part of imapserver.SessionSASL: PLAIN, also with another
// user as authorization identity (RFC 4616).
func (s *session) Authenticate(mechanism string) (sasl.Server, error) {
	if mechanism != sasl.Plain {
		return nil, &imap.Error{Type: imap.StatusResponseTypeNo, Text: "mechanism not supported"}
	}
	return sasl.NewPlainServer(func(identity, name, password string) error {
		if identity == "" {
			return s.Login(name, password) // both names may stand in one here, too, as on Dovecot
		}
		return s.login(identity, name, password)
	}), nil
}

// Append stores the message only when all of it has arrived: the library takes
// the end of the connection for the end of the literal.
func (s *session) Append(mailbox string, r imap.LiteralReader, options *imap.AppendOptions) (*imap.AppendData, error) {
	body, err := io.ReadAll(r)
	if err == nil && int64(len(body)) != r.Size() {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = s.struck("APPEND")
	}
	if err != nil {
		return nil, err
	}
	return s.UserSession.Append(canonical(mailbox), literal{bytes.NewReader(body)}, options)
}

type literal struct{ *bytes.Reader }

// Size is part of imap.LiteralReader.
func (l literal) Size() int64 { return l.Reader.Size() }

// canonical: INBOX is one mailbox in any case (RFC 3501 §5.1).
func canonical(mailbox string) string {
	if strings.EqualFold(mailbox, "INBOX") {
		return "INBOX"
	}
	return mailbox
}

// Select is part of imapserver.Session.
func (s *session) Select(mailbox string, options *imap.SelectOptions) (*imap.SelectData, error) {
	if err := s.struck("SELECT"); err != nil {
		return nil, err
	}
	data, err := s.UserSession.Select(canonical(mailbox), options)
	if err != nil {
		return nil, err
	}
	// The backend names only the flags in use, which would say that others are not kept (RFC 9051 §7.1).
	for _, f := range []imap.Flag{imap.FlagSeen, imap.FlagAnswered, imap.FlagFlagged, imap.FlagDeleted, imap.FlagDraft} {
		if !slices.Contains(data.PermanentFlags, f) {
			data.PermanentFlags = append(data.PermanentFlags, f)
		}
	}
	return data, nil
}

// Status is part of imapserver.Session.
func (s *session) Status(mailbox string, options *imap.StatusOptions) (*imap.StatusData, error) {
	if err := s.struck("STATUS"); err != nil {
		return nil, err
	}
	return s.UserSession.Status(canonical(mailbox), options)
}

// Subscribe is part of imapserver.Session.
func (s *session) Subscribe(mailbox string) error { return s.subscribe(mailbox, true) }

// Unsubscribe is part of imapserver.Session.
func (s *session) Unsubscribe(mailbox string) error { return s.subscribe(mailbox, false) }

func (s *session) subscribe(mailbox string, subscribed bool) error {
	if err := s.struck("SUBSCRIBE"); err != nil {
		return err
	}
	return s.user.change(canonical(mailbox), func(box *boxInfo) { box.subscribed = subscribed })
}

// Copy is part of imapserver.Session.
func (s *session) Copy(set imap.NumSet, mailbox string) (*imap.CopyData, error) {
	if err := s.struck("COPY"); err != nil {
		return nil, err
	}
	return s.UserSession.Copy(set, canonical(mailbox))
}

// Move is part of imapserver.SessionMove.
func (s *session) Move(w *imapserver.MoveWriter, set imap.NumSet, mailbox string) error {
	if err := s.struck("MOVE"); err != nil {
		return err
	}
	return s.UserSession.Move(w, set, canonical(mailbox))
}

// Create keeps the special use, and creates the superior levels as RFC 3501
// §6.3.3 wants it.
func (s *session) Create(mailbox string, options *imap.CreateOptions) error {
	if err := s.struck("CREATE"); err != nil {
		return err
	}
	mailbox = strings.TrimRight(canonical(mailbox), "/")
	if mailbox == "" || strings.HasPrefix(mailbox, "/") || strings.Contains(mailbox, "//") {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeCannot, Text: "a level of the name is empty"}
	}
	for i, r := range mailbox {
		if r == '/' {
			_ = s.user.create(mailbox[:i], nil) // it may be there
		}
	}
	var use []imap.MailboxAttr
	if options != nil {
		use = options.SpecialUse
	}
	return s.user.create(mailbox, use)
}

// Delete is part of imapserver.Session.
func (s *session) Delete(mailbox string) error {
	if canonical(mailbox) == "INBOX" {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeCannot, Text: "INBOX stays"}
	}
	return s.user.remove(mailbox)
}

// Rename is part of imapserver.Session. Unlike RFC 3501 §6.3.5 demands, the
// mailboxes beneath keep their names.
func (s *session) Rename(from, to string, _ *imap.RenameOptions) error {
	return s.user.rename(from, to)
}

// List is part of imapserver.Session. The library's own knows no special use.
func (s *session) List(w *imapserver.ListWriter, ref string, patterns []string, options *imap.ListOptions) error {
	if len(patterns) == 0 {
		return s.UserSession.List(w, ref, patterns, options)
	}
	for _, data := range s.user.list(ref, patterns, options) {
		if options.ReturnStatus != nil {
			status, err := s.Status(data.Mailbox, options.ReturnStatus)
			if err != nil {
				return err
			}
			data.Status = status
		}
		if err := w.WriteList(&data); err != nil {
			return err
		}
	}
	return nil
}
