package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"

	"orderprocessor/bench/peers"
	"orderprocessor/bench/report"
)

// peerSlots is how many orders a peer works at once: as many as our worker does by
// default.
const peerSlots = 64

// peerSteps measure how fast the peers work waiting orders.
func (b *Bench) peerSteps() []Step {
	return b.eachPeer(Drain, func(ctx context.Context, p peers.Peer, s peers.System) error {
		orders, bodies := mixedOrders(), make([][]byte, b.Sizes.PeerOrders)
		for n := range bodies {
			bodies[n] = orders.Append(nil, n)
		}
		if err := s.Enqueue(ctx, bodies, b.Sizes.Clients); err != nil {
			return fmt.Errorf("enqueue: %w", err)
		}
		took, _, err := s.Drain(ctx, len(bodies), peerSlots)
		if err != nil {
			return fmt.Errorf("drain: %w", err)
		}
		b.keep(key(Drain, p.Name, rate), report.OrdersPerSecond, perSecond(int64(len(bodies)), took))
		return nil
	})
}

// pickupSteps measure how soon idle peers begin an order.
func (b *Bench) pickupSteps() []Step {
	return b.eachPeer(Idle, func(ctx context.Context, p peers.Peer, s peers.System) error {
		wait, err := s.Pickup(ctx, b.Sizes.PeerPickups)
		if err != nil {
			return fmt.Errorf("pickup: %w", err)
		}
		b.keepQuantiles(Idle, p.Name, pickup, quantiles(wait))
		return nil
	})
}

// eachPeer returns a step for each peer, which opens it first.
func (b *Bench) eachPeer(scenario string, measure func(context.Context, peers.Peer, peers.System) error) []Step {
	steps := make([]Step, 0, len(b.Peers))
	for _, p := range b.Peers {
		steps = append(steps, b.peerStep(scenario, p.Name, func(ctx context.Context, dir string) (err error) {
			s, err := p.Open(ctx, b.Programs.Root(), dir)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			return measure(ctx, p, s)
		}))
	}
	return steps
}

// peerStep returns a step that has a folder of its own. One that cannot be made here is
// noted as skipped and is no error.
func (b *Bench) peerStep(scenario, name string, measure func(ctx context.Context, dir string) error) Step {
	return Step{Scenario: scenario, System: name, Measure: func(ctx context.Context) error {
		dir, err := os.MkdirTemp(b.Programs.Dir(), "p")
		if err != nil {
			return fmt.Errorf("make the folder of a peer: %w", err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		err = measure(ctx, dir)
		var skipped peers.Skipped
		if errors.As(err, &skipped) {
			b.Results.Skip(key(scenario, name, ""), skipped.Reason)
			return nil
		}
		return err
	}}
}
