package intake

import (
	"context"
	"errors"

	"orderprocessor/internal/order"
)

// TakeAll takes many orders in, at most 500, each as Take does, and returns what
// became of each, in turn. They travel to Redis together, which is what makes it
// faster than taking them one by one.
func (in *Intake) TakeAll(ctx context.Context, orders []order.Order) []order.Acceptance {
	all := make([]order.Acceptance, len(orders))
	var entries []order.Entry
	var admitted []int // the places of the entries among all
	for i, o := range orders {
		if err := in.gate.Admit(); err != nil {
			all[i].Record, all[i].IsNew, all[i].Err = in.repeated(ctx, o, err)
			continue
		}
		id, err := idOf(o)
		if err != nil {
			in.gate.Leave()
			all[i].Err = err
			continue
		}
		queue := in.router.Queue(o)
		o.ID = id
		entries, admitted = append(entries, order.Entry{Order: o, Queue: queue}), append(admitted, i)
	}
	taken := in.acceptAll(ctx, entries)
	for n, i := range admitted {
		all[i] = taken[n]
		made := orders[i].ID == ""
		if !all[i].IsNew {
			in.gate.Leave()
		}
		if made && errors.Is(all[i].Err, order.ErrUnavailable) {
			all[i].Err = &order.UncertainError{ID: entries[n].ID, Err: all[i].Err}
		}
		// An id made just now is known only if Redis has heard this call twice.
		all[i].IsNew = all[i].IsNew || made && all[i].Err == nil
	}
	return all
}

// idOf returns the order's id, or one that is made for it.
func idOf(o order.Order) (string, error) {
	if o.ID != "" {
		return o.ID, nil
	}
	return newID()
}

// acceptAll records the orders and queues those that wait.
func (in *Intake) acceptAll(ctx context.Context, entries []order.Entry) []order.Acceptance {
	if len(entries) == 0 {
		return nil
	}
	taken, err := in.ledger.AcceptAll(ctx, entries)
	if err != nil {
		taken = make([]order.Acceptance, len(entries))
		for i := range taken {
			taken[i].Err = err
		}
		return taken
	}
	var waiting []order.Record
	for _, a := range taken {
		if a.Err == nil && waits(a.Record) {
			waiting = append(waiting, a.Record)
		}
	}
	if err := in.queue.EnqueueAll(ctx, waiting); err != nil {
		in.log.Warn("orders are recorded but not all queued yet; reconcile will queue them", "orders", len(waiting), "error", err)
	}
	return taken
}

// waits says whether the order has to have a task.
func waits(rec order.Record) bool {
	return rec.Status == order.StatusPending || rec.Status == order.StatusScheduled
}
