package worker_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/rules"
)

// TestOrdersToldToComeBackAreSpreadOut holds that orders which the shop asks to come
// back at the same time do not, that none comes early, and that the record shows the
// time that the queue is told.
func TestOrdersToldToComeBackAreSpreadOut(t *testing.T) {
	t.Parallel()
	const orders = 60
	for asked, spread := range map[time.Duration]time.Duration{
		time.Second / 2: 2 * time.Second, // less than the back-off
		4 * time.Second: 2 * time.Second,
		time.Minute:     6 * time.Second,
		24 * time.Hour:  time.Minute,
	} {
		t.Run(asked.String(), func(t *testing.T) {
			b := open(t)
			b.hire(answers("", &order.RetryError{After: asked, Err: errors.New("answered 503")}))
			least := max(asked, config().Backoff.Delay(1))
			first, last := least+spread, least
			for n := range orders {
				id := fmt.Sprint("told-", n)
				o := ordertest.Order(t, ordertest.WithID(id))
				if _, _, err := ledgertest.Accept(t.Context(), b.books, o, shop.Queue(rules.Facts{Order: o})); err != nil {
					t.Fatal(err)
				}
				after := verdictOf(b.Work(t.Context(), id)).After
				rec, err := b.books.Get(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				if due := rec.NextAttemptAt.Sub(rec.Attempts[0].EndedAt); due != after {
					t.Errorf("the record says due after %v, the verdict %v", due, after)
				}
				first, last = min(first, after), max(last, after)
			}
			if first < least || last > least+spread {
				t.Errorf("they come back after %v to %v, want %v to %v", first, last, least, least+spread)
			}
			if last-first < spread/2 {
				t.Errorf("they come back within %v, want most of %v", last-first, spread)
			}
		})
	}
}
