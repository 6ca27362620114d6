package carddav

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

// TestUIDConflictsOnServers: somebody else's card of the same UID stays as it is. It stands for the contact if it is the same person, and is
// in its way if not. Cyrus takes two cards of one UID, so that nothing is in the way there.
func TestUIDConflictsOnServers(t *testing.T) {
	embedded := startEmbedded(t)
	radicale := realserver.Radicale(t, realserver.RadicaleOptions{})
	cyrus := realserver.Cyrus(t, realserver.CyrusOptions{Accounts: realserver.Accounts{Count: 1}})
	for _, server := range []struct {
		name  string
		o     Options
		takes bool // a second card of one UID
	}{
		{"embedded", options(embedded.UserAddressBookURL("u1"), "u1"), false},
		{"Radicale", options(radicale.AddressBooksURL("u1"), "u1"), false},
		{"Cyrus", options(cyrus.AddressBooksURL(cyrus.User(1).User), cyrus.User(1).User), true},
	} {
		t.Run(server.name, func(t *testing.T) {
			s, err := Open(t.Context(), server.o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			w := witness{o: server.o, sink: s}
			for i, other := range []struct {
				name, old, changed, state string
				reason                    fault.Reason
			}{
				{"the same card", "", "", dav.Found, ""},
				{"with another note", "\nNOTE:", "\nNOTE:My ", dav.Kept, ""},
				{"somebody else", "\nFN:", "\nFN:The other ", "", fault.TargetUIDConflict},
			} {
				it := card("3.0", fmt.Sprint("uid", i), 1)
				at := s.AddressBook() + fmt.Sprint("theirs", i, ".vcf")
				theirs := bytes.Replace(it.Content.Data, []byte(other.old), []byte(other.changed), 1)
				if body, status := w.plain(t, http.MethodPut, at, theirs); status != http.StatusCreated {
					t.Fatalf("%d %s", status, body)
				}
				before, _ := w.plain(t, http.MethodGet, at, nil)
				out, err := s.Put(t.Context(), it, sinks.Receipt{})
				switch taken := new(sinks.TakenError); {
				case server.takes && (err != nil || out.Unchanged || out.Receipt.Location == at):
					t.Errorf("%s: a second card is not taken: %+v, %v", other.name, out, err)
				case server.takes:
				case other.reason == "" && (err != nil || out.Receipt.State != other.state || out.Receipt.Location != at):
					t.Errorf("%s: their card does not stand for the contact: %+v, %v", other.name, out, err)
				case other.reason != "" && (err == nil || fault.Of(err).Reason != other.reason || !errors.As(err, &taken) || taken.Location != at):
					t.Errorf("%s: %+v, %v", other.name, out, err)
				}
				if after, _ := w.plain(t, http.MethodGet, at, nil); !bytes.Equal(before, after) {
					t.Errorf("%s: their card is another one now:\n%s", other.name, after)
				}
			}
		})
	}
}
