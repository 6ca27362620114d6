package microsoft

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/sources"
)

// calendarCursor is a position in a calendar.
type calendarCursor struct {
	// At is the next page of a first listing, below Graph's root.
	At sources.Cursor
	// Seen are the versions of the events that were yielded, by their ids.
	Seen map[string]string
	// Left are the ids of events that are known to differ and were not yielded yet.
	Left []string
	// Listing says that the calendar is read for the first time, Done that nothing is left of this pass.
	Listing, Done bool
}

// storedCursor is how a cursor is kept: what was seen is packed, since ids are long and much alike.
type storedCursor struct {
	At      sources.Cursor `json:"at,omitempty"`
	Seen    []byte         `json:"seen"`
	Left    []string       `json:"left,omitempty"`
	Listing bool           `json:"listing,omitempty"`
}

func (c calendarCursor) encode() sources.Cursor {
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestCompression) // the level is one that exists
	for _, id := range slices.Sorted(maps.Keys(c.Seen)) {
		_, _ = io.WriteString(w, id+"\t"+c.Seen[id]+"\n") // a buffer takes all
	}
	_ = w.Close()
	raw, _ := json.Marshal(storedCursor{c.At, packed.Bytes(), c.Left, c.Listing}) // texts and bytes
	return sources.Cursor(raw)
}

// maxSeen bounds what a stored cursor may unpack to, in bytes.
const maxSeen = 256 << 20

func parseCalendarCursor(after sources.Cursor) (calendarCursor, error) {
	var stored storedCursor
	if err := json.Unmarshal([]byte(after), &stored); err != nil || stored.Seen == nil {
		return calendarCursor{}, unreadableCursor("calendar")
	}
	raw, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(stored.Seen)), maxSeen))
	if err != nil {
		return calendarCursor{}, unreadableCursor("calendar")
	}
	c := calendarCursor{At: stored.At, Seen: map[string]string{}, Left: stored.Left, Listing: stored.Listing}
	for line := range strings.Lines(string(raw)) {
		if id, version, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); ok {
			c.Seen[id] = version
		}
	}
	return c, nil
}

// expiredPage returns ErrCursorExpired for a link to a next page that Graph does not take any more.
func expiredPage(cur calendarCursor, err error) error {
	if status := statusOf(err); cur.At != "" && (status == http.StatusBadRequest || status == http.StatusGone) {
		return errors.Join(sources.ErrCursorExpired, err)
	}
	return err
}
