package e2e_test

import (
	"cmp"
	"fmt"
	"net/http"
	"testing"

	"orderprocessor/internal/order"
)

// TestMonitoring reads everything that Asynqmon shows, as the user that the
// programs have in Redis: whatever that user lacks would be in the log of
// refusals.
func TestMonitoring(t *testing.T) {
	shop := openShop(t, func(id string, _ int) int {
		answers := map[string]int{"failed": http.StatusBadRequest, "retrying": http.StatusServiceUnavailable}
		return cmp.Or(answers[id], http.StatusOK)
	})
	s := start(t)
	for id, priority := range map[string]int{"failed": 2, "retrying": 2, "paused": 3, "completed": 1} {
		o := sample(id)
		o.Priority = priority
		s.submit(o)
	}
	s.Send("POST", "/queues/low/pause", "")
	s.worker("ORDERS_FULFILMENT_URL="+shop.url, "ORDERS_RETRY_BASE=1h", "ORDERS_RETRY_MAX=1h")
	s.until("each order is where it stays", func() bool {
		by := s.Stats().ByStatus
		return by["failed"] == 1 && by["retrying"] == 1 && by["pending"] == 1 && by["completed"] == 1
	})
	paths := []string{
		"/queues", "/queue_stats", "/servers", "/redis_info", "/scheduler_entries",
		"/queues/" + taskQueue(order.QueueDefault, order.BookOf("retrying", books())) + "/tasks/retrying",
	}
	for _, q := range order.Queues() {
		for book := range books() {
			queue := taskQueue(q, book)
			paths = append(paths, "/queues/"+queue, "/queues/"+queue+"/groups")
			for _, state := range []string{"active", "pending", "scheduled", "retry", "archived", "completed"} {
				paths = append(paths, fmt.Sprintf("/queues/%s/%s_tasks", queue, state))
			}
		}
	}
	for _, path := range paths {
		if got := s.Send("GET", "/monitoring/api"+path, ""); got.Code != http.StatusOK {
			t.Errorf("GET /monitoring/api%s answered %d: %s", path, got.Code, got.Body)
		}
	}
}
