package microsoft

import (
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/price"
)

// Prices returns what demands cost, by the numbers from which the client's budgets are made.
func (c *Client) Prices() price.Prices { return NewPrices(c.options) }

// NewPrices returns what demands cost an application of the options; of these the quotas alone count.
func NewPrices(o Options) price.Prices {
	p := prices{limited: !o.Unlimited}
	p.app, p.each = limitsOf(o)
	return p
}

type prices struct {
	app, each [numServices]httpx.Limit
	limited   bool
}

// bill adds up the calls that a demand takes.
type bill struct {
	out   price.Price
	units [numServices]float64
}

// calls are made side by side, or beside the work on items; in turn are those for each of which the work waits. Of a batch one round
// trip is waited for, whatever it holds.
func (b *bill) calls(m method, n float64) {
	b.units[m.service] += n * m.cost
	b.out.Requests += n
}

func (b *bill) inTurn(m method, n float64) {
	b.calls(m, n)
	b.out.Serial += n
}

func (b *bill) batch(m method, n float64) {
	b.units[m.service] += n * m.cost
	trips := n / batchSize
	if n > 0 {
		trips = price.Pages(int64(n), batchSize)
	}
	b.out.Requests += trips
	b.out.Serial += trips
}

// Price implements price.Prices.
func (p prices) Price(d price.Demand, c price.Case) price.Price {
	b := &bill{}
	switch d.Kind {
	case "files":
		b.files(d)
	case "mail":
		b.mail(d, c)
	case "calendar":
		b.calendars(d, c)
	case "contacts":
		b.contacts(d)
	case "tasks":
		b.tasks(d, c)
	}
	b.out.Bytes = float64(d.Bytes) + price.Listed(d.Items, c)
	return p.total(b)
}

// total adds what the units are taken from.
func (p prices) total(b *bill) price.Price {
	for s, units := range b.units {
		if units == 0 {
			continue
		}
		own := price.Cost{Limit: p.each[s], Units: units}
		if service(s) == exchange && p.limited {
			own.Concurrent = mailboxConcurrent
		}
		b.out.Costs = append(b.out.Costs, own, price.Cost{Limit: p.app[s], Sharing: price.Shared, Units: units})
	}
	return b.out
}

// files: the drive and its root, the pages of the delta, and for each content the link and the download.
func (b *bill) files(d price.Demand) {
	if !d.SharedDrive() {
		b.inTurn(getDrive, 1)
	}
	b.inTurn(getDriveItem, 1)
	b.inTurn(firstDriveDelta, 1)
	b.calls(nextDriveDelta, price.Pages(d.Items, deltaSize)-1)
	b.calls(driveContent, float64(d.Items-d.Empty))
	b.out.Requests += float64(d.Items - d.Empty)
}

// mail: the ids of the folders that each mailbox has, the folders, one delta after the other, and the messages. Exchange makes about
// ten folders in a mailbox; how many a user has made is not known.
func (b *bill) mail(d price.Demand, c price.Case) {
	folders := c.Of(1, 15, 60)
	b.batch(getMailFolder, float64(len(wellKnown)))
	b.inTurn(listMailFolders, c.Of(1, 2, 10))
	b.inTurn(messageDelta, folders)
	b.calls(messageDelta, max(0, float64(d.Items)/deltaSize-c.Of(1, 0, 0)))
	b.calls(messageValue, float64(d.Items))
}

// Shares of events that a demand does not tell; series as in the organisations that the simulators make up.
const (
	seriesShare     = 0.2
	attachmentShare = 0.02
)

// calendars: the zone and the list, the pages of each calendar, for each page its series and attachments in batches, and at the end of
// a calendar with several pages the versions of all events, twice.
func (b *bill) calendars(d price.Demand, c price.Case) {
	b.inTurn(mailboxZone, 1+float64(d.Collections)*c.Of(0, 1, 1))
	b.inTurn(listCalendars, 1)
	pages := max(float64(d.Collections), price.Pages(d.Items, eventsPage))
	b.inTurn(listEvents, pages)
	b.batch(getEvent, float64(d.Items)*c.Of(0, seriesShare, 1))
	b.batch(listAttachments, float64(d.Items)*c.Of(0, attachmentShare, 0.5))
	b.batch(getAttachment, float64(d.Items)*c.Of(0, attachmentShare, 0.5))
	if pages > float64(d.Collections) {
		b.inTurn(listEvents, price.Pages(d.Items, eventKeysPage)*c.Of(1, 2, 2))
	}
}

// contacts: the folders, the pages of each, and a picture for each contact: that there is none is known only by asking.
func (b *bill) contacts(d price.Demand) {
	b.inTurn(getContactFolder, 1)
	b.inTurn(listContactFolders, max(1, float64(d.Collections)))
	b.inTurn(contactDelta, max(float64(d.Collections), price.Pages(d.Items, deltaSize)))
	b.calls(contactPhoto, float64(d.Items))
}

// tasks: the zone, the lists, and the pages of each, with the few files.
func (b *bill) tasks(d price.Demand, c price.Case) {
	b.inTurn(mailboxZone, 1)
	b.inTurn(listTaskLists, 1)
	b.inTurn(taskDelta, max(float64(d.Collections), price.Pages(d.Items, deltaSize)))
	b.batch(listTaskFiles, float64(d.Items)*c.Of(0, 0, attachmentShare))
	b.batch(getTaskFile, float64(d.Items)*c.Of(0, 0, attachmentShare))
}
