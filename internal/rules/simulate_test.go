package rules_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/rules"
)

// lister is a rules.Lister of some orders. It keeps the limits that it is asked with.
type lister struct {
	records []order.Record
	limits  []int
	listed  func(page int) error // called for each page; nil for nothing
}

func (l *lister) List(ctx context.Context, f order.Filter, after order.Position, limit int) ([]order.Record, order.Position, error) {
	l.limits = append(l.limits, limit)
	var err error
	if l.listed != nil {
		err = l.listed(len(l.limits))
	}
	first := 0
	if !after.IsZero() {
		first = slices.IndexFunc(l.records, func(r order.Record) bool { return r.ID == after.ID }) + 1
	}
	page := l.records[first:min(first+limit, len(l.records))]
	next := order.Position{}
	if last := first + len(page); last < len(l.records) {
		next = order.Position{CreatedAt: page[len(page)-1].CreatedAt, ID: page[len(page)-1].ID}
	}
	matching := slices.DeleteFunc(slices.Clone(page), func(r order.Record) bool { return f.Status != "" && r.Status != f.Status })
	return matching, next, errors.Join(err, ctx.Err())
}

// bought is n orders of an amount in a currency, of which the last is the newest.
func bought(t *testing.T, n int, currency, amount string, opts ...ordertest.Option) (all []order.Record) {
	t.Helper()
	for i := range n {
		id := fmt.Sprint(currency, "-", amount, "-", i)
		o := ordertest.Order(t, append(opts, ordertest.WithID(id), ordertest.WithCurrency(currency), ordertest.WithAmount(amount))...)
		all = append(all, order.Record{Order: o, Status: order.StatusCompleted, CreatedAt: time.Now()})
	}
	return all
}

// review is a version that differs from builtin in three ways, and fails for some orders.
const review = `{"rules": [
	{"name": "odd", "when": "10 / (order.priority - 3) > 100", "tag": "never"},
	{"name": "large", "when": "order.amount > money(\"500.00\")", "hold": "large"},
	{"name": "urgent", "when": "order.priority == 1", "handling": "priority"}]}`

func nobody(*rules.Simulation) {}

// TestSimulate compares a version with the active one over more than a page of orders.
func TestSimulate(t *testing.T) {
	t.Parallel()
	e, s, _ := newEngine("", "")
	s.in.Active, s.versions["review"] = order.VersionBuiltin, review
	l := &lister{records: slices.Concat(
		bought(t, 230, "USD", "12.50"),                                         // standard in both
		bought(t, 3, "USD", "999.99"),                                          // standard, then held
		bought(t, 2, "JPY", "700"),                                             // standard, then held
		bought(t, 4, "KWD", "500.001"),                                         // standard, then held
		bought(t, 1, "KWD", "500.000"),                                         // standard in both
		bought(t, 7, "USD", "2000"),                                            // priority, then held
		bought(t, 6, "EUR", "10001"),                                           // rejected, then held
		bought(t, 2, "EUR", "1", ordertest.WithPriority(order.PriorityHigh)),   // expedited, then priority
		bought(t, 1, "USD", "0.10", ordertest.WithPriority(order.PriorityLow)), // fails, so it is held
	)}
	var told []int64
	got, err := e.Simulate(t.Context(), "review", l, order.Filter{}, 1000, func(now *rules.Simulation) { told = append(told, now.Orders) })
	if err != nil {
		t.Fatal(err)
	}
	money := func(minor int64, decimals int) order.Money { return order.Money{Minor: minor, Decimals: decimals} }
	held := order.Change{From: "standard", To: "hold"}
	want := map[order.Change]*rules.Transition{
		held: {10, map[order.Currency]order.Money{
			"USD": money(3*999_99+10, 2), "JPY": money(1400, 0), "KWD": money(4*500_001, 3),
		}},
		{From: "priority", To: "hold"}:      {7, map[order.Currency]order.Money{"USD": money(7*2000_00, 2)}},
		{From: "reject", To: "hold"}:        {6, map[order.Currency]order.Money{"EUR": money(6*10001_00, 2)}},
		{From: "expedited", To: "priority"}: {2, map[order.Currency]order.Money{"EUR": money(2_00, 2)}},
	}
	if diff := cmp.Diff(want, got.Transitions); diff != "" {
		t.Errorf("transitions (-want +got):\n%s", diff)
	}
	if got.Orders != 256 || got.Changed != 25 || got.Errors != 1 {
		t.Errorf("%d orders, %d changed, %d errors", got.Orders, got.Changed, got.Errors)
	}
	if changes := got.Changes(); len(changes) != 4 || changes[0] != held || got.Transitions[changes[3]].Orders != 2 {
		t.Errorf("the changes in turn are %v", changes)
	}
	examples := map[order.Change]int{}
	for _, x := range got.Examples {
		examples[x.Change]++
	}
	if len(got.Examples) != 17 || examples[held] != 5 || got.Examples[0] != (rules.Example{ID: "USD-999.99-0", Change: held, Rule: "large"}) {
		t.Errorf("the examples are %+v", got.Examples)
	}
	if !slices.Equal(told, []int64{200, 256}) || !slices.Equal(l.limits, []int{200, 200}) {
		t.Errorf("progress was told at %v, pages were of %v", told, l.limits)
	}
}

