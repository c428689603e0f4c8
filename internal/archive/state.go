package archive

import (
	"context"
	"crypto/rand"
	"database/sql"
	"strings"

	"orderprocessor/internal/order"
)

// identify gives a new archive its id.
func (a *Archive) identify(ctx context.Context) error {
	const statement = "INSERT INTO state (row, id, puts) VALUES (1, ?, 0) ON CONFLICT (row) DO NOTHING"
	_, err := a.write.ExecContext(ctx, a.dialect.sql(statement), rand.Text())
	return err
}

// countPut counts a batch in its own transaction, so that the number is lost with it.
func countPut(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "UPDATE state SET puts = puts + 1")
	return err
}

// State tells this archive from another one, and from an older copy of itself, such as a
// backup that was restored. It returns order.ErrUnavailable.
func (a *Archive) State(ctx context.Context) (order.ArchiveState, error) {
	var s order.ArchiveState
	err := a.read.QueryRowContext(ctx, "SELECT id, puts FROM state").Scan(&s.ID, &s.Puts)
	return s, wrap(err, "read the state of the archive")
}

// Missing returns those of up to MaxPut histories that the archive does not have, nor newer
// ones of these orders. It goes by id, time of acceptance and sequence alone. It returns
// order.ErrUnavailable.
func (a *Archive) Missing(ctx context.Context, histories []order.History) ([]order.History, error) {
	ids := make([]any, len(histories))
	for i, h := range histories {
		ids[i] = clean(h.Record.ID)
	}
	found := make(map[identity]int, len(ids))
	err := inChunks(ids, 1, func(n int, ids []any) error { return a.sequences(ctx, n, ids, found) })
	if err != nil {
		return nil, wrap(err, "look for %d orders in the archive", len(ids))
	}
	var missing []order.History
	for _, h := range histories {
		sequence, known := found[identity{clean(h.Record.ID), h.Record.CreatedAt.UnixMicro()}]
		if !known || sequence < h.Sequence {
			missing = append(missing, h)
		}
	}
	return missing, nil
}

// sequences adds the sequences of all orders with one of n ids.
func (a *Archive) sequences(ctx context.Context, n int, ids []any, found map[identity]int) error {
	statement := "SELECT id, created_at, sequence FROM orders WHERE id IN (" + strings.TrimSuffix(strings.Repeat("?, ", n), ", ") + ")"
	rows, err := a.read.QueryContext(ctx, a.dialect.sql(statement), ids...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var key identity
		var sequence int
		if err := rows.Scan(&key.id, &key.createdAt, &sequence); err != nil {
			return err
		}
		found[key] = sequence
	}
	return rows.Err()
}
