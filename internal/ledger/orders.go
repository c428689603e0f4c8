package ledger

import (
	"context"

	"orderprocessor/internal/order"
)

// What is done with one order is done in its book; see the methods of Book.

// Get returns the record of an order, or order.ErrNotFound.
func (l *Ledger) Get(ctx context.Context, id string) (order.Record, error) {
	return l.of(id).Get(ctx, id)
}

// Events returns the timeline of an order; see Book.Events.
func (l *Ledger) Events(ctx context.Context, id string) ([]order.Event, error) {
	return l.of(id).Events(ctx, id)
}

// Begin opens an attempt at an order; see Book.Begin.
func (l *Ledger) Begin(ctx context.Context, c order.Claim) (order.Begun, error) {
	return l.of(c.ID).Begin(ctx, c)
}

// Fail ends an attempt without an outcome; see Book.Fail.
func (l *Ledger) Fail(ctx context.Context, c order.Claim, f order.Failure) error {
	return l.of(c.ID).Fail(ctx, c, f)
}

// Settle gives an order its outcome; see Book.Settle.
func (l *Ledger) Settle(ctx context.Context, c order.Claim, out order.Outcome) error {
	return l.of(c.ID).Settle(ctx, c, out)
}

// Hold keeps an order from the workers; see Book.Hold.
func (l *Ledger) Hold(ctx context.Context, id string, d order.Decision) error {
	return l.of(id).Hold(ctx, id, d)
}

// Cancel withdraws an order; see Book.Cancel.
func (l *Ledger) Cancel(ctx context.Context, id string, by order.Intervention) (order.Record, error) {
	return intervene(ctx, l, id, by, (*Book).Cancel)
}

// Retry makes an order pending again; see Book.Retry.
func (l *Ledger) Retry(ctx context.Context, id, token string, by order.Intervention) (order.Record, error) {
	return intervene(ctx, l, id, by, func(b *Book, ctx context.Context, id string, by order.Intervention) (order.Record, error) {
		return b.Retry(ctx, id, token, by)
	})
}

// Release makes a held order pending; see Book.Release.
func (l *Ledger) Release(ctx context.Context, id string, by order.Intervention) (order.Record, error) {
	return intervene(ctx, l, id, by, (*Book).Release)
}

// Reject settles a held order as rejected; see Book.Reject.
func (l *Ledger) Reject(ctx context.Context, id string, by order.Intervention) (order.Record, error) {
	return intervene(ctx, l, id, by, (*Book).Reject)
}

// EraseOrder replaces what is personal in a settled order; see Book.EraseOrder.
func (l *Ledger) EraseOrder(ctx context.Context, rec order.Record, by order.Intervention) error {
	_, err := intervene(ctx, l, rec.ID, by, func(b *Book, ctx context.Context, _ string, by order.Intervention) (order.Record, error) {
		return order.Record{}, b.EraseOrder(ctx, rec, by)
	})
	return err
}
