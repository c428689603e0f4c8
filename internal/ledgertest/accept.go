package ledgertest

import (
	"context"

	"orderprocessor/internal/order"
)

// Ledger accepts orders; see ledger.Ledger.
type Ledger interface {
	AcceptAll(ctx context.Context, entries []order.Entry) ([]order.Acceptance, error)
}

// Accept records one order and returns whether it was new. It returns the error of
// AcceptAll or of the order.
func Accept(ctx context.Context, l Ledger, o order.Order, q order.Queue) (rec order.Record, isNew bool, err error) {
	all, err := l.AcceptAll(ctx, []order.Entry{{Order: o, Queue: q}})
	if err != nil {
		return order.Record{}, false, err
	}
	return all[0].Record, all[0].IsNew, all[0].Err
}
