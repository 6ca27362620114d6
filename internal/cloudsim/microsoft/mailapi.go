package microsoft

import (
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"slices"
	"sort"
	"strconv"
	"strings"
)

func (c *call) mailFolder() (*folder, error) {
	if err := c.needMailbox(); err != nil {
		return nil, err
	}
	if f := c.user.mail.find(c.r.PathValue("folder")); f != nil {
		return f, nil
	}
	return nil, errOutlookNotFound()
}

// mailFolders answers mailFolders.list and childFolders (learn.microsoft.com/graph/api/user-list-mailfolders): those at the top, or
// those in a folder; hidden ones only on request.
func mailFolders(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	if err := c.needMailbox(); err != nil {
		return err
	}
	var parent *folder
	if c.r.PathValue("folder") != "" {
		var err error
		if parent, err = c.mailFolder(); err != nil {
			return err
		}
	}
	if expand := c.query.Get("$expand"); expand != "" && expand != expandedFolder {
		return errNotSimulated("$expand=" + expand)
	}
	var all []object
	for _, f := range c.user.mail.folders {
		if f.parent == parent && (!f.hidden || c.query.Get("includeHiddenFolders") == "true") {
			o := c.user.mail.folderJSON(f)
			o[extendedProperties] = []object{{"id": "Long 0xe08", "value": strconv.FormatInt(f.size(), 10)}}
			all = append(all, o)
		}
	}
	return c.listWith(all, "includeHiddenFolders")
}

func mailFolderGet(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	f, err := c.mailFolder()
	if err != nil {
		return err
	}
	return c.reply(c.user.mail.folderJSON(f).only(c.selected()))
}

func (m *mailbox) folderJSON(f *folder) object {
	children, unread := 0, 0
	for _, other := range m.folders {
		if other.parent == f {
			children++
		}
	}
	for _, msg := range f.messages {
		if msg.Unread {
			unread++
		}
	}
	parent := "AAMkADfolderRoot"
	if f.parent != nil {
		parent = f.parent.id
	}
	o := object{"id": f.id, "displayName": f.name, "parentFolderId": parent, "childFolderCount": children, "unreadItemCount": unread,
		"totalItemCount": len(f.messages), "isHidden": f.hidden}
	if f.search {
		o["@odata.type"] = "#microsoft.graph.mailSearchFolder"
	}
	return o
}

// expandedFolder is the one $expand that folders have here: how many bytes their messages take.
const expandedFolder = extendedProperties + "($filter=id eq 'Long 0x0E08')"

const extendedProperties = "singleValueExtendedProperties"

// size is what the messages take. Exchange keeps no MIME; here they take as much as that.
func (f *folder) size() (bytes int64) {
	for _, m := range f.messages {
		bytes += m.Raw.Size()
	}
	return bytes
}

// listWith is list for a method whose links keep one more parameter.
func (c *call) listWith(all []object, kept string) error {
	if c.query.Get("$skiptoken") != "" && c.query.Get(kept) != "" {
		return errBadRequest("%s does not go with a skip token", kept)
	}
	return c.list(all, 10, 250, extendedProperties)
}

// immutable reports whether the client asked for ids that survive a move. Whoever does not gets the others, and is reported: it would
// lose track of moved messages.
func (c *call) immutable() bool {
	asked := strings.Contains(strings.Join(c.r.Header.Values("Prefer"), ","), `IdType="ImmutableId"`)
	if !asked {
		c.Report(c.name + ": without Prefer: IdType=\"ImmutableId\"")
	}
	return asked
}

// maxPage reads odata.maxpagesize of the Prefer header.
func (c *call) maxPage(fallback, limit int) int {
	for _, value := range c.r.Header.Values("Prefer") {
		for part := range strings.SplitSeq(value, ",") {
			name, size, _ := strings.Cut(strings.TrimSpace(part), "=")
			if n, err := strconv.Atoi(size); strings.EqualFold(name, "odata.maxpagesize") && err == nil && n > 0 {
				return c.cap(min(n, limit))
			}
		}
	}
	return c.cap(fallback)
}

// expanded is the one $expand that messages have here.
const expanded = extendedProperties + "($filter=id eq 'Integer 0x1081')"

// withExpanded adds what is expanded to what is selected.
func withExpanded(selected, expand string) string {
	if name, _, _ := strings.Cut(expand, "("); selected != "" && name != "" {
		return selected + "," + name
	}
	return selected
}

// messageDelta answers message.delta of a folder (learn.microsoft.com/graph/api/message-delta): its messages as they came, and then
// what was changed since the first page.
func messageDelta(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	f, err := c.mailFolder()
	if err != nil {
		return err
	}
	immutable := c.immutable()
	p := page{Of: f.id, Until: len(f.log), Select: c.selected(), Expand: c.query.Get("$expand")}
	if p.Expand != "" && p.Expand != expanded {
		return errNotSimulated("$expand=" + p.Expand)
	}
	if token := c.query.Get("$skiptoken") + c.query.Get("$deltatoken"); token != "" {
		ok := false
		if p, ok = c.place(token); !ok || p.Of != f.id || p.Change && p.From < f.oldest || !p.Change && p.Until < f.oldest {
			return errSyncStateNotFound()
		}
	}
	size := c.maxPage(10, 1000)
	answer := object{"@odata.context": c.host() + "/v1.0/$metadata#Collection(message)"}
	if p.Change {
		c.mailChanges(f, p, size, immutable, answer)
	} else {
		c.mailListing(f, p, size, immutable, answer)
	}
	return c.reply(answer)
}

