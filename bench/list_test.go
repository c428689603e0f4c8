package bench_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

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
	var filling sync.WaitGroup
	for first := range fillers {
		filling.Go(func() {
			for n := first; n < orders; n += fillers {
				if err := fillOne(b, l, n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	filling.Wait()
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
	_, err := l.Cancel(b.Context(), o.ID, "")
	return err
}

// BenchmarkScheduled sends orders for later and measures how long after their
// time they begin, on an otherwise idle machine.
func BenchmarkScheduled(b *testing.B) {
	redis := redistest.Start(b, "--appendonly", "yes", "--appendfsync", "everysec")
	url := startAPI(b, redis)
	startWorker(b, redis)
	l := ledger.New(redis.Client())
	const orders = 200
	var latest, sum time.Duration
	for b.Loop() {
		at := time.Now().Add(2 * time.Second)
		ids := make([]string, orders)
		for n := range ids {
			ids[n] = fmt.Sprintf("later-%d-%d", at.UnixNano(), n)
			if err := postScheduled(b, url, ids[n], at.Add(time.Duration(n)*17*time.Millisecond)); err != nil {
				b.Fatal(err)
			}
		}
		for _, id := range ids {
			late := lateness(b, l, id)
			latest, sum = max(latest, late), sum+late
		}
	}
	b.ReportMetric(float64(latest.Milliseconds()), "max-ms-late")
	b.ReportMetric(float64(sum.Milliseconds())/float64(b.N*orders), "mean-ms-late")
}

// lateness waits until the order is settled, and says how long after its time
// its first attempt began.
func lateness(b *testing.B, l *ledger.Ledger, id string) (late time.Duration) {
	b.Helper()
	await(b, func() bool {
		rec, err := l.Get(b.Context(), id)
		if err != nil || !rec.Status.Settled() {
			return false
		}
		late = rec.Attempts[0].StartedAt.Sub(rec.ProcessAt)
		return true
	})
	return late
}
