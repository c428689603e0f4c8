package ledger_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"orderprocessor/internal/order"
)

// TestListAgainstModel compares walks with what sorting all orders gives, for
// any orders, filter, start and size of a page.
func TestListAgainstModel(t *testing.T) {
	books := open(t)
	start := time.UnixMicro(1_800_000_000_000_000).UTC()
	tick := rapid.Custom(func(t *rapid.T) time.Time { // so few that orders share them
		return start.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "tick")) * time.Microsecond)
	})
	name := rapid.StringMatching(`[AZ_az.-]{1,3}`)
	customer := rapid.SampledFrom([]string{"ada", "grace"})
	status := rapid.SampledFrom([]order.Status{
		order.StatusPending, order.StatusProcessing, order.StatusRetrying, order.StatusCompleted, order.StatusCancelled,
	})
	rapid.Check(t, func(rt *rapid.T) {
		if err := books.rdb.FlushAll(t.Context()).Err(); err != nil {
			rt.Fatal(err)
		}
		var all []order.Record
		for _, id := range rapid.SliceOfNDistinct(name, 0, 12, rapid.ID[string]).Draw(rt, "ids") {
			books.do(t, accept(of(customer.Draw(rt, "customer"), sample(id))))
			books.bring(t, id, status.Draw(rt, "status"))
			books.backdate(t, id, tick.Draw(rt, "accepted"))
			all = append(all, books.get(t, id))
		}
		filter := order.Filter{
			Status:      orNone(status).Draw(rt, "of status"),
			Customer:    orNone(customer).Draw(rt, "of customer"),
			CreatedFrom: orNone(tick).Draw(rt, "from"),
			CreatedTo:   orNone(tick).Draw(rt, "to"),
		}
		var after order.Position
		if rapid.Bool().Draw(rt, "go on") {
			after = order.Position{CreatedAt: tick.Draw(rt, "after time"), ID: name.Draw(rt, "after id")}
		}
		limit := rapid.IntRange(1, 5).Draw(rt, "limit")
		pages := books.walk(t, filter, after, limit)
		if d := diff.Diff(model(all, filter, after), idsOf(pages)); d != "" {
			rt.Errorf("orders (-want +got):\n%s", d)
		}
		for i, p := range pages {
			if len(p.Records) != limit && i < len(pages)-1 {
				rt.Errorf("page %d of %d has %d orders, want %d", i+1, len(pages), len(p.Records), limit)
			}
		}
	})
}

// orNone draws nothing as often as something.
func orNone[V any](g *rapid.Generator[V]) *rapid.Generator[V] {
	var none V
	return rapid.OneOf(rapid.Just(none), g)
}

// bring brings an order that was just accepted to a status.
func (b *bundle) bring(t *testing.T, id string, s order.Status) {
	t.Helper()
	c := claim(id, "a")
	switch s { //nolint:exhaustive // those that the model draws
	case order.StatusProcessing:
		b.do(t, begin(c))
	case order.StatusRetrying:
		b.do(t, begin(c), fail(c))
	case order.StatusCompleted:
		b.do(t, begin(c), settle(c, completed()))
	case order.StatusCancelled:
		b.do(t, cancel(id, ""))
	}
}

// model returns the orders that a walk must meet.
func model(all []order.Record, f order.Filter, after order.Position) []string {
	slices.SortFunc(all, func(a, b order.Record) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	var want []string
	for _, rec := range all {
		at := order.Position{CreatedAt: rec.CreatedAt, ID: rec.ID}
		switch {
		case f.Status != "" && rec.Status != f.Status,
			f.Customer != "" && rec.Customer != f.Customer,
			rec.CreatedAt.Before(f.CreatedFrom),
			!f.CreatedTo.IsZero() && !rec.CreatedAt.Before(f.CreatedTo),
			!after.IsZero() && !further(at, after):
			continue
		}
		want = append(want, rec.ID)
	}
	return want
}
