package archive

import (
	"context"
	"database/sql"
	"time"

	"orderprocessor/internal/order"
)

// Erase replaces what is personal in settled orders of a customer, spelt exactly as in
// the orders, by order.ErasedText, in the records and in what can be searched by:
// see order.Content.Erased. Texts that the rules, the shop or an operator wrote stay. One
// call erases up to limit orders, and up to MaxErased, in one transaction, and is durable
// when it returns; call again until it has erased none. Unsettled orders stay as they
// are, as the shop still needs them; left is how many there are. A history that was read
// before it was erased in the ledger must not be put afterwards with a higher sequence: it
// would bring the texts back. It returns order.ErrUnavailable and order.ErrUnreadable.
func (a *Archive) Erase(ctx context.Context, customer string, limit int) (erased, left int, err error) {
	customer = clean(customer)
	if customer == order.ErasedText {
		return 0, 0, nil // there is nothing left
	}
	err = a.transact(ctx, func(tx *sql.Tx) error {
		orders, err := a.settledOf(ctx, tx, customer, max(1, min(limit, MaxErased)))
		if err != nil {
			return err
		}
		if erased = len(orders); erased > 0 {
			if err := a.rewrite(ctx, tx, orders); err != nil {
				return err
			}
		}
		const statement = "SELECT count(*) FROM orders WHERE customer = ? AND settled_at IS NULL"
		return tx.QueryRowContext(ctx, a.dialect.sql(statement), customer).Scan(&left)
	})
	if err != nil {
		return 0, 0, wrap(err, "erase a customer")
	}
	return erased, left, nil
}

// settledOf returns settled orders of a customer as they will be.
func (a *Archive) settledOf(ctx context.Context, tx *sql.Tx, customer string, limit int) ([]stored, error) {
	const statement = "SELECT key, id, created_at, record FROM orders WHERE customer = ? AND settled_at IS NOT NULL LIMIT ?"
	rows, err := tx.QueryContext(ctx, a.dialect.sql(statement+a.dialect.forUpdate), customer, limit)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var orders []stored
	for rows.Next() {
		var s stored
		if err := rows.Scan(&s.key, &s.id, &s.createdAt, &s.record); err != nil {
			return nil, err
		}
		if err := s.erase(); err != nil {
			return nil, err
		}
		orders = append(orders, s)
	}
	return orders, rows.Err()
}

// erase replaces the columns of an order that hold something personal.
func (s *stored) erase() error {
	rec, err := decodeRecord(s.id, s.record)
	if err != nil {
		return err
	}
	rec.Content = rec.Erased()
	r, err := rowOf(order.History{Record: rec})
	s.record, s.customer, s.labels = r.record, r.customer, r.labels
	return err
}

func (a *Archive) rewrite(ctx context.Context, tx *sql.Tx, orders []stored) error {
	update, err := tx.PrepareContext(ctx, a.dialect.sql("UPDATE orders SET customer = ?, record = ? WHERE key = ?"))
	if err != nil {
		return err
	}
	defer func() { _ = update.Close() }()
	for _, s := range orders {
		if _, err := update.ExecContext(ctx, s.customer, s.record, s.key); err != nil {
			return err
		}
	}
	return a.relabel(ctx, tx, orders)
}

// Forget deletes the orders that were settled before a time, the oldest first: up to
// limit of them, and up to MaxErased, in one transaction. They are gone for good when it
// returns; call again until it has forgotten none. It returns order.ErrUnavailable.
func (a *Archive) Forget(ctx context.Context, before time.Time, limit int) (forgotten int, err error) {
	const statement = "DELETE FROM orders WHERE key IN" +
		" (SELECT key FROM orders WHERE settled_at < ? ORDER BY settled_at LIMIT ?)"
	result, err := a.write.ExecContext(ctx, a.dialect.sql(statement), before.UnixMicro(), max(1, min(limit, MaxErased)))
	if err != nil {
		return 0, wrap(err, "forget old orders")
	}
	n, err := result.RowsAffected()
	return int(n), err
}
