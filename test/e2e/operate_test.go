package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"orderprocessor/internal/client"
)

// punctual is how late an order may begin: within two seconds of its time, and more on
// a loaded machine.
const punctual = time.Minute

// TestSchedule sends orders for later: none begins before its time, and none late.
func TestSchedule(t *testing.T) {
	const orders = 20
	s := start(t)
	s.worker()
	for n := range orders {
		o := sample(fmt.Sprintf("later-%d", n))
		o.ProcessAt = time.Now().Add(2*time.Second + time.Duration(n)*77*time.Millisecond).Format(time.RFC3339Nano)
		if got := decode[client.Order](t, s.submit(o).Body); got.Status != "scheduled" {
			t.Fatalf("the new order is %s", got.Status)
		}
	}
	withdrawn := sample("withdrawn")
	withdrawn.ProcessAt = time.Now().Add(4 * time.Second).Format(time.RFC3339Nano)
	s.submit(withdrawn)
	if got := s.Send("POST", "/orders/withdrawn/cancel", ""); got.Code != http.StatusOK {
		t.Errorf("the cancel answered %d: %s", got.Code, got.Body)
	}
	var latest time.Duration
	for n := range orders {
		o := s.settled(fmt.Sprintf("later-%d", n))
		late := o.Attempts[0].StartedAt.Sub(o.ProcessAt)
		latest = max(latest, late)
		if late < 0 || late > punctual {
			t.Errorf("%s began %v after its time", o.ID, late)
		}
	}
	if o := s.Order("withdrawn"); o.Status != "cancelled" || len(o.Attempts) > 0 {
		t.Errorf("the cancelled order is %s after %d attempts", o.Status, len(o.Attempts))
	}
	t.Logf("%d orders began at most %v after their time", orders, latest.Round(time.Millisecond))
}

// TestPause stops one queue on two workers while the others go on.
func TestPause(t *testing.T) {
	s := start(t)
	s.worker()
	s.worker()
	if got := s.Send("POST", "/queues/default/pause", ""); got.Code != http.StatusOK {
		t.Fatalf("the pause answered %d: %s", got.Code, got.Body)
	}
	// A fetch may have begun before the pause. It takes effect within two seconds, or more on
	// a busy machine.
	s.until("the pause takes effect", pastOnce(5*time.Second))
	for n := range 100 {
		stays, goes := sample(fmt.Sprintf("stays-%d", n)), sample(fmt.Sprintf("goes-%d", n))
		goes.Priority = 3
		s.submit(stays)
		s.submit(goes)
	}
	s.untilProcessed(100)
	st := s.Stats()
	if st.ByStatus["pending"] != 100 || !st.Queues["default"].Paused || st.Queues["low"].Paused {
		t.Errorf("with the queue paused: %+v", st)
	}
	if got := s.Send("POST", "/queues/default/resume", ""); got.Code != http.StatusOK {
		t.Fatalf("the resume answered %d: %s", got.Code, got.Body)
	}
	s.untilProcessed(200)
	if s.Stats().Queues["default"].Paused {
		t.Error("the queue is still shown as paused")
	}
}

// pastOnce is a condition that comes true after a time.
func pastOnce(d time.Duration) func() bool {
	begun := time.Now()
	return func() bool { return time.Since(begun) > d }
}

// TestRetry fails many orders while the shop refuses them for good, and retries them when
// it takes them: one alone, the others in bulk.
func TestRetry(t *testing.T) {
	const orders = 300
	var refuses atomic.Bool
	refuses.Store(true)
	shop := openShop(t, func(string, int) int {
		if refuses.Load() {
			return http.StatusUnprocessableEntity
		}
		return http.StatusOK
	})
	s := start(t)
	s.worker("ORDERS_FULFILMENT_URL=" + shop.url)
	for n := range orders {
		s.submit(sample(fmt.Sprintf("order-%d", n)))
	}
	s.until("all orders have failed", func() bool { return s.Stats().ByStatus["failed"] == orders })

	refuses.Store(false)
	if got := s.Send("POST", "/orders/order-0/retry", ""); got.Code != http.StatusAccepted {
		t.Fatalf("the retry answered %d: %s", got.Code, got.Body)
	}
	s.until("it is completed", func() bool { return s.Order("order-0").Status == "completed" })
	o := s.Order("order-0")
	if len(o.Attempts) != 2 || o.Attempts[0].Error == "" || o.Attempts[1].Number != 2 {
		t.Errorf("after the retry: %+v", o)
	}
	if got := s.Send("POST", "/orders/order-0/retry", ""); got.Code != http.StatusConflict {
		t.Errorf("the retry of a completed order answered %d: %s", got.Code, got.Body)
	}

	const filter = `{"status":"failed","error_contains":"answered 422","limit":100,"dry_run":%t%s}`
	dry := decode[client.RetryReport](t, s.Send("POST", "/orders/retry", fmt.Sprintf(filter, true, "")).Body)
	if *dry.Count != 100 || dry.Retried != 0 || dry.NextCursor == "" {
		t.Errorf("the dry run answered %+v", dry)
	}
	retried, cursor := 0, ""
	for {
		got := s.Send("POST", "/orders/retry", fmt.Sprintf(filter, false, cursor))
		v := decode[client.RetryReport](t, got.Body)
		retried += v.Retried
		if v.NextCursor == "" {
			break
		}
		cursor = `,"cursor":"` + v.NextCursor + `"`
	}
	if retried != orders-1 {
		t.Errorf("%d orders were retried, want %d", retried, orders-1)
	}
	s.until("all orders are completed", func() bool { return s.Stats().SuccessCount == orders })
	if st := s.Stats(); st.ErrorCount != 0 || st.Ledger.Retried != orders || st.Ledger.Drift != 0 {
		t.Errorf("after all retries: %+v", st)
	}
}

// TestBatch sends the same batch twice: its orders are worked once.
func TestBatch(t *testing.T) {
	const orders = 2000
	s := start(t)
	s.worker()
	var lines strings.Builder
	for n := range orders {
		o, _ := mixed(n)
		lines.WriteString(o.json() + "\n")
	}
	for _, want := range []string{`"status":201`, `"status":200`} {
		got := s.Send("POST", "/orders/batch", lines.String(), "Content-Type", "application/x-ndjson")
		if n := strings.Count(string(got.Body), want); got.Code != http.StatusOK || n != orders {
			t.Fatalf("%d verdicts have %s, want %d; answered %d: %.300s", n, want, orders, got.Code, got.Body)
		}
	}
	s.checkAll(orders)
}
