package ledger

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// Hold keeps an order from the workers until Release or Reject, and records the decision
// to do so. Holding a held order changes nothing. Hold returns order.ErrDecided when
// another delivery has decided the order, order.ErrSettled and order.ErrNotFound.
func (b *Book) Hold(ctx context.Context, id string, d order.Decision) error {
	decision, err := encodeDecision(&d)
	if err != nil {
		return fmt.Errorf("hold order %s: %w", id, err)
	}
	term := ""
	if d.Hold.Expires > 0 {
		term = strconv.FormatInt(d.Hold.Expires.Microseconds(), 10)
	}
	word, _, err := b.update(ctx, holdScript, update{id: id, args: []any{decision, order.Printable(d.Reason), term, shadowCounter(&d)}})
	if err != nil {
		return wrap(err, "hold order %s", id)
	}
	if word == "held" {
		return nil
	}
	return refusal(word, "hold", id)
}

// Release makes a held order pending and returns its record. An order that was released
// before, and not retried since, stays as it is. Release returns *order.StatusError for
// any other order, and order.ErrNotFound.
func (b *Book) Release(ctx context.Context, id string, by order.Intervention) (order.Record, error) {
	return b.review(ctx, releaseScript, "release", id, by)
}

// Reject settles a held order as rejected and returns its record. An order that was
// rejected so before stays as it is. Reject returns *order.StatusError for any other
// order, and order.ErrNotFound.
func (b *Book) Reject(ctx context.Context, id string, by order.Intervention) (order.Record, error) {
	return b.review(ctx, rejectScript, "reject", id, by)
}

func (b *Book) review(ctx context.Context, s *redis.Script, operation, id string, by order.Intervention) (order.Record, error) {
	word, rest, err := b.update(ctx, s, update{id: id, args: append(args(by), mark(by.IfExpired))})
	if err != nil {
		return order.Record{}, wrap(err, "%s order %s", operation, id)
	}
	return recordOr(word, rest, operation, id)
}

// args are what the scripts take of an intervention.
func args(by order.Intervention) []any {
	return []any{order.Printable(by.Actor), order.Printable(by.Reason), by.RequestID, by.Job, by.Sequence}
}

// Expired returns the ids of at most limit held orders whose hold expired at now or
// before, the first to expire first and without so many of them. It returns order.ErrUnavailable when Redis did not
// answer.
func (b *Book) Expired(ctx context.Context, now time.Time, skip, limit int) ([]string, error) {
	ids, err := b.rdb.ZRangeByScore(ctx, b.keys.expiries, &redis.ZRangeBy{Min: "-inf", Max: score(now), Offset: int64(skip), Count: int64(limit)}).Result()
	return ids, wrap(err, "list expired holds")
}
