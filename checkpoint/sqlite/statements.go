package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

const recordColumns = `id, version, state, reason, message, losses, title, link, location, receipt, body, sink_state, bytes, digest, attempts, generation`

// statements are the writer's, prepared once.
type statements struct {
	begin, advance, listed           *sql.Stmt
	enlist, see, record, save        *sql.Stmt
	node, forget, holder, take, free *sql.Stmt
	reserve, unreserve, settle       *sql.Stmt
}

func (s *statements) prepare(ctx context.Context, conn *sql.Conn) error {
	for _, p := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&s.begin, `INSERT INTO task (account, kind, collection, name) VALUES (?, ?, ?, ?)
			ON CONFLICT (account, kind, collection) DO UPDATE SET name = CASE WHEN excluded.name = '' THEN name ELSE excluded.name END RETURNING id`},
		{&s.advance, `UPDATE task SET cursor = ?, generation = ?, complete = ?, error = ?, until = ? WHERE id = ?`},
		{&s.listed, `UPDATE task SET listed = listed + ? WHERE id = ?`},
		{&s.enlist, `INSERT INTO record (task, id, version, state, reason, message, losses, title, link, location, receipt, body, sink_state, bytes, digest, attempts, generation)
			VALUES (?, ?, '', 0, '', '', '', ?, ?, '', '', '', '', 0, '', 0, ?) ON CONFLICT DO NOTHING`},
		{&s.see, `UPDATE record SET generation = ?, title = CASE WHEN ? = '' THEN title ELSE ? END, link = CASE WHEN ? = '' THEN link ELSE ? END WHERE task = ? AND id = ?`},
		{&s.record, `SELECT ` + recordColumns + ` FROM record WHERE task = ? AND id = ?`},
		{&s.save, `INSERT OR REPLACE INTO record (task, ` + recordColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&s.node, `SELECT folder, parent, name, wanted, new_parent, new_name, new_wanted FROM node WHERE task = ? AND id = ?`},
		{&s.holder, `SELECT node FROM place WHERE task = ? AND parent = ? AND name = ?`},
		{&s.take, `INSERT INTO place (task, parent, name, node) VALUES (?, ?, ?, ?)`},
		{&s.free, `DELETE FROM place WHERE task = ? AND parent = ? AND name = ? AND node = ?`},
		{&s.reserve, `INSERT INTO node (task, id, folder, new_parent, new_name, new_wanted) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (task, id) DO UPDATE SET folder = excluded.folder, new_parent = excluded.new_parent, new_name = excluded.new_name, new_wanted = excluded.new_wanted`},
		{&s.unreserve, `UPDATE node SET new_parent = NULL, new_name = NULL, new_wanted = NULL WHERE task = ? AND id = ?`},
		{&s.settle, `UPDATE node SET parent = new_parent, name = new_name, wanted = new_wanted, new_parent = NULL, new_name = NULL, new_wanted = NULL
			WHERE task = ? AND id = ? AND new_name IS NOT NULL`},
		{&s.forget, `DELETE FROM node WHERE task = ? AND id = ?`},
	} {
		stmt, err := conn.PrepareContext(ctx, p.text)
		if err != nil {
			return errors.Join(fmt.Errorf("prepare %.40q: %w", p.text, err), s.close())
		}
		*p.to = stmt
	}
	return nil
}

func (s *statements) close() error {
	var errs []error
	for _, stmt := range []*sql.Stmt{s.begin, s.advance, s.listed, s.enlist, s.see, s.record, s.save, s.node, s.holder, s.take, s.free,
		s.reserve, s.settle, s.unreserve, s.forget} {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	return errors.Join(errs...)
}
