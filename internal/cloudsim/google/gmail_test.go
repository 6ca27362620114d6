package google_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"google.golang.org/api/gmail/v1"
)

func TestMailIsServedAsItIs(t *testing.T) {
	data := exampleData(t)
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, ben)
	messages := data.Messages(ben)
	if len(messages) != 13 {
		t.Fatalf("%d messages", len(messages))
	}
	for _, m := range messages {
		got, err := c.gmail.Users.Messages.Get("me", m.ID).Format("raw").Do()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := base64.URLEncoding.DecodeString(got.Raw)
		if err != nil {
			t.Fatal(err)
		}
		r, err := m.Raw.Open(0)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := io.ReadAll(r)
		r.Close()
		if !bytes.Equal(raw, want) || got.InternalDate != m.Date.UnixMilli() || !slices.Equal(got.LabelIds, m.Labels) {
			t.Errorf("message %s differs from what was loaded", m.ID)
		}
	}
}

func TestLabels(t *testing.T) {
	s, h := start(t, exampleData(t), sim.Options{})
	c := connect(t, s, h, anna)
	labels, err := c.gmail.Users.Labels.List("me").Do()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(labels.Labels, func(l *gmail.Label) bool { return l.Name == "Projects/Alpha" })
	if i < 0 || labels.Labels[i].Color.BackgroundColor != "#16a766" || labels.Labels[i].Type != "user" {
		t.Fatalf("label Projects/Alpha: %d", i)
	}
	one, err := c.gmail.Users.Labels.Get("me", labels.Labels[i].Id).Do()
	if err != nil || one.MessagesTotal != 1 {
		t.Errorf("label with counts: %v %+v", err, one)
	}
	_, err = c.gmail.Users.Labels.Get("me", "Label_99").Do()
	wantReason(t, err, 404, "notFound")
}

func TestMessagesList(t *testing.T) {
	s, h := start(t, exampleData(t), sim.Options{})
	c := connect(t, s, h, anna)
	count := func(list *gmail.UsersMessagesListCall) int {
		t.Helper()
		got, err := list.MaxResults(500).Do()
		if err != nil {
			t.Fatal(err)
		}
		return len(got.Messages)
	}
	list := c.gmail.Users.Messages.List
	for name, test := range map[string]struct{ got, want int }{
		"without spam and trash": {count(list("me")), 8},
		"with spam and trash":    {count(list("me").IncludeSpamTrash(true)), 10},
		"without chats":          {count(list("me").IncludeSpamTrash(true).Q("-is:chat")), 9},
		"two labels":             {count(list("me").LabelIds("INBOX", "UNREAD")), 2},
		"the trash":              {count(list("me").LabelIds("TRASH")), 1},
	} {
		if test.got != test.want {
			t.Errorf("%s: %d messages, want %d", name, test.got, test.want)
		}
	}
	m, err := c.gmail.Users.Messages.Get("me", mustList(t, c)[0]).Format("metadata").MetadataHeaders("subject").Do()
	if err != nil || len(m.Payload.Headers) != 1 || m.Payload.Headers[0].Value != "Sale" || !strings.HasPrefix(m.Snippet, "Everything") {
		t.Errorf("metadata: %v %+v", err, m)
	}
}

func mustList(t *testing.T, c clients) []string {
	t.Helper()
	list, err := c.gmail.Users.Messages.List("me").MaxResults(500).Do()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, m := range list.Messages {
		ids = append(ids, m.Id)
	}
	return ids
}

