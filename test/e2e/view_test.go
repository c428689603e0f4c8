package e2e_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"
)

// orderView is what the tests read of an order.
type orderView struct {
	ID            string    `json:"id"`
	Status        string    `json:"status"`
	Queue         string    `json:"queue"`
	Handling      string    `json:"handling"`
	Success       *bool     `json:"success"`
	Result        string    `json:"result"`
	Error         string    `json:"error"`
	ProcessAt     time.Time `json:"process_at"`
	NextAttemptAt string    `json:"next_attempt_at"`
	Attempts      []struct {
		Number    int       `json:"number"`
		WorkerID  string    `json:"worker_id"`
		StartedAt time.Time `json:"started_at"`
		Error     string    `json:"error"`
		Note      string    `json:"note"`
	} `json:"attempts"`
}

func (s *system) order(id string) orderView {
	s.t.Helper()
	got := s.call("GET", "/orders/"+id, "")
	if got.code != http.StatusOK {
		s.t.Fatalf("GET /orders/%s answered %d: %s", id, got.code, got.body)
	}
	return decode[orderView](s.t, got.body)
}

// settled waits for the order's outcome.
func (s *system) settled(id string) orderView {
	s.t.Helper()
	var o orderView
	s.until("order "+id+" is settled", func() bool {
		o = s.order(id)
		return o.Result != ""
	})
	return o
}

// statsView is what the tests read of the statistics.
type statsView struct {
	TotalProcessed int64            `json:"total_processed"`
	SuccessCount   int64            `json:"success_count"`
	ErrorCount     int64            `json:"error_count"`
	ActiveWorkers  int              `json:"active_workers"`
	QueueLength    int64            `json:"queue_length"`
	Throughput     float64          `json:"throughput_per_second"`
	ByStatus       map[string]int64 `json:"by_status"`
	Queues         map[string]struct {
		Paused bool `json:"paused"`
	} `json:"queues"`
	Ledger struct {
		Accepted int64 `json:"accepted"`
		Attempts int64 `json:"attempts"`
		Retried  int64 `json:"retried"`
		Requeued int64 `json:"requeued"`
		Drift    int64 `json:"drift"`
	} `json:"ledger"`
}

func (s *system) stats() statsView {
	s.t.Helper()
	got := s.call("GET", "/stats", "")
	if got.code != http.StatusOK {
		s.t.Fatalf("GET /stats answered %d: %s", got.code, got.body)
	}
	return decode[statsView](s.t, got.body)
}

func decode[T any](t *testing.T, body []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("decode %s: %v", body, err)
	}
	return v
}
