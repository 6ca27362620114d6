package caldav

import (
	"context"

	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

// Usual returns the path of the calendar into which Open has Options.Collection written, if the user has one that serves: what was made for
// it, or the main one, whether the collection is Primary or not. It makes nothing; an empty path says that there is none.
func Usual(ctx context.Context, o Options) (string, error) {
	c, err := o.client()
	if err != nil {
		return "", err
	}
	defer c.Close()
	h, err := c.list(ctx)
	if err != nil {
		return "", err
	}
	wanted := o.Collection
	wanted.Primary = true
	path, _ := h.choose(dav.Canonical(c.Home)+dav.CollectionName(wanted.ID)+"/", wanted)
	return path, nil
}

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