// mailListing goes on after the message that arrived as number p.From.
func (c *call) mailListing(f *folder, p page, size int, immutable bool, answer object) {
	values := []object{}
	next := p
	more := false
	first := sort.Search(len(f.messages), func(i int) bool { return f.messages[i].arrival > p.From })
	for _, m := range f.messages[first:] {
		if more = len(values) == size; more {
			break
		}
		values = append(values, m.json(immutable, p.Expand).only(withExpanded(p.Select, p.Expand), "internetMessageHeaders"))
		next.From = m.arrival
	}
	answer["value"] = values
	if more {
		answer["@odata.nextLink"] = c.link("$skiptoken", c.token(next))
		return
	}
	next.From, next.Until, next.Change = p.Until, 0, true
	answer["@odata.deltaLink"] = c.link("$deltatoken", c.token(next))
}

func (c *call) mailChanges(f *folder, p page, size int, immutable bool, answer object) {
	values := []object{}
	to := min(p.From+size, len(f.log))
	for _, change := range f.log[p.From:to] {
		m := change.message
		switch {
		case m == nil:
		case change.left:
			values = append(values, object{"id": m.immutable, "@removed": object{"reason": "deleted"}})
		case m.folder == f:
			values = append(values, m.json(immutable, p.Expand).only(withExpanded(p.Select, p.Expand), "internetMessageHeaders"))
		}
	}
	answer["value"] = values
	next := p
	next.From = to
	if to < len(f.log) {
		answer["@odata.nextLink"] = c.link("$skiptoken", c.token(next))
		return
	}
	answer["@odata.deltaLink"] = c.link("$deltatoken", c.token(next))
}

func (c *call) message() (*message, error) {
	if err := c.needMailbox(); err != nil {
		return nil, err
	}
	if m := c.user.mail.byID[c.r.PathValue("message")]; m != nil {
		return m, nil
	}
	return nil, errOutlookNotFound()
}

func messageGet(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	m, err := c.message()
	if err != nil {
		return err
	}
	expand := c.query.Get("$expand")
	if expand != "" && expand != expanded {
		return errNotSimulated("$expand=" + expand)
	}
	return c.reply(m.json(c.immutable(), expand).only(withExpanded(c.selected(), expand), "internetMessageHeaders"))
}

// json renders a message (learn.microsoft.com/graph/api/resources/message).
func (m *message) json(immutable bool, expand string) object {
	id := m.plain()
	if immutable {
		id = m.immutable
	}
	key := fmt.Sprintf("CQAAABYAAA%08d", m.change)
	flag, importance := "notFlagged", "normal"
	if m.Flagged {
		flag = "flagged"
	}
	if m.Important {
		importance = "high"
	}
	categories := m.Categories
	if categories == nil {
		categories = []string{}
	}
	o := object{"@odata.etag": `W/"` + key + `"`, "id": id, "changeKey": key, "subject": decoded(m.head.Get("Subject")), "parentFolderId": m.folder.id,
		"receivedDateTime": stamp(m.Received), "isRead": !m.Unread, "isDraft": m.Draft, "importance": importance, "categories": categories,
		"flag": object{"flagStatus": flag}, "internetMessageId": m.head.Get("Message-Id"), "webLink": "https://outlook.example/owa/?ItemID=" + m.immutable,
		"from": senderOf(m.head.Get("From")), "hasAttachments": len(m.Files) > 0, "body": object{"contentType": "text", "content": m.Text},
		"toRecipients": []object{}, "ccRecipients": []object{}, "bccRecipients": []object{}, "sentDateTime": stamp(m.Received)}
	var headers []object
	for name, values := range m.head {
		headers = append(headers, object{"name": name, "value": values[0]})
	}
	slices.SortFunc(headers, func(a, b object) int { return strings.Compare(a.text("name"), b.text("name")) })
	o["internetMessageHeaders"] = headers
	if expand != "" && m.LastVerb != 0 {
		o[extendedProperties] = []object{{"id": "Integer 0x1081", "value": strconv.Itoa(m.LastVerb)}}
	}
	return o
}

func senderOf(from string) any {
	a, err := mail.ParseAddress(from)
	if err != nil {
		return nil
	}
	return object{"emailAddress": object{"name": a.Name, "address": a.Address}}
}

// messageAttachments answers message.attachments (learn.microsoft.com/graph/api/message-list-attachments).
func messageAttachments(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	m, err := c.message()
	if err != nil {
		return err
	}
	all := make([]object, len(m.Files))
	for i, a := range m.Files {
		all[i] = a.json(strconv.Itoa(i))
	}
	return c.list(all, 10, 1000)
}

// attachmentValue answers with an attachment's bytes.
func attachmentValue(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	m, err := c.message()
	if err != nil {
		return err
	}
	i, err := strconv.Atoi(c.r.PathValue("attachment"))
	if err != nil || i < 0 || i >= len(m.Files) {
		return errOutlookNotFound()
	}
	c.w.Header().Set("Content-Type", m.Files[i].MimeType)
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(m.Files[i].Content)
	return nil
}

// messageValue answers with a message's MIME (learn.microsoft.com/graph/outlook-get-mime-message).
func messageValue(c *call) error {
	c.data.mu.Lock()
	m, err := c.message()
	c.immutable()
	var stored Message
	if err == nil {
		stored = m.Message
	}
	c.data.mu.Unlock()
	switch {
	case err != nil:
		return err
	case stored.Corrupt:
		return &apiError{status: 500, code: "ErrorCorruptData", message: "Data is corrupt."}
	}
	body, err := stored.Raw.Open(0)
	if err != nil {
		return err
	}
	defer body.Close()
	h := c.w.Header()
	h.Set("Content-Type", "text/plain")
	c.w.WriteHeader(http.StatusOK)
	_, _ = io.Copy(c.w, body)
	return nil
}
