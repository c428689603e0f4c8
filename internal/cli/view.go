package cli

import (
	"encoding/json"
	"time"

	"orderprocessor/internal/order"
)

// orderView is an order as the API shows it.
type orderView struct {
	ID               string         `json:"id"`
	Amount           json.Number    `json:"amount"`
	Items            []string       `json:"items"`
	Customer         string         `json:"customer"`
	Address          string         `json:"address"`
	Priority         order.Priority `json:"priority"`
	Notes            string         `json:"notes"`
	ProcessAt        time.Time      `json:"process_at"`
	Status           order.Status   `json:"status"`
	Queue            order.Queue    `json:"queue"`
	Handling         order.Handling `json:"handling"`
	CreatedAt        time.Time      `json:"created_at"`
	NextAttemptAt    time.Time      `json:"next_attempt_at"`
	ProcessedAt      time.Time      `json:"processed_at"`
	ProcessingTimeMS *int64         `json:"processing_time_ms"`
	WorkerID         string         `json:"worker_id"`
	Result           string         `json:"result"`
	Error            string         `json:"error"`
	CancelReason     string         `json:"cancel_reason"`
	Attempts         []attemptView  `json:"attempts"`
}

type attemptView struct {
	Number    int       `json:"number"`
	WorkerID  string    `json:"worker_id"`
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at"`
	Error     string    `json:"error"`
	Note      string    `json:"note"`
}

// statsView is the statistics as the API shows them.
type statsView struct {
	AverageProcessTimeMS float64                   `json:"average_process_time_ms"`
	ActiveWorkers        int                       `json:"active_workers"`
	Workers              int                       `json:"workers"`
	UptimeSeconds        int64                     `json:"uptime_seconds"`
	ThroughputPerSecond  float64                   `json:"throughput_per_second"`
	ByStatus             map[order.Status]int64    `json:"by_status"`
	Queues               map[order.Queue]queueView `json:"queues"`
	LatencyMS            latencyView               `json:"latency_ms"`
	Redis                memoryView                `json:"redis"`
	Ledger               struct {
		Accepted int64                  `json:"accepted"`
		Repairs  map[order.Repair]int64 `json:"repairs"`
		Drift    int64                  `json:"drift"`
	} `json:"ledger"`
}

// memoryView is the memory of Redis, in bytes; a limit of 0 is none.
type memoryView struct {
	Used  int64 `json:"memory_used_bytes"`
	Limit int64 `json:"memory_limit_bytes"`
}

type queueView struct {
	Name                 string  `json:"name"` // empty in the statistics
	Pending              int64   `json:"pending"`
	Active               int64   `json:"active"`
	Scheduled            int64   `json:"scheduled"`
	Retry                int64   `json:"retry"`
	Archived             int64   `json:"archived"`
	Paused               bool    `json:"paused"`
	OldestPendingSeconds float64 `json:"oldest_pending_seconds"`
}

type latencyView struct {
	QueueWait  quantilesView `json:"queue_wait"`
	Processing quantilesView `json:"processing"`
	EndToEnd   quantilesView `json:"end_to_end"`
}

type quantilesView struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}
