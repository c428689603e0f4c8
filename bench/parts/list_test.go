// Package parts_test measures single parts of the system in one process: what a
// page of the list costs, and how late scheduled orders begin. The figures are for
// comparing within one run; the suite in the folder above measures the whole.
package parts_test

import (
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/redistest"
)

// BenchmarkList reads one page of the list, with a thousand orders in the books
// and with a million: the cost of a page must not depend on how many there are.
func BenchmarkList(b *testing.B) {
	for _, orders := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("orders=%d", orders), func(b *testing.B) {
			l := ledger.New(redistest.Start(b).Client())
			middle := fill(b, l, orders)
			pages := []struct {
				name  string
				f     order.Filter
				after order.Position
				limit int
			}{
				{"newest 50", order.Filter{}, order.Position{}, 50},
				{"newest 200", order.Filter{}, order.Position{}, 200},
				{"50 in the middle", order.Filter{}, middle, 50},
				{"50 of a status", order.Filter{Status: order.StatusPending}, middle, 50},
				{"50 of a customer", order.Filter{Customer: "customer 1"}, order.Position{}, 50},
			}
			for _, page := range pages {
				b.Run(page.name, func(b *testing.B) {
					for b.Loop() {
						records, _, err := l.List(b.Context(), page.f, page.after, page.limit)
						if err != nil || len(records) != page.limit {
							b.Fatalf("%d records, %v", len(records), err)
						}
					}
				})
			}
		})
	}
}

// fillers is how many callers fill the books at once.
const fillers = 64

// fill accepts orders of ten customers, every tenth of which is cancelled, and
// returns the position of the one in the middle.
func fill(b *testing.B, l *ledger.Ledger, orders int) order.Position {
	b.Helper()
	var filling errgroup.Group
	filling.SetLimit(fillers)
	for n := range orders {
		filling.Go(func() error { return fillOne(b, l, n) })
	}
	if err := filling.Wait(); err != nil {
		b.Fatal(err)
	}
	rec, err := l.Get(b.Context(), fillID(orders/2))
	if err != nil {
		b.Fatal(err)
	}
	return order.Position{CreatedAt: rec.CreatedAt, ID: rec.ID}
}

func fillID(n int) string { return fmt.Sprintf("order-%07d", n) }

func fillOne(b *testing.B, l *ledger.Ledger, n int) error {
	b.Helper()
	o := ordertest.Order(b, ordertest.WithID(fillID(n)), ordertest.WithCustomer(fmt.Sprint("customer ", n%10)))
	if _, _, err := ledgertest.Accept(b.Context(), l, o, order.QueueDefault); err != nil {
		return err
	}
	if n%10 != 0 {
		return nil
	}
	_, err := l.Cancel(b.Context(), o.ID, order.Intervention{})
	return err
}
