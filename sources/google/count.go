package google

import (
	"context"
	"net/http"

	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/people/v1"

	"codeberg.org/repatriate/repatriate/sources"
)

var gmailLabelsGet = method{gmailAPI, "labels.get", [2]float64{1, 1}, false}

// Count implements sources.Counter. Gmail counts all messages of the mailbox, whatever their labels are.
func (s *mailSource) Count(ctx context.Context) (sources.Count, error) {
	count := sources.Count{By: "Gmail"}
	err := s.do(ctx, gmailGetProfile, func(g *gmail.Service) error {
		profile, err := g.Users.GetProfile("me").Fields("messagesTotal").Context(ctx).Do()
		if err == nil {
			count.Total = profile.MessagesTotal
		}
		return err
	})
	if err != nil {
		return count, err
	}
	for _, label := range []struct{ id, what string }{{"CHAT", "of chats"}, {"SPAM", "in spam"}, {"TRASH", "in trash"}} {
		if !s.leftOut([]string{label.id}) {
			continue
		}
		n, err := s.labelled(ctx, label.id)
		if err != nil {
			return count, err
		}
		count.Apart = append(count.Apart, sources.Apart{What: label.what, Total: n})
	}
	return count, nil
}

// labelled returns how many messages have a label; a mailbox without the label has none.
func (s *mailSource) labelled(ctx context.Context, id string) (n int64, err error) {
	err = s.do(ctx, gmailLabelsGet, func(g *gmail.Service) error {
		label, err := g.Users.Labels.Get("me", id).Fields("messagesTotal").Context(ctx).Do()
		if err == nil {
			n = label.MessagesTotal
		}
		return err
	})
	if statusOf(err) == http.StatusNotFound {
		return 0, nil
	}
	return n, err
}

// Count implements sources.Counter.
func (s *contactSource) Count(ctx context.Context) (sources.Count, error) {
	count := sources.Count{By: "People"}
	if s.other {
		err := s.do(ctx, otherContactsList, func(svc *people.Service) error {
			answer, err := svc.OtherContacts.List().ReadMask("metadata").PageSize(1).Fields("totalSize").Context(ctx).Do()
			if err == nil {
				count.Total = answer.TotalSize
			}
			return err
		})
		return count, err
	}
	err := s.do(ctx, peopleConnectionsList, func(svc *people.Service) error {
		answer, err := svc.People.Connections.List("people/me").PersonFields("metadata").PageSize(1).Fields("totalItems").Context(ctx).Do()
		if err == nil {
			count.Total = answer.TotalItems
		}
		return err
	})
	return count, err
}
