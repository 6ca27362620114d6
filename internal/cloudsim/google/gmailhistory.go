package google

import (
	"slices"
	"sort"
	"strconv"
)

// historyList answers users.history.list.
// https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.history/list
func historyList(c *call) error {
	size, err := c.pageSize("maxResults", 100, 500, false)
	if err != nil {
		return err
	}
	place, continued, err := c.place()
	if err != nil {
		return err
	}
	start, parseErr := strconv.ParseUint(c.query.Get("startHistoryId"), 10, 64)
	if parseErr != nil {
		return errInvalid("startHistoryId", "Missing required parameter: startHistoryId")
	}
	box, err := c.box()
	if err != nil {
		return err
	}
	latest := box.historyID
	if start < box.oldest || start > latest {
		c.data.mu.Unlock()
		return errNotFound()
	}
	if continued {
		start, _ = strconv.ParseUint(place, 10, 64)
	}
	records, more := box.since(start, size, c.query["historyTypes"], c.query.Get("labelId"))
	c.data.mu.Unlock()
	answer := object{}
	if len(records) > 0 {
		list := make([]object, len(records))
		for i, r := range records {
			list[i] = r.resource()
		}
		answer = append(answer, member{"history", list})
	}
	if more {
		answer = append(answer, member{"nextPageToken", c.pageToken(formatHistory(records[len(records)-1].id))})
	}
	return c.reply(append(answer, member{"historyId", formatHistory(latest)}))
}

// since gives the records after an id.
func (m *mailbox) since(id uint64, size int, types []string, label string) (page []historyRecord, more bool) {
	at := sort.Search(len(m.history), func(i int) bool { return m.history[i].id > id })
	for _, r := range m.history[at:] {
		if len(types) > 0 && !slices.Contains(types, r.kind) || label != "" && !slices.Contains(r.message.labels, label) && !slices.Contains(r.labels, label) {
			continue
		}
		if len(page) == size {
			return page, true
		}
		page = append(page, r)
	}
	return page, false
}

func (r historyRecord) resource() object {
	inner := object{{"message", r.message.withLabels()}}
	if len(r.labels) > 0 {
		inner = append(inner, member{"labelIds", r.labels})
	}
	names := map[string]string{"messageAdded": "messagesAdded", "messageDeleted": "messagesDeleted", "labelAdded": "labelsAdded", "labelRemoved": "labelsRemoved"}
	return object{{"id", formatHistory(r.id)}, {"messages", []object{r.message.reference()}}, {names[r.kind], []object{inner}}}
}
