package google

import (
	"encoding/json"
	"fmt"

	"codeberg.org/repatriate/repatriate/sources"
)

// driveCursor is the place in a drive's changes.
type driveCursor struct {
	// Changes is where the change stream goes on when the listing is done.
	Changes string `json:"changes"`
	// List is the next page of an unfinished listing.
	List string `json:"list,omitempty"`
	// Root is the id of the folder at the top.
	Root string `json:"root,omitempty"`
}

func (c driveCursor) cursor() sources.Cursor {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings alone
	}
	return sources.Cursor(b)
}

// parseDriveCursor reads a cursor; one that it cannot have made is as good as expired.
func parseDriveCursor(c sources.Cursor) (driveCursor, error) {
	var d driveCursor
	if err := json.Unmarshal([]byte(c), &d); err != nil || d.Changes == "" || d.Root == "" {
		return d, fmt.Errorf("google: drive cursor: %w", sources.ErrCursorExpired)
	}
	return d, nil
}
