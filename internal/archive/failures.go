package archive

import (
	"context"
	"time"

	"orderprocessor/internal/order"
)

// Failures returns the groups of alike failures of all orders that have failed since a
// time and have not been retried, the largest group first: at most limit of them, and at
// most MaxGroups. The zero time means all. It reads the index of all failed orders in the
// archive, about 0.3 µs each, and for each group its newest order. It returns
// order.ErrUnavailable and order.ErrUnreadable.
func (a *Archive) Failures(ctx context.Context, since time.Time, limit int) ([]order.FailureGroup, error) {
	groups, err := a.groups(ctx, since, max(1, min(limit, MaxGroups)))
	if err != nil {
		return nil, wrap(err, "group the failures")
	}
	for i := range groups {
		if err := a.examples(ctx, since, &groups[i]); err != nil {
			return nil, wrap(err, "find examples of a failure")
		}
	}
	return groups, nil
}

func (a *Archive) groups(ctx context.Context, since time.Time, limit int) ([]order.FailureGroup, error) {
	const statement = "SELECT fingerprint, count(*) AS n, min(settled_at), max(settled_at) FROM orders" +
		" WHERE fingerprint <> '' AND settled_at >= ? GROUP BY fingerprint ORDER BY n DESC, fingerprint LIMIT ?"
	rows, err := a.read.QueryContext(ctx, a.dialect.sql(statement), sinceMicros(since), limit)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var groups []order.FailureGroup
	for rows.Next() {
		var g order.FailureGroup
		var first, last int64
		if err := rows.Scan(&g.Fingerprint, &g.Orders, &first, &last); err != nil {
			return nil, err
		}
		g.FirstSeen, g.LastSeen = time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()
		groups = append(groups, g)
	}
	return groups, rows.Err()
}

func sinceMicros(since time.Time) int64 {
	if since.IsZero() {
		return 0
	}
	return roundUp(since)
}

// examples adds to a group what its newest orders tell. They may have been retried since
// the group was counted.
func (a *Archive) examples(ctx context.Context, since time.Time, g *order.FailureGroup) error {
	const statement = "SELECT id, created_at, record FROM orders" +
		" WHERE fingerprint <> '' AND fingerprint = ? AND settled_at >= ? ORDER BY settled_at DESC, id DESC LIMIT ?"
	found, err := a.page(ctx, a.dialect.sql(statement), []any{g.Fingerprint, sinceMicros(since), order.MaxExamples})
	if err != nil || len(found) == 0 {
		return err
	}
	for _, r := range found {
		g.ExampleIDs = append(g.ExampleIDs, r.id)
	}
	rec, err := decodeRecord(found[0].id, found[0].record)
	if err != nil {
		return err
	}
	g.Error, g.Queue = rec.Error, rec.Queue
	if n := len(rec.Attempts); n > 0 {
		g.Note = rec.Attempts[n-1].Note
	}
	return nil
}
