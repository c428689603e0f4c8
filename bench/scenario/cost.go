package scenario

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"orderprocessor/bench/report"
	"orderprocessor/bench/systems"
)

// withShop ends the name of a system that hands its orders to a shop.
const withShop = ", with a shop"

// costSteps measure the processor time of an order, with and without a shop, of our system
// and of another commit of it if that was built.
func (b *Bench) costSteps() []Step {
	kinds := []systems.Kind{systems.Ours}
	if b.Programs.HasBase() {
		kinds = append(kinds, systems.Base)
	}
	var steps []Step
	for _, end := range []string{"", withShop} {
		for _, kind := range kinds {
			name := string(kind) + end
			steps = append(steps, Step{Scenario: Cost, System: name, Measure: func(ctx context.Context) error {
				return b.orderCost(ctx, name, kind, end == withShop)
			}})
		}
	}
	return steps
}

func (b *Bench) orderCost(ctx context.Context, name string, kind systems.Kind, shop bool) error {
	settings := systems.Settings{Kind: kind}
	if shop {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
		defer server.Close()
		settings.FulfilmentURL = server.URL
	}
	s, err := b.openWorking(ctx, settings)
	if err != nil {
		return err
	}
	defer s.Close()
	used, err := b.costOf(ctx, s, b.Sizes.Clients, b.Sizes.Cost)
	if err != nil {
		return err
	}
	b.keepUsage(Cost, name, used, b.Sizes.Cost)
	return nil
}

// costRatios compare our system with the other commit.
func costRatios() []report.Ratio {
	var all []report.Ratio
	for _, end := range []string{"", withShop} {
		for _, figure := range []string{ofRedis, ofAPI, ofWorker, allPerOrder} {
			all = append(all, report.Ratio{
				Key: key(Cost, byBase+end, figure), Of: key(Cost, ours+end, figure), By: []report.Key{key(Cost, base+end, figure)},
			})
		}
	}
	return all
}

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
