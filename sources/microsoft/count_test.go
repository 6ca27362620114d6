package microsoft

import (
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/sources"
)

// TestMailCount sums up the folders that are read: those within others too, and neither search folders nor, unless they are
// asked for, the deleted items.
func TestMailCount(t *testing.T) {
	m, c := newMailbox(t)
	for parent, list := range m.folders {
		for folder, total := range map[string]string{"I": "1000", "P": "30", "T": "7", "S": "500000"} {
			list = strings.Replace(list, `"id":"`+folder+`"`, `"id":"`+folder+`","totalItemCount":`+total, 1)
		}
		m.folders[parent] = list
	}
	for spamTrash, want := range map[bool]int64{false: 1030, true: 1037} {
		got, err := Mail(c, "anna@contoso.test", MailOptions{SpamTrash: spamTrash}).(sources.Counter).Count(t.Context())
		if err != nil || got.By != "Exchange" || got.Total != want || len(got.Apart) > 0 {
			t.Errorf("with spam and trash %v: %+v, %v", spamTrash, got, err)
		}
	}
}
