package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"orderprocessor/bench/simple"
)

// schema is the table of orders. Its index serves the list and the counts.
const schema = `
CREATE TABLE IF NOT EXISTS orders (
	id text PRIMARY KEY, amount numeric(12, 2) NOT NULL, items text[] NOT NULL, customer text NOT NULL,
	address text NOT NULL, priority smallint NOT NULL, notes text NOT NULL,
	status text NOT NULL DEFAULT 'pending', handling text NOT NULL DEFAULT '', error text NOT NULL DEFAULT '',
	created_at timestamptz NOT NULL DEFAULT now(), processed_at timestamptz
);
CREATE INDEX IF NOT EXISTS orders_by_status ON orders (status, created_at)`

// columns are those of a record, in the order of scan.
const columns = `id, amount, items, customer, address, priority, notes, status, handling, error, created_at, processed_at`

// table is the records in PostgreSQL.
type table struct {
	pool *pgxpool.Pool
	jobs *river.Client[pgx.Tx]
}

func newTable(ctx context.Context, pool *pgxpool.Pool) (*table, error) {
	if _, err := pool.Exec(ctx, schema); err != nil {
		return nil, fmt.Errorf("make the table of orders: %w", err)
	}
	jobs, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Logger: slog.New(slog.DiscardHandler)})
	return &table{pool: pool, jobs: jobs}, err
}

// Accept implements simple.Store.
func (t *table) Accept(ctx context.Context, o simple.Order) (rec simple.Record, created bool, err error) {
	err = pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error {
		rec = simple.Record{Order: o, Status: simple.Pending}
		err := tx.QueryRow(ctx, `
			INSERT INTO orders (id, amount, items, customer, address, priority, notes) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (id) DO NOTHING RETURNING created_at`,
			o.ID, o.Amount, o.Items, o.Customer, o.Address, o.Priority, o.Notes).Scan(&rec.CreatedAt)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err == nil {
			_, err = t.jobs.InsertTx(ctx, tx, job{o.Facts()}, nil)
		}
		created = err == nil
		return err
	})
	if err != nil {
		return rec, false, fmt.Errorf("accept order %s: %w", o.ID, err)
	}
	if !created {
		rec, err = t.Order(ctx, o.ID)
	}
	return rec, created, err
}

// Order implements simple.Store.
func (t *table) Order(ctx context.Context, id string) (simple.Record, error) {
	rows, err := t.pool.Query(ctx, `SELECT `+columns+` FROM orders WHERE id = $1`, id)
	if err != nil {
		return simple.Record{}, err
	}
	rec, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return rec, simple.ErrNotFound
	}
	return rec, err
}

// List implements simple.Store.
func (t *table) List(ctx context.Context, status string, after int) ([]simple.Record, error) {
	rows, err := t.pool.Query(ctx, `SELECT `+columns+` FROM orders WHERE status = $1
		ORDER BY created_at DESC, id DESC OFFSET $2 LIMIT $3`, status, after, simple.PageOrders)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}

// Counts implements simple.Store.
func (t *table) Counts(ctx context.Context) (map[string]int64, error) {
	rows, err := t.pool.Query(ctx, `SELECT status, count(*) FROM orders GROUP BY status`)
	if err != nil {
		return nil, err
	}
	counts := map[string]int64{}
	var status string
	var orders int64
	_, err = pgx.ForEachRow(rows, []any{&status, &orders}, func() error {
		counts[status] = orders
		return nil
	})
	return counts, err
}

func scan(row pgx.CollectableRow) (rec simple.Record, err error) {
	err = row.Scan(&rec.ID, &rec.Amount, &rec.Items, &rec.Customer, &rec.Address, &rec.Priority, &rec.Notes,
		&rec.Status, &rec.Handling, &rec.Error, &rec.CreatedAt, &rec.ProcessedAt)
	return rec, err
}
