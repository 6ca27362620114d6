package google

import (
	"context"
	"errors"
	"fmt"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// method is one call of an api, with its cost in the units of the tiers "new" and "old".
type method struct {
	api        api
	name       string
	cost       [2]float64
	downloaded bool // its bytes count as egress
}

// The methods in use. Costs: developers.google.com/workspace/gmail/api/reference/quota,
// …/drive/api/guides/limits, …/calendar/api/guides/quota, …/admin/directory/v1/limits.
var (
	driveAbout           = method{driveAPI, "about.get", [2]float64{5, 1}, false}
	driveDrivesList      = method{driveAPI, "drives.list", [2]float64{100, 1}, false}
	driveDrivesGet       = method{driveAPI, "drives.get", [2]float64{5, 1}, false}
	drivePermissionsList = method{driveAPI, "permissions.list", [2]float64{100, 1}, false}
	driveFilesList       = method{driveAPI, "files.list", [2]float64{100, 1}, false}
	driveFilesGet        = method{driveAPI, "files.get", [2]float64{5, 1}, false}
	driveStartPageToken  = method{driveAPI, "changes.getStartPageToken", [2]float64{5, 1}, false}
	driveChangesList     = method{driveAPI, "changes.list", [2]float64{100, 1}, false}
	driveDownload        = method{driveAPI, "files.get (media)", [2]float64{200, 1}, true}
	driveExport          = method{driveAPI, "files.export", [2]float64{200, 1}, true}

	gmailGetProfile   = method{gmailAPI, "users.getProfile", [2]float64{1, 1}, false}
	gmailLabelsList   = method{gmailAPI, "labels.list", [2]float64{1, 1}, false}
	gmailMessagesList = method{gmailAPI, "messages.list", [2]float64{5, 5}, false}
	gmailMessagesGet  = method{gmailAPI, "messages.get", [2]float64{20, 5}, false}
	gmailHistoryList  = method{gmailAPI, "history.list", [2]float64{2, 2}, false}

	calendarListList   = method{calendarAPI, "calendarList.list", [2]float64{1, 1}, false}
	calendarColorsGet  = method{calendarAPI, "colors.get", [2]float64{1, 1}, false}
	calendarEventsList = method{calendarAPI, "events.list", [2]float64{1, 1}, false}
	calendarEventsGet  = method{calendarAPI, "events.get", [2]float64{1, 1}, false}

	peopleConnectionsList = method{peopleAPI, "people.connections.list", [2]float64{1, 1}, false}
	peopleGet             = method{peopleAPI, "people.get", [2]float64{1, 1}, false}
	peopleGroupsList      = method{peopleAPI, "contactGroups.list", [2]float64{1, 1}, false}
	peoplePhoto           = method{peopleAPI, "photo", [2]float64{0, 0}, false} // no quota is stated
	otherContactsList     = method{otherContactsAPI, "otherContacts.list", [2]float64{1, 1}, false}

	tasksListsList = method{tasksAPI, "tasklists.list", [2]float64{1, 1}, false}
	tasksList      = method{tasksAPI, "tasks.list", [2]float64{1, 1}, false}
	tasksGet       = method{tasksAPI, "tasks.get", [2]float64{1, 1}, false}

	directoryUsersList = method{directoryAPI, "users.list", [2]float64{1, 1}, false}
	directoryUsersGet  = method{directoryAPI, "users.get", [2]float64{1, 1}, false}
)

// quotaDay is when Google's day begins: midnight in California by standard time; in summer it is an hour late, which
// errs on the safe side.
const quotaDay = 8 * time.Hour

// limits are the quotas of one api.
type limits struct{ user, project httpx.Limit }

// tierLimits holds the quotas by tier and api. The daily figures of the new tier are thresholds above which use is billed.
// The old tier of Drive counted requests; its figures are not documented any more.
var tierLimits = [2][len(services)]limits{
	{
		driveAPI:     {perMinute(325_000), httpx.Limit{PerMinute: 1_000_000, PerDay: 400_000_000, DayStart: quotaDay}},
		gmailAPI:     {perMinute(6_000), httpx.Limit{PerMinute: 1_200_000, PerDay: 80_000_000, DayStart: quotaDay}},
		calendarAPI:  {perMinute(600), httpx.Limit{PerMinute: 10_000, PerDay: 1_000_000, DayStart: quotaDay}},
		directoryAPI: {perMinute(2_400), perMinute(0)},
		// The reads of a minute that the Cloud console shows for a new project; Google documents none.
		peopleAPI:        {perMinute(90), perMinute(0)},
		otherContactsAPI: {perMinute(90), perMinute(0)},
		tasksAPI:         {perMinute(0), httpx.Limit{PerDay: 50_000, DayStart: quotaDay}},
	},
	{
		driveAPI:     {perMinute(12_000), perMinute(12_000)},
		gmailAPI:     {perMinute(15_000), perMinute(1_200_000)},
		calendarAPI:  {perMinute(600), httpx.Limit{PerMinute: 10_000, PerDay: 1_000_000, DayStart: quotaDay}},
		directoryAPI: {perMinute(2_400), perMinute(0)},
		// The reads of a minute that the Cloud console shows for a new project; Google documents none.
		peopleAPI:        {perMinute(90), perMinute(0)},
		otherContactsAPI: {perMinute(90), perMinute(0)},
		tasksAPI:         {perMinute(0), httpx.Limit{PerDay: 50_000, DayStart: quotaDay}},
	},
}

// egressPerDay is what may be downloaded from Drive in a day before charges apply, in the new tier.
const egressPerDay = 1e12

func perMinute(units float64) httpx.Limit { return httpx.Limit{PerMinute: units, DayStart: quotaDay} }

// quota holds the budgets of one project.
type quota struct {
	tier    int
	project [len(services)]*httpx.Scope
	users   [len(services)]*httpx.Scopes
	egress  *httpx.Scope
}

// table holds the quotas of one project, by whose numbers budgets are kept and demands are priced.
type table struct {
	tier   int
	apis   [len(services)]limits
	egress httpx.Limit
}

func tableOf(o Options) (table, error) {
	apis, tier, err := tierTable(o.Tier)
	if err != nil {
		return table{}, err
	}
	t := table{tier: tier, egress: httpx.Limit{Name: "Drive, downloads of the day", DayStart: quotaDay}}
	if o.Tier != "unlimited" && tier == 0 && !o.Paid {
		t.egress.PerDay = egressPerDay
	}
	for a, l := range apis {
		if o.Paid {
			l.project.PerDay = 0
		}
		l.user.Name, l.project.Name = services[a].name+", per user", services[a].name+", the project"
		l.user.Clock, l.project.Clock = o.Clock, o.Clock
		t.apis[a] = l
	}
	return t, nil
}

func newQuota(o Options) (*quota, error) {
	t, err := tableOf(o)
	if err != nil {
		return nil, err
	}
	q := &quota{tier: t.tier, egress: httpx.NewScope(t.egress, o.Meter)}
	for a, l := range t.apis {
		q.project[a], q.users[a] = httpx.NewScope(l.project, o.Meter), httpx.NewScopes(l.user, o.Meter)
	}
	return q, nil
}

func tierTable(tier string) ([len(services)]limits, int, error) {
	switch tier {
	case "", "new":
		return tierLimits[0], 0, nil
	case "old":
		return tierLimits[1], 1, nil
	case "unlimited":
		return [len(services)]limits{}, 0, nil
	}
	return [len(services)]limits{}, 0, fmt.Errorf("google: tier %q is none of new, old, unlimited", tier)
}

// wait waits for the units of one call and returns when it may begin.
func (q *quota) wait(ctx context.Context, user string, m method) (time.Time, error) {
	if m.downloaded {
		if err := httpx.Wait(ctx, 0, q.egress); err != nil {
			return time.Time{}, err
		}
	}
	err := httpx.Wait(ctx, m.cost[q.tier], q.users[m.api].Get(user), q.project[m.api])
	return time.Now(), err
}

// received counts downloaded bytes against the day's egress.
func (q *quota) received(n int) { q.egress.Spend(float64(n)) }

// served tells the budgets of a call that was not refused.
func (q *quota) served(user string, m method, start time.Time) {
	q.users[m.api].Get(user).Served(start)
	q.project[m.api].Served(start)
}

// refused tells the budgets of a refusal, if err is one, and returns the error with the pause that came out of it.
func (q *quota) refused(ctx context.Context, user string, m method, start time.Time, err error) error {
	var e *apiError
	var f *fault.Error
	if !errors.As(err, &e) || !errors.As(err, &f) {
		return err
	}
	switch e.limit {
	case userLimit:
		return f.WithAfter(q.users[m.api].Get(user).Refused(ctx, start, f.After))
	case projectLimit:
		return f.WithAfter(q.project[m.api].Refused(ctx, start, f.After))
	case dayLimit:
		return f.WithAfter(time.Until(q.project[m.api].Park()))
	}
	return err
}
