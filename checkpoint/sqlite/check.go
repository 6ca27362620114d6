package sqlite

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"

	driver "modernc.org/sqlite"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// fewFindings is how many of one rule are told for each query: what is broken is mostly broken many times.
const fewFindings = 10

// question asks the file for what breaks a rule. Its rows are account, kind, collection and detail.
type question struct {
	rule checkpoint.Rule
	text string
}

// nodeParent is where a node counts as lying: where it is reserved if it lies nowhere yet.
const nodeParent = "CASE WHEN n.name IS NULL THEN n.new_parent ELSE n.parent END"

// questions are asked in this order, since what cannot be read cannot be counted either. The text of a detail is the
// file's: it is bounded, and made fit for a terminal where it is shown.
var questions = []question{
	{checkpoint.RuleIntact, `SELECT '', '', '', 'in the table ' || "table" || ', row ' || coalesce(rowid, '?') || ' belongs to no task' FROM pragma_foreign_key_check`},
	{checkpoint.RuleReadable, ofTask("record r", `'the record of ' || quote(substr(r.id, 1, 200)) || ' has the state ' || r.state`,
		`typeof(r.state) <> 'integer' OR r.state NOT BETWEEN 0 AND `+fmt.Sprint(len(checkpoint.States)-1))},
	{checkpoint.RuleReadable, ofTask("record r", `'the losses of ' || quote(substr(r.id, 1, 200)) || ' cannot be read'`,
		`r.losses <> '' AND NOT (json_valid(r.losses) AND json_type(CASE WHEN json_valid(r.losses) THEN r.losses END) = 'array')`)},
	{checkpoint.RuleReadable, ofTask("record r", `'the record of ' || quote(substr(r.id, 1, 200)) || ' has a number that is none'`,
		`typeof(r.bytes) <> 'integer' OR typeof(r.attempts) <> 'integer' OR typeof(r.generation) <> 'integer'`)},
	{checkpoint.RuleBalanced, `SELECT account, kind, collection, listed || ' were listed, and there are ' || n || ' records' FROM
		(SELECT t.*, (SELECT count(*) FROM record WHERE task = t.id) AS n FROM task t) WHERE n <> listed`},
	{checkpoint.RuleListing, `SELECT account, kind, collection, 'it has a cursor, and no listing was ever begun' FROM task WHERE cursor <> '' AND generation < 1`},
	{checkpoint.RuleListing, ofTask("record r", `'the item ' || quote(substr(r.id, 1, 200)) || ' was seen in listing ' || r.generation || ', and only ' || t.generation || ' were begun'`,
		`r.generation > t.generation`)},
	{checkpoint.RuleReason, ofTask("record r", `'the item ' || quote(substr(r.id, 1, 200)) || ' was left out, and nothing says why'`,
		`r.state IN (4, 5) AND r.reason = ''`)},
	{checkpoint.RuleLocation, ofTask("record r", `'the item ' || quote(substr(r.id, 1, 200)) || ' was copied, and nothing says where to'`,
		`r.state IN (2, 3) AND r.location = ''`)},
	{checkpoint.RuleLocation, `SELECT t.account, t.kind, t.collection, n || ' messages, among them ' || quote(substr(a, 1, 200)) || ' and ' || quote(substr(b, 1, 200)) || ', are at ' || quote(substr(location, 1, 200))
		FROM (SELECT r.task, r.location, count(*) AS n, min(r.id) AS a, max(r.id) AS b FROM task m CROSS JOIN record r INDEXED BY record_location ON r.task = m.id
			WHERE m.kind = 'mail' AND r.location <> '' AND r.state IN (2, 3) GROUP BY r.task, r.location HAVING n > 1) JOIN task t ON t.id = task`},
	{checkpoint.RulePlace, ofTask("node n", `'the node ' || quote(substr(n.id, 1, 200)) || ' lies at ' || quote(substr(n.name, 1, 200)) || ', and the place is not its own'`,
		`n.name IS NOT NULL AND NOT EXISTS (SELECT 1 FROM place p WHERE p.task = n.task AND p.parent = n.parent AND p.name = repatriate_folded(n.name) AND p.node = n.id)`)},
	{checkpoint.RulePlace, ofTask("node n", `'the node ' || quote(substr(n.id, 1, 200)) || ' has reserved ' || quote(substr(n.new_name, 1, 200)) || ', and the place is not its own'`,
		`n.new_name IS NOT NULL AND NOT EXISTS (SELECT 1 FROM place p WHERE p.task = n.task AND p.parent = n.new_parent AND p.name = repatriate_folded(n.new_name) AND p.node = n.id)`)},
	{checkpoint.RulePlace, ofTask("place p", `'the place ' || quote(substr(p.name, 1, 200)) || ' is held by ' || quote(substr(p.node, 1, 200)) || ', which does not lie there'`,
		`NOT EXISTS (SELECT 1 FROM node n WHERE n.task = p.task AND n.id = p.node AND
			(n.parent = p.parent AND repatriate_folded(n.name) = p.name OR n.new_parent = p.parent AND repatriate_folded(n.new_name) = p.name))`)},
	{checkpoint.RulePlace, ofTask("node n", `'the node ' || quote(substr(n.id, 1, 200)) || ' has half a place'`,
		`(n.name IS NULL) <> (n.parent IS NULL) OR (n.new_name IS NULL) <> (n.new_parent IS NULL) OR (n.name IS NULL AND n.new_name IS NULL)`)},
	{checkpoint.RuleParent, ofTask("node n", `'the node ' || quote(substr(n.id, 1, 200)) || ' lies in ' || quote(substr(n.parent, 1, 200)) || ', which has no place'`,
		`n.parent <> '' AND NOT EXISTS (SELECT 1 FROM node p WHERE p.task = n.task AND p.id = n.parent)`)},
	{checkpoint.RuleParent, fmt.Sprintf(`WITH RECURSIVE up (task, id, above, depth) AS (
			SELECT n.task, n.id, %[1]s, 1 FROM node n WHERE n.folder AND %[1]s <> ''
			UNION ALL
			SELECT up.task, up.id, %[1]s, up.depth + 1 FROM up JOIN node n ON n.task = up.task AND n.id = up.above WHERE up.above <> '' AND up.depth < %[2]d)
		SELECT t.account, t.kind, t.collection, 'above the folder ' || quote(substr(up.id, 1, 200)) || ', folders lie in one another' FROM up JOIN task t ON t.id = up.task
		WHERE up.depth = %[2]d`, nodeParent, deepest)},
}

