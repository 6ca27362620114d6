package google

import (
	"context"
	"net/http"

	"google.golang.org/api/drive/v3"
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

// Weigh implements sources.Weigher for My Drive. Google tells of no shared drive what it takes.
func (s *driveSource) Weigh(ctx context.Context) (sources.Weight, error) {
	if s.driveID != "" {
		return sources.Weight{}, sources.ErrNoWeight
	}
	user, err := s.user(ctx)
	if err != nil {
		return sources.Weight{}, err
	}
	used, trash, err := s.client.driveUse(ctx, user)
	return sources.Weight{By: "Drive", Bytes: used - trash}, err
}

// driveUse returns how many bytes a user's files take, and how many of these lie in the trash
// (developers.google.com/workspace/drive/api/reference/rest/v3/about).
func (c *Client) driveUse(ctx context.Context, user string) (used, trash int64, err error) {
	err = as(ctx, c, user, driveAbout, c.drive, func(s *drive.Service) error {
		about, err := s.About.Get().Fields("storageQuota(usageInDrive,usageInDriveTrash)").Context(ctx).Do()
		if err == nil && about.StorageQuota != nil {
			used, trash = about.StorageQuota.UsageInDrive, about.StorageQuota.UsageInDriveTrash
		}
		return err
	})
	return used, trash, err
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
