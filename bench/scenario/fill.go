package scenario

import (
	"context"

	"orderprocessor/bench/load"
	"orderprocessor/bench/systems"
)

// fill has orders accepted in the fastest way that the system has. It is never
// what is measured.
func (b *Bench) fill(ctx context.Context, s *systems.System, kind systems.Kind, orders int, o load.Orders) error {
	var err error
	if kind == systems.Ours {
		_, err = load.Batches(ctx, s.Addr, orders, o)
	} else {
		_, err = load.Closed(ctx, s.Addr, b.Sizes.Clients, orders, o)
	}
	return err
}
