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

// registered makes known to SQLite how names of siblings are compared, before the first connection.
var registered = sync.OnceValue(func() error {
	return driver.RegisterDeterministicScalarFunction("repatriate_folded", 1, foldedName)
})

func foldedName(_ *driver.FunctionContext, args []sqldriver.Value) (sqldriver.Value, error) {
	if name, ok := args[0].(string); ok {
		return folded(name), nil
	}
	return nil, nil
}

// Check implements checkpoint.Store. It reads the whole file once for each rule; a million records take a quarter of a minute or more.
func (s *Store) Check(ctx context.Context) iter.Seq2[checkpoint.Finding, error] {
	return func(yield func(checkpoint.Finding, error) bool) {
		at, done, err := s.read.moment(ctx)
		if err != nil {
			yield(checkpoint.Finding{}, named(s.path, err))
			return
		}
		defer done()
		if !s.checkPages(ctx, at, yield) {
			return
		}
		for _, q := range questions {
			if !s.ask(ctx, at, q, yield) {
				return
			}
		}
	}
}

// checkPages looks for damage. It returns false if there is some: every other answer would be chance.
func (s *Store) checkPages(ctx context.Context, at reader, yield func(checkpoint.Finding, error) bool) (sound bool) {
	texts, err := column(ctx, at, fmt.Sprintf("PRAGMA quick_check(%d)", fewFindings))
	if err != nil {
		err = unusable(err)
		if errors.Is(err, ErrForeign) {
			yield(checkpoint.Finding{Rule: checkpoint.RuleIntact, Detail: err.Error()}, nil)
		} else {
			yield(checkpoint.Finding{}, named(s.path, err))
		}
		return false
	}
	for _, text := range texts {
		if text == "ok" {
			return true
		}
		if !yield(checkpoint.Finding{Rule: checkpoint.RuleIntact, Detail: "it is damaged: " + inWords(text)}, nil) {
			break
		}
	}
	return false
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
