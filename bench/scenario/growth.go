package scenario

import (
	"context"
	"fmt"

	"orderprocessor/bench/systems"
)

// growthSteps measure the processor time of an order beside those that were settled before
// and are still kept.
func (b *Bench) growthSteps() []Step {
	steps := make([]Step, 0, len(b.Sizes.Kept))
	for _, kept := range b.Sizes.Kept {
		steps = append(steps, Step{Scenario: Growth, System: keeping(kept), Once: true, Measure: func(ctx context.Context) error {
			return b.growth(ctx, kept)
		}})
	}
	return steps
}

// keeping names our system with so many settled orders.
func keeping(kept int) string { return fmt.Sprintf("ours, %d kept", kept) }

func (b *Bench) growth(ctx context.Context, kept int) error {
	s, err := b.openWorking(ctx, systems.Settings{Kind: systems.Ours})
	if err != nil {
		return err
	}
	defer s.Close()
	const atOnce = 100_000 // so that few wait
	for settled := 0; settled < kept; {
		some := min(atOnce, kept-settled)
		if err := b.fill(ctx, s, systems.Ours, some, mixedOrders()); err != nil {
			return err
		}
		settled += some
		if _, err := s.Books.AwaitProcessed(ctx, settled); err != nil {
			return err
		}
	}
	if err := s.Redis.AwaitRest(ctx); err != nil {
		return err
	}
	used, err := b.costOf(ctx, s, b.Sizes.Clients, b.Sizes.Cost)
	if err != nil {
		return err
	}
	b.keepUsage(Growth, keeping(kept), used, b.Sizes.Cost)
	return nil
}
