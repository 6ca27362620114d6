package sqlite

// applicationID marks a state file as ours: "RPAT" in ASCII.
const applicationID = 0x52504154

// migrations lead from each version of the schema to the next; the file's user_version counts them.
var migrations = []string{`
CREATE TABLE job (name TEXT NOT NULL);
CREATE TABLE task (
	id         INTEGER PRIMARY KEY,
	account    TEXT NOT NULL,
	kind       TEXT NOT NULL,
	collection TEXT NOT NULL,
	name       TEXT NOT NULL,
	cursor     TEXT NOT NULL DEFAULT '',
	generation INTEGER NOT NULL DEFAULT 0,
	complete   INTEGER NOT NULL DEFAULT 0,
	listed     INTEGER NOT NULL DEFAULT 0,
	error      TEXT NOT NULL DEFAULT '',
	until      INTEGER NOT NULL DEFAULT 0,
	UNIQUE (account, kind, collection)
);
CREATE TABLE record (
	task         INTEGER NOT NULL REFERENCES task,
	id           TEXT NOT NULL,
	version      TEXT NOT NULL,
	state        INTEGER NOT NULL,
	reason       TEXT NOT NULL,
	message      TEXT NOT NULL,
	losses       TEXT NOT NULL,
	title        TEXT NOT NULL,
	link         TEXT NOT NULL,
	location     TEXT NOT NULL,
	receipt      TEXT NOT NULL,
	body         TEXT NOT NULL,
	sink_state   TEXT NOT NULL,
	bytes        INTEGER NOT NULL,
	digest       TEXT NOT NULL,
	attempts     INTEGER NOT NULL,
	generation   INTEGER NOT NULL,
	PRIMARY KEY (task, id)
) WITHOUT ROWID;
CREATE INDEX record_state ON record (task, state, id, bytes);
CREATE INDEX record_location ON record (task, location) WHERE location <> '';
-- A node lies at (parent, name) and has (new_parent, new_name) reserved; a name that is NULL is not there.
CREATE TABLE node (
	task       INTEGER NOT NULL REFERENCES task,
	id         TEXT NOT NULL,
	folder     INTEGER NOT NULL,
	parent     TEXT, name TEXT, wanted TEXT,
	new_parent TEXT, new_name TEXT, new_wanted TEXT,
	PRIMARY KEY (task, id)
) WITHOUT ROWID;
CREATE INDEX node_parent ON node (task, parent, id) WHERE parent IS NOT NULL;
-- The places that are taken, lying and reserved together; name is folded.
CREATE TABLE place (
	task   INTEGER NOT NULL,
	parent TEXT NOT NULL,
	name   TEXT NOT NULL,
	node   TEXT NOT NULL,
	PRIMARY KEY (task, parent, name)
) WITHOUT ROWID;
`, `
-- When the last run before the cut-over closed the job, in nanoseconds since 1970; 0 while it is open.
ALTER TABLE job ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;
`, `
-- The place on the target that the task's items are written to; empty where nobody noted it.
ALTER TABLE task ADD COLUMN target TEXT NOT NULL DEFAULT '';
`}
