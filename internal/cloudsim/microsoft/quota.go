package microsoft

import (
	"sync"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// Quotas are limits in the units that Microsoft counts in. The zero value has none.
type Quotas struct {
	// MailboxRequests is for one mailbox in ten minutes, MailboxConcurrent at once.
	MailboxRequests, MailboxConcurrent int
	// SharePointMinute and SharePointDay are resource units of the application, DriveRequests are for one drive in five minutes.
	SharePointMinute, SharePointDay, DriveRequests int
	// DirectoryUnits are those of Entra in ten seconds.
	DirectoryUnits int
	// Speed makes minutes and days pass faster: at 60, a minute lasts a second. 0 means 1. What Retry-After names is real time.
	Speed float64
}

// SmallTenant are the quotas of a tenant with up to 1,000 licences (learn.microsoft.com/graph/throttling-limits,
// learn.microsoft.com/sharepoint/dev/general-development/how-to-avoid-getting-throttled-or-blocked-in-sharepoint-online).
func SmallTenant() Quotas {
	return Quotas{MailboxRequests: 10_000, MailboxConcurrent: 4, SharePointMinute: 1_250, SharePointDay: 1_200_000, DriveRequests: 3_000, DirectoryUnits: 3_500}
}

// meter counts what was spent, and who is in a mailbox now.
type meter struct {
	quotas Quotas
	spent  *cloudsim.Meter

	mu     sync.Mutex
	inside map[string]int
}

func newMeter(q Quotas) *meter {
	return &meter{quotas: q, spent: cloudsim.NewMeter(q.Speed), inside: map[string]int{}}
}

// enter takes the units of a request and, at a mailbox, a place; leave gives the place back. Requests that are refused count too.
func (m *meter) enter(rt route, of string) (leave func(), refusal *apiError) {
	switch rt.service {
	case exchange:
		return m.enterMailbox(of, rt.cost)
	case sharePoint:
		if refusal := m.spend("activityLimitReached", "The request has been throttled", 1,
			cloudsim.Window{Key: "drive " + of, Length: 5 * time.Minute, Max: m.quotas.DriveRequests}); refusal != nil {
			return func() {}, refusal
		}
		return func() {}, m.spend("activityLimitReached", "The request has been throttled", rt.cost,
			cloudsim.Window{Key: "sharepoint minute", Length: time.Minute, Max: m.quotas.SharePointMinute},
			cloudsim.Window{Key: "sharepoint day", Length: 24 * time.Hour, Max: m.quotas.SharePointDay})
	}
	return func() {}, m.spend("TooManyRequests", "Too many requests", rt.cost,
		cloudsim.Window{Key: "directory", Length: 10 * time.Second, Max: m.quotas.DirectoryUnits})
}

func (m *meter) enterMailbox(of string, units int) (func(), *apiError) {
	leave := func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.inside[of]--
	}
	m.mu.Lock()
	m.inside[of]++
	full := m.quotas.MailboxConcurrent > 0 && m.inside[of] > m.quotas.MailboxConcurrent
	m.mu.Unlock()
	refusal := m.spend("ApplicationThrottled", "Application is over its Requests limit.", units,
		cloudsim.Window{Key: "mailbox " + of, Length: 10 * time.Minute, Max: m.quotas.MailboxRequests})
	if full {
		refusal = &apiError{status: 429, code: "ApplicationThrottled", message: "Application is over its MailboxConcurrency limit.", after: time.Second}
	}
	if refusal != nil {
		leave()
	}
	return leave, refusal
}

func (m *meter) spend(code, message string, units int, windows ...cloudsim.Window) *apiError {
	if _, left, ok := m.spent.Spend(units, windows...); !ok {
		return &apiError{status: 429, code: code, message: message, after: left}
	}
	return nil
}
