package archive

import (
	"context"
	"errors"
	"slices"
	"time"

	"orderprocessor/internal/order"
)

// maxUnreadable is how many records that cannot be read one page reports.
const maxUnreadable = 3

// Search returns a page of the orders that match, newest first by acceptance and then by
// id, as the ledger lists them, starting after a position: at most limit of them, and at
// most MaxPage, all of one moment. Next is the position to continue after, zero when there
// are no more. When some records cannot be read, Search returns order.ErrUnreadable
// together with the others. It returns order.ErrUnavailable. A deadline of the context ends
// the search in the database, too.
//
// Search reads one index, newest first, and checks the other fields on each order that
// the index leads to. It takes the first of these that the filter has a field of:
//
//	id_prefix             orders_by_id, if at most maxSorted orders match
//	customer              orders_by_customer
//	metadata, tag         labels_by_value
//	settled_from or _to   orders_by_settled, if at most maxSorted orders match
//	country, currency     orders_by_country, orders_by_currency
//	status                orders_by_status
//	error_contains or     orders_by_error
//	_fingerprint
//	anything else         orders_by_created
//
// A page costs as much as the orders in that index between the start of the page and its
// last order, or the end of created_from: about 2 µs each, and 0.2 µs where
// orders_by_created itself tells that an order does not match. That is milliseconds
// for each of these fields alone, and as long as one order in some thousands also has the
// others. It is seconds where millions of orders match the first and almost none the
// others, as in an amount that nobody ordered for: times of acceptance bound it.
// PostgreSQL may choose another index by its statistics.
func (a *Archive) Search(
	ctx context.Context, f order.Filter, after order.Position, limit int,
) (records []order.Record, next order.Position, err error) {
	limit = max(1, min(limit, MaxPage))
	by, err := a.choose(ctx, f)
	if err != nil {
		return nil, order.Position{}, wrap(err, "search the archive")
	}
	statement, args := a.dialect.pageStatement(f, by, after, limit+1)
	found, err := a.page(ctx, statement, args)
	if err != nil {
		return nil, order.Position{}, wrap(err, "search the archive")
	}
	if len(found) > limit {
		found = found[:limit]
		next = found[limit-1].position()
	}
	records, err = decodeAll(found)
	return records, next, err
}

// pageRow is an order on a page.
type pageRow struct {
	id        string
	createdAt int64
	record    string
}

func (r pageRow) position() order.Position {
	return order.Position{CreatedAt: time.UnixMicro(r.createdAt).UTC(), ID: r.id}
}

func (a *Archive) page(ctx context.Context, statement string, args []any) ([]pageRow, error) {
	rows, err := a.read.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var found []pageRow
	for rows.Next() {
		var r pageRow
		if err := rows.Scan(&r.id, &r.createdAt, &r.record); err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, rows.Err()
}

func decodeAll(found []pageRow) ([]order.Record, error) {
	records := make([]order.Record, 0, len(found))
	var unreadable []error
	for _, r := range found {
		rec, err := decodeRecord(r.id, r.record)
		switch {
		case err == nil:
			records = append(records, rec)
		case len(unreadable) < maxUnreadable:
			unreadable = append(unreadable, err)
		}
	}
	return slices.Clip(records), errors.Join(unreadable...)
}
