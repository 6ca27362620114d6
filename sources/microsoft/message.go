package microsoft

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sources"
)

// lastVerb is the MAPI property that tells whether a message was answered or forwarded ([MS-OXOMSG] 2.2.1.4, PidTagLastVerbExecuted).
const lastVerb = "Integer 0x1081"

// messageQuery asks for what a message is made of, beside its MIME.
func messageQuery() url.Values {
	return url.Values{
		"$select": {"id,subject,parentFolderId,receivedDateTime,isRead,isDraft,importance,flag,categories,internetMessageId,changeKey,webLink"},
		"$expand": {"singleValueExtendedProperties($filter=id eq '" + lastVerb + "')"},
	}
}

// message is the part of Graph's message that is read (learn.microsoft.com/graph/api/resources/message).
type message struct {
	Removed    *struct{} `json:"@removed"`
	ID         string    `json:"id"`
	Subject    string    `json:"subject"`
	Folder     string    `json:"parentFolderId"`
	Received   string    `json:"receivedDateTime"`
	Read       bool      `json:"isRead"`
	Draft      bool      `json:"isDraft"`
	Importance string    `json:"importance"`
	Categories []string  `json:"categories"`
	MessageID  string    `json:"internetMessageId"`
	ChangeKey  string    `json:"changeKey"`
	WebLink    string    `json:"webLink"`
	Flag       struct {
		Status string `json:"flagStatus"`
	} `json:"flag"`
	Properties []extendedProperty `json:"singleValueExtendedProperties"`
}

// extendedProperty is a property of MAPI (learn.microsoft.com/graph/api/resources/singlevaluelegacyextendedproperty).
type extendedProperty struct {
	ID    string `json:"id"`
	Value string `json:"value"`
}

// is compares ids. Graph answers with the number in another form than it was asked for: "Long 0xe08" for "Long 0x0E08".
func (p extendedProperty) is(id string) bool {
	plain := func(id string) string { return strings.Replace(strings.ToLower(id), " 0x0", " 0x", 1) }
	return plain(p.ID) == plain(id)
}

// items converts the messages of a page; of several occurrences of one the last counts. A message that left a folder may have been
// moved to another one, which its folder's delta does not tell, so that it is asked for.
func (s *mailSource) items(ctx context.Context, answer []message) ([]sources.Item[sources.Message], error) {
	last := map[string]int{}
	for i, m := range answer {
		if m.ID == "" {
			return nil, fault.New(fault.Retry, fault.SourceBadAnswer, "%s: a message without an id", messageDelta)
		}
		last[m.ID] = i
	}
	var left []string
	var here []message
	for i, m := range answer {
		switch {
		case last[m.ID] != i:
		case m.Removed != nil:
			left = append(left, m.ID)
		default:
			here = append(here, m)
		}
	}
	moved, gone, err := s.leftFolder(ctx, left)
	if err != nil {
		return nil, err
	}
	here = append(here, moved...)
	tree, err := s.foldersOf(ctx, here)
	if err != nil {
		return nil, err
	}
	for _, m := range here {
		gone = append(gone, s.item(m, tree))
	}
	return gone, nil
}

// leftFolder returns what became of messages that are in a folder no longer: those that are elsewhere, and those that are gone.
func (s *mailSource) leftFolder(ctx context.Context, ids []string) (moved []message, gone []sources.Item[sources.Message], err error) {
	urls := make([]*url.URL, len(ids))
	for i, id := range ids {
		urls[i] = s.path(messageQuery(), "messages", id)
	}
	answers, err := s.client.batch(ctx, getMessage, s.user, mailHeader, urls)
	if err != nil {
		return nil, nil, err
	}
	for i, a := range answers {
		m := message{}
		switch err := a.decode(&m); {
		case err != nil && fault.Of(err).Reason == fault.SourceGone:
			gone = append(gone, sources.Item[sources.Message]{ID: ids[i], Deleted: true})
		case err != nil:
			return nil, nil, err
		default:
			m.ID = ids[i]
			moved = append(moved, m)
		}
	}
	return moved, gone, nil
}

// Fetch implements sources.Source.
func (s *mailSource) Fetch(ctx context.Context, id string) (sources.Item[sources.Message], error) {
	var none sources.Item[sources.Message]
	var m message
	err := s.client.get(ctx, call{method: getMessage, of: s.user, url: s.path(messageQuery(), "messages", id), header: mailHeader}, &m)
	if err != nil {
		return none, err
	}
	tree, err := s.foldersOf(ctx, []message{m})
	if err != nil {
		return none, err
	}
	m.ID = id
	i := s.item(m, tree)
	if i.Deleted {
		return none, fault.New(fault.Skip, fault.SourceDeleted, "in a folder that is left out: %w", sources.ErrGone)
	}
	return i, nil
}

// item converts a message. One in a folder that is not moved counts as deleted.
func (s *mailSource) item(m message, tree folders) sources.Item[sources.Message] {
	label, there := tree[m.Folder]
	if !there {
		return sources.Item[sources.Message]{ID: m.ID, Deleted: true}
	}
	i := sources.Item[sources.Message]{ID: m.ID, Title: httpx.OneLine(m.Subject), Link: webLink(m.WebLink)}
	i.Content = sources.Message{
		Labels: []sources.Label{label}, Received: timeOf(m.Received), Read: m.Read, Draft: m.Draft, Starred: m.Flag.Status == "flagged",
		Important: m.Importance == "high", Categories: m.Categories, MessageID: strings.Trim(m.MessageID, "<> "),
	}
	i.Content.Answered, i.Content.Forwarded = m.verbs()
	b := &mailBody{source: s, id: m.ID}
	i.Content.Body = sources.Body{Version: "message", Size: -1, Open: b.Open, Differs: b.how}
	if m.Draft { // the one kind of message that changes
		i.Content.Body.Version = "draft:" + m.ChangeKey
	}
	i.Version = digestOf(m.Received, m.Read, m.Draft, m.Flag.Status, m.Importance, m.Categories, label.Path, i.Content.Answered,
		i.Content.Forwarded, i.Content.Body.Version)
	return i
}

// verbs tells what the user did last with the message: 102 and 103 are answers, 104 is a forwarding.
func (m message) verbs() (answered, forwarded bool) {
	for _, p := range m.Properties {
		if p.is(lastVerb) {
			return p.Value == "102" || p.Value == "103", p.Value == "104"
		}
	}
	return false, false
}

// digestOf returns a short digest of texts, lists and flags.
func digestOf(parts ...any) string {
	raw, _ := json.Marshal(parts) // texts, lists of them and flags cannot fail
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}
