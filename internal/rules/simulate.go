package rules

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"orderprocessor/internal/order"
)

const (
	// simulatedPage is how many orders are read at once.
	simulatedPage = 200
	// simulatedAtOnce is how many orders are decided at once, as each may have to ask for
	// its customer.
	simulatedAtOnce = 8
	// questionTimeout bounds the reading of a page, and of what is known about one customer.
	questionTimeout = 1500 * time.Millisecond
	// examplesEach is how many orders of each change are named, and maxExamples how many in
	// all.
	examplesEach, maxExamples = 5, 50
)

// Lister reads orders, newest first; see ledger.Ledger.List.
type Lister interface {
	List(ctx context.Context, f order.Filter, after order.Position, limit int) (
		records []order.Record, next order.Position, err error)
}

// Simulation is what a version would decide, compared with the active one.
type Simulation struct {
	// Orders is how many orders were decided.
	Orders int64
	// Changed is how many of them differently.
	Changed int64
	// Errors is for how many of them a rule could not be evaluated.
	Errors int64
	// Transitions are the changes.
	Transitions map[order.Change]*Transition
	// Examples are a few orders of each change.
	Examples []Example
}

// Transition is the orders of one change.
type Transition struct {
	// Orders is how many they are.
	Orders int64
	// Amounts are their amounts, summed by currency.
	Amounts map[order.Currency]order.Money
}

// Example is an order that a version decides differently.
type Example struct {
	ID     string
	Change order.Change
	// Rule is the rule that decides; empty if none does.
	Rule string
}

// Changes returns the changes, the most frequent first.
func (s *Simulation) Changes() []order.Change {
	return slices.SortedFunc(maps.Keys(s.Transitions), func(a, b order.Change) int {
		return cmp.Or(cmp.Compare(s.Transitions[b].Orders, s.Transitions[a].Orders), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
}

// Simulate decides the newest orders that match, at most limit of them, by a version and by
// the active one, and compares. After each page it reports what it has so far to progress,
// which must not keep it. It changes nothing. Orders that cannot be read are left out. It
// returns order.ErrNoRules, order.ErrUnavailable when Redis did not answer, and the error
// of ctx.
func (e *Engine) Simulate(
	ctx context.Context, version string, orders Lister, f order.Filter, limit int, progress func(*Simulation),
) (*Simulation, error) {
	set, err := e.Version(ctx, version)
	if err != nil {
		return nil, err
	}
	in, err := e.inForce(ctx, decideFor)
	if err != nil {
		return nil, err
	}
	result := &Simulation{Transitions: map[order.Change]*Transition{}}
	var next order.Position
	for left := limit; left > 0; {
		n := result.Orders
		next, err = e.simulatePage(ctx, result, in.active, set, func(ctx context.Context) ([]order.Record, order.Position, error) {
			return orders.List(ctx, f, next, min(left, simulatedPage))
		})
		if err != nil {
			return nil, err
		}
		progress(result)
		left -= int(result.Orders - n)
		if next.IsZero() {
			break
		}
	}
	return result, ctx.Err()
}

// simulatePage adds a page of orders to the result, and returns the position of the next.
func (e *Engine) simulatePage(
	ctx context.Context, result *Simulation, active, set *Set, read func(context.Context) ([]order.Record, order.Position, error),
) (order.Position, error) {
	page, next, err := bounded(ctx, read)
	if err != nil && !errors.Is(err, order.ErrUnreadable) {
		return next, err
	}
	decisions, failed := make([][2]order.Decision, len(page)), make([]error, len(page))
	var running sync.WaitGroup
	for first := range min(simulatedAtOnce, len(page)) {
		running.Go(func() {
			for i := first; i < len(page); i += simulatedAtOnce {
				if decisions[i], failed[i] = e.simulateOne(ctx, page[i], active, set); failed[i] != nil {
					return
				}
			}
		})
	}
	running.Wait()
	for i, rec := range page {
		if failed[i] != nil {
			return next, failed[i]
		}
		result.add(rec, rec.CurrencyOr(e.cfg.Currency), decisions[i][0], decisions[i][1])
	}
	return next, nil
}

func (e *Engine) simulateOne(ctx context.Context, rec order.Record, active, set *Set) (both [2]order.Decision, err error) {
	ctx, cancel := context.WithTimeout(ctx, questionTimeout)
	defer cancel()
	facts, err := e.Facts(ctx, rec, active.AsksCustomer() || set.AsksCustomer())
	if err != nil {
		return both, err
	}
	return [2]order.Decision{active.Decide(facts), set.Decide(facts)}, nil
}

// bounded reads a page within the time for it.
func bounded(ctx context.Context, read func(context.Context) ([]order.Record, order.Position, error)) ([]order.Record, order.Position, error) {
	ctx, cancel := context.WithTimeout(ctx, questionTimeout)
	defer cancel()
	return read(ctx)
}

// add adds an order.
func (s *Simulation) add(rec order.Record, currency order.Currency, from, to order.Decision) {
	s.Orders++
	if to.Failed {
		s.Errors++
	}
	change := order.Change{From: from.Label(), To: to.Label()}
	if change.From == change.To {
		return
	}
	s.Changed++
	t := s.Transitions[change]
	if t == nil {
		t = &Transition{Amounts: map[order.Currency]order.Money{}}
		s.Transitions[change] = t
	}
	t.Orders++
	sum := t.Amounts[currency]
	t.Amounts[currency] = order.Money{Minor: sum.Minor + rec.Amount.Minor, Decimals: rec.Amount.Decimals}
	if t.Orders <= examplesEach && len(s.Examples) < maxExamples {
		s.Examples = append(s.Examples, Example{ID: rec.ID, Change: change, Rule: to.Rule})
	}
}
