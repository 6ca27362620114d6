package google

import "codeberg.org/repatriate/repatriate/internal/price"

// Prices returns what demands cost, by the tables from which the client's budgets are made.
func (c *Client) Prices() price.Prices { return c.prices }

// NewPrices returns what demands cost in a project of the options; of these the quotas alone count.
func NewPrices(o Options) (price.Prices, error) {
	t, err := tableOf(o)
	return prices{t}, err
}

type prices struct{ table }

// bill adds up the calls that a demand takes.
type bill struct {
	tier  int
	out   price.Price
	units [len(services)]float64
}

// calls are made side by side, or beside the work on items; in turn are those for each of which the work waits.
func (b *bill) calls(m method, n float64) {
	b.units[m.api] += n * m.cost[b.tier]
	b.out.Requests += n
}

func (b *bill) inTurn(m method, n float64) {
	b.calls(m, n)
	b.out.Serial += n
}

// Price implements price.Prices.
func (p prices) Price(d price.Demand, c price.Case) price.Price {
	b := &bill{tier: p.tier}
	switch d.Kind {
	case "files":
		b.files(d)
	case "mail":
		b.mail(d)
	case "calendar":
		b.calendars(d, c)
	case "contacts":
		b.contacts(d, c)
	case "tasks":
		b.tasks(d)
	}
	b.out.Bytes = float64(d.Bytes)
	if d.Kind == "mail" {
		b.out.Bytes *= c.Of(1, 1, 4.0/3) // raw messages are base64, whose third too much compression may win back or not
	}
	b.out.Bytes += price.Listed(d.Items, c)
	return p.total(b, d)
}

// total adds what the units are taken from. Which member a shared drive is read as shows at run time; it may be the same for all.
func (p prices) total(b *bill, d price.Demand) price.Price {
	own := price.Own
	if d.SharedDrive() {
		own = price.MayShare
	}
	for a, units := range b.units {
		if units > 0 {
			b.out.Costs = append(b.out.Costs, price.Cost{Limit: p.apis[a].user, Sharing: own, Units: units},
				price.Cost{Limit: p.apis[a].project, Sharing: price.Shared, Units: units})
		}
	}
	if d.Kind == "files" {
		b.out.Costs = append(b.out.Costs, price.Cost{Limit: p.egress, Sharing: price.Shared, Units: float64(d.Bytes)})
	}
	return b.out
}

// files: the root, the token of the changes, the pages of the listing, a download for each content, and the changes since.
func (b *bill) files(d price.Demand) {
	if d.SharedDrive() {
		b.inTurn(drivePermissionsList, 1)
		b.inTurn(driveDrivesGet, 1)
	} else {
		b.inTurn(driveFilesGet, 1)
	}
	b.inTurn(driveStartPageToken, 1)
	b.inTurn(driveFilesList, 1)
	b.calls(driveFilesList, price.Pages(d.Items, drivePage)-1)
	b.calls(driveDownload, float64(d.Items-d.Empty))
	b.inTurn(driveChangesList, 1)
}

// mail: the profile, the labels, the pages of ids, the messages, and the changes since.
func (b *bill) mail(d price.Demand) {
	b.inTurn(gmailGetProfile, 1)
	b.inTurn(gmailLabelsList, 2)
	b.inTurn(gmailMessagesList, 1)
	b.calls(gmailMessagesList, price.Pages(d.Items, mailPage)-1)
	b.calls(gmailMessagesGet, float64(d.Items))
	b.inTurn(gmailHistoryList, 1)
}

// Shares of items that a demand does not tell. The first are those of the organisations that the simulators make up.
const (
	seriesShare = 0.2 // of events
	photoShare  = 0.2 // of contacts
)

// calendars: the list, and the pages of each calendar. Where a calendar has several pages, each series is read by itself.
func (b *bill) calendars(d price.Demand, c price.Case) {
	b.inTurn(calendarListList, 1)
	b.inTurn(calendarColorsGet, float64(d.Collections)*c.Of(0, 0, 1))
	b.inTurn(calendarEventsList, float64(d.Collections))
	if pages := price.Pages(d.Items, eventsPage); pages > 1 {
		b.calls(calendarEventsList, pages-1)
		b.calls(calendarEventsList, float64(d.Items)*c.Of(0, seriesShare, 1))
	}
}

// contacts: the groups, whose names all pages need; the pages; and the photos, for which no quota is stated. Other contacts have no groups.
func (b *bill) contacts(d price.Demand, c price.Case) {
	pages := max(float64(d.Collections), price.Pages(d.Items, contactsPage))
	b.inTurn(peopleGroupsList, 1)
	b.inTurn(peopleConnectionsList, pages)
	b.calls(peoplePhoto, float64(d.Items)*c.Of(0, photoShare, 1))
}

// tasks: the lists, and the pages of each.
func (b *bill) tasks(d price.Demand) {
	b.inTurn(tasksListsList, 1)
	b.inTurn(tasksList, max(float64(d.Collections), price.Pages(d.Items, tasksPage)))
}
