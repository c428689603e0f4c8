package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"orderprocessor/internal/order"
)

// Get returns the record and the timeline of the newest order with an id, equal to what
// was put. It costs one look-up whatever the number of orders. It returns
// order.ErrNotFound, order.ErrUnreadable and order.ErrUnavailable.
func (a *Archive) Get(ctx context.Context, id string) (order.Record, []order.Event, error) {
	const statement = "SELECT record, events FROM orders WHERE id = ? ORDER BY created_at DESC LIMIT 1"
	var record, events string
	err := a.read.QueryRowContext(ctx, a.dialect.sql(statement), clean(id)).Scan(&record, &events)
	if errors.Is(err, sql.ErrNoRows) {
		return order.Record{}, nil, fmt.Errorf("find order %s in the archive: %w", id, order.ErrNotFound)
	}
	if err != nil {
		return order.Record{}, nil, wrap(err, "find order %s in the archive", id)
	}
	rec, err := decodeRecord(id, record)
	if err != nil {
		return order.Record{}, nil, err
	}
	timeline, err := decodeEvents(id, events)
	return rec, timeline, err
}
