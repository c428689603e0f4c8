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
	// watchedRate is how many orders come a second while clients follow them: with
	// three changes each, 200 clients receive 120,000 a second together.
	watchedRate = 200
	// silentRate is how many come while clients never read: enough to fill what
	// the kernel and the API keep for them within seconds.
	silentRate = 1_000
	// noticed is how often it is looked whether all changes have arrived.
	noticed = 20 * time.Millisecond
	// arrivalTimeout bounds the wait for the last change: far above what it takes.
	arrivalTimeout = 30 * time.Second
)

// The figures of the stream of events.
const (
	delay     = "change to client"
	alone     = "ours, nobody follows"
	withThem  = "ours, clients that never read"
	answer    = "answer"
	byAlone   = "clients that never read / nobody"
	apiMemory = "memory of the API"
)

// eventSteps measure how soon clients hear of a change, and whether clients that never
// read are felt by others.
func (b *Bench) eventSteps() []Step {
	return []Step{
		{Scenario: Events, System: ours, Measure: b.followed},
		{Scenario: Events, System: withThem, Measure: b.withSilent},
	}
}

// followed sends orders at a constant rate while clients follow all changes. Every one
// has to hear of every change.
func (b *Bench) followed(ctx context.Context) error {
	s, err := b.Programs.Open(ctx, systems.Settings{Kind: systems.Ours})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := startWorker(ctx, s); err != nil {
		return err
	}
	subscribers, err := clients.Subscribe(ctx, s.Addr, b.Sizes.Followers)
	if err != nil {
		return err
	}
	answers, err := clients.Constant(ctx, s.Addr, watchedRate, b.Sizes.AtRate, mixedOrders())
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
	changes, err := s.Books.Changes(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, arrivalTimeout)
	defer cancel()
	for subscribers.Seen() < changes {
		if err := pause(ctx, noticed); err != nil {
			return fmt.Errorf("a subscriber has received %d of %d events: %w", subscribers.Seen(), changes, err)
		}
	}
	return nil
}

// withSilent sends orders at a constant rate twice: while nobody follows, and while
// clients follow that never read.
func (b *Bench) withSilent(ctx context.Context) error {
	s, err := b.Programs.Open(ctx, systems.Settings{Kind: systems.Ours})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := startWorker(ctx, s); err != nil {
		return err
	}
	if _, err := clients.Closed(ctx, s.Addr, b.Sizes.Clients, b.Sizes.Single, mixedOrders()); err != nil {
		return err // the first orders of a system are slower than any later ones
	}
	if err := b.answersBeside(ctx, s, alone); err != nil {
		return err
	}
	end, err := clients.Silent(ctx, s.Addr, b.Sizes.SilentClients)
	if err != nil {
		return err
	}
	defer end()
	return b.answersBeside(ctx, s, withThem)
}

// answersBeside keeps how long answers take, and what the API holds afterwards.
func (b *Bench) answersBeside(ctx context.Context, s *systems.System, system string) error {
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
