package scenario

import (
	"context"
	"fmt"

	"orderprocessor/bench/report"
	"orderprocessor/bench/systems"
	"orderprocessor/internal/load"
	"orderprocessor/internal/order"
)

// backlogSteps measure submit to settled behind many orders that wait.
func (b *Bench) backlogSteps() []Step {
	steps := make([]Step, 0, len(b.Sizes.Backlogs))
	for _, waiting := range b.Sizes.Backlogs {
		steps = append(steps, Step{Scenario: Backlog, System: behind(waiting), Measure: func(ctx context.Context) error {
			return b.backlog(ctx, waiting)
		}})
	}
	return steps
}

// behind names our system with so many orders waiting.
func behind(waiting int) string { return fmt.Sprintf("ours, %d waiting", waiting) }

// backlog has orders wait in the low queue, which is paused, and sends
// critical ones past them.
func (b *Bench) backlog(ctx context.Context, waiting int) error {
	s, err := b.Programs.Open(ctx, systems.Settings{Kind: systems.Ours})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Books.Pause(ctx, order.QueueLow); err != nil {
		return err
	}
	if err := b.fill(ctx, s, systems.Ours, waiting, load.NewOrders(load.Mix{order.QueueLow: 1})); err != nil {
		return err
	}
	if err := s.Redis.AwaitRest(ctx); err != nil {
		return err
	}
	if err := startWorker(ctx, s); err != nil {
		return err
	}
	m, err := b.throughSystem(ctx, s, b.Sizes.Beside, load.NewOrders(load.Mix{order.QueueCritical: 1}))
	if err != nil {
		return err
	}
	if err := s.Books.Balance(ctx, waiting+b.Sizes.Beside, waiting); err != nil {
		return err
	}
	b.keep(key(Backlog, behind(waiting), rate), report.OrdersPerSecond, m.rate)
	return nil
}
