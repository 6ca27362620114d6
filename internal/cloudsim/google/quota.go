package google

import (
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// Quotas are limits in the units that Google counts in. The zero value has none.
type Quotas struct {
	Gmail, Drive, Calendar, Directory, People, Tasks Limit
	// FullSync is the further limit on first pages that begin a full sync of contacts or other contacts. Google says that there is one
	// but not how high it is, so that it is unlimited unless set.
	FullSync Limit
	// Speed makes minutes and days pass faster: at 60, a minute lasts a second. 0 means 1.
	Speed float64
	// RetryAfter is sent with refusals; 0: Google's way, which is to send none.
	RetryAfter time.Duration
}

// Limit is the quota of one API. Zero fields are unlimited.
type Limit struct {
	UserPerMinute, ProjectPerMinute, ProjectPerDay int
	Cost                                           map[string]int // units by method name (see Front.Counts); others cost Else
	Else                                           int            // 0 means 1
}

// NewQuotas are those of projects that were created on or after 1 May 2026.
// https://developers.google.com/workspace/gmail/api/reference/quota
// https://developers.google.com/workspace/drive/api/guides/limits
// https://developers.google.com/workspace/calendar/api/guides/quota
func NewQuotas() Quotas {
	return Quotas{
		Gmail: Limit{6_000, 1_200_000, 80_000_000, map[string]int{"gmail.messages.get": 20, "gmail.messages.list": 5, "gmail.history.list": 2}, 1},
		Drive: Limit{325_000, 1_000_000, 400_000_000, map[string]int{"drive.files.list": 100, "drive.changes.list": 100, "drive.drives.list": 100,
			"drive.permissions.list": 100, "drive.files.get.media": 200, "drive.files.export": 200, "drive.exportLinks": 200}, 5},
		Calendar:  Limit{UserPerMinute: 600, ProjectPerMinute: 10_000, ProjectPerDay: 1_000_000},
		Directory: Limit{UserPerMinute: 2_400},
		People:    Limit{UserPerMinute: 90}, // critical reads; Google documents no number, and projects begin with this one
		Tasks:     Limit{ProjectPerDay: 50_000},
	}
}

// OldQuotas are those of projects that used the APIs before May 2026.
func OldQuotas() Quotas {
	q := NewQuotas()
	q.Gmail = Limit{15_000, 1_200_000, 0, map[string]int{"gmail.messages.get": 5, "gmail.messages.list": 5, "gmail.history.list": 2}, 1}
	q.Drive = Limit{UserPerMinute: 12_000, ProjectPerMinute: 12_000}
	return q
}

// meter counts what was spent in the current minute and day.
type meter struct {
	quotas Quotas
	spent  *cloudsim.Meter
}

func newMeter(q Quotas) *meter { return &meter{q, cloudsim.NewMeter(q.Speed)} }

func (q Quotas) limit(api string) Limit {
	switch api {
	case "gmail":
		return q.Gmail
	case "drive":
		return q.Drive
	case "calendar":
		return q.Calendar
	case "directory":
		return q.Directory
	case "people":
		return q.People
	case "fullsync":
		return q.FullSync
	case "tasks":
		return q.Tasks
	}
	return Limit{}
}

func (l Limit) cost(name string) int {
	if units, ok := l.Cost[name]; ok {
		return units
	}
	return max(1, l.Else)
}

// spend takes the units of a request, or tells which limit it would exceed.
func (m *meter) spend(name, email string) *apiError {
	api, _, _ := strings.Cut(name, ".")
	limit := m.quotas.limit(api)
	units := limit.cost(name)
	refused, _, ok := m.spent.Spend(units,
		cloudsim.Window{Key: "day " + api, Length: 24 * time.Hour, Max: limit.ProjectPerDay},
		cloudsim.Window{Key: "minute " + api, Length: time.Minute, Max: limit.ProjectPerMinute},
		cloudsim.Window{Key: "user " + api + " " + email, Length: time.Minute, Max: limit.UserPerMinute})
	if ok {
		return nil
	}
	switch refused {
	case 0:
		return m.refusal(&apiError{code: 403, domain: "usageLimits", reason: "dailyLimitExceeded", message: "Daily Limit Exceeded"})
	case 1:
		return m.refusal(&apiError{code: 403, domain: "usageLimits", reason: "rateLimitExceeded", message: "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service '" + api + ".googleapis.com' for consumer 'project_number:1'."})
	}
	return m.refusal(userRefusal(api))
}

// userRefusal differs: Gmail and People say 429, the others 403.
func userRefusal(api string) *apiError {
	if api == "gmail" {
		return &apiError{code: 429, domain: "usageLimits", reason: "rateLimitExceeded", message: "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service 'gmail.googleapis.com' for consumer 'project_number:1'."}
	}
	if api == "people" || api == "fullsync" {
		return &apiError{code: 429, domain: "usageLimits", reason: "rateLimitExceeded", message: "Quota exceeded for quota metric 'Critical read requests (Contact and Profile Reads)' and limit 'Critical read requests (Contact and Profile Reads) per minute per user' of service 'people.googleapis.com' for consumer 'project_number:1'."}
	}
	return &apiError{code: 403, domain: "usageLimits", reason: "userRateLimitExceeded", message: "User Rate Limit Exceeded. Rate of requests for user exceed configured project quota, you may consider re-evaluating expected per-user traffic to the API and adjust project quota limits accordingly."}
}

func (m *meter) refusal(e *apiError) *apiError {
	if m.quotas.RetryAfter > 0 {
		e.after = cloudsim.Seconds(m.quotas.RetryAfter)
	}
	return e
}