func TestHistory(t *testing.T) {
	data := exampleData(t)
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, anna)
	profile, err := c.gmail.Users.GetProfile("me").Do()
	if err != nil || profile.MessagesTotal != 10 {
		t.Fatalf("profile: %v %+v", err, profile)
	}
	ids := mustList(t, c)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(data.Relabel(anna, ids[0], []string{"STARRED", "Fresh"}, []string{"UNREAD", "SENT"}))
	must(data.Relabel(anna, ids[1], []string{"TRASH"}, []string{"INBOX"}))
	must(data.DeleteMessage(anna, ids[2]))
	added, err := data.ImportMail(anna, []byte("Subject: new\r\n\r\n"), "INBOX")
	must(err)
	if got, want := history(t, c, profile.HistoryId), []string{"labelAdded " + ids[0], "labelRemoved " + ids[0], "labelAdded " + ids[1],
		"deleted " + ids[2], "added " + added}; !slices.Equal(got, want) {
		t.Errorf("history %v, want %v", got, want)
	}
	after, err := c.gmail.Users.GetProfile("me").Do()
	must(err)
	if got := history(t, c, after.HistoryId); len(got) != 0 || after.HistoryId <= profile.HistoryId {
		t.Errorf("history after the last id: %v", got)
	}
	_, err = c.gmail.Users.Messages.Get("me", ids[2]).Format("raw").Do()
	wantReason(t, err, 404, "notFound")
	only, err := c.gmail.Users.History.List("me").StartHistoryId(profile.HistoryId).HistoryTypes("messageDeleted").Do()
	if err != nil || len(only.History) != 1 {
		t.Errorf("history of one type: %v", err)
	}
	data.ExpireHistory(anna)
	_, err = c.gmail.Users.History.List("me").StartHistoryId(after.HistoryId).Do()
	wantReason(t, err, 404, "notFound")
}

func history(t *testing.T, c clients, from uint64) []string {
	t.Helper()
	var out []string
	err := c.gmail.Users.History.List("me").StartHistoryId(from).MaxResults(2).Pages(t.Context(), func(l *gmail.ListHistoryResponse) error {
		for _, record := range l.History {
			for _, m := range record.MessagesAdded {
				out = append(out, "added "+m.Message.Id)
			}
			for _, m := range record.MessagesDeleted {
				out = append(out, "deleted "+m.Message.Id)
			}
			for _, m := range record.LabelsAdded {
				out = append(out, "labelAdded "+m.Message.Id)
			}
			for _, m := range record.LabelsRemoved {
				out = append(out, "labelRemoved "+m.Message.Id)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestMailboxesThatCannotBeRead(t *testing.T) {
	s, h := start(t, exampleData(t), sim.Options{})
	suspended := connect(t, s, h, david)
	ids := mustList(t, suspended)
	if len(ids) != 1 {
		t.Fatalf("a suspended user's mail is listed with %d messages, want 1", len(ids))
	}
	_, err := suspended.gmail.Users.Messages.Get("me", ids[0]).Format("raw").Do()
	wantReason(t, err, 403, "backendError")
	_, err = connect(t, s, h, eva).gmail.Users.GetProfile("me").Do()
	wantReason(t, err, 400, "failedPrecondition")
	_, err = connect(t, s, h, ben).gmail.Users.GetProfile(anna).Do()
	wantReason(t, err, 403, "forbidden")
}

func TestPaddingIsEscapedAtTimes(t *testing.T) {
	data := sim.NewData("example.org")
	if err := data.AddUser(sim.User{Email: ben}); err != nil {
		t.Fatal(err)
	}
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, ben)
	escaped, plain := 0, 0
	for i := range 4 {
		id, err := data.ImportMail(ben, fmt.Appendf(nil, "Date: Mon, 06 May 2024 08:12:00 +0200\r\nSubject: %d\r\n\r\nxx", i), "INBOX")
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.http.Get(h.URL + "/gmail/v1/users/me/messages/" + id + "?format=raw&fields=raw")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		escaped += strings.Count(string(body), `\u003d"}`)
		plain += strings.Count(string(body), `="}`)
	}
	if escaped != 2 || plain != 2 {
		t.Errorf("%d escaped and %d plain paddings, want 2 and 2", escaped, plain)
	}
}
