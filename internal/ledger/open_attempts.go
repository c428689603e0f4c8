package ledger

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// OpenAttempt is an attempt that has begun and not ended.
type OpenAttempt struct {
	OrderID string
	// Number is the number of the attempt.
	Number int
	// Worker is the name of the program that works the order.
	Worker string
	// StartedAt is when the attempt began.
	StartedAt time.Time
}

// OpenAttempts returns the attempts at orders that are being worked, at most limit of them,
// orders with a handling of their own first. An order whose status changes meanwhile may be
// missing. It reads no more of a record than it returns. It returns order.ErrUnavailable
// when Redis did not answer.
func (l *Ledger) OpenAttempts(ctx context.Context, limit int) ([]OpenAttempt, error) {
	parts, err := each(l.books, func(b *Book) ([]OpenAttempt, error) { return b.openAttempts(ctx, limit) })
	open := slices.Concat(parts...)
	return open[:min(len(open), limit)], err
}

func (b *Book) openAttempts(ctx context.Context, limit int) ([]OpenAttempt, error) {
	ids, err := b.worked(ctx, limit)
	if err != nil || len(ids) == 0 {
		return nil, wrap(err, "list the orders that are worked")
	}
	accepted, numbers := make([]time.Time, len(ids)), make([]int, len(ids))
	heads := make([]*redis.SliceCmd, len(ids))
	pipe := b.rdb.Pipeline()
	for i, id := range ids {
		heads[i] = pipe.HMGet(ctx, b.keys.record(id), fieldCreated, fieldAttempts)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, wrap(err, "read %d orders that are worked", len(ids))
	}
	lines := make([]*redis.SliceCmd, len(ids))
	pipe = b.rdb.Pipeline()
	for i, id := range ids {
		created, _ := heads[i].Val()[0].(string)
		number, _ := heads[i].Val()[1].(string)
		accepted[i] = parseTime(created)
		numbers[i], _ = strconv.Atoi(number)
		lines[i] = pipe.HMGet(ctx, b.keys.record(id), fieldAttempt+number)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, wrap(err, "read %d attempts", len(ids))
	}
	var open []OpenAttempt
	for i, id := range ids {
		line, _ := lines[i].Val()[0].(string)
		if a := parseAttempt(numbers[i], line, accepted[i]); a.EndedAt.IsZero() && !a.StartedAt.IsZero() {
			open = append(open, OpenAttempt{OrderID: id, Number: a.Number, Worker: a.Worker, StartedAt: a.StartedAt})
		}
	}
	return open, nil
}

// worked returns the ids of at most limit orders that are being worked.
func (b *Book) worked(ctx context.Context, limit int) ([]string, error) {
	pipe := b.rdb.Pipeline()
	var indexes []*redis.StringSliceCmd
	for _, s := range []order.Status{order.StatusPriorityProcessing, order.StatusExpedited, order.StatusProcessing} {
		indexes = append(indexes, pipe.ZRange(ctx, b.keys.index(s), 0, int64(limit)-1))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	var ids []string
	for _, index := range indexes {
		ids = append(ids, index.Val()...)
	}
	return ids[:min(len(ids), limit)], nil
}
