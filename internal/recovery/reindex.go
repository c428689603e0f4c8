package recovery

import (
	"context"

	"orderprocessor/internal/order"
)

// reindex rebuilds indexes and gauges from the records when they do not balance.
func (r *Repairer) reindex(ctx context.Context) error {
	drift, reindexed, err := r.ledger.Balance(ctx)
	if err != nil || drift == 0 {
		return err
	}
	r.Log.ErrorContext(ctx, "the ledger did not balance; its indexes and gauges were rebuilt from the records",
		"drift", drift, "orders", reindexed)
	return r.repaired(ctx, order.RepairReindexed, max(reindexed, 1))
}
