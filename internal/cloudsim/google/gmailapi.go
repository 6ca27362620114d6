package google

import (
	"slices"
	"strconv"
	"strings"
)

// box finds the mailbox of the call. The caller holds data.mu afterwards unless there is an error.
func (c *call) box() (*mailbox, error) {
	if id := c.r.PathValue("userId"); id != "me" && id != c.user.Email {
		return nil, &apiError{code: 403, reason: "forbidden", message: "Delegation denied for " + c.user.Email}
	}
	c.data.mu.Lock()
	if c.user.NoMailbox {
		c.data.mu.Unlock()
		return nil, &apiError{code: 400, reason: "failedPrecondition", message: "Mail service not enabled"}
	}
	return &c.user.mail, nil
}

// getProfile answers users.getProfile.
func getProfile(c *call) error {
	box, err := c.box()
	if err != nil {
		return err
	}
	threads := map[uint64]bool{}
	if c.mask.has("threadsTotal") {
		for _, msg := range box.messages {
			threads[msg.thread] = true
		}
	}
	o := object{{"emailAddress", c.user.Email}, {"messagesTotal", len(box.messages)}, {"threadsTotal", len(threads)},
		{"historyId", formatHistory(box.historyID)}}
	c.data.mu.Unlock()
	return c.reply(o)
}

func formatHistory(id uint64) string { return strconv.FormatUint(id, 10) }

// labelsList answers users.labels.list.
func labelsList(c *call) error {
	box, err := c.box()
	if err != nil {
		return err
	}
	labels := make([]object, len(box.labels))
	for i, l := range box.labels {
		labels[i] = l.resource(i < box.system)
	}
	c.data.mu.Unlock()
	return c.reply(object{{"labels", labels}})
}

// labelsGet answers users.labels.get, with its counts.
func labelsGet(c *call) error {
	box, err := c.box()
	if err != nil {
		return err
	}
	id := c.r.PathValue("id")
	i := slices.IndexFunc(box.labels, func(l Label) bool { return l.ID == id })
	if i < 0 {
		c.data.mu.Unlock()
		return errNotFound()
	}
	total, unread := 0, 0
	threads, unreadThreads := map[uint64]bool{}, map[uint64]bool{}
	for _, msg := range box.messages {
		if !slices.Contains(msg.labels, id) {
			continue
		}
		total++
		threads[msg.thread] = true
		if slices.Contains(msg.labels, "UNREAD") {
			unread++
			unreadThreads[msg.thread] = true
		}
	}
	o := append(box.labels[i].resource(i < box.system), member{"messagesTotal", total}, member{"messagesUnread", unread},
		member{"threadsTotal", len(threads)}, member{"threadsUnread", len(unreadThreads)})
	c.data.mu.Unlock()
	return c.reply(o)
}

func (l Label) resource(system bool) object {
	o := object{{"id", l.ID}, {"name", l.Name}}
	if system {
		if l.ID == "CHAT" || strings.HasPrefix(l.ID, "CATEGORY_") {
			o = append(o, member{"messageListVisibility", "hide"}, member{"labelListVisibility", "labelHide"})
		}
		return append(o, member{"type", "system"})
	}
	messages, list := "show", "labelShow"
	if l.HiddenMessages {
		messages = "hide"
	}
	if l.HiddenInList {
		list = "labelHide"
	}
	o = append(o, member{"messageListVisibility", messages}, member{"labelListVisibility", list}, member{"type", "user"})
	if l.BackgroundColor != "" {
		o = append(o, member{"color", object{{"textColor", l.TextColor}, {"backgroundColor", l.BackgroundColor}}})
	}
	return o
}

// messagesList answers users.messages.list.
// https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/list
func messagesList(c *call) error {
	if q := c.query.Get("q"); q != "" && q != "-is:chat" && q != "-in:chats" {
		return c.oneOf("q", "")
	}
	size, err := c.pageSize("maxResults", 100, 500, false)
	if err != nil {
		return err
	}
	after, err := c.mailPlace()
	if err != nil {
		return err
	}
	box, err := c.box()
	if err != nil {
		return err
	}
	page, more := box.page(after, size, c.wanted())
	c.data.mu.Unlock()
	answer := object{}
	if len(page) > 0 {
		list := make([]object, len(page))
		for i := range page {
			list[i] = page[i].reference()
		}
		answer = append(answer, member{"messages", list})
	}
	if more {
		last := page[len(page)-1].position()
		answer = append(answer, member{"nextPageToken", c.pageToken(strconv.FormatInt(last.date, 10) + " " + formatID(last.id))})
	}
	return c.reply(append(answer, member{"resultSizeEstimate", len(page)}))
}

// wanted makes the filter of messages.list.
func (c *call) wanted() func(*message) bool {
	labels, spamTrash, noChat := c.query["labelIds"], c.flag("includeSpamTrash"), c.query.Get("q") != ""
	return func(msg *message) bool {
		if !spamTrash && (slices.Contains(msg.labels, "SPAM") || slices.Contains(msg.labels, "TRASH")) {
			return slices.Contains(labels, "SPAM") && slices.Contains(msg.labels, "SPAM") || slices.Contains(labels, "TRASH") && slices.Contains(msg.labels, "TRASH")
		}
		for _, l := range labels {
			if !slices.Contains(msg.labels, l) {
				return false
			}
		}
		return !noChat || !slices.Contains(msg.labels, "CHAT")
	}
}

func (c *call) mailPlace() (*mailPosition, error) {
	place, found, err := c.place()
	if err != nil || !found {
		return nil, err
	}
	date, id, _ := strings.Cut(place, " ")
	var p mailPosition
	p.date, _ = strconv.ParseInt(date, 10, 64)
	p.id, _ = strconv.ParseUint(id, 16, 64)
	return &p, nil
}

// page gives the messages after a position.
func (m *mailbox) page(after *mailPosition, size int, wanted func(*message) bool) (page []message, more bool) {
	list := m.listing()
	if after != nil {
		at, found := slices.BinarySearchFunc(list, *after, func(msg *message, p mailPosition) int { return msg.position().compare(p) })
		if found {
			at++
		}
		list = list[at:]
	}
	for _, msg := range list {
		if !wanted(msg) {
			continue
		}
		if len(page) == size {
			return page, true
		}
		page = append(page, *msg)
	}
	return page, false
}

// reference is how lists name a message.
func (msg *message) reference() object {
	return object{{"id", formatID(msg.id)}, {"threadId", formatID(msg.thread)}}
}

// withLabels is how histories name a message.
func (msg *message) withLabels() object {
	o := msg.reference()
	if len(msg.labels) > 0 {
		o = append(o, member{"labelIds", msg.labels})
	}
	return o
}
