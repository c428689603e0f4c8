package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"orderprocessor/bench/clients"
	"orderprocessor/bench/report"
	"orderprocessor/bench/systems"
)

const (
	// eventRate is how many orders come a second while subscribers read: with three
	// events each, 200 subscribers receive 120,000 a second together.
	eventRate = 200
	// silentRate is how many come while subscribers never read: enough to fill their
	// buffers in the kernel and the API within seconds.
	silentRate = 1_000
	// arrivalInterval is the time between two checks whether all events have arrived.
	arrivalInterval = 20 * time.Millisecond
	// arrivalTimeout bounds the wait for the last event: far above what it takes.
	arrivalTimeout = 30 * time.Second
)

// The figures of the stream of events.
const (
	delay     = "event to subscriber"
	alone     = "ours, no subscribers"
	withThem  = "ours, silent subscribers"
	answer    = "answer"
	byAlone   = "silent subscribers / none"
	apiMemory = "memory of the API"
)

// eventSteps measure how soon subscribers receive an event, and whether subscribers that
// never read slow others down.
func (b *Bench) eventSteps() []Step {
	return []Step{
		{Scenario: Events, System: ours, Measure: b.subscribed},
		{Scenario: Events, System: withThem, Measure: b.withSilent},
	}
}

// subscribed sends orders at a constant rate. Every subscriber has to receive every
// event.
func (b *Bench) subscribed(ctx context.Context) error {
	s, err := b.openWorking(ctx, systems.Settings{Kind: systems.Ours})
	if err != nil {
		return err
	}
	defer s.Close()
	subscribers, err := clients.Subscribe(ctx, s.Addr, b.Sizes.Subscribers)
	if err != nil {
		return err
	}
	answers, err := clients.Constant(ctx, s.Addr, eventRate, b.Sizes.AtRate, mixedOrders())
	if err == nil {
		err = b.balanceRefused(ctx, s, answers)
	}
	if err == nil {
		err = allArrived(ctx, s, subscribers)
	}
	delays, ended := subscribers.Stop()
	if err := errors.Join(ended, err); err != nil {
		return err
	}
	b.keepQuantiles(Events, ours, delay, quantiles(delays))
	return nil
}

// allArrived waits until every subscriber has received every event.
func allArrived(ctx context.Context, s *systems.System, subscribers *clients.Subscribers) error {
	events, err := s.Books.Events(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, arrivalTimeout)
	defer cancel()
	for subscribers.Seen() < events {
		if err := pause(ctx, arrivalInterval); err != nil {
			return fmt.Errorf("a subscriber has received %d of %d events: %w", subscribers.Seen(), events, err)
		}
	}
	return nil
}

// withSilent sends orders at a constant rate twice: without subscribers, and with some
// that never read.
func (b *Bench) withSilent(ctx context.Context) error {
	s, err := b.openWorking(ctx, systems.Settings{Kind: systems.Ours})
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := clients.Closed(ctx, s.Addr, b.Sizes.Clients, b.Sizes.Single, mixedOrders()); err != nil {
		return err // the first orders of a system are slower than any later ones
	}
	if err := b.answers(ctx, s, alone); err != nil {
		return err
	}
	end, err := clients.Silent(ctx, s.Addr, b.Sizes.Silent)
	if err != nil {
		return err
	}
	defer end()
	return b.answers(ctx, s, withThem)
}

// answers keeps how long answers take, and the memory of the API afterwards.
func (b *Bench) answers(ctx context.Context, s *systems.System, system string) error {
	answers, err := clients.Constant(ctx, s.Addr, silentRate, b.Sizes.AtRate, mixedOrders())
	if err != nil {
		return err
	}
	if answers.Refused > 0 {
		return fmt.Errorf("%d orders were refused", answers.Refused)
	}
	b.keepQuantiles(Events, system, answer, []time.Duration{answers.P50, answers.P95, answers.P99})
	memory, err := s.APIMemory()
	if err != nil {
		return err
	}
	b.keep(key(Events, system, apiMemory), report.Bytes, float64(memory))
	return nil
}
