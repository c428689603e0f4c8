package scenario

import (
	"context"

	"orderprocessor/bench/clients"
	"orderprocessor/bench/systems"
	"orderprocessor/internal/load"
	"orderprocessor/internal/order"
)

// fill has orders accepted in the fastest way that the system has. It is never
// what is measured.
func (b *Bench) fill(ctx context.Context, s *systems.System, kind systems.Kind, orders int, o load.Orders) error {
	var err error
	if kind == systems.Ours {
		_, err = clients.Batches(ctx, s.Addr, orders, o)
	} else {
		_, err = clients.Closed(ctx, s.Addr, b.Sizes.Clients, orders, o)
	}
	return err
}

// rejectEvery has the rules reject 2 % of the mixed orders.
const rejectEvery = 50

// mixedOrders are 20 % critical, 50 % default and 30 % low.
func mixedOrders() load.Orders {
	o := load.NewOrders(load.Mix{order.QueueCritical: 2, order.QueueDefault: 5, order.QueueLow: 3})
	o.RejectEvery = rejectEvery
	return o
}
