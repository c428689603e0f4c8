package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"orderprocessor/internal/order"
)

// canceller is one order of the race, and the answer to its client.
type canceller struct {
	id      string
	verdict int // the status of the answer to the cancel
	calls   int // how often the shop had been called when that answer came
}

// TestCancelRaces cancels 10,000 orders (with -short 1,000) while a worker works them. The client's
// verdict, the outcome and the calls to the shop must agree. Every
// fourth order fails its first attempts, so that it is retrying now and then.
func TestCancelRaces(t *testing.T) {
	total := 10_000
	if testing.Short() {
		total = 1_000
	}
	shop := openShop(t, func(id string, call int) int {
		if id[len(id)-1]%4 == 0 && call < 3 {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	})
	s := start(t)
	s.worker("ORDERS_FULFILMENT_URL="+shop.url, "ORDERS_WORKER_CONCURRENCY=16")
	all := make([]canceller, total)
	next := make(chan *canceller)
	var clients sync.WaitGroup
	for range 16 {
		clients.Go(func() {
			for c := range next {
				s.submitAndCancel(c, shop)
			}
		})
	}
	for n := range all {
		all[n].id = fmt.Sprintf("race-%05d", n)
		next <- &all[n]
	}
	close(next)
	clients.Wait()
	s.until("all orders are settled", func() bool {
		st := s.Stats()
		return st.TotalProcessed+st.ByStatus["cancelled"] == int64(total)
	})

	status := map[string]order.Status{}
	for _, o := range s.Orders() {
		status[o.ID] = o.Status
	}
	verdicts, worked := map[int]int{}, 0
	for _, c := range all {
		verdicts[c.verdict]++
		calls := shop.called(c.id)
		if calls > 0 {
			worked++
		}
		switch {
		case c.verdict == http.StatusOK && (status[c.id] != "cancelled" || calls != c.calls):
			t.Errorf("%s was cancelled after %d calls; it is %s after %d", c.id, c.calls, status[c.id], calls)
		case c.verdict == http.StatusConflict && (status[c.id] != "completed" || calls == 0):
			t.Errorf("%s could not be cancelled; it is %s after %d calls", c.id, status[c.id], calls)
		case c.verdict != http.StatusOK && c.verdict != http.StatusConflict:
			t.Errorf("the cancel of %s answered %d", c.id, c.verdict)
		}
	}
	if st := s.Stats(); st.ByStatus["cancelled"] != int64(verdicts[http.StatusOK]) || st.Ledger.Drift != 0 {
		t.Errorf("%d cancels were answered 200: %+v", verdicts[http.StatusOK], st)
	}
	if verdicts[http.StatusOK] == 0 || verdicts[http.StatusConflict] == 0 {
		t.Errorf("no race: %v", verdicts)
	}
	t.Logf("%d orders: %d cancelled, %d too late; the shop was called for %d",
		total, verdicts[http.StatusOK], verdicts[http.StatusConflict], worked)
}

// submitAndCancel sends an order, and cancels it up to five milliseconds later.
func (s *system) submitAndCancel(c *canceller, shop *shop) {
	s.t.Helper()
	s.submit(sample(c.id))
	<-time.After(rand.N(5 * time.Millisecond))
	got := s.Send("POST", "/orders/"+c.id+"/cancel", `{"reason":"changed my mind"}`)
	c.verdict, c.calls = got.Code, shop.called(c.id)
}
