package archive

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"orderprocessor/internal/order"
)

// ErrTooMany is returned for more than MaxPut orders at once.
var ErrTooMany = errors.New("too many orders at once")

// Put stores histories, up to MaxPut of them, settled or not. An order is known by its id
// and its time of acceptance; of several histories of one order the one with the highest
// sequence stays, in whatever order and how often they come. All of them are durable when
// Put returns nil, and none after an error, unless only the answer was lost; repeating it
// is safe. It returns order.ErrUnavailable and ErrTooMany.
func (a *Archive) Put(ctx context.Context, histories []order.History) error {
	if len(histories) > MaxPut {
		return fmt.Errorf("archive %d orders: %w", len(histories), ErrTooMany)
	}
	rows, err := rowsOf(histories)
	if err != nil || len(rows) == 0 {
		return err
	}
	err = a.transact(ctx, func(tx *sql.Tx) error {
		if err := a.put(ctx, tx, rows); err != nil {
			return err
		}
		return countPut(ctx, tx) // last, as two processes wait here for each other
	})
	return wrap(err, "archive %d orders", len(rows))
}

// rowsOf returns one row for each order, sorted: neighbours in the indexes are written
// together, and two processes that write the same orders never wait for each other in a
// circle.
func rowsOf(histories []order.History) ([]row, error) {
	rows := make([]row, len(histories))
	for i, h := range histories {
		var err error
		if rows[i], err = rowOf(h); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.createdAt, b.createdAt), cmp.Compare(a.id, b.id), cmp.Compare(b.sequence, a.sequence))
	})
	return slices.CompactFunc(rows, func(a, b row) bool { return a.identity() == b.identity() }), nil
}

// identity is what no two orders share.
type identity struct {
	id        string
	createdAt int64
}

func (r row) identity() identity { return identity{r.id, r.createdAt} }

func (a *Archive) put(ctx context.Context, tx *sql.Tx, rows []row) error {
	byIdentity := make(map[identity]row, len(rows))
	var values []any
	for _, r := range rows {
		byIdentity[r.identity()] = r
		values = append(values, r.values()...)
	}
	return inChunks(values, len(columns()), func(n int, values []any) error {
		written, err := a.upsert(ctx, tx, n, values)
		if err != nil {
			return err
		}
		for i, w := range written {
			written[i].row = byIdentity[w.identity()]
		}
		return a.relabel(ctx, tx, written)
	})
}

// chunks are the numbers of rows that one statement may have. They are few, so that the
// databases need not read a new statement each time.
func chunks() []int { return []int{100, 10, 1} }

// inChunks splits rows of so many values each.
func inChunks(values []any, width int, do func(n int, values []any) error) error {
	for _, n := range chunks() {
		for len(values) >= n*width {
			if err := do(n, values[:n*width]); err != nil {
				return err
			}
			values = values[n*width:]
		}
	}
	return nil
}

// stored is an order with its key in the table.
type stored struct {
	row
	key int64
}

// upsert writes n orders and returns those that are new or newer than what was there,
// with their keys and identities.
func (a *Archive) upsert(ctx context.Context, tx *sql.Tx, n int, values []any) ([]stored, error) {
	found, err := tx.QueryContext(ctx, a.dialect.sql(upsertStatement(n)), values...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	var written []stored
	for found.Next() {
		var s stored
		if err := found.Scan(&s.key, &s.id, &s.createdAt); err != nil {
			return nil, err
		}
		written = append(written, s)
	}
	return written, found.Err()
}

func upsertStatement(n int) string {
	var set []string
	for _, c := range columns() {
		set = append(set, c+" = excluded."+c)
	}
	return "INSERT INTO orders (" + strings.Join(columns(), ", ") + ") VALUES " + placeholders(n, len(columns())) +
		" ON CONFLICT (id, created_at) DO UPDATE SET " + strings.Join(set, ", ") +
		" WHERE excluded.sequence > orders.sequence RETURNING key, id, created_at"
}

// placeholders returns n groups of so many parameters, as in (?, ?), (?, ?).
func placeholders(n, width int) string {
	group := "(" + strings.TrimSuffix(strings.Repeat("?, ", width), ", ") + ")"
	return strings.TrimSuffix(strings.Repeat(group+", ", n), ", ")
}

// relabel replaces the labels of orders.
func (a *Archive) relabel(ctx context.Context, tx *sql.Tx, orders []stored) error {
	var keys, values []any
	for _, s := range orders {
		keys = append(keys, s.key)
		for _, l := range s.labels {
			values = append(values, s.key, l.name, l.value, s.createdAt)
		}
	}
	err := inChunks(keys, 1, func(n int, keys []any) error {
		_, err := tx.ExecContext(ctx, a.dialect.sql("DELETE FROM labels WHERE order_key IN "+placeholders(1, n)), keys...)
		return err
	})
	if err != nil {
		return err
	}
	return inChunks(values, 4, func(n int, values []any) error {
		_, err := tx.ExecContext(ctx, a.dialect.sql(
			"INSERT INTO labels (order_key, name, value, created_at) VALUES "+placeholders(n, 4)+" ON CONFLICT DO NOTHING"), values...)
		return err
	})
}
