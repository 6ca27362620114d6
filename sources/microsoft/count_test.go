package microsoft

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/examples"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/sources"
)

// TestMailCount sums up the folders that are read: those within others too, without search folders. The deleted items, and what is beneath
// them, are told apart unless they are asked for.
func TestMailCount(t *testing.T) {
	m, c := newMailbox(t)
	m.folders["T"] = `{"id":"D","displayName":"Alt"}`
	for parent, list := range m.folders {
		list = strings.Replace(list, `"displayName":"Papierkorb"`, `"displayName":"Papierkorb","childFolderCount":1`, 1)
		for _, f := range [][2]string{{"I", "1000"}, {"P", "30"}, {"T", "7"}, {"D", "4"}, {"S", "500000"}} {
			list = strings.Replace(list, `"id":"`+f[0]+`"`, `"id":"`+f[0]+`","totalItemCount":`+f[1], 1)
		}
		m.folders[parent] = list
	}
	for _, row := range []struct {
		spamTrash bool
		apart     []sources.Apart
	}{{false, []sources.Apart{{What: "in deleted items", Total: 11}}}, {true, nil}} {
		got, err := Mail(c, "anna@contoso.test", MailOptions{SpamTrash: row.spamTrash}).(sources.Counter).Count(t.Context())
		if err != nil || got.By != "Exchange" || got.Total != 1041 || !slices.Equal(got.Apart, row.apart) {
			t.Errorf("with spam and trash %v: %+v, %v", row.spamTrash, got, err)
		}
	}
}

// TestMailWeight sums up what Exchange says of the folders that are read, in whatever form it names the property.
func TestMailWeight(t *testing.T) {
	m, c := newMailbox(t)
	sizes := []struct{ folder, id, value string }{
		{"I", "Long 0xe08", "5000000000"}, {"P", "long 0x0E08", "20"}, {"T", "Long 0xe08", "700"}, {"S", "Long 0xe08", "9"},
	}
	weigh := func() (sources.Weight, error) {
		return Mail(c, "anna@contoso.test", MailOptions{}).(sources.Weigher).Weigh(t.Context())
	}
	if _, err := weigh(); !errors.Is(err, sources.ErrNoWeight) {
		t.Errorf("no size is told: %v", err)
	}
	m.folders["P"] = `{"id":"P","displayName":"Projekte/2024","childFolderCount":1}` // a circle
	for parent, list := range m.folders {
		for _, s := range sizes {
			list = strings.Replace(list, `"id":"`+s.folder+`"`,
				`"id":"`+s.folder+`","singleValueExtendedProperties":[{"id":"Integer 0x1081","value":"3"},{"id":"`+s.id+`","value":"`+s.value+`"}]`, 1)
		}
		m.folders[parent] = list
	}
	if got, err := weigh(); err != nil || got != (sources.Weight{By: "Exchange", Bytes: 5000000020}) {
		t.Errorf("weight %+v, %v", got, err)
	}
}

// TestWeightOfASimulatedMailbox: what is asked for and answered is in Graph's own description, and nested folders are in the sum.
func TestWeightOfASimulatedMailbox(t *testing.T) {
	data, err := sim.LoadFS(examples.Organisation())
	must(t, err)
	p := &provider{data: data}
	p.serve(t, sim.Options{Strict: graphSchema(t), PageSize: 2})
	const anna = "anna.keller@example.org"
	var all int64
	for _, m := range data.Messages(anna) {
		all += m.Raw.Size()
	}
	got, err := Mail(p.client(t), anna, MailOptions{SpamTrash: true}).(sources.Weigher).Weigh(t.Context())
	if err != nil || all == 0 || got.Bytes != all {
		t.Errorf("%+v, %v; want %d bytes", got, err, all)
	}
	part, err := Mail(p.client(t), anna, MailOptions{}).(sources.Weigher).Weigh(t.Context())
	if err != nil || part.Bytes >= all || part.Bytes == 0 {
		t.Errorf("without junk and deleted items: %+v, %v", part, err)
	}
}
