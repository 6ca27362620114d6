package google

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/sources"
)

// TestMailCount: the parts of Gmail's count are the listing and what is left out of it.
func TestMailCount(t *testing.T) {
	d := tenantData(t)
	mailbox(t, d, 23)
	for i, label := range []string{"SPAM", "SPAM", "TRASH", "CHAT", "DRAFT"} {
		added(t)(d.ImportMail(alice, mailOf(100+i), label))
	}
	c, server := simulated(t, d, sim.Options{})
	for _, spamTrash := range []bool{false, true} {
		s := Mail(c, alice, MailOptions{SpamTrash: spamTrash})
		items, _ := pass(t, s, "")
		before := server.Requests()
		got, err := s.(sources.Counter).Count(t.Context())
		must(t, err)
		want := sources.Count{By: "Gmail", Total: 28, Apart: []sources.Apart{{What: "of chats", Total: 1}}}
		if !spamTrash {
			want.Apart = append(want.Apart, sources.Apart{What: "in spam", Total: 2}, sources.Apart{What: "in trash", Total: 1})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("with spam and trash %v (-want +got):\n%s", spamTrash, diff)
		}
		listed := int64(len(items))
		for _, a := range got.Apart {
			listed += a.Total
		}
		if listed != got.Total {
			t.Errorf("with spam and trash %v: %d listed, %+v", spamTrash, len(items), got)
		}
		if asked := server.Requests() - before; asked > 4 {
			t.Errorf("it costs %d requests", asked)
		}
	}
}

func TestContactCount(t *testing.T) {
	d := tenantData(t)
	for i := range 7 {
		added(t)(d.AddContact(alice, fmt.Appendf(nil, `{"names":[{"givenName":"Ada %d"}]}`, i)))
	}
	added(t)(d.AddOtherContact(alice, []byte(`{"emailAddresses":[{"value":"ben@example.org"}]}`)))
	c, _ := simulated(t, d, sim.Options{PageSize: 3})
	for book, want := range map[string]int64{"contacts": 7, OtherContacts: 1} {
		got, err := Contacts(c, alice, book).(sources.Counter).Count(t.Context())
		must(t, err)
		if got.By != "People" || got.Total != want || len(got.Apart) > 0 {
			t.Errorf("%s: %+v", book, got)
		}
	}
}
