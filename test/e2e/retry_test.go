package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"orderprocessor/internal/client"
)

// TestRetryOnTheEvent retries each order at the moment of the event that it failed,
// when its worker may not have acknowledged it yet. Recovery finds no order without a
// task, except those whose worker took longer than the second for which a retry waits.
func TestRetryOnTheEvent(t *testing.T) { bothWays(t, testRetryOnTheEvent) }

func testRetryOnTheEvent(t *testing.T, s *system) {
	t.Helper()
	const orders, waits = 400, time.Second
	var slow atomic.Int64 // retries that waited in vain, as on a starved machine
	shop := openShop(t, func(_ string, call int) int {
		if call == 1 {
			return http.StatusUnprocessableEntity
		}
		return http.StatusOK
	})
	s.worker("ORDERS_FULFILMENT_URL=" + shop.url)
	resp, err := http.Get(s.URL + "/events?status=failed")
	if err != nil {
		t.Fatal(err)
	}
	var listening sync.WaitGroup
	listening.Go(func() {
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() {
			data, isData := strings.CutPrefix(lines.Text(), "data: ")
			var event client.Event
			if !isData || json.Unmarshal([]byte(data), &event) != nil || event.OrderID == "" {
				continue
			}
			listening.Go(func() {
				begun := time.Now()
				got, err := s.Ask("POST", "/orders/"+event.OrderID+"/retry", "")
				if time.Since(begun) >= waits {
					slow.Add(1)
				}
				if err != nil || got.Code != http.StatusAccepted {
					t.Errorf("the retry of %s was answered %d: %s, %v", event.OrderID, got.Code, got.Body, err)
				}
			})
		}
	})
	var sending sync.WaitGroup
	for n := range orders {
		sending.Go(func() { s.submit(sample(fmt.Sprintf("again-%d", n))) })
	}
	sending.Wait()
	s.until("all orders are completed", func() bool { return s.Stats().ByStatus["completed"] == orders })
	_ = resp.Body.Close()
	listening.Wait()
	if n := s.Stats().Ledger.Requeued; n > slow.Load() {
		t.Errorf("recovery gave %d orders a task, and %d retries took a second", n, slow.Load())
	}
}
