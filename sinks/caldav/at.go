package caldav

import "codeberg.org/repatriate/repatriate/sinks/internal/dav"

// At returns the sink of a calendar whose path on the server is known; an empty path is that of the calendar which Open makes for
// Options.Collection. It asks for nothing and makes nothing.
func At(o Options, path string) (*Sink, error) {
	c, err := calendarAt(o, format("event", "VEVENT", LossKept, LossRewritten), path)
	return &Sink{c}, err
}

// TasksAt is At for a calendar of tasks.
func TasksAt(o Options, path string) (*Tasks, error) {
	c, err := calendarAt(o, format("task", "VTODO", LossTaskKept, LossTaskRewritten), path)
	return &Tasks{c}, err
}

func calendarAt(o Options, f dav.Format, path string) (calendar, error) {
	c, err := o.client()
	if err != nil {
		return calendar{}, err
	}
	if path == "" {
		path = dav.Canonical(c.Home) + dav.CollectionName(o.Collection.ID) + "/"
	}
	return calendar{c, dav.Store{Client: c.Client, Format: f, Path: path}}, nil
}
