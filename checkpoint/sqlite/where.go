package sqlite

import (
	"context"
	"fmt"
	"slices"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// deepest bounds a path; a longer one is a cycle, or nothing that a target would take.
const deepest = 1000

// upwards walks from the two places of a node to the top, in one moment of the file: lies 1 is where it lies, 0 what is
// reserved for it. A folder on the way that lies nowhere yet counts with its reserved place.
const upwards = `
WITH RECURSIVE up (lies, depth, parent, name) AS (
	SELECT 1, 0, parent, name FROM node WHERE task = ?1 AND id = ?2 AND name IS NOT NULL
	UNION ALL
	SELECT 0, 0, new_parent, new_name FROM node WHERE task = ?1 AND id = ?2 AND new_name IS NOT NULL
	UNION ALL
	SELECT up.lies, up.depth + 1, coalesce(n.parent, n.new_parent), coalesce(n.name, n.new_name)
	FROM up JOIN node n ON n.task = ?1 AND n.id = up.parent
	WHERE up.parent <> '' AND up.depth < ?3 AND coalesce(n.name, n.new_name) IS NOT NULL
)
SELECT lies, parent, name FROM up ORDER BY lies, depth`

// Where implements checkpoint.Tree.
func (l *ledger) Where(ctx context.Context, id string) (lies, reserved []string, ok bool, err error) {
	var paths [2][]string
	var top [2]string // the parent of the uppermost folder, empty if the path is whole
	err = l.store.each(ctx, upwards, []any{l.id, id, deepest}, func(row scanner) error {
		var which int
		var parent, name string
		if err := row.Scan(&which, &parent, &name); err != nil {
			return err
		}
		paths[which], top[which] = append(paths[which], name), parent
		return nil
	})
	if err != nil {
		return nil, nil, false, err
	}
	moving := paths[0] != nil
	for i := range paths {
		if len(paths[i]) > deepest {
			return nil, nil, false, named(l.store.path, fmt.Errorf("the folders above the node %q lie in one another", id))
		}
		if slices.Reverse(paths[i]); top[i] != "" {
			paths[i] = nil
		}
	}
	reserved, lies = paths[0], paths[1]
	if !moving {
		reserved = lies
	}
	return lies, reserved, lies != nil, nil
}

// Children implements checkpoint.Tree.
func (l *ledger) Children(ctx context.Context, id, after string, limit int) ([]checkpoint.Node, error) {
	return collect(ctx, l.store, `SELECT id, name, wanted, folder FROM node WHERE task = ? AND parent = ? AND parent IS NOT NULL AND id > ?
		ORDER BY id LIMIT ?`, []any{l.id, id, after, max(limit, 0)}, func(row scanner) (checkpoint.Node, error) {
		n := checkpoint.Node{ParentID: id}
		err := row.Scan(&n.ID, &n.Name, &n.Wanted, &n.Folder)
		return n, err
	})
}

const selectPlaces = `SELECT id, folder, parent, name, wanted, new_parent, new_name, new_wanted FROM node WHERE task = ? AND `

// Place implements checkpoint.Places.
func (l *ledger) Place(ctx context.Context, id string) (p checkpoint.Placement, ok bool, err error) {
	found, err := l.places(ctx, selectPlaces+`id = ?`, l.id, id)
	if err != nil || len(found) == 0 {
		return p, false, err
	}
	return found[0], true, nil
}

// Moving implements checkpoint.Places. It has no index and reads all nodes of the task: it is asked once in a pass.
func (l *ledger) Moving(ctx context.Context, after string, limit int) ([]checkpoint.Placement, error) {
	return l.places(ctx, selectPlaces+`id > ? AND name IS NOT NULL AND new_name IS NOT NULL ORDER BY id LIMIT ?`, l.id, after, max(limit, 0))
}

func (l *ledger) places(ctx context.Context, query string, args ...any) ([]checkpoint.Placement, error) {
	return collect(ctx, l.store, query, args, scanPlacement)
}
