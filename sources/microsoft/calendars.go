package microsoft

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/winzone"
	"codeberg.org/repatriate/repatriate/sources"
)

var (
	listCalendars = method{exchange, "calendars.list", 1, "Calendars.Read"}
	mailboxZone   = method{exchange, "mailboxSettings.get", 1, "MailboxSettings.Read"}
)

// calendarEntry is the part of Graph's calendar that is read (learn.microsoft.com/graph/api/resources/calendar).
type calendarEntry struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	HexColor string `json:"hexColor"`
	Default  bool   `json:"isDefaultCalendar"`
	CanEdit  bool   `json:"canEdit"`
	Owner    struct {
		Address string `json:"address"`
	} `json:"owner"`
}

// Calendars returns the calendars that the user owns. Those of others move with their owners; those that Exchange fills (birthdays,
// holidays) nobody can edit, and they exist anywhere.
func Calendars(ctx context.Context, c *Client, user string) ([]sources.Collection, error) {
	zone, err := c.mailboxZone(ctx, user)
	if err != nil {
		return nil, err
	}
	first := c.path(url.Values{"$select": {"id,name,hexColor,isDefaultCalendar,canEdit,owner"}, "$top": {"100"}}, "users", user, "calendars")
	var own []sources.Collection
	for e, err := range pages[calendarEntry](ctx, c, call{method: listCalendars, of: user, url: first, header: mailHeader}) {
		if err != nil {
			return nil, err
		}
		if e.ID != "" && e.CanEdit && (e.Default || strings.EqualFold(e.Owner.Address, user) || e.Owner.Address == "") {
			own = append(own, sources.Collection{ID: e.ID, Name: e.Name, Primary: e.Default, Color: sources.HexColor(e.HexColor), TimeZone: zone})
		}
	}
	return own, nil
}

// mailboxZone returns the IANA name of the mailbox's time zone, which also stands for zones that only the mailbox knows. Without the
// permission it is unknown.
func (c *Client) mailboxZone(ctx context.Context, user string) (string, error) {
	var settings struct {
		TimeZone string `json:"timeZone"`
	}
	at := c.path(url.Values{"$select": {"timeZone"}}, "users", user, "mailboxSettings")
	err := c.get(ctx, call{method: mailboxZone, of: user, url: at}, &settings)
	if statusOf(err) == http.StatusForbidden {
		return "", nil
	}
	zone, _ := winzone.IANA(settings.TimeZone)
	return zone, err
}
