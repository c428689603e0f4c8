package archive

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"orderprocessor/internal/order"
)

// Clear deletes everything.
func (a *Archive) Clear(ctx context.Context) error { return a.Exec(ctx, "DELETE FROM orders") }

// Exec runs a statement on the connection of the writer.
func (a *Archive) Exec(ctx context.Context, statement string) error {
	_, err := a.write.ExecContext(ctx, statement)
	return err
}

// Migrate applies migrations from elsewhere.
func (a *Archive) Migrate(ctx context.Context, steps fs.FS) error { return a.migrate(ctx, steps) }

// Count returns how many rows a table has.
func (a *Archive) Count(ctx context.Context, table string) (n int, err error) {
	err = a.read.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n)
	return n, err
}

// Plan returns how the database would search.
func (a *Archive) Plan(ctx context.Context, f order.Filter, after order.Position) (string, error) {
	by, err := a.choose(ctx, f)
	if err != nil {
		return "", err
	}
	statement, args := a.dialect.pageStatement(f, by, after, 51)
	return a.explain(ctx, statement, args...)
}

// PlanOf returns how the database would run a statement.
func (a *Archive) PlanOf(ctx context.Context, statement string, args ...any) (string, error) {
	return a.explain(ctx, a.dialect.sql(statement), args...)
}

func (a *Archive) explain(ctx context.Context, statement string, args ...any) (string, error) {
	how := "EXPLAIN QUERY PLAN "
	if a.dialect.numbered {
		how = "EXPLAIN "
	}
	rows, err := a.read.QueryContext(ctx, how+statement, args...)
	if err != nil {
		return "", err
	}
	defer func() { _ = rows.Close() }()
	var lines []string
	for rows.Next() {
		var line string
		into := []any{&line}
		if !a.dialect.numbered {
			into = []any{new(int), new(int), new(int), &line}
		}
		if err := rows.Scan(into...); err != nil {
			return "", err
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n"), rows.Err()
}

// Hold keeps every other writer out until release is called.
func (a *Archive) Hold(ctx context.Context) (release func() error, err error) {
	tx, err := a.write.BeginTx(ctx, nil)
	if err == nil && a.dialect.numbered {
		_, err = tx.ExecContext(ctx, "LOCK TABLE orders")
	}
	return tx.Rollback, err
}

// Settings asks the connection of the writer and one of the readers for a value.
func (a *Archive) Settings(ctx context.Context, statement string) (writer, reader string, err error) {
	err = errors.Join(a.write.QueryRowContext(ctx, statement).Scan(&writer), a.read.QueryRowContext(ctx, statement).Scan(&reader))
	return writer, reader, err
}

// Wrap is wrap.
func Wrap(err error, format string, args ...any) error { return wrap(err, format, args...) }