// TestSimulateSome checks the limit and the filter, and that orders which cannot be read
// are left out.
func TestSimulateSome(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		filter order.Filter
		limit  int
		listed func(int) error
		orders int64
		limits []int
	}{
		{"fewer than a page", order.Filter{}, 7, nil, 7, []int{7}},
		{"some of the second page", order.Filter{}, 201, nil, 201, []int{200, 1}},
		{"more than there are", order.Filter{}, 5000, nil, 450, []int{200, 200, 200}},
		{"none match", order.Filter{Status: order.StatusHeld}, 300, nil, 0, []int{200, 200, 200}},
		{"some are unreadable", order.Filter{}, 450, func(int) error { return order.ErrUnreadable }, 450, []int{200, 200, 50}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			e, _, _ := newEngine("expedites", "")
			l := &lister{records: bought(t, 450, "USD", "1"), listed: row.listed}
			got, err := e.Simulate(t.Context(), "prefers", l, row.filter, row.limit, nobody)
			if err != nil || got.Orders != row.orders || got.Changed != row.orders || !slices.Equal(l.limits, row.limits) {
				t.Errorf("%+v, %v, pages of %v", got, err, l.limits)
			}
		})
	}
}

// TestSimulateEnds checks that a simulation ends with its context and when the store fails,
// and is refused for a version that does not exist.
func TestSimulateEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	boom := errors.New("boom")
	for name, row := range map[string]struct {
		ctx     context.Context
		version string
		listed  func(*store) error // for the second page
		want    error
		pages   int
	}{
		"cancelled":            {ctx, "prefers", func(*store) error { cancel(); return nil }, context.Canceled, 2},
		"no list":              {t.Context(), "prefers", func(*store) error { return boom }, boom, 2},
		"no answer":            {t.Context(), "asks", func(s *store) error { s.set(func(s *store) { s.err = order.ErrUnavailable }); return nil }, order.ErrUnavailable, 2},
		"no such version":      {t.Context(), "gone", nil, order.ErrNoRules, 0},
		"cannot be understood": {t.Context(), "future", nil, nil, 0},
	} {
		e, s, _ := newEngine("expedites", "")
		l := &lister{records: bought(t, 700, "USD", "1")}
		l.listed = func(page int) error {
			if page == 2 {
				return row.listed(s)
			}
			return nil
		}
		got, err := e.Simulate(row.ctx, row.version, l, order.Filter{}, 700, nobody)
		if err == nil || got != nil || row.want != nil && !errors.Is(err, row.want) || len(l.limits) != row.pages {
			t.Errorf("%s: %+v, %v after %d pages", name, got, err, len(l.limits))
		}
	}
}

// TestSimulateUsesFrozenFacts checks that decided orders are simulated with what was known
// of their customers then, and that the examples are bounded.
func TestSimulateUsesFrozenFacts(t *testing.T) {
	t.Parallel()
	e, s, _ := newEngine("expedites", "")
	s.customer = order.CustomerFacts{Orders24h: 1}
	l := &lister{records: bought(t, 90, "USD", "1")}
	for i := range l.records[:30] {
		l.records[i].Decision = &order.Decision{Customer: &order.CustomerFacts{Orders24h: 11}}
	}
	got, err := e.Simulate(t.Context(), "asks", l, order.Filter{}, 100, nobody)
	if err != nil || s.customers != 60 {
		t.Fatalf("%d questions, %v", s.customers, err)
	}
	many := order.Change{From: "expedited", To: "reject"}
	if tr := got.Transitions[many]; tr == nil || tr.Orders != 30 || len(got.Examples) != 10 {
		t.Errorf("%+v", got)
	}
}

// TestSimulateSlowly checks that a page may take long, as long as each customer does not.
func TestSimulateSlowly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, s, _ := newEngine("expedites", "")
		l := &lister{records: bought(t, 100, "USD", "1")}
		s.customerDelay = time.Second
		if got, err := e.Simulate(t.Context(), "asks", l, order.Filter{}, 100, nobody); err != nil || got.Orders != 100 {
			t.Errorf("%+v, %v", got, err)
		}
		s.customerDelay = time.Hour
		begun := time.Now()
		if _, err := e.Simulate(t.Context(), "asks", l, order.Filter{}, 100, nobody); !errors.Is(err, order.ErrUnavailable) || time.Since(begun) > 2*time.Second {
			t.Errorf("ended with %v after %v", err, time.Since(begun))
		}
	})
}