// registered makes known to SQLite how names of siblings are compared, before the first connection.
var registered = sync.OnceValue(func() error {
	return driver.RegisterDeterministicScalarFunction("repatriate_folded", 1, func(_ *driver.FunctionContext, args []sqldriver.Value) (sqldriver.Value, error) {
		if name, ok := args[0].(string); ok {
			return folded(name), nil
		}
		return nil, nil
	})
})

// ofTask asks for rows of a table, called by its letter, that a condition holds of.
func ofTask(table, detail, condition string) string {
	letter := table[len(table)-1:]
	return fmt.Sprintf("SELECT t.account, t.kind, t.collection, %s FROM %s JOIN task t ON t.id = %s.task WHERE %s", detail, table, letter, condition)
}

// Check implements checkpoint.Store. It reads the whole file once for each rule; a million records take some ten seconds.
func (s *Store) Check(ctx context.Context) iter.Seq2[checkpoint.Finding, error] {
	return func(yield func(checkpoint.Finding, error) bool) {
		at, done, err := s.read.moment(ctx)
		if err != nil {
			yield(checkpoint.Finding{}, named(s.path, err))
			return
		}
		defer done()
		sound, more := s.checkPages(ctx, at, yield)
		if !sound || !more {
			return // of a damaged file every other answer is chance
		}
		for _, q := range questions {
			if !s.ask(ctx, at, q, yield) {
				return
			}
		}
	}
}

// checkPages looks for damage. sound is false if there is some; more is false if nobody wants to hear more.
func (s *Store) checkPages(ctx context.Context, at reader, yield func(checkpoint.Finding, error) bool) (sound, more bool) {
	texts, err := column(ctx, at, fmt.Sprintf("PRAGMA quick_check(%d)", fewFindings))
	if err != nil {
		err = unusable(err)
		if errors.Is(err, ErrForeign) {
			return false, yield(checkpoint.Finding{Rule: checkpoint.RuleIntact, Detail: err.Error()}, nil)
		}
		yield(checkpoint.Finding{}, named(s.path, err))
		return false, false
	}
	for _, text := range texts {
		if text == "ok" {
			continue
		}
		sound = false
		if !yield(checkpoint.Finding{Rule: checkpoint.RuleIntact, Detail: "it is damaged: " + inWords(text)}, nil) {
			return false, false
		}
	}
	return len(texts) == 1 && texts[0] == "ok", true
}

// inWords puts what SQLite says of damage on one line.
func inWords(text string) string {
	return strings.Join(strings.Fields(strings.TrimPrefix(text, "*** in database main ***")), " ")
}

// column returns the texts of a query with one column.
func column(ctx context.Context, at reader, query string) (texts []string, err error) {
	rows, err := at.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err has what went wrong
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, rows.Err()
}

// ask yields the first findings of a question. It returns false if nobody wants to hear more, or nothing more can be said.
func (s *Store) ask(ctx context.Context, at reader, q question, yield func(checkpoint.Finding, error) bool) bool {
	found, err := findings(ctx, at, q)
	if err != nil {
		yield(checkpoint.Finding{}, named(s.path, unusable(err)))
		return false
	}
	for _, f := range found {
		if !yield(f, nil) {
			return false
		}
	}
	return true
}

func findings(ctx context.Context, at reader, q question) (found []checkpoint.Finding, err error) {
	rows, err := at.QueryContext(ctx, fmt.Sprintf("SELECT * FROM (%s) LIMIT %d", q.text, fewFindings))
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err has what went wrong
	for rows.Next() {
		f := checkpoint.Finding{Rule: q.rule}
		var detail sql.NullString
		if err := rows.Scan(&f.Task.Account, &f.Task.Kind, &f.Task.Collection, &detail); err != nil {
			return nil, err
		}
		f.Detail = detail.String
		found = append(found, f)
	}
	return found, rows.Err()
}
