package scenario

import (
	"context"
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
