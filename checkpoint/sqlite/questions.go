package sqlite

import (
	"fmt"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// question asks the file for what breaks a rule. Its rows are account, kind, collection and detail.
type question struct {
	rule checkpoint.Rule
	text string
}

// questions are asked in this order, since what cannot be read cannot be counted either.
var questions = []question{
	{checkpoint.RuleIntact, `SELECT '', '', '', 'in the table ' || "table" || ', row ' || coalesce(rowid, '?') || ' belongs to no task'
		FROM pragma_foreign_key_check`},
	ofTask(checkpoint.RuleReadable, "record r", `'the record of '||`+shown("r.id")+`||' has the state '||r.state`,
		fmt.Sprintf(`typeof(r.state) <> 'integer' OR r.state NOT BETWEEN 0 AND %d`, len(checkpoint.States)-1)),
	ofTask(checkpoint.RuleReadable, "record r", `'the losses of '||`+shown("r.id")+`||' cannot be read'`,
		`r.losses <> '' AND NOT (json_valid(r.losses) AND json_type(CASE WHEN json_valid(r.losses) THEN r.losses END) = 'array')`),
	ofTask(checkpoint.RuleReadable, "record r", `'the record of '||`+shown("r.id")+`||' has a number that is none'`,
		`typeof(r.bytes) <> 'integer' OR typeof(r.attempts) <> 'integer' OR typeof(r.generation) <> 'integer'`),
	{checkpoint.RuleBalanced, `SELECT account, kind, collection, listed || ' were listed, and there are ' || n || ' records'
		FROM (SELECT t.*, (SELECT count(*) FROM record WHERE task = t.id) AS n FROM task t) WHERE n <> listed`},
	{checkpoint.RuleListing, `SELECT account, kind, collection, 'it has a cursor, and no listing was ever begun'
		FROM task WHERE cursor <> '' AND generation < 1`},
	ofTask(checkpoint.RuleListing, "record r",
		`'the item '||`+shown("r.id")+`||' was seen in listing '||r.generation||', and only '||t.generation||' were begun'`,
		`r.generation > t.generation`),
	ofTask(checkpoint.RuleReason, "record r", `'the item '||`+shown("r.id")+`||' was left out, and nothing says why'`,
		fmt.Sprintf(`r.state IN (%d, %d) AND r.reason = ''`, checkpoint.Skipped, checkpoint.Failed)),
	ofTask(checkpoint.RuleLocation, "record r", `'the item '||`+shown("r.id")+`||' was copied, and nothing says where to'`,
		`r.location = '' AND r.state `+isCopied),
	{checkpoint.RuleLocation, `SELECT t.account, t.kind, t.collection,
			n || ' messages, among them ' || ` + shown("a") + ` || ' and ' || ` + shown("b") + ` || ', are at ' || ` + shown("location") + `
		FROM (SELECT r.task, r.location, count(*) AS n, min(r.id) AS a, max(r.id) AS b
			FROM task m CROSS JOIN record r INDEXED BY record_location ON r.task = m.id
			WHERE m.kind = 'mail' AND r.location <> '' AND r.state ` + isCopied + ` GROUP BY r.task, r.location HAVING n > 1)
		JOIN task t ON t.id = task`},
	ofTask(checkpoint.RulePlace, "node n", `'the node '||`+shown("n.id")+`||' lies at '||`+shown("n.name")+`||', and the place is not its own'`,
		`n.name IS NOT NULL AND NOT EXISTS (SELECT 1 FROM place p
			WHERE p.task = n.task AND p.parent = n.parent AND p.name = repatriate_folded(n.name) AND p.node = n.id)`),
	ofTask(checkpoint.RulePlace, "node n", `'the node '||`+shown("n.id")+`||' has reserved '||`+shown("n.new_name")+`||', and the place is not its own'`,
		`n.new_name IS NOT NULL AND NOT EXISTS (SELECT 1 FROM place p
			WHERE p.task = n.task AND p.parent = n.new_parent AND p.name = repatriate_folded(n.new_name) AND p.node = n.id)`),
	ofTask(checkpoint.RulePlace, "place p", `'the place '||`+shown("p.name")+`||' is held by '||`+shown("p.node")+`||', which does not lie there'`,
		`NOT EXISTS (SELECT 1 FROM node n WHERE n.task = p.task AND n.id = p.node AND (
			n.parent = p.parent AND repatriate_folded(n.name) = p.name OR n.new_parent = p.parent AND repatriate_folded(n.new_name) = p.name))`),
	ofTask(checkpoint.RulePlace, "node n", `'the node '||`+shown("n.id")+`||' has half a place'`,
		`(n.name IS NULL) <> (n.parent IS NULL) OR (n.new_name IS NULL) <> (n.new_parent IS NULL) OR n.name IS NULL AND n.new_name IS NULL`),
	ofTask(checkpoint.RuleParent, "node n", `'the node '||`+shown("n.id")+`||' lies in '||`+shown("n.parent")+`||', which has no place'`,
		`n.parent <> '' AND NOT EXISTS (SELECT 1 FROM node p WHERE p.task = n.task AND p.id = n.parent)`),
	{checkpoint.RuleParent, fmt.Sprintf(`WITH RECURSIVE up (task, id, above, depth) AS (
			SELECT n.task, n.id, %[1]s, 1 FROM node n WHERE n.folder AND %[1]s <> ''
			UNION ALL
			SELECT up.task, up.id, %[1]s, up.depth + 1 FROM up JOIN node n ON n.task = up.task AND n.id = up.above
			WHERE up.above <> '' AND up.depth < %[2]d)
		SELECT t.account, t.kind, t.collection, 'above the folder ' || %[3]s || ', folders lie in one another'
		FROM up JOIN task t ON t.id = up.task WHERE up.depth = %[2]d`, nodeParent, deepest, shown("up.id"))},
}

// isCopied is a condition of a state.
var isCopied = fmt.Sprintf("IN (%d, %d)", checkpoint.Copied, checkpoint.CopiedWithLosses)

// nodeParent is the folder in which a node lies, or will lie if it lies nowhere yet.
const nodeParent = "CASE WHEN n.name IS NULL THEN n.new_parent ELSE n.parent END"

// shown is a column's text in quotation marks, not longer than a line or two. It is made fit for a terminal where it is
// shown.
func shown(column string) string { return "quote(substr(" + column + ", 1, 200))" }

// ofTask asks for the rows of a table, called by its letter, that a condition holds of.
func ofTask(rule checkpoint.Rule, table, detail, condition string) question {
	letter := table[len(table)-1:]
	return question{rule, fmt.Sprintf("SELECT t.account, t.kind, t.collection, %s FROM %s JOIN task t ON t.id = %s.task WHERE %s",
		detail, table, letter, condition)}
}
