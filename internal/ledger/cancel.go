package ledger

import (
	"context"

	"orderprocessor/internal/order"
)

// Cancel withdraws an order that is scheduled, pending, held or retrying, and returns its
// record. From then on no attempt can begin. An order that was cancelled before keeps
// its first reason. Cancel returns *order.StatusError for an order that is being
// worked, has another outcome, or may have been accepted by the shop, and
// order.ErrNotFound.
func (b *Book) Cancel(ctx context.Context, id string, by order.Intervention) (order.Record, error) {
	word, rest, err := b.update(ctx, cancelScript, update{id: id, args: args(by)})
	if err != nil {
		return order.Record{}, wrap(err, "cancel order %s", id)
	}
	return recordOr(word, rest, "cancel", id)
}
