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
	open, commit, rollback           *sql.Stmt
	savepoint, undo, release         *sql.Stmt
	begin, advance, listed, seal     *sql.Stmt
	aim                              *sql.Stmt
	enlist, see, held, record, save  *sql.Stmt
	node, forget, holder, take, free *sql.Stmt
	reserve, unreserve, settle       *sql.Stmt
}

// prepared pairs each statement with its text.
func (s *statements) prepared() map[**sql.Stmt]string {
	return map[**sql.Stmt]string{
		&s.open:      `BEGIN IMMEDIATE`,
		&s.seal:      `UPDATE job SET closed = ?`,
		&s.aim:       `UPDATE task SET target = ? WHERE account = ? AND kind = ? AND collection = ?`,
		&s.commit:    `COMMIT`,
		&s.rollback:  `ROLLBACK`,
		&s.savepoint: `SAVEPOINT op`,
		&s.undo:      `ROLLBACK TO op`,
		&s.release:   `RELEASE op`,
		&s.begin: `INSERT INTO task (account, kind, collection, name) VALUES (?, ?, ?, ?)
			ON CONFLICT (account, kind, collection) DO UPDATE SET name = CASE WHEN excluded.name = '' THEN name ELSE excluded.name END RETURNING id`,
		&s.advance: `UPDATE task SET cursor = ?, generation = ?, complete = ?, error = ?, until = ? WHERE id = ?`,
		&s.listed:  `UPDATE task SET listed = listed + ? WHERE id = ?`,
		&s.enlist: `INSERT INTO record (task, id, version, state, reason, message, losses, title, link, location, receipt, body, sink_state, bytes, digest, attempts, generation)
			VALUES (?, ?, '', 0, '', '', '', ?, ?, '', '', '', '', 0, '', 0, ?) ON CONFLICT DO NOTHING`,
		&s.see: `UPDATE record SET generation = max(generation, ?1), title = CASE WHEN ?2 = '' THEN title ELSE ?2 END, link = CASE WHEN ?3 = '' THEN link ELSE ?3 END
			WHERE task = ?4 AND id = ?5 RETURNING ` + recordColumns,
		&s.held:   `UPDATE record SET generation = ?1 WHERE task = ?2 AND id = ?3 AND generation < ?1`,
		&s.record: `SELECT ` + recordColumns + ` FROM record WHERE task = ? AND id = ?`,
		&s.save: `UPDATE record SET version = ?3, state = ?4, reason = ?5, message = ?6, losses = ?7, title = ?8, link = ?9, location = ?10, receipt = ?11,
			body = ?12, sink_state = ?13, bytes = ?14, digest = ?15, attempts = ?16, generation = ?17 WHERE task = ?1 AND id = ?2`,
		&s.node:   `SELECT folder, parent, name, wanted, new_parent, new_name, new_wanted FROM node WHERE task = ? AND id = ?`,
		&s.holder: `SELECT node FROM place WHERE task = ? AND parent = ? AND name = ?`,
		&s.take:   `INSERT INTO place (task, parent, name, node) VALUES (?, ?, ?, ?)`,
		&s.free:   `DELETE FROM place WHERE task = ? AND parent = ? AND name = ? AND node = ?`,
		&s.reserve: `INSERT INTO node (task, id, folder, new_parent, new_name, new_wanted) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (task, id) DO UPDATE SET folder = excluded.folder, new_parent = excluded.new_parent, new_name = excluded.new_name, new_wanted = excluded.new_wanted`,
		&s.unreserve: `UPDATE node SET new_parent = NULL, new_name = NULL, new_wanted = NULL WHERE task = ? AND id = ?`,
		&s.settle: `UPDATE node SET parent = new_parent, name = new_name, wanted = new_wanted, new_parent = NULL, new_name = NULL, new_wanted = NULL
			WHERE task = ? AND id = ? AND new_name IS NOT NULL`,
		&s.forget: `DELETE FROM node WHERE task = ? AND id = ?`,
	}
}

func (s *statements) prepare(ctx context.Context, conn *sql.Conn) error {
	for stmt, text := range s.prepared() {
		var err error
		if *stmt, err = conn.PrepareContext(ctx, text); err != nil {
			return errors.Join(fmt.Errorf("prepare %.40q: %w", text, err), s.close())
		}
	}
	return nil
}

func (s *statements) close() error {
	var errs []error
	for stmt := range s.prepared() {
		if *stmt != nil {
			errs = append(errs, (*stmt).Close())
		}
	}
	return errors.Join(errs...)
}
