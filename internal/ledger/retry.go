package ledger

import (
	"context"

	"orderprocessor/internal/order"
)

// Retry makes an order that failed or was rejected pending again, with all its
// attempts, and returns its record. The token names the retry: repeating it changes
// nothing. Retry returns *order.StatusError for an order with any other status, and
// order.ErrNotFound.
func (b *Book) Retry(ctx context.Context, id, token string, by order.Intervention) (order.Record, error) {
	word, rest, err := b.update(ctx, retryScript, update{id: id, args: append(args(by), token)})
	if err != nil {
		return order.Record{}, wrap(err, "retry order %s", id)
	}
	return recordOr(word, rest, "retry", id)
}
